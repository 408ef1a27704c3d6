#: exit 2
#: stderr~ bitseer inject: format 'int1' is not one of fp32, *
#: stderr~ bitseer inject: format 'q1.31' is not one of fp32, *
#: stderr~ bitseer inject: format 'int8/range=nan': 'range=nan' is not a range: *
#: stderr~ bitseer inject: format 'uint8/range=-1': 'range=-1' is not a range: *
#: stderr bitseer inject: format 'int8/range=-1:2': range starts at -1, expected -2 without affine
#: stderr bitseer inject: format 'fp16/channel': option 'channel' is not one of range=R, range=LO:HI
#: stderr~ bitseer inject: format 'fp32/range=-1': 'range=-1' is not a range: range=R with R > 0, *
#: stderr~ bitseer inject: format 'fp16/range=2:1': 'range=2:1' is not a range: *
#: stderr bitseer inject: format 'q1.6/range=1': q1.6 has no options
#: stderr bitseer inject: format 'int8/channel/tensor': option 'tensor' repeats or contradicts another
#: stderr bitseer inject: format 'int8/channel' for activation: scales by channel are for weights and biases
#: stderr bitseer inject: format 'weight=int4': two formats for weight
#: stderr~ bitseer inject: format 'norm=int8': only weight, bias, activation and input *
make_idx 28 1
for format in int1 q1.31 int8/range=nan uint8/range=-1 int8/range=-1:2 fp16/channel \
    fp32/range=-1 fp16/range=2:1 q1.6/range=1 \
    int8/channel/tensor activation=int8/channel weight=int8,weight=int4 norm=int8; do
    bitseer inject "$demo" --data idx:x,y -t weight --format $format --out run.db
done
status=$?
[ ! -e run.db ] || exit 9
exit $status
