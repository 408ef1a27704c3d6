#: stdout normal
#: stdout same
#: stderr bitseer run: wrong.yaml:4: error-model is 'exact', expected auto, logits, normal, poisson or noise
# In a spec file model is the network, and error-model the option --model.
need_fashion
cat >predict.yaml <<Y
command: predict
model: $demo
data: $root/models/fashion-mnist.yaml
images: 10
format: int8
ber: [1e-6, 1e-5]
error-model: normal
read-offs: true
Y
bitseer run predict.yaml --json --quiet >a || exit 9
bitseer predict "$demo" --data "$root/models/fashion-mnist.yaml" --images 10 --format int8 --ber 1e-6,1e-5 \
    --model normal --read-offs --json --quiet >b
python3 - <<'P'
import json
a, b = json.load(open('a')), json.load(open('b'))
print(*{p['model'] for p in a['points']})
for r in a, b:
    r.pop('performance')
print('same' if a == b else 'different')
P
printf 'command: predict\nmodel: x\ndata: y\nerror-model: exact\n' >wrong.yaml
bitseer run wrong.yaml
[ $? = 2 ]
