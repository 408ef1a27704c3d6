#!/bin/sh
# run.sh [options of bench]: prints the table of docs/guide/benchmarks.md. Needs the release build
# with tests (`make bench`). BITSEER_DATA names the folder of the pretrained networks; without it,
# their lines say "skipped". The first run fetches ONNX Runtime, the peer, through npm.
set -eu
cd "$(dirname "$0")/.."

build=${BUILD:-build/release}
for program in bench/bench tests/checkkernels/checkkernels; do
    [ -x "$build/$program" ] || { echo "run.sh: no $build/$program, run 'make bench'" >&2; exit 1; }
done

if command -v node >/dev/null; then
    if [ ! -d bench/peers/node_modules ] && command -v npm >/dev/null; then
        echo "run.sh: installing ONNX Runtime into bench/peers/node_modules" >&2
        (cd bench/peers && npm ci --silent >&2) || echo "run.sh: npm ci did not work" >&2
    fi
    [ ! -d bench/peers/node_modules ] || set -- --peer bench/peers/ort_forward.mjs "$@"
fi
exec "$build/bench/bench" --checkkernels "$build/tests/checkkernels/checkkernels" "$@"
