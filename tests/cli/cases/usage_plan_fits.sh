#: exit 2
#: stderr bitseer inject: plan sites:N needs method ray
#: stderr~ bitseer inject: plan random draws single faults; method ray *
#: stderr~ bitseer inject: method ray answers all images of a site: no transient faults *
#: stderr bitseer inject: plan random:321, but the population has 320 faults
#: stderr bitseer inject: plan data-aware is for fault model bitflip
#: stderr~ bitseer inject: plan data-aware: shares of 'image' cannot be told from constants; *
#: stderr bitseer inject: shares '0.1,0.2' has 2 numbers, expected 32, one for each bit
#: stderr bitseer inject: shares '0.1' are for plan data-aware, not random
#: stderr bitseer analyze: method ray cannot change parameters (norm, scale, zero-point); use direct
# Plans that do not go with the method, the target or the faults.
make_idx 28 1
run() {
    bitseer inject "$demo" --data idx:x,y --out run.db "$@"
}
run -t weight --plan sites:3
run -t weight --plan random:3 --method ray
run -t weight --plan exhaustive --method ray --transient
run -t bias --plan random:321
run -t weight --plan data-aware --fault stuck0
run -t activation --plan data-aware
run -t weight --plan data-aware --shares 0.1,0.2
run -t weight --plan random:3 --shares 0.1
bitseer analyze "$demo" --data idx:x,y -t norm --out run.db
status=$?
[ ! -e run.db ] || exit 9
exit $status
