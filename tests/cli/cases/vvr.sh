#: stdout True True True True
# Counts and quantiles from the bounds in the database; the NumPy file has the same records; bounds and
# critical faults agree.
need_fashion
bitseer analyze "$demo" --data "$root/models/fashion-mnist.yaml" --images 10 -t weight --layers 0,9 \
    --sampling random:40 --vvr --out v.db >/dev/null
bitseer vvr v.db --npy v.npy --json >v.json
python3 - <<'P'
import json, math, sqlite3, struct

run = sqlite3.connect('v.db')
layers = run.execute('SELECT id, sites, first FROM layer ORDER BY id').fetchall()
report = json.load(open('v.json'))
records, counts, quantiles, agree, first = [], True, True, True, 0
for (id, sites, fault), shown in zip(layers, report['layers']):
    below, above, values = [], [], []
    for site, blob in run.execute('SELECT site, bounds FROM bounds WHERE site >= ? AND site < ? ORDER BY site',
                                  (first, first + sites)):
        rows = run.execute('SELECT critical_images FROM fault WHERE fault >= ? AND fault < ?',
                           (fault + 32 * (site - first), fault + 32 * (site - first) + 32)).fetchall()
        for image, b in enumerate(struct.iter_unpack('<5f', blob)):
            values.append(b[4])
            records.append((b[4],) + b[:4])
            below += [b[4] + b[0]] if math.isfinite(b[0]) else []
            above += [b[4] + b[3]] if math.isfinite(b[3]) else []
            critical = any(m and m[image // 8] >> image % 8 & 1 for m, in rows)
            agree &= critical or not (math.isfinite(b[0]) or math.isfinite(b[3]))
    lo, hi = min(values), max(values)
    for side, found, outside in (('below', sorted(below, reverse=True), sum(x < lo for x in below)),
                                 ('above', sorted(above), sum(x > hi for x in above))):
        s = shown[side]
        counts &= s['pairs'] == len(found) and s['outside'] == outside and shown['lo'] == lo and shown['hi'] == hi
        expected = [found[int(q * (len(found) - 1))] if found else None for q in report['levels']]
        quantiles &= s['quantiles'] == expected
    first += sites
data = open('v.npy', 'rb').read()
size = struct.unpack('<H', data[8:10])[0] + 10
kept = [r[5:] for r in struct.iter_unpack('<iqiii5f', data[size:])]
print(counts, quantiles, agree, kept == records)
P
