#: exit 2
#: stderr~ bitseer inject: *'comlete'*
#: stderr~ bitseer analyze: *'random:0'*
#: stderr~ bitseer inject: *'mbu:0'*
#: stderr~ bitseer inject: *'q99'*
#: stderr~ bitseer sweep: *'1e-3:1e-6/1'*
#: stderr~ bitseer sweep: *'weights'*
# What the library parses: one line each, and no database stays behind.
make_idx 28 1
run() {
    local command=$1
    shift
    bitseer "$command" "$demo" --data idx:x,y --out run.db "$@"
}
run inject -t weight --plan comlete
run analyze -t weight --plan random:0
run inject -t weight --fault mbu:0
run inject -t weight --format q99
run sweep --ber 1e-3:1e-6/1
run sweep --ber 1e-3 --target weights
status=$?
[ "$(echo *)" = "x y" ] || exit 9
exit $status
