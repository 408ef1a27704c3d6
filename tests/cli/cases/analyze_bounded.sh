#: stdout True True
#: stdout True
# A range bounds what any flip does, NaN and infinity are gone: the rays of both answer as direct
# injection of every weight of the first layer, but for 1 in 1,000 pairs.
need_fashion
for format in fp32/range=1 fp16/range=-1:1.5; do
    for way in "inject --plan exhaustive" "analyze --sampling complete --screen off"; do
        read -r command options <<<"$way"
        # shellcheck disable=SC2086
        bitseer "$command" "$demo" --data "$root/models/fashion-mnist.yaml" --images 10 \
            --target weight --layers 0 --format $format $options --json >"$command.${format%%/*}"
    done
done
bitseer inject "$demo" --data "$root/models/fashion-mnist.yaml" --images 10 --target weight \
    --layers 0 --plan exhaustive --json >unbounded
python3 - <<'P'
import json

def total(name):
    return json.load(open(name))['total']

def same(format):
    a, b = total('inject.' + format), total('analyze.' + format)
    return a['pairs'] == b['pairs'] and abs(a['critical'] - b['critical']) <= a['pairs'] / 1000

print(same('fp32'), same('fp16'))
print(0 < total('inject.fp32')['critical'] < total('unbounded')['critical'] / 2)
P
