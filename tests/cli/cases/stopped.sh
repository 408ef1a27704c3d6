#: exit 3
#: stderr bitseer inject: stopped, nothing written
need_fashion
"$bitseer" inject "$demo" --data "$root/models/fashion-mnist.yaml" -t weight --plan exhaustive \
    --out run.json &
sleep 1
kill -TERM $!
wait $!
status=$?
[ -z "$(ls)" ] || exit 9
exit $status
