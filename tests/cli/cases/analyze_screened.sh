#: stdout weight True True True
#: stdout int8 True True True
#: stdout activation True True True
#: stdout same
# Every fault of a layer, screened and not: the same critical counts of layers and bits.
need_fashion
run() {
    local to=$1
    shift
    bitseer analyze "$demo" --data "$root/models/fashion-mnist.yaml" --images 10 --json \
        --sampling complete "$@" >"$to"
}
for screen in off 0.1; do
    run "weight.$screen" -t weight --layers 0,9 --screen $screen
    run "int8.$screen" -t weight --layers 0,9 --format int8 --screen $screen
    run "activation.$screen" -t activation --tensors '*Pool*' --screen $screen
done
run default -t weight --layers 0,9
python3 - <<'P'
import json

def load(name):
    return json.load(open(name))

def counts(name):
    return [[[layer[k] for k in ('index', 'pairs', 'critical', 'ci')] +
             [[bit['bit'], bit['critical']] for bit in layer['bits']] for layer in load(name)['layers']]]

for net in 'weight', 'int8', 'activation':
    off, on = load(net + '.off'), load(net + '.0.1')
    z = on['screening']
    print(net, counts(net + '.off') == counts(net + '.0.1'),
          z['pairs'] == on['total']['pairs'] and z['missed'] == 0 < z['checked'],
          on['performance']['evaluations'] < 0.8 * off['performance']['evaluations'])
P
python3 "$root/tests/cli/same_result.py" default weight.0.1
