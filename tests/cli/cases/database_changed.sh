#: exit 1
#: stderr~ bitseer resume: 'run.db': another run: its model (SHA-256) is *
#: stderr~ bitseer resume: 'run.db': another run: its data (SHA-256) is *
#: stderr~ bitseer resume: cannot read '*/net.onnx': No such file or directory
# A run goes on with what it began with or not at all.
cp "$demo" net.onnx
make_idx 28 1 2
bitseer inject net.onnx --data idx:x,y -t bias --plan random:5 --out run.db >table || exit 9
bitseer export run.db >before
python3 - <<'P'
data = bytearray(open('net.onnx', 'rb').read())
data[len(data) // 2] ^= 1 # a weight's
open('net.onnx', 'wb').write(data)
P
bitseer resume run.db
cp "$demo" net.onnx
make_idx 28 2 1
bitseer resume run.db
rm net.onnx
bitseer resume run.db
status=$?
bitseer export run.db | cmp before - || exit 9
exit $status
