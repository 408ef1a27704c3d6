#: stdout float32 True True True
#: stdout int8 True True True
#: stdout bf16 True True True
#: stdout True
#: stdout True
#: stdout True
# Equal by definition: each stuck bit is a flip of the values that differ, or none; one bit is a run of
# one and a mask of one; 8 bits are a mask of 8; what one output reads once is what is stored; each
# pair of fault and image once is each fault on all images.
need_fashion
run() {
    local to=$1
    shift
    bitseer inject "$demo" --data "$root/models/fashion-mnist.yaml" --images 5 --layers 9 \
        --plan exhaustive --json "$@" >"$to"
}
for format in float32 int8 bf16; do
    with=(-t weight --format "${format/float32/fp32}")
    run "flip.$format" "${with[@]}"
    run "one.$format" "${with[@]}" --fault mbu:1
    run "stuck0.$format" "${with[@]}" --fault stuck0
    run "stuck1.$format" "${with[@]}" --fault stuck1
    run "bit.$format" "${with[@]}" --bits 6
    run "mask.$format" "${with[@]}" --fault mask:40
done
run word8 -t weight --format int8 --fault mbu:word8
run ff -t weight --format int8 --fault mask:ff
run operand -t operand-weight
run transient -t weight --transient
python3 - <<'P'
import json
COUNTS = ['critical', 'due', 'sdc', 'masked', 'benign', 'correct']

def load(name):
    return json.load(open(name))

def counts(name):
    return [[layer[k] for k in ['pairs'] + COUNTS] for layer in load(name)['layers']]

def bits(name, key):
    return [bit[key] for layer in load(name)['layers'] for bit in layer['bits']]

for f in 'float32', 'int8', 'bf16':
    stuck = all(a + b == c for key in ('critical', 'due', 'sdc')
                for a, b, c in zip(bits('stuck0.' + f, key), bits('stuck1.' + f, key),
                                   bits('flip.' + f, key)))
    assert sum(bits('flip.' + f, 'critical')) > 0
    print(f, stuck, load('one.' + f)['layers'] == load('flip.' + f)['layers'],
          counts('mask.' + f) == counts('bit.' + f))
print(counts('word8') == counts('ff'))
print(counts('operand') == counts('flip.float32'))
print(counts('transient') == counts('flip.float32'))
P
