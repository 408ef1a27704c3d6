#: exit 2
#: stderr bitseer inject: layer 99 does not exist, there are 10 (0 to 9)
#: stderr bitseer analyze: layer 'conv9' does not exist
#: stderr~ bitseer inject: *bit 32 does not exist, there are 32 (0 to 31)
#: stderr bitseer analyze: tensor 'nowhere' does not exist
#: stderr~ bitseer inject: *channel 48 does not exist, there are 16 (0 to 15)
make_idx 28 1
bitseer inject "$demo" --data idx:x,y --target weight --layers 99
bitseer analyze "$demo" --data idx:x,y --target weight --layers conv9
bitseer inject "$demo" --data idx:x,y --target weight --bits 32
bitseer analyze "$demo" --data idx:x,y --target activation --tensors nowhere
bitseer inject "$demo" --data idx:x,y --target weight --channels 48
