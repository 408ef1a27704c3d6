#: exit 1
#: stderr bitseer run: cannot read 'sub/x': No such file or directory
#: stderr bitseer run: cannot read 'sub/../y': No such file or directory
#: stderr~ bitseer run: *'sub/a,b'*
#: stderr~ bitseer run: *'sub/card.yaml'*
#: stderr~ bitseer run: cannot read '/none/x': No such file or directory
# Each name of a list starts at the spec's folder; a folder's may hold a comma.
mkdir sub
cp "$demo" sub/net.onnx
make_idx 28 1
with() {
    printf 'command: eval\nmodel: net.onnx\ndata: %s\n' "$1" >sub/s.yaml
    bitseer run sub/s.yaml
}
with 'idx:x,y'
mv x sub && rm y
with '[idx:x, ../y]'
with 'folder:a,b'
with 'card.yaml'
with 'idx:/none/x,y'
