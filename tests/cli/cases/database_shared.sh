#: stdout same
#: stderr bitseer resume: 'run.db' is being written by another process
#: stderr bitseer show: the run is not complete; go on with: bitseer resume run.db
#: stderr bitseer inject: stopped; go on with: bitseer resume run.db
# One process writes, others read at the same time; Ctrl-C stops it.
need_fashion
run=(inject "$demo" --data "$root/models/fashion-mnist.yaml" --images 50 -t weight --seed 5 -q
    --plan random:20000)
"$bitseer" "${run[@]}" --out run.db --threads 1 >table 2>message &
while kill -0 $! 2>/dev/null && [ "$(bitseer export run.db 2>none | wc -l)" -lt 2 ]; do sleep 0.1; done
bitseer resume run.db
bitseer show run.db >shown || exit 9
bitseer export run.db >faults || exit 8
bitseer compare run.db run.db >compared || exit 7
kill -INT $!
wait $!
[ $? = 3 ] || exit 6
cat message >&2
bitseer resume run.db --json >a
bitseer "${run[@]}" --json >b
python3 "$root/tests/cli/same_result.py" a b
