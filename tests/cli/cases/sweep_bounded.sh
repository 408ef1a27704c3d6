#: stdout True True
#: stdout True
# Weights limited to the range of the trained ones keep nearly all images right at an error rate that
# unlimited exponents do not survive (Fuengfusin and Tamukoh, arXiv:2411.19027).
need_fashion
for format in fp32 fp32/range=1; do
    bitseer sweep "$demo" --data "$root/models/fashion-mnist.yaml" --images 50 --target weight \
        --format weight=$format --ber 0,1e-5 --runs 10 --seed 1 --json >"${format#*/}"
done
python3 - <<'P'
import json

def accuracy(name):
    return [float(p['accuracy']['mean'] if isinstance(p['accuracy'], dict) else p['accuracy'])
            for p in json.load(open(name))['points']]

plain, limited = accuracy('fp32'), accuracy('range=1')
print(abs(plain[0] - limited[0]) <= 0.02, limited[1] >= limited[0] - 0.05)
print(plain[1] < limited[1] - 0.1)
P
