#: stdout 200 True
#: stderr~ bitseer compare: *
# Runs of other images cannot be compared.
need_fashion
run() {
    bitseer inject "$demo" --data "$root/models/fashion-mnist.yaml" --images 10 -t weight \
        --bits 30 --plan random:200 "$@" >/dev/null
}
run --out a.db
run --cpu-mask ref --threads 1 --out b.db
bitseer compare a.db b.db --json | python3 -c 'import json, sys
c = json.load(sys.stdin)["total"]
print(c["faults"], c["critical_a"] == c["critical_b"])'
bitseer inject "$demo" --data "$root/models/fashion-mnist.yaml" --images 20 -t weight --bits 30 \
    --plan random:200 --out c.db >/dev/null
bitseer compare a.db c.db
[ $? = 2 ]
