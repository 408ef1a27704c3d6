#: exit 2
#: stderr bitseer analyze: --threads is 'x', expected a whole number from 1 to 1024
#: stderr bitseer analyze: --method is 'deepvigour', expected direct, ray or deepvigor
#: stderr bitseer analyze: --sampling is 'random:0', expected complete, adaptive, random:N with N above 0 or channels:R with R above 0 up to 1
#: stderr bitseer inject: --target is 'wieght', expected weight, bias, activation, input, operand, operand-weight, norm, scale, zero-point or output
#: stderr bitseer inject: --confidence is '95', expected a number from 0.5 to 0.999999
#: stderr bitseer plan: --margin is '0', expected a number from 1e-06 to 0.5
#: stderr bitseer sweep: --runs is '0', expected a whole number from 1 to 1000000000
#: stderr bitseer inspect: --input-shape is '3x32x32', expected C,H,W: 3 whole numbers from 1 to 65536
bitseer analyze "$demo" --threads x
bitseer analyze "$demo" --method deepvigour
bitseer analyze "$demo" --sampling random:0
bitseer inject "$demo" --target=wieght
bitseer inject "$demo" --confidence 95
bitseer plan "$demo" --margin 0
bitseer sweep "$demo" --runs 0
bitseer inspect "$demo" --input-shape 3x32x32
