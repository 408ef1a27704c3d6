#: stdout~ */fashion_resnet.onnx: ONNX opset 13, * nodes, 2211872 MACs per image
#: stdout~ input 'image' channels x height x width 1 x 28 x 28, output 'logits' with 10 classes*
#: stdout~     9 /fc/Gemm *Gemm   480x32  10x32       10    480   48x32 *
#: stdout~ *
#: stdout weight      55664            1781248
#: stdout bias           10                320
#: stdout~ activation *
#: stdout input         784              25088
bitseer inspect "$demo" >table
awk 'FNR > 1 && length > 100 { exit 1 }' table || exit 9
cat table
