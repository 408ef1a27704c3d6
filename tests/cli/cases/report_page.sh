#: stdout 1
#: stdout 0
#: stdout 1
#: stdout 1
#: stdout same
#: stdout 2
#: stdout same
# One file with the runs in it; the databases stay as they are, a page is replaced by the next.
need_fashion
run() {
    bitseer "$@" --data "$root/models/fashion-mnist.yaml" --images 10 -t weight --quiet >/dev/null
}
run inject "$demo" --plan random:50 --out a.db
run sweep "$demo" --ber 0,1e-4 --runs 2 --out 'b & c.db'
cp a.db before.db
bitseer report a.db 'b & c.db' -o page.html --title 'A <b> & "c"'
grep -c '<title>A &lt;b&gt; &amp; &quot;c&quot;</title>' page.html
grep -cE '(src|href)="(https?:)?//' page.html
grep -c '"command":"bitseer inject [^"]*/models/fashion_resnet.onnx --plan random:50 ' page.html
grep -c '"name":"b \\u0026 c.db"' page.html
cmp a.db before.db && echo same
bitseer report a.db --out page.html --confidence 0.5
grep -o '"confidence":0.5\|<title>fashion_resnet.onnx</title>' page.html | wc -l
bitseer report a.db --out other.html --confidence 0.5 && cmp page.html other.html && echo same
