#: exit 1
#: stderr bitseer inject: cannot write 'no/folder/out.json': No such file or directory
#: stderr bitseer inject: cannot write 'no/run.db': No such file or directory
#: stderr bitseer inject: '.' exists
#: stderr bitseer plan: cannot write '.': Is a directory
#: stderr bitseer eval: cannot write 'no/logits.npy': No such file or directory
#: stderr bitseer inspect: cannot write '': No such file or directory
#: stderr bitseer inspect: cannot write 'y/out.json': Not a directory
#: stderr bitseer export: cannot write 'no/faults.csv': No such file or directory
# Found out before anything is read: the model does not exist.
make_idx 28 1
bitseer inject none.onnx --data idx:x,y --target weight --out no/folder/out.json
bitseer inject none.onnx --data idx:x,y --target weight --out no/run.db
bitseer inject none.onnx --data idx:x,y --target weight --out .
bitseer plan none.onnx --target weight --out .
bitseer eval none.onnx --data idx:x,y --logits no/logits.npy
bitseer inspect none.onnx --out=
bitseer inspect none.onnx --out y/out.json
bitseer export none.db -o no/faults.csv
