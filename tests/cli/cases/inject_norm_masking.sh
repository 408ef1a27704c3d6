#: stdout True 0
#: stdout True
# Nobody looks where faults in parameters end, so nothing is said of it; and intervals of the logits'
# error follow the confidence that is asked for.
need_fashion
bitseer inject "$demo" --data "$root/models/fashion-mnist.yaml" --images 10 -t norm \
    --plan random:200 --out run.db -q >/dev/null
bitseer show run.db --json >a
bitseer show run.db --confidence 0.99 --json >b
python3 - <<'END'
import json
a, b = (json.load(open(f)) for f in "ab")
print(a["total"]["masked"] > 0, sum(len(l["masked_at"]) for l in a["layers"]))
wide, usual = b["rmse"]["ci"], a["rmse"]["ci"]
print(wide[0] <= usual[0] and wide[1] > usual[1])
END
