#: exit 2
#: stderr bitseer eval: image 1 has label 10, the network has classes 0 to 9
#: stderr bitseer inject: image 0 has label -1, the network has classes 0 to 9
make_idx 28 0 10
bitseer eval "$demo" --data idx:x,y
bitseer inject "$demo" --data idx:x,y --target weight --class-offset -1
