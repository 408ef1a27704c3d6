#: stdout 101
#: stdout 100
#: stdout same
#: stdout same
#: stdout 5
# One line for each fault; the list of faults brings the same run about.
need_fashion
run() {
    bitseer inject "$demo" --data "$root/models/fashion-mnist.yaml" --images 10 -t weight "$@" >/dev/null
}
run --plan random:100 --out a.db
bitseer export a.db >a.csv
wc -l <a.csv
bitseer export a.db --json | python3 -c 'import json, sys; print(len(json.load(sys.stdin)))'
bitseer export a.db --csv -o b.csv && cmp a.csv b.csv && echo same
bitseer export a.db --faults -o list
run --faults list --out b.db
bitseer compare a.db b.db --json | python3 -c 'import json, sys
c = json.load(sys.stdin)["total"]
print("same" if c["faults"] == 100 and c["only_a"] == c["only_b"] == 0 else c)'
bitseer export a.db | head -5 | wc -l
