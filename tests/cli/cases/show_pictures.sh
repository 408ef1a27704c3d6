#: stdout layers 10 bits 32
#: stdout layers 10 bits 32
#: stdout channels 298
#: stdout layers 10 bits 2
#: stdout ber 4
#: stdout ber.csv ber.svg bits.csv bits.svg channels.csv channels.svg layers.csv layers.svg
# Pictures and tables say what the JSON says: few faults, so that much is not observed or 0; rays, with a
# logarithmic scale for the bits; other intervals; a sweep with the rate 0.
need_fashion
run() {
    bitseer "$1" "$demo" --data "$root/models/fashion-mnist.yaml" --images 10 "${@:2}" >/dev/null
}
check() {
    bitseer show "$@" --json >json
    python3 "$root/tests/cli/check_pictures.py" json out
}
run inject -t weight --plan random:200 --out a.db
check a.db --svg out --csv out
run analyze -t weight --plan sites:20 --out b.db
check b.db --per-channel --svg out --csv out/
rm out/channels.*
run inject -t weight --layers 0:10 --bits 29,30 --plan random:2000 --out c.db
check c.db --confidence 0.9 --svg "$PWD/out" --csv out
run sweep --ber 0,1e-6,1e-4,1e-2 --runs 3 --out s.db
check s.db --svg out --csv out
bitseer show b.db --per-channel --svg out --csv out >/dev/null
(cd out && echo *)
