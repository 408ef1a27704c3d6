#!/bin/sh
# Checks the layout of all C files with clang-format 14 (Debian 12), other versions differ. Status 77
# when it is not installed. --fix rewrites the files.
set -eu
cd "$(dirname "$0")/.."

case "${1-}" in
"") mode='--dry-run -Werror' ;;
--fix) mode=-i ;;
*)
    echo "usage: $0 [--fix]" >&2
    exit 2
    ;;
esac

for tool in clang-format-14 clang-format ""; do
    if [ -z "$tool" ]; then
        echo "skipped: no clang-format 14"
        exit 77
    fi
    case "$("$tool" --version 2>/dev/null || true)" in *"version 14."*) break ;; esac
done

# shellcheck disable=SC2086  # mode is a list of options
find include src cli tests bench examples -name node_modules -prune -o -name '*.[ch]' \
    -exec "$tool" --style=file $mode {} +
