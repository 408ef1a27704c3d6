#: stderr bitseer protect: --by is 'ecc', expected parity, secded or tmr
#: stderr bitseer protect: what is selected needs a protection: parity, secded or tmr
#: stderr~ bitseer protect: bit 32 *
#: stderr bitseer protect: layers '3': 'a.db' has no answers about them
#: stderr bitseer protect: a plan chooses bits of whole layers: no bits can be given
#: stderr bitseer protect: budget '10kB', expected bits or a percentage such as 12.5%
#: stderr bitseer protect: 'a.db' has no bounds of sites: other formats and clipping need a run by rays that keeps them
#: stderr bitseer protect: 'a.db' has no bounds of sites: other formats and clipping need a run by rays that keeps them
#: stderr bitseer protect: 'ber.db' holds error patterns, not single faults
#: stderr bitseer protect: 'sweep.db' holds a sweep, not an injection or analysis
#: stderr~ bitseer protect: *none.db*
#: stderr bitseer protect: cannot write 'no/curve.svg': No such file or directory
need_fashion
run() {
    bitseer "$1" "$demo" --data "$root/models/fashion-mnist.yaml" --images 5 "${@:2}" >/dev/null
}
run inject -t weight --layers 9 --plan random:100 --out a.db
run inject -t weight --layers 9 --fault ber:1e-3 --plan random:2 --out ber.db
run sweep --ber 1e-4 --runs 1 --out sweep.db
wrong() {
    bitseer protect "$@"
    [ $? = 2 ] || echo "status of $*"
}
wrong a.db --by ecc
wrong a.db --bits 3
wrong a.db --by tmr --bits 32
wrong a.db --by tmr --layers 3
wrong a.db --target-vf 0.1 --bits 3
wrong a.db --budget 10kB
wrong a.db --clip
wrong a.db --format fp16
wrong ber.db
wrong sweep.db
bitseer protect none.db
[ $? = 1 ] || echo "status"
bitseer protect a.db --svg no/curve.svg
[ $? = 1 ]
