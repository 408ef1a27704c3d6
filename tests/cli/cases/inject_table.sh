#: stdout inject: single bit flips, target weight, method direct, sampling random
#: stdout 100 of 55664 faults, each on 10 images (golden accuracy 100 %)
#: stdout
#: stdout~ layer *name *critical *VF %*interval*
#: stdout~ bits, worst first*
#: stdout~ sites, worst of those observed*
#: stdout~ MVF          * %, 95 % interval \[*, *]
#: stdout pairs        1000 (fault, image)
#: stdout~ outcomes     * masked, * benign, * critical; * DUE, * SDC
#: stdout~ RMSE         * of the logits, interval \[*, *]
#: stdout~ masked at    layer * %*
#: stdout~ evaluations  *
#: stdout~ time         *
#: stdout~ speed        *
need_fashion
bitseer inject "$demo" --data "$root/models/fashion-mnist.yaml" --images 10 -t weight \
    --bits 30 --plan random:100 --out run.json >table
awk 'length > 100 { exit 1 }' table || exit 9
python3 -m json.tool run.json >/dev/null || exit 8
cat table
