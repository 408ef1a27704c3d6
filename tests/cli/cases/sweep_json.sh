#: stdout [0.0, 1e-06, 0.0001]
#: stdout 1.0 True
#: stdout same
# No errors leave the accuracy of the images: all of the first ten are right (models/README.md).
need_fashion
run() {
    bitseer sweep "$demo" --data "$root/models/fashion-mnist.yaml" --images 10 --ber 1e-4,0,1e-6 \
        --runs 3 --json "$@"
}
run --target both --out s.db >a
bitseer show s.db --json >b
python3 - <<'P'
import json
a, b = json.load(open('a')), json.load(open('b'))
print([float(p["ber"]) for p in a['points']])
accuracy = [p['accuracy'] for p in a['points']]
first = accuracy[0] if isinstance(accuracy[0], float) else list(accuracy[0].values())[0]
print(first, all(p['runs'] == 3 for p in a['points']))
for r in a, b:
    r.pop('performance')
print('same' if a == b else 'different')
P
