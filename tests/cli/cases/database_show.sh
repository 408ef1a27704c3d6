#: stdout same
#: stdout same
#: stdout same
#: stdout 0.9
# What is shown of a kept run is what the run printed, and what it prints without a database.
need_fashion
card=$root/models/fashion-mnist.yaml
run() {
    bitseer "$1" "$demo" --data "$card" --images 10 --json -t weight --bits 22:32 "${@:2}"
}
run inject --plan random:200 --out a.db >a1
run inject --plan random:200 >a2
run analyze --plan sites:10 --out b.db >b1
bitseer show a.db --json >a3
bitseer show b.db --json >b2
python3 "$root/tests/cli/same_result.py" a1 a3
python3 "$root/tests/cli/same_result.py" b1 b2
python3 "$root/tests/cli/same_result.py" a1 a2
bitseer show a.db --confidence 0.9 --json | python3 -c 'import json, sys
print(json.load(sys.stdin)["confidence"])'
