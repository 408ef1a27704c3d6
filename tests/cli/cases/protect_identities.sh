#: stdout sites: nothing True all True some True
#: stdout random: nothing True all True some True
#: stdout adaptive: nothing True all True some True
#: stdout True 0.03125
# Protecting nothing changes nothing, everything leaves nothing, and removing bits leaves what an
# analysis of the others finds at the same sites.
need_fashion
run() {
    bitseer "$1" "$demo" --data "$root/models/fashion-mnist.yaml" --images 10 -t weight --layers 0,9 "${@:2}" >/dev/null
}
run analyze --plan sites:20 --screen off --out sites.db
run inject --plan random:2000 --out random.db
run analyze --plan adaptive --margin 0.02 --out adaptive.db
for name in sites random adaptive; do
    bitseer show $name.db --json >run
    bitseer protect $name.db --json >none
    bitseer protect $name.db --by secded --json >all
    bitseer protect $name.db --by tmr --bits 30 --json >some
    python3 - $name <<'END'
import json, sys
run, none, every, some = (json.load(open(f)) for f in ("run", "none", "all", "some"))
mvf = run["mvf"]
same = mvf["vf"] == none["after"]["low"] == none["after"]["high"] and mvf["ci"] == none["after"]["ci"]
zero = every["after"] == {"low": 0, "high": 0, "ci": [0, 0]}
fewer = some["after"]["high"] < 0.2 * mvf["vf"] and some["added_bits"] == 2 * 624
print(sys.argv[1] + ":", "nothing", same, "all", zero, "some", fewer)
END
done
run analyze --plan sites:20 --screen off --bits 0:30,31 --out others.db
bitseer show others.db --json >run
bitseer protect sites.db --by secded --bits 30 --json >some
bitseer protect sites.db --by parity --bits 30 --json >parity
python3 -c 'import json
run, some, parity = (json.load(open(f)) for f in ("run", "some", "parity"))
a, b = run["mvf"], some["after"]
near = lambda x, y: abs(x * 31 / 32 - y) < 1e-12
print(near(a["vf"], b["high"]) and near(a["ci"][0], b["ci"][0]) and near(a["ci"][1], b["ci"][1]),
      parity["overhead"])'
