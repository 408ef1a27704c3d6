#!/bin/sh
# demo.sh [PROGRAM]: what bit flips do to a small network on Fashion-MNIST, in less than a minute:
# its layers, its accuracy, vulnerability factors of its weights by rays from a sample, and direct
# injection of other faults as a cross-check. PROGRAM is build/release/bitseer unless given.
set -eu
cd "$(dirname "$0")/.."

bitseer=${1:-build/release/bitseer}
model=models/fashion_resnet.onnx
card=models/fashion-mnist.yaml

[ -x "$bitseer" ] || { echo "demo: $bitseer is not built, run 'make build'" >&2; exit 1; }
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
trap 'exit 130' INT TERM

# step TITLE COMMAND [options]: shows the command and runs it.
step() {
    printf '\n=== %s\n' "$1"
    command=$2
    shift 2
    printf '$ bitseer %s %s %s\n\n' "$command" "$model" "$*"
    "$bitseer" "$command" "$model" "$@"
}

step "The network and its faults" inspect
step "Fault-free accuracy" eval --data "$card"
step "Vulnerability factors by rays: all bits of 400 weights of each layer, on 100 images" \
    analyze --data "$card" --images 10/class --target weight --method ray --sampling random:400 \
    --channels all -o "$tmp/rays.db"
step "Cross-check: other faults, drawn from the whole network and injected one by one" \
    inject --data "$card" --images 10/class --target weight --plan random:10000 --seed 1 \
    --worst 1 -o "$tmp/direct.json"

printf '\n=== The same as pictures and tables: build/demo\n'
mkdir -p build/demo
"$bitseer" show "$tmp/rays.db" --per-channel --svg build/demo --csv build/demo --json >"$tmp/rays.json"
ls build/demo

# x[SECTION KEY]: numbers of the JSON results, which have one key a line.
printf '\n=== In short\n'
cd "$tmp"
awk '
    /^  "[a-z_]*": \{/ { section = $1 }
    /^    "/ { x[section $1] = $2 }
    /^    "ci"/ && section == "\"mvf\":" { getline lo; getline hi }
    /^}/ {
        images = x["\"total\":\"images\":"]
        pairs = x["\"total\":\"pairs\":"]
        all = x["\"total\":\"population\":"]
        runs = x["\"performance\":\"evaluations\":"]
        rate = x["\"performance\":\"injections_per_second\":"]
        printf "%-7s MVF %.3f %%, 95 %% interval [%.3f, %.3f]\n", \
            substr(FILENAME, 1, length(FILENAME) - 5), 100 * x["\"mvf\":\"vf\":"], 100 * lo, 100 * hi
        printf "        %.3g million (fault, image) pairs decided by %.3g million partial runs\n", \
            pairs / 1e6, runs / 1e6
        printf "        %.0f faults a second on %d images each; all %d would take %.1f minutes\n", \
            rate, images, all, all / rate / 60
    }' rays.json direct.json
