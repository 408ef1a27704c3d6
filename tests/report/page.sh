#!/bin/bash
# page.sh BITSEER: reports of small runs, and with BITSEER_DATA of a ResNet-20, looked at with
# Chromium. Status 77 without Chromium, Node.js or Fashion-MNIST.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
root=$here/../..
bitseer=$(realpath "$1")

skip() {
    echo "skipped: $1"
    exit 77
}
CHROMIUM=${CHROMIUM:-$(command -v chromium || true)}
[ -n "$CHROMIUM" ] || skip "no chromium"
command -v node >/dev/null || skip "no node"
[ -f /usr/share/datasets/fashion-mnist/t10k-images-idx3-ubyte.gz ] || skip "no Fashion-MNIST"
export CHROMIUM

tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
cd "$tmp"
run() {
    "$bitseer" "$1" "$root/models/fashion_resnet.onnx" --data "$root/models/fashion-mnist.yaml" \
        --quiet "${@:2}" >/dev/null
}
run analyze --images 20 -t weight --sampling random:40 --check 2 -o weights.db
run inject --images 20 -t activation --plan random:2000 -o activations.db
run analyze --images 20 -t operand --method deepvigor -o vigor.db
run sweep --images 50 --ber 0,1e-6:1e-3/1 --runs 3 -t weight -o sweep.db
run sweep --images 50 --ber 0,1e-6:1e-3/1 --runs 3 -t weight --format int8 -o sweep8.db
run sweep --images 50 --ber 1e-6:1e-1/1 --accelerate -t weight --format int8 -o fast8.db
run predict --images 50 --ber 1e-6:1e-1/2 -t weight --format int8 --layers --read-offs -o predicted.json
"$bitseer" report weights.db activations.db vigor.db sweep.db sweep8.db fast8.db predicted.json \
    -o page.html
for db in weights activations vigor; do "$bitseer" show $db.db --json --per-channel >$db.json; done
for db in sweep sweep8 fast8; do "$bitseer" show $db.db --json >$db.json; done
node "$here/page.mjs" page.html weights.json activations.json vigor.json sweep.json sweep8.json fast8.json \
    predicted.json
"$bitseer" report predicted.json -o prediction.html
node "$here/page.mjs" prediction.html predicted.json

data=${BITSEER_DATA-}
[ -f "$data/models/cifar10_resnet20_akamaster_bn.onnx" ] || {
    echo "without ResNet-20: no BITSEER_DATA"
    exit 0
}
"$bitseer" analyze "$data/models/cifar10_resnet20_akamaster_bn.onnx" --quiet \
    --data "cifar10:$data/cifar10/test_first1000.bin" --mean .485,.456,.406 --std .229,.224,.225 \
    --images 10 -t weight --plan sites:20 -o big.db >/dev/null
"$bitseer" report big.db -o big.html
"$bitseer" show big.db --json --per-channel >big.json
node "$here/page.mjs" big.html big.json
