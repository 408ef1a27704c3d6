#: stdout rays True
#: stdout inject True
# Faults of the last layer's output are faults of the logits: what they do follows from the logits.
need_fashion
run() {
    bitseer "$@" "$demo" --data "$root/models/fashion-mnist.yaml" --images 20 >/dev/null
}
run eval --logits logits.npy
run analyze -t output --layers 9 --sampling complete --out rays.json
run inject -t output --layers 9 --plan exhaustive --out inject.json
python3 - <<'P'
import json, math, struct

data = open('logits.npy', 'rb').read()
values = struct.unpack('<200f', data[-800:])
logits = [values[10 * i:10 * i + 10] for i in range(20)]

def top1(z):
    for i, x in enumerate(z):
        if math.isnan(x):
            return i
    return max(range(len(z)), key=lambda i: (z[i], -i))

def flipped(x, bit):
    return struct.unpack('<f', struct.pack('<I', struct.unpack('<I', struct.pack('<f', x))[0] ^ 1 << bit))[0]

expected = [sum(top1(z[:c] + (flipped(z[c], bit),) + z[c + 1:]) != top1(z) for z in logits for c in range(10))
            for bit in range(32)]
for name in 'rays', 'inject':
    layer = json.load(open(name + '.json'))['layers'][0]
    print(name, [bit['critical'] for bit in layer['bits']] == expected)
P
