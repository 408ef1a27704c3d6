#: stdout 1
#: stdout 1
#: stdout 1
#: stderr~ bitseer report: 'sweep.json' is no prediction: command is 'sweep', expected 'predict'
#: stderr~ bitseer report: 'odd.json' is no JSON: line *
#: stderr bitseer report: 'p.json' is one of the runs
#: stderr~ bitseer report: 'list.json' is not a bitseer run*
# What predict --out wrote goes on the page beside a sweep, whatever its name; other JSON does not.
need_fashion
run() {
    bitseer "$1" "$demo" --data "$root/models/fashion-mnist.yaml" --images 10 --format int8 --quiet "${@:2}"
}
run predict --ber 1e-5,1e-4 --out p.json >/dev/null
run sweep --ber 1e-4 --runs 2 --out s.db >/dev/null
run sweep --ber 1e-4 --runs 2 --out sweep.json >/dev/null
cp p.json other.db
bitseer report s.db other.db -o page.html --title both
grep -c '"name":"other.db","command":null,"complete":true,"result":{"command":"predict",' page.html
grep -c 'data-picture="prediction"' page.html
grep -c '<pre>predict: bit error rates, target weight, 10 images' page.html
echo '{"command"' >odd.json
echo '[]' >list.json
wrong() {
    bitseer report "${@:2}"
    status=$?
    [ $status = "$1" ] || echo "status $status of ${*:2}"
}
wrong 1 sweep.json -o new.html
wrong 1 odd.json -o new.html
wrong 2 p.json -o p.json
wrong 1 list.json -o new.html
[ ! -e new.html ]
