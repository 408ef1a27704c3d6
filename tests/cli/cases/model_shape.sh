#: exit 2
#: stderr~ bitseer inspect: '*fashion_resnet.onnx': input 'image' has 1 in place of the given shape's 3
bitseer inspect "$demo" --input-shape 3,28,28
