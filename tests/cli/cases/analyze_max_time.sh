#: stdout True True True True
#: stdout True True
#: stdout random True True True
#: stdout killed True True
# A run that ends by its time leaves a sample of every stratum: as many rows as planned, an interval
# that covers the truth, and nothing more to do when it is resumed.
need_fashion
run() {
    bitseer analyze "$demo" --data "$root/models/fashion-mnist.yaml" --images 20 -t weight --json "$@"
}
run --sampling adaptive --margin 0.00002 --max-time 1s --out run.db >stopped
bitseer resume run.db --json >again
bitseer show run.db --json >shown
run --sampling adaptive --margin 0.004 >full
run --sampling random:400 --max-time 0.2s --out random.db >random
# One that was killed in the middle of a part and then ends by its time: no part is left half done.
"$bitseer" analyze "$demo" --data "$root/models/fashion-mnist.yaml" --images 20 -t weight --json \
    --sampling adaptive --margin 0.00002 --max-time 3s --out killed.db >part 2>/dev/null &
until bitseer show killed.db >/dev/null 2>&1; do sleep 0.05; done
sleep 0.5
{ kill -KILL $! && wait $!; } 2>/dev/null
bitseer resume killed.db --json >killed
python3 - <<'P'
import json, sqlite3

def load(name):
    return json.load(open(name))

def rows(db, table):
    return sqlite3.connect(db).execute('SELECT count(*) FROM ' + table).fetchone()[0]

a, full, random = load('stopped'), load('full'), load('random')
planned = sum(s['n'] for s in a['strata'])
margin = full['margin']
print(a['stopped'] == 'time' and a['complete'] and a['reached'] > a['margin'],
      all(s['n'] > 0 for s in a['strata']), rows('run.db', 'pair') == planned,
      a['mvf']['ci'][0] - margin < full['mvf']['vf'] < a['mvf']['ci'][1] + margin)
same = [load(name) for name in ('stopped', 'again', 'shown')]
for r in same:
    r.pop('performance')
print(same[0] == same[1], same[0] == same[2])
killed = load('killed')
n = sum(s['n'] for s in random['strata'])
print('random', rows('random.db', 'fault') == 32 * n,
      random['stopped'] == ('time' if n < 10 * 400 - 256 else ''),
      random['mvf']['ci'][0] <= full['mvf']['ci'][1] and full['mvf']['ci'][0] <= random['mvf']['ci'][1])
print('killed', rows('killed.db', 'pair') == sum(s['n'] for s in killed['strata']),
      killed['stopped'] == 'time')
P
