#: stdout right True True True
#: stdout wrong True True True
# Direct injection of a part of the sample finds nothing wrong with rays, and what a much too large
# theta does wrong; the corrected factor holds the true one.
need_fashion
run() {
    local to=$1
    shift
    bitseer analyze "$demo" --data "$root/models/fashion-mnist.yaml" --images 10 -t weight --layers 0 \
        --sampling complete "$@" --out "$to.json" >/dev/null
}
run right --verify 2000
run wrong --verify 4000 --screen 1000 --screen-check 1
run truth --screen off
python3 - <<'P'
import json
truth = json.load(open('truth.json'))['mvf']['vf']
right, wrong = (json.load(open(n + '.json')) for n in ('right', 'wrong'))
v = right['verification']
print('right', v['pairs'] >= 2000 and v['differ'] == 0, right['mvf']['vf'] == truth,
      v['mvf']['ci'][0] <= truth <= v['mvf']['ci'][1])
v = wrong['verification']
print('wrong', v['differ'] > 0 and wrong['mvf']['vf'] < truth,
      abs(v['mvf']['value'] - truth) < abs(wrong['mvf']['vf'] - truth),
      v['mvf']['ci'][0] <= truth <= v['mvf']['ci'][1])
P
