#: exit 2
#: stderr bitseer inject: --layers needs --target weight, bias, output, operand or operand-weight
#: stderr bitseer plan: --layers needs --target weight, bias, output, operand or operand-weight
#: stderr bitseer analyze: --tensors needs --target activation, norm, scale or zero-point
bitseer inject "$demo" --data idx:x,y --target input --layers 0
bitseer plan "$demo" --target norm --layers 0
bitseer analyze "$demo" --data idx:x,y --target weight --tensors image
