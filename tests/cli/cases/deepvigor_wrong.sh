#: exit 1
#: stderr bitseer analyze: method deepvigor has the targets weight and operand, not activation
#: stderr bitseer analyze: plan 'sites:5': method deepvigor takes exhaustive or channels:R with R above 0 up to 1
#: stderr bitseer analyze: plan 'network-wise': method deepvigor takes exhaustive or channels:R with R above 0 up to 1
#: stderr bitseer analyze: method deepvigor does without screening
#: stderr bitseer analyze: method deepvigor does without verification
#: stderr bitseer analyze: method deepvigor does without bounds of sites
#: stderr bitseer analyze: method deepvigor does without --worst
#: stderr bitseer analyze: method deepvigor does without --margin
#: stderr bitseer inject: method 'deepvigor', expected direct or ray
#: stderr bitseer plan: method 'deepvigor', expected direct or ray
#: stderr bitseer export: 'w.db' holds factors of method deepvigor, not single faults
#: stderr bitseer compare: 'w.db' holds factors of method deepvigor, not single faults
#: stderr bitseer protect: 'w.db' holds factors of method deepvigor, not single faults
#: stderr bitseer show: 'w.db' has target weight, expected operand
#: stderr bitseer show: 'a.db' has target activation, whose tensors are not layers; use target operand
#: stderr bitseer show: --with and --svg exclude each other
#: stderr~ bitseer analyze: layer * computes on 8-bit codes, method deepvigor is for float32 sums
# What does not go with method deepvigor, commands that look at single faults, and runs that have no
# total.
make_idx 28 1
wrong() {
    bitseer "$@"
    [ $? = 2 ] || echo "status of $*"
    [ ! -e run.db ] || echo "$* wrote something"
}
data=(--data idx:x,y -q)
deepvigor=(analyze "$demo" "${data[@]}" --method deepvigor)
wrong "${deepvigor[@]}" -t activation --out run.db
wrong "${deepvigor[@]}" -t weight --sampling random:5 --out run.db
wrong "${deepvigor[@]}" -t weight --plan network-wise --out run.db
wrong "${deepvigor[@]}" -t weight --screen 0.1 --out run.db
wrong "${deepvigor[@]}" -t weight --verify 5 --out run.db
wrong "${deepvigor[@]}" -t weight --vvr --out run.db
wrong "${deepvigor[@]}" -t weight --worst 5 --out run.db
wrong "${deepvigor[@]}" -t weight --margin 0.1 --out run.db
wrong inject "$demo" "${data[@]}" -t weight --method deepvigor --out run.db
wrong plan "$demo" -t weight --method deepvigor
"$bitseer" "${deepvigor[@]}" -t weight --out w.db >/dev/null
bitseer analyze "$demo" "${data[@]}" -t activation --sampling random:2 --out a.db >/dev/null
wrong export w.db
wrong compare w.db a.db
wrong protect w.db --by tmr
wrong show w.db --with w.db
wrong show w.db --with a.db
wrong show w.db --with w.db --svg pictures
{ word 2052 && word 1 && word 3 && word 8 && word 8 && head -c 192 /dev/zero; } >x
{ word 2049 && word 1 && byte 0; } >y
bitseer analyze "$root/tests/engine/data/codes_qdq.onnx" --data idx:x,y -t operand --method deepvigor
