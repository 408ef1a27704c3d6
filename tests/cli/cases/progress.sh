#: stdout same
# On stderr and only when asked, as it is no terminal here.
need_fashion
run() {
    bitseer inject "$demo" --data "$root/models/fashion-mnist.yaml" --images 10 -t weight \
        --plan random:100 --json "$@"
}
run >a 2>quiet
run --progress >b 2>shown
[ ! -s quiet ] || exit 9
grep -q '%.*/s.*left' shown || exit 8
python3 "$root/tests/cli/same_result.py" a b
