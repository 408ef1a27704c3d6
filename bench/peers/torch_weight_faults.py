#!/usr/bin/python3
"""Times weight faults in PyTorch the way scripts on it do: change one stored weight, run all images,
restore it. PyTorchFI does this on a copy of the model and takes a little longer.

usage: torch_weight_faults.py FOLDER [--threads T] [--faults N]

The pretrained ResNet-20 of FOLDER (BITSEER_DATA), the first 100 images. Prints one line of JSON:
median and least milliseconds of one fault on all images. Needs Debian's python3-torch, python3-onnx.
Exit status 1 without them, 2 wrong usage."""
import argparse
import json
import random
import sys
import time

try:
    import numpy as np
    import onnx
    import torch
    import torch.nn.functional as F
    from onnx import numpy_helper
except ImportError as error:
    sys.exit(f"torch_weight_faults.py: {error}")

MEAN, STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)
IMAGES = 100


class ResNet20(torch.nn.Module):
    """The network in evaluation mode, with the file's weights."""

    def __init__(self, path):
        super().__init__()
        for t in onnx.load(path).graph.initializer:
            self.register_buffer(t.name.replace(".", "_"),
                                 torch.tensor(numpy_helper.to_array(t).copy()))

    def conv(self, x, name, stride=1):
        return F.conv2d(x, getattr(self, name + "_weight"), None, stride, 1)

    def norm(self, x, name):
        get = lambda part: getattr(self, f"{name}_{part}")
        return F.batch_norm(x, get("running_mean"), get("running_var"), get("weight"), get("bias"),
                            False, 0, 1e-5)

    def forward(self, x):
        x = F.relu(self.norm(self.conv(x, "conv1"), "bn1"))
        for stage, planes in ((1, 16), (2, 32), (3, 64)):
            for block in range(3):
                name = f"layer{stage}_{block}_"
                stride = 2 if stage > 1 and block == 0 else 1
                y = F.relu(self.norm(self.conv(x, name + "conv1", stride), name + "bn1"))
                y = self.norm(self.conv(y, name + "conv2"), name + "bn2")
                if stride == 2:
                    x = F.pad(x[:, :, ::2, ::2], (0, 0, 0, 0, planes // 4, planes // 4))
                x = F.relu(y + x)
        x = F.avg_pool2d(x, x.size(3)).flatten(1)
        return F.linear(x, self.linear_weight, self.linear_bias)


def images(path):
    records = np.fromfile(path, dtype="u1").reshape(-1, 3073)[:IMAGES]
    x = records[:, 1:].reshape(-1, 3, 32, 32) / 255.0
    shape = (1, 3, 1, 1)
    return torch.tensor(((x - np.reshape(MEAN, shape)) / np.reshape(STD, shape)).astype("f4"))


def main():
    parser = argparse.ArgumentParser(usage=__doc__.split("\n\n")[1])
    parser.add_argument("folder")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--faults", type=int, default=30)
    args = parser.parse_args()
    torch.set_num_threads(args.threads)
    model = ResNet20(args.folder + "/models/cifar10_resnet20_akamaster_bn.onnx")
    x = images(args.folder + "/cifar10/test_first1000.bin")
    weights = [b for n, b in model.named_buffers()
               if n.endswith("weight") and b.dim() > 1]
    rng, times, changed = random.Random(1), [], 0
    with torch.no_grad():
        for _ in range(3):
            golden = model(x).argmax(1)
        for _ in range(args.faults):
            start = time.perf_counter()
            stored = rng.choice(weights).view(-1).view(torch.int32)
            at = rng.randrange(stored.numel())
            bit = rng.randrange(31)  # the 32nd needs a signed constant
            stored[at] ^= 1 << bit
            changed += int((model(x).argmax(1) != golden).sum())
            stored[at] ^= 1 << bit
            times.append(1e3 * (time.perf_counter() - start))
    times.sort()
    print(json.dumps({"median_ms": times[len(times) // 2], "min_ms": times[0],
                      "faults": args.faults, "images": IMAGES, "changed": changed,
                      "torch": torch.__version__}))


if __name__ == "__main__":
    main()
