#: stdout 0.0 0 0 1.0
#: stderr bitseer compare: 'p.db' holds error patterns, not single faults
#: stderr bitseer export: 'p.db' holds error patterns, a list is of single faults
# A run does not differ from itself. Error patterns have no pairs to compare.
need_fashion
run() {
    bitseer inject "$demo" --data "$root/models/fashion-mnist.yaml" --images 5 -t weight --layers 9 "$@" >table
}
run --plan random:500 --out a.db
bitseer compare a.db a.db --json | python3 -c 'import json, sys
r = json.load(sys.stdin)
c = r["total"]
print(c["difference"], c["only_a"], c["only_b"], r["p_value"])'
run --fault ber:1e-3 --plan random:3 --out p.db
bitseer compare p.db a.db
bitseer export p.db --faults
[ $? = 2 ]
