#: stdout same
#: stdout same
#: stdout same
#: stdout same
#: stdout 9 True True
# Method deepvigor with any number of threads, shown from its database, and started again; both targets
# together are what Eq. 15 (arXiv 2410.15742) makes of the two results and the sizes of the layers.
need_fashion
run() {
    bitseer analyze "$demo" --data "$root/models/fashion-mnist.yaml" --images 10 --json -q \
        --method deepvigor "$@"
}
run -t weight --threads 1 --sampling channels:0.2 --per-channel >w1
run -t weight --threads 2 --sampling channels:0.2 --per-channel --cpu-mask ref --out w.db >w2
run -t operand --threads 2 --out o.db >o1
run -t operand --threads 1 --max-memory 1M >o2
bitseer show w.db --json >w3
bitseer resume o.db --json -q >o3
same() {
    python3 "$root/tests/cli/same_result.py" "$1" "$2"
}
same w1 w2
same o1 o2
same w1 w3
same o1 o3
bitseer inspect "$demo" --json >network
bitseer show w.db --with o.db --json >total
python3 - <<'P'
import json
w, o, network, total = (json.load(open(f)) for f in ('w1', 'o1', 'network', 'total'))
sizes = {l['index']: (l['input']['elements'], l['weight']['elements']) for l in network['layers']}
parts = []
for a, b in zip(o['layers'], w['layers']):
    n, k = sizes[a['index']]
    parts.append((n * a['vf'] + k * b['vf']) / (n + k))
print(len(parts), abs(sum(parts) / len(parts) - total['mvf']['vf']) < 1e-12,
      all(abs(p - l['both']['value']) < 1e-12 for p, l in zip(parts, total['layers'])))
P
