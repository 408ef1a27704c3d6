#: stdout images   100
#: stdout correct  93
#: stdout top-1    93.000 %  [86.250, 96.568]
#: stdout~ top-5    * %
#: stdout~ time     * s, * images/s
# 93 of 100 and the logits are PyTorch's (models/README.md).
need_fashion
bitseer eval "$demo" --data "$root/models/fashion-mnist.yaml" --images 100 --logits l.npy
python3 -c 'import numpy' 2>/dev/null || exit 0
python3 - "$root/models/fashion_resnet.logits.npy" <<'P' || exit 9
import numpy, sys
ours, theirs = numpy.load('l.npy'), numpy.load(sys.argv[1])
sys.exit(not (ours.shape == theirs.shape and abs(ours - theirs).max() < 1e-4))
P
