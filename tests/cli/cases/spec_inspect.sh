#: stdout same
#: stdout same
# The same as the command with these options; relative to the folder of the spec.
mkdir sub
cp "$demo" sub/net.onnx
printf 'command: inspect\nmodel: net.onnx\nfold-bn: true\ninput-shape: [1, 28, 28]\njson: true\nout: a.json\n' >sub/s.yaml
bitseer run sub/s.yaml >b
bitseer inspect sub/net.onnx --fold-bn --input-shape 1,28,28 --json >c
cmp b c && cmp b sub/a.json && echo same
sed -i '/json/d' sub/s.yaml
bitseer run sub/s.yaml --json --out d.json >b
cmp b c && cmp b d.json && echo same
