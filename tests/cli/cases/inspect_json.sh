#: stdout ['path', 'sha256', 'name', 'producer', 'ir_version', 'opset', 'input', 'output', 'nodes', 'macs', 'golden_bytes', 'layers', 'tensors', 'fault_space']
#: stdout 10 /fc/Gemm 480 10
#: stdout True
bitseer inspect "$demo" --json --out file.json >out.json
python3 - <<'P'
import hashlib, json, os
m = json.load(open('out.json'))
print(list(m))
last = m['layers'][-1]
print(len(m['layers']), last['name'], last['weight']['elements'], last['bias']['elements'])
print(m['sha256'] == hashlib.sha256(open(m['path'], 'rb').read()).hexdigest()
      and m == json.load(open('file.json')) and sorted(os.listdir('.')) == ['file.json', 'out.json'])
P
