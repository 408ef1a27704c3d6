#: stdout True
# The errors of repeats are those of the runs with these seeds.
need_fashion
args=(-t weight --layers 0,9 --images 5 --data "$root/models/fashion-mnist.yaml")
bitseer analyze "$demo" "${args[@]}" --sampling complete --out whole.db >/dev/null
bitseer analyze "$demo" "${args[@]}" --sampling random:20 --seed 7 --repeat 3 --against whole.db --json >repeat.json
bitseer show whole.db --json >whole.json
for seed in 7 8 9; do
    bitseer analyze "$demo" "${args[@]}" --sampling random:20 --seed $seed --json >$seed.json
done
python3 - <<'P'
import json
def load(name):
    return json.load(open(name + '.json'))
whole, repeat, runs = load('whole'), load('repeat'), [load(s) for s in '789']
same = repeat['repeats'] == 3
for i, layer in enumerate(repeat['layers']):
    truth = whole['layers'][i]['vf']
    errors = [abs(r['layers'][i]['vf'] - truth) for r in runs]
    covered = sum(r['layers'][i]['ci'][0] <= truth <= r['layers'][i]['ci'][1] for r in runs)
    same &= abs(layer['lvf']['mean'] - sum(errors) / 3) < 1e-15 and layer['lvf']['max'] == max(errors)
    same &= layer['lvf']['covered'] == covered and layer['lvf']['intervals'] == 3
errors = [abs(r['mvf']['vf'] - whole['mvf']['vf']) for r in runs]
print(same and repeat['mvf']['max'] == max(errors))
P
