#: exit 2
#: stderr bitseer sweep: bit error rate '1.1', expected a number in 0..1 or LO:HI/N
#: stderr bitseer sweep: bit error rate '-1', expected a number in 0..1 or LO:HI/N
#: stderr bitseer sweep: bit error rate 'nan', expected a number in 0..1 or LO:HI/N
#: stderr bitseer sweep: bit error rate '', expected a number in 0..1 or LO:HI/N
#: stderr bitseer sweep: bit error rates '1e-3,0.001': 0.001 is there twice
#: stderr bitseer sweep: bit error rates '1e-3:1e-5/2': LO must be above 0 and below HI
#: stderr bitseer sweep: bit error rates '1e-5:1e-3/0': N is the rates in a decade, 1 to 100
#: stderr bitseer sweep: bit error rates '1e-300:1/100': more than 1000
#: stderr bitseer sweep: sweep targets 'bias,bias': bias is there twice
make_idx 28 1
run() {
    bitseer sweep "$demo" --data idx:x,y --out run.db --ber "$@"
}
for rates in 1.1 -1 nan '' 1e-3,0.001 1e-3:1e-5/2 1e-5:1e-3/0 1e-300:1/100; do
    run "$rates"
done
run 0.1 --target bias,bias
status=$?
[ ! -e run.db ] || exit 9
exit $status
