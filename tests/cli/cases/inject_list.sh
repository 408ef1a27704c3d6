#: stdout random 10 True
#: stdout zero 10 True
#: stdout stuck1 10 True
#: stdout mbu:3 10 True
# The list of the faults that were drawn brings the same outcomes about, whatever model drew them.
need_fashion
run() {
    bitseer inject "$demo" --data "$root/models/fashion-mnist.yaml" --images 5 -t operand --layers 9 \
        "$@" >table
}
for fault in random zero stuck1 mbu:3; do
    rm -f ./*.db
    run --plan random:10 --fault $fault --out a.db
    bitseer export a.db --faults --out list
    run --faults list --out b.db
    bitseer export a.db --json --out a.json && bitseer export b.db --json --out b.json
    rm list
    python3 - $fault <<'P'
import json
import sys
a, b = ([[row[k] for k in ('critical', 'due', 'sdc', 'masked', 'correct')]
         for row in json.load(open(name))] for name in ('a.json', 'b.json'))
print(sys.argv[1], len(a), sorted(a) == sorted(b))
P
done
