#!/bin/bash
# run.sh BITSEER CASE...: runs cases of the command line and says what differs from what they expect.
#
# A case is a bash script whose comments say what to expect of it as a whole:
#   #: exit N          its status (default 0)
#   #: stdout TEXT     the next line of its standard output, exactly
#   #: stdout~ PATTERN the same as a shell pattern; * may stand for several lines
#   #: stderr TEXT, #: stderr~ PATTERN
# A stream that is not mentioned must be empty. Scripts run in an empty folder with lib.sh loaded;
# status 77 is a skipped case.
set -u
here=$(cd "$(dirname "$0")" && pwd)
bitseer=$(realpath "$1")
shift

# pattern STREAM CASE: the expected text of a stream as one shell pattern.
pattern() {
    local line text=""
    while IFS= read -r line; do
        # shellcheck disable=SC2001  # four characters at once
        case $line in
        "#: $1 "*) line=${line#"#: $1 "} && line=$(sed 's/[][\\*?]/\\&/g' <<<"$line") ;;
        "#: $1") line="" ;;
        "#: $1~ "*) line=${line#"#: $1~ "} ;;
        *) continue ;;
        esac
        text+=$line$'\n'
    done <"$2"
    printf '%s' "${text%$'\n'}"
}

# differs STREAM CASE: complains when the stream is not as expected.
differs() {
    local expected got
    expected=$(pattern "$1" "$2")
    got=$(tr -d '\0' <"$work/$1")
    # shellcheck disable=SC2053  # a pattern
    [[ $got == $expected ]] && return 1
    printf '%s: %s is\n%s\nexpected\n%s\n' "$(basename "$2")" "$1" "$got" "$expected"
}

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
failed=0
skipped=0
for case in "$@"; do
    case=$(realpath "$case")
    mkdir "$work/folder"
    (cd "$work/folder" && root=$here/../.. bitseer=$bitseer BASH_ENV=$here/lib.sh bash "$case") \
        >"$work/stdout" 2>"$work/stderr" </dev/null
    status=$?
    rm -rf "$work/folder"
    if [ $status = 77 ]; then
        cat "$work/stdout"
        skipped=77
        continue
    fi
    expected=$(sed -n 's/^#: exit //p' "$case")
    if [ $status != "${expected:-0}" ]; then
        echo "$(basename "$case"): status is $status, expected ${expected:-0}"
        cat "$work/stderr"
        failed=1
    fi
    differs stdout "$case" && failed=1
    differs stderr "$case" && failed=1
done
[ $failed = 0 ] || exit 1
exit $skipped
