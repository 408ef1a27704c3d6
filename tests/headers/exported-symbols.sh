#!/bin/sh
# exported-symbols.sh NM LIBRARY: fails when the shared library exports a name without bsr_.
set -eu

symbols=$("$1" -D --defined-only "$2" | awk '{ print $NF }')
if [ -z "$symbols" ]; then
    echo "$2 exports nothing"
    exit 1
fi
if others=$(echo "$symbols" | grep -v '^bsr_'); then
    echo "$2 exports names without bsr_:"
    echo "$others"
    exit 1
fi
echo "$(echo "$symbols" | wc -l) exported names, all bsr_"
