#: exit 3
#: stderr bitseer inject: stopped; go on with: bitseer resume run.db
#: stderr bitseer show: the run is not complete; go on with: bitseer resume run.db
need_fashion
"$bitseer" inject "$demo" --data "$root/models/fashion-mnist.yaml" -t weight --plan exhaustive \
    --images 50 --out run.db &
while kill -0 $! 2>/dev/null && [ ! -s run.db ]; do sleep 0.1; done
sleep 1
kill -TERM $!
wait $!
status=$?
bitseer show run.db --json >shown || exit 9
python3 -m json.tool shown >/dev/null || exit 8
exit $status
