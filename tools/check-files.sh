#!/bin/sh
# Checks files as files: at most 1000 lines of code, no trailing blanks, no tabs in C, and file names
# that are unique over the sources. Prints what is wrong; status 1.
set -eu
cd "$(dirname "$0")/.."

# files EXTENSIONS: the project's own files with one of these extensions, one a line.
files() {
    find . \( -name .git -o -name build -o -name node_modules -o -name corpus \) -prune -o \
        -type f -print | grep -E "\.($1)$" | sort
}

bad=0
complain() {
    if [ -n "$2" ]; then
        printf '%s:\n%s\n' "$1" "$2"
        bad=1
    fi
}

complain "above 1000 lines" "$(files 'c|h|sh|py|js|mjs|cmake' |
    xargs awk 'FNR == 1001 { print FILENAME }')"
complain "trailing blanks" "$(files 'c|h|sh|py|js|mjs|cmake|txt|md|json|ya?ml' |
    xargs grep -nE '[[:space:]]$' /dev/null || true)"
complain "tabs in C" "$(files 'c|h' | xargs grep -n "$(printf '\t')" /dev/null || true)"
complain "file names that occur twice" "$(find src cli include -name '*.[ch]' |
    sed 's|.*/||' | sort | uniq -d)"
exit $bad
