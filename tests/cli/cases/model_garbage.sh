#: exit 1
#: stderr~ bitseer inspect: 'empty.onnx': *
#: stderr~ bitseer inspect: 'text.onnx': *
#: stderr~ bitseer inspect: 'cut.onnx': *
: >empty.onnx
echo 'This is no network.' >text.onnx
head -c 5000 "$demo" >cut.onnx
bitseer inspect empty.onnx
bitseer inspect text.onnx
bitseer inspect cut.onnx
