#: stdout usage: bitseer predict MODEL --data KIND:PATH [options]
#: stdout~ *
#: stdout~ *  --ber LIST *(default 1e-7:1e-1/3)*
#: stdout~ *
#: stdout Exit status: 0 done, 1 failed, 2 wrong usage or value, 3 stopped by a signal.
bitseer predict --help >a && bitseer help predict >b && bitseer predict --json -h >c && cmp a b && cmp a c
awk 'length > 100 { exit 1 }' a || exit 9
for option in ber target model moments disturbed seed layers read-offs svg format threads json out; do
    grep -q -- " --$option" a || echo "no --$option"
done
tr '\n' ' ' <a | tr -s ' ' | grep -q 'default 1e-7:1e-1/3)' || exit 9
cat a
