#: stdout 31 True 0.0001 0.0001
#: stderr bitseer plan: shares of run 'half.db': it hit 16 bits, these codes have 32
#: exit 2
# Shares that an earlier run measured: the top exponent bit gets the largest sample, bits in which
# nothing was critical the least share.
need_fashion
data=(--data "$root/models/fashion-mnist.yaml" --images 20 -t weight --layers 9 -q)
bitseer inject "$demo" "${data[@]}" --plan exhaustive --fault bitflip --out all.db >/dev/null
bitseer inject "$demo" "${data[@]}" --format fp16 --plan random:100 --out half.db >/dev/null
bitseer plan "$demo" -t weight --layers 9 --plan data-aware --shares run:all.db --json >plan.json
python3 - <<'END'
import json
s = {x["bit"]: x["p"] for x in json.load(open("plan.json"))["strata"]}
print(max(s), s[30] == max(s.values()) > 0.2, s[0], s[5])
END
bitseer plan "$demo" -t weight --layers 9 --plan data-aware --shares run:half.db
