#: exit 2
#: stderr bitseer inject: 'run.db' exists
#: stderr bitseer sweep: 'run.db' exists
#: stderr bitseer analyze: 'dangling' exists
#: stderr bitseer analyze: '/dev/full' exists
# Found out before anything is read, and the file stays as it is.
echo kept >run.db
ln -s nowhere dangling
bitseer inject none.onnx --data idx:x,y --target weight --out run.db
bitseer sweep none.onnx --data idx:x,y --ber 1e-3 --out run.db
bitseer analyze none.onnx --data idx:x,y --target weight --out dangling
bitseer analyze none.onnx --data idx:x,y --target weight --out /dev/full
status=$?
[ "$(cat run.db)" = kept ] && [ ! -e nowhere ] || exit 9
exit $status
