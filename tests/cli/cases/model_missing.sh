#: exit 1
#: stderr bitseer inspect: cannot read 'none.onnx': No such file or directory
#: stderr bitseer inspect: cannot read '.': Is a directory
bitseer inspect none.onnx
bitseer inspect .
