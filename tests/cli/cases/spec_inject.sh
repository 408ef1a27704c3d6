#: stdout same
need_fashion
cat >s.yaml <<Y
command: inject
model: $demo
data: $root/models/fashion-mnist.yaml
images: 10
target: activation
tensors: ["*Relu*"]
bits: [23, 30]
plan: random:100
seed: 7
Y
bitseer run s.yaml --json >a
bitseer inject "$demo" --data "$root/models/fashion-mnist.yaml" --images 10 -t activation \
    --tensors '*Relu*' --bits 23,30 --plan random:100 --seed 7 --json >b
python3 "$root/tests/cli/same_result.py" a b
