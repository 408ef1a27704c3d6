#: stdout same
#: stdout same
#: stdout different
# Nothing but the performance may depend on threads, kernels and memory.
need_fashion
run() {
    bitseer inject "$demo" --data "$root/models/fashion-mnist.yaml" --images 20 --target weight \
        --plan random:300 --json "$@"
}
run --threads 1 >a
run --threads 2 >b
run --threads 2 --cpu-mask ref --max-memory 1M >c
run --seed 1 >d
for other in b c d; do
    python3 "$root/tests/cli/same_result.py" a $other
done
