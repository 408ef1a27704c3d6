#: stdout same
#: stdout same
# A run that is killed goes on where it was, from another folder, and ends as an unbroken one.
need_fashion
run=(inject "$root/models/fashion_resnet.onnx" --data "$root/models/fashion-mnist.yaml" --images 30
    -t weight --plan random:5000 --seed 3 -q)
mkdir elsewhere
"$bitseer" "${run[@]}" --out run.db >/dev/null 2>&1 &
while kill -0 $! 2>/dev/null && [ "$(bitseer export run.db 2>none | wc -l)" -lt 2 ]; do :; done
kill -9 $! 2>/dev/null
wait $! 2>/dev/null
(cd elsewhere && bitseer resume ../run.db --threads 1 --json >../a)
bitseer "${run[@]}" --out whole.db --json >b
python3 "$root/tests/cli/same_result.py" a b
bitseer export run.db --csv >a.csv
bitseer export whole.db --csv >b.csv
[ -s a.csv ] && cmp a.csv b.csv && echo same
