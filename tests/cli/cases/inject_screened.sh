#: stdout weight True True True
#: stdout activation True True True
#: stdout int8 True True True
#: stdout checked True True
#: stdout lowered True True True
# The same faults with and without screening: what is skipped keeps the golden class. Where all that
# is skipped is evaluated nothing can be missed, whatever theta is.
need_fashion
run() {
    local to=$1
    shift
    bitseer inject "$demo" --data "$root/models/fashion-mnist.yaml" --images 20 --json "$@" >"$to"
}
for screen in off 0.1; do
    run "weight.$screen" -t weight --plan random:3000 --screen $screen
    run "activation.$screen" -t activation --plan random:3000 --screen $screen
    run "int8.$screen" -t weight --format int8 --plan random:3000 --screen $screen
done
run all -t weight --plan random:3000 --screen 0.1 --screen-check 100000
run q.off -t weight --format q2.5 --plan random:3000 --screen off
run q.50 -t weight --format q2.5 --plan random:3000 --screen 50 --screen-check 100000
python3 - <<'P'
import json
COUNTS = ['pairs', 'critical', 'due', 'sdc', 'top5', 'correct']

def load(name):
    return json.load(open(name))

def counts(name):
    parts = load(name)['layers']
    parts = parts + [bit for layer in parts for bit in layer['bits']]
    return [[part.get(k) for k in COUNTS] for part in parts]

for net in 'weight', 'activation', 'int8':
    off, on = load(net + '.off'), load(net + '.0.1')
    z = on['screening']
    print(net, counts(net + '.off') == counts(net + '.0.1'), off['total']['critical'] > 0,
          z['pairs'] == 60000 and 0.3 < z['skipped'] / z['pairs'] < 1 and z['missed'] == 0
          and 0 < z['bound'] < 0.05 and off['screening'] is None)
z = load('all')['screening']
print('checked', z['checked'] == z['skipped'] > 0, counts('all') == counts('weight.off'))
z = load('q.50')['screening']
print('lowered', z['lowered'] > 0, z['missed'] <= 1e-5 * z['pairs'], counts('q.50') == counts('q.off'))
P
