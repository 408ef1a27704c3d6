#: stderr bitseer predict: --model is 'gauss', expected auto, logits, normal, poisson or noise
#: stderr bitseer predict: --model is 'bits', expected auto, logits, normal, poisson or noise
#: stderr bitseer predict: bit error rate 0: predictions are for rates above 0
#: stderr bitseer predict: bit error rate '2', expected a number in 0..1 or LO:HI/N
#: stderr~ bitseer predict: * targets 'norm', expected weight, bias, activation or input with commas between
#: stderr bitseer predict: --moments is '0', expected a whole number from 1 to 1000000000
#: stderr bitseer predict: --disturbed is '-1', expected a whole number from 1 to 1000000000
#: stderr bitseer predict: unknown option '--runs'
#: stderr bitseer predict: unknown option '--accelerate'
#: stderr bitseer predict: --data KIND:PATH is required
#: stderr bitseer predict: cannot write 'no/p.json': No such file or directory
#: stderr bitseer predict: cannot write 'no/p.svg': No such file or directory
#: stderr~ bitseer predict: '/stem/conv/Conv' is stored as float32: *
#: stderr~ bitseer predict: '/stem/conv/Conv' is stored as fp16: *
need_fashion
run() {
    bitseer predict "$demo" --data "$root/models/fashion-mnist.yaml" --images 5 --quiet "${@:2}"
    status=$?
    [ $status = "$1" ] || echo "status $status of ${*:2}"
}
run 2 --format int8 --model gauss
run 2 --format int8 --model bits
run 2 --format int8 --ber 0,1e-4
run 2 --format int8 --ber 2
run 2 --format int8 --target norm
run 2 --format int8 --moments 0
run 2 --format int8 --disturbed -1
run 2 --format int8 --runs 3
run 2 --format int8 --accelerate
bitseer predict "$demo"
run 1 --format int8 --out no/p.json
run 1 --format int8 --svg no/p.svg
# A flipped exponent bit has no bounded second moment.
run 1
run 1 --format fp16
ls
