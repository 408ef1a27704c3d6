#: exit 1
#: stderr bitseer run: cannot read 'none.yaml': No such file or directory
#: stderr bitseer run: cannot read '.': Is a directory
#: stderr bitseer run: cannot read 'sub/none.onnx': No such file or directory
# A relative name in a spec starts at the spec's folder.
mkdir sub
printf 'command: inspect\nmodel: none.onnx\n' >sub/s.yaml
bitseer run none.yaml
bitseer run .
bitseer run sub/s.yaml
