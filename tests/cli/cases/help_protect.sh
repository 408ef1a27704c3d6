#: stdout usage: bitseer protect RUN.db [options]
#: stdout~ *
#: stdout
#: stdout Exit status: 0 done, 1 failed, 2 wrong usage or value, 3 stopped by a signal.
bitseer protect --help >a && bitseer help protect >b && bitseer protect --json -h >c && cmp a b && cmp a c
# Nothing is wider than 80 columns but the notes, which are at most 100.
awk 'length > 100 { exit 1 }' a || exit 9
cat a
