#: exit 3
#: stderr bitseer resume: 'run.db' is being written by another process
#: stderr bitseer show: the run is not complete; go on with: bitseer resume run.db
#: stderr bitseer inject: stopped; go on with: bitseer resume run.db
# One process writes, others read at the same time; Ctrl-C stops it.
need_fashion
"$bitseer" inject "$demo" --data "$root/models/fashion-mnist.yaml" --images 50 -t weight \
    --plan exhaustive -q --out run.db 2>message &
while kill -0 $! 2>/dev/null && [ "$(bitseer export run.db 2>none | wc -l)" -lt 2 ]; do sleep 0.1; done
bitseer resume run.db
bitseer show run.db >shown || exit 9
bitseer export run.db >faults || exit 8
bitseer compare run.db run.db >compared || exit 7
[ -s shown ] && [ -s faults ] && [ -s compared ] || exit 6
kill -INT $!
wait $!
status=$?
cat message >&2
exit $status
