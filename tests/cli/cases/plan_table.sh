#: stdout 1781248 True True
# Leveugle et al. (DATE 2009), n = N / (1 + e^2 (N - 1) / (t^2 p (1 - p))) with N = 1781248, p = 1/2
# and e = 0.01: 9552.15 for 95 % (t = 1.959964), 16434.21 for 99 % (t = 2.575829), rounded up.
bitseer plan "$demo" -t weight --plan network-wise --json >a
bitseer plan "$demo" -t weight --plan network-wise --margin 0.01 --confidence 0.99 --json >b
python3 - <<'P'
import json
a, b = json.load(open('a')), json.load(open('b'))
print(a['population'], a['n'] == 9553, b['n'] == 16435)
P
bitseer plan "$demo" -t weight --plan layer-wise >table
awk 'length > 100 { exit 1 }' table || exit 9
