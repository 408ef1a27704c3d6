#: stdout same
#: stdout same
#: stdout different
need_fashion
run() {
    bitseer analyze "$demo" --data "$root/models/fashion-mnist.yaml" --images 10 --json \
        --sampling random:20 --channels all "$@"
}
run --target weight --threads 1 >a
run --target weight --threads 2 --cpu-mask ref >b
run --target activation --threads 1 >c
run --target activation --threads 2 --max-memory 1M >d
python3 "$root/tests/cli/same_result.py" a b
python3 "$root/tests/cli/same_result.py" c d
python3 "$root/tests/cli/same_result.py" a c
