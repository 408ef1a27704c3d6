#: exit 1
#: stderr~ bitseer inject: *run.db*
# A limit on the size of files stands for a full disk.
need_fashion
trap '' XFSZ
(
    ulimit -f 64
    bitseer inject "$demo" --data "$root/models/fashion-mnist.yaml" --images 10 -t weight \
        --plan random:20000 --out run.db
)
