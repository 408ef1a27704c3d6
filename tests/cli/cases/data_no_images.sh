#: exit 2
#: stderr bitseer eval: images '0' selects no image
#: stderr bitseer eval: images '3' ends at 3, the data has 2 images
make_idx 28 1 2
bitseer eval "$demo" --data idx:x,y --images 0
bitseer eval "$demo" --data idx:x,y --images 3
