#: stdout points ascending, intervals hold, shares sum to 1
#: stdout golden at 1e-8, falling to chance
#: stdout same
#: stdout same
#: stdout as the sweep
#: stdout prediction 5
#: stdout layers and read-offs
# Relations alone: near the fault-free accuracy where nothing flips, falling, the same for every number of
# threads, and near what flipped bits do.
need_fashion
run() {
    bitseer "$1" "$demo" --data "$root/models/fashion-mnist.yaml" --images 100 --format int8 --quiet "${@:2}"
}
run predict --ber 1e-8,1e-4,1e-3,1e-2,1e-1 --json --threads 1 --out p.json --svg prediction.svg >1.json
cmp 1.json p.json || exit 9
run predict --ber 1e-8,1e-4,1e-3,1e-2,1e-1 --json --threads 2 >2.json
run predict --ber 1e-8,1e-4,1e-3,1e-2,1e-1 --json --target weight --model auto --error-model auto >3.json
run sweep --ber 1e-4,1e-3,1e-2 --runs 10 --json >s.json
python3 - <<'P'
import json
def load(path):
    return json.load(open(path))
p, s = load('1.json'), load('s.json')
golden = p['golden_correct'] / p['images']
points = p['points']
assert p['command'] == 'predict' and p['images'] == s['images'] and p['golden_correct'] == s['golden_correct']
assert [q['ber'] for q in points] == [1e-8, 1e-4, 1e-3, 1e-2, 1e-1]
for q in points:
    for value, ci in ('accuracy', 'ci'), ('critical', 'critical_ci'), ('sdc', 'sdc_ci'), ('rmse', 'rmse_ci'):
        lo, hi = q[ci]
        assert (lo is None or lo <= q[value]) and (hi is None or q[value] <= hi), (q['ber'], value)
    assert q['model'] in ('logits', 'normal', 'poisson', 'noise', 'bits') and q['reason']
    # Every bit of 55664 weights of 8 bits (models/README.md).
    assert abs(q['flips'] / (q['ber'] * 55664 * 8) - 1) < 1e-9
assert abs(sum(x['share'] for x in p['shares']) - 1) < 1e-9
assert all(a['share'] >= b['share'] for a, b in zip(p['shares'], p['shares'][1:]))
print('points ascending, intervals hold, shares sum to 1')
accuracy = [q['accuracy'] for q in points]
assert abs(accuracy[0] - golden) < 0.005
assert all(a >= b - 0.01 for a, b in zip(accuracy, accuracy[1:])) and accuracy[-1] < 0.3
assert all(a['rmse'] < b['rmse'] for a, b in zip(points, points[1:]))
print('golden at 1e-8, falling to chance')
for other in load('2.json'), load('3.json'):
    other.pop('performance')
    print('same' if {k: v for k, v in p.items() if k != 'performance'} == other else 'different')
for q, m in zip(points[1:4], s['points']):
    assert m['ci'][0] - 0.03 <= q['accuracy'] <= m['ci'][1] + 0.03, (q['ber'], q['accuracy'], m['ci'])
print('as the sweep')
P
mkdir out && mv prediction.svg out && python3 "$root/tests/cli/check_pictures.py" 1.json out
run predict --ber 1e-5,1e-2 --layers --read-offs --target both --json >4.json
python3 - <<'P'
import json
p = json.load(open('4.json'))
assert p['target'] == 'weight,activation' and {x['target'] for x in p['shares']} == {'weight', 'activation'}
assert p['layers'] and all(len(l['qq']) == 33 and l['rates'] for l in p['layers'])
# What is protected or wider does no harm at the rate where first order rules.
assert p['read_offs'] and all(len(x['accuracy']) == len(x['rmse']) == 2 for x in p['read_offs'])
# What is stored in 8 bits now is what it is.
same = next(x for x in p['read_offs'] if x['value'] == '8 bits')
assert all(abs(a - q['accuracy']) < 1e-9 and abs(r / q['rmse'] - 1) < 1e-9
           for a, r, q in zip(same['accuracy'], same['rmse'], p['points'])), (same, p['points'])
bits = [x['rmse'][0] for x in p['read_offs'] if x['kind'] == 'protected bits']
assert bits and all(a >= b for a, b in zip(bits, bits[1:])) and bits[0] < p['points'][0]['rmse']
print('layers and read-offs')
P
