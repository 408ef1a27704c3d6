#: exit 1
#: stderr bitseer vvr: 'plain.db' kept no bounds; analyse with --vvr
#: stderr bitseer vvr: 'pairs.db' drew classes of faults apart; bounds need a run by whole sites
#: stderr bitseer vvr: 'sweep.db' holds a sweep, not an analysis
#: stderr bitseer vvr: cannot open 'none.db': No such file or directory
#: stderr~ bitseer vvr: cannot * 'no/v.npy': No such file or directory
need_fashion
args=("$demo" --data "$root/models/fashion-mnist.yaml" --images 2)
bitseer analyze "${args[@]}" -t weight --layers 9 --sampling random:2 --out plain.db >/dev/null
bitseer analyze "${args[@]}" -t weight --layers 9 --sampling adaptive --margin 0.1 --out pairs.db >/dev/null
bitseer sweep "${args[@]}" --ber 1e-3 --runs 1 --out sweep.db >/dev/null
for run in plain pairs sweep none; do
    bitseer vvr $run.db
done
bitseer vvr plain.db --npy no/v.npy
exit 1
