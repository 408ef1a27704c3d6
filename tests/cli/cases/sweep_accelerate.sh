#: stdout rates, models and guards
#: stdout near the sweep
#: stdout same
#: stdout same
#: stdout ber 5
#: stderr bitseer sweep: --runs and --accelerate exclude each other
need_fashion
run() {
    bitseer sweep "$demo" --data "$root/models/fashion-mnist.yaml" --images 100 --format int8 --quiet \
        --ber 1e-6,1e-4,1e-3,1e-2,1e-1 "$@"
}
run --accelerate --runs 3
[ $? = 2 ] || exit 9
run --accelerate --threads 1 --json --out a.db >a.json
run --accelerate --threads 2 --json >b.json
bitseer show a.db --json >c.json
run --json --runs 10 >s.json
python3 - <<'P'
import json
a, b, c, s = (json.load(open(x + '.json')) for x in 'abcs')
models = [p['model'] for p in a['points']]
assert models[0] not in ('bits', 'auto') and all(m == 'bits' for m in models[models.index('bits'):] if 'bits' in models)
for p in a['points']:
    assert p['ci'][0] <= p['accuracy'] <= p['ci'][1]
    assert p['runs'] == 0 or p['model'] == 'bits'
    assert p['rmse_ci'][0] is None or p['rmse_ci'][0] <= p['rmse']
assert a['guards'] and all(abs(g['measured'] / g['predicted'] - g['ratio']) < 1e-9 for g in a['guards'])
assert all(0.75 <= g['ratio'] <= 1.25 and g['ber'] < 0.1 for g in a['guards'])
assert not s['guards'] and all(p['model'] == 'bits' for p in s['points'])
print('rates, models and guards')
for p, q in zip(a['points'], s['points']):
    assert p['ber'] == q['ber']
    assert q['ci'][0] - 0.03 <= p['accuracy'] <= q['ci'][1] + 0.03, (p['ber'], p['accuracy'], q['ci'])
print('near the sweep')
for other in b, c:
    print('same' if {k: v for k, v in a.items() if k != 'performance'} ==
          {k: v for k, v in other.items() if k != 'performance'} else 'different')
P
bitseer show a.db --svg out --csv out --json >d.json && python3 "$root/tests/cli/check_pictures.py" d.json out
