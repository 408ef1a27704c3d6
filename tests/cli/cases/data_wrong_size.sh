#: exit 2
#: stderr bitseer eval: idx: images are 1x20x20, the network takes 1x28x28
make_idx 20 1
bitseer eval "$demo" --data idx:x,y
