#: exit 2
#: stderr bitseer eval: mean has 3 values, the network has 1 channels
make_idx 28 1
bitseer eval "$demo" --data idx:x,y --mean 0.1,0.2,0.3
