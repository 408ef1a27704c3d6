#: exit 2
#: stderr~ bitseer analyze: --screen is 'x', expected *
#: stderr~ bitseer analyze: --screen is '-1', expected *
#: stderr~ bitseer inject: --screen is 'nan', expected *
#: stderr~ bitseer analyze: --screen-check is '-5', expected *
#: stderr~ bitseer analyze: --screen-check is '1.5', expected *
#: stderr bitseer analyze: --max-time is 'soon', expected seconds up to 1000000000, or a time such as 90s, 5m or 2h
#: stderr~ bitseer analyze: --max-time is '0', expected *
#: stderr~ bitseer analyze: --max-time is '5 m', expected *
#: stderr~ bitseer analyze: --sampling is 'channels:0', expected *
#: stderr~ bitseer analyze: --sampling is 'channels:1.5', expected *
#: stderr~ bitseer analyze: --sampling is 'channels:', expected *
#: stderr~ bitseer inject: plan 'channels:nan', expected *
#: stderr bitseer inject: plan channels:R needs method ray
#: stderr bitseer analyze: a limit of time is for plans that draw a sample, not exhaustive
#: stderr bitseer inject: parameters (norm, scale, zero-point) cannot be screened
#: stderr bitseer analyze: bounds of errors (vvr) are found by method ray, not direct
# Bad values, and options that do not go together.
make_idx 28 1
for option in '--screen x' '--screen -1'; do
    bitseer analyze "$demo" --data idx:x,y -t weight $option
done
bitseer inject "$demo" --data idx:x,y -t weight --screen nan
for option in '--screen-check -5' '--screen-check 1.5' '--max-time soon' '--max-time 0'; do
    bitseer analyze "$demo" --data idx:x,y -t weight $option
done
bitseer analyze "$demo" --data idx:x,y -t weight --max-time '5 m'
for ratio in 0 1.5 ''; do
    bitseer analyze "$demo" --data idx:x,y -t weight --sampling "channels:$ratio"
done
bitseer inject "$demo" --data idx:x,y -t weight --method ray --plan channels:nan --out run.db
bitseer inject "$demo" --data idx:x,y -t weight --plan channels:0.5 --out run.db
bitseer analyze "$demo" --data idx:x,y -t weight --sampling complete --max-time 5m --out run.db
bitseer inject "$demo" --data idx:x,y -t norm --screen 0.1 --out run.db
bitseer analyze "$demo" --data idx:x,y -t weight --method direct --vvr --out run.db
status=$?
[ ! -e run.db ] || exit 9
exit $status
