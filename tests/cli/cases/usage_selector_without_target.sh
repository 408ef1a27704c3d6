#: exit 2
#: stderr bitseer inject: --layers needs --target weight or bias
#: stderr bitseer analyze: --tensors needs --target activation
bitseer inject "$demo" --data idx:x,y --target input --layers 0
bitseer analyze "$demo" --data idx:x,y --target weight --tensors image
