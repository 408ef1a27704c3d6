#: exit 2
#: stderr bitseer analyze: --threads is 'x', expected a whole number from 1 to 1024
#: stderr bitseer analyze: --method is 'deepvigor', expected ray
#: stderr bitseer analyze: --sampling is 'random:0', expected complete or random:N with N above 0
#: stderr bitseer inject: --plan is 'complete', expected exhaustive or random:N with N above 0
#: stderr bitseer inject: --target is 'wieght', expected weight, bias, activation or input
#: stderr bitseer inject: --confidence is '95', expected a number from 0.5 to 0.999999
#: stderr bitseer inspect: --input-shape is '3x32x32', expected C,H,W: 3 whole numbers from 1 to 65536
bitseer analyze "$demo" --threads x
bitseer analyze "$demo" --method deepvigor
bitseer analyze "$demo" --sampling random:0
bitseer inject "$demo" --plan complete
bitseer inject "$demo" --target=wieght
bitseer inject "$demo" --confidence 95
bitseer inspect "$demo" --input-shape 3x32x32
