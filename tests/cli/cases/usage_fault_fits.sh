#: exit 2
#: stderr bitseer inject: '/stem/conv/Conv': mask 1ff has bits above its 8
#: stderr bitseer inject: '/stem/conv/Conv': no 5 adjacent bits among the selected ones of its 4
#: stderr bitseer inject: '/stem/conv/Conv': no 8 adjacent bits among the selected ones of its 4
#: stderr bitseer inject: '/stem/conv/Conv': no 2 adjacent bits among the selected ones of its 32
#: stderr bitseer inject: '/stem/conv/Conv': bits cannot be chosen with this fault model
#: stderr bitseer inject: fault 'ber:0.1' needs plan random:N, not exhaustive
#: stderr bitseer inject: fault 'ber:0.1' needs plan random:N, not adaptive
#: stderr bitseer inject: fault 'ber:0.1' needs method direct, not 'ray'
#: stderr~ bitseer inject: fault model 'ber:nan', expected bitflip, *
#: stderr~ bitseer inject: fault model 'ber01:0.1, 0.2', expected bitflip, *
#: stderr~ bitseer inject: fault model 'mask:0', expected bitflip, *
# Faults that the codes cannot have, and error patterns in plans of single faults.
make_idx 28 1
run() {
    bitseer inject "$demo" --data idx:x,y -t weight --out run.db "$@"
}
run --format int8 --fault mask:1ff
run --format int4 --fault mbu:5
run --format int4 --fault mbu:word8
run --bits 0,2 --fault mbu:2
run --bits 3 --fault random
run --fault ber:0.1 --plan exhaustive
run --fault ber:0.1 --plan adaptive
run --fault ber:0.1 --method ray
run --fault ber:nan
run --fault 'ber01:0.1, 0.2'
run --fault mask:0
status=$?
[ ! -e run.db ] || exit 9
exit $status
