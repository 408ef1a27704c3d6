#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Train the demo network, a small ResNet with BatchNorm on Fashion-MNIST.

Writes models/fashion_resnet.onnx, the network that the examples and the tests
of bitseer analyse; models/README.md describes it.  BatchNormalization stays in
the file as nodes of its own, so that faults in its parameters can be studied.

Needs the Debian packages python3-torch, python3-numpy, python3-onnx and
dataset-fashion-mnist:

    /usr/bin/python3 tools/train_demo.py --logits models/fashion_resnet.logits.npy

One thread and fixed seeds: the same machine type and package versions give the
same file.  The last epoch's weights are taken, whatever the test accuracies of
the epochs before.
"""
import argparse
import gzip
import os
import time

import numpy as np
import onnx
import torch
from torch import nn
from torch.nn import functional as F

# Mean and standard deviation of the 60,000 training images' pixels in [0, 1]:
# the network's input is (pixel / 255 - MEAN) / STD.
MEAN, STD = 0.2860, 0.3530

STEM = (16, 2)                              # channels, stride
BLOCKS = ((16, 1), (32, 2), (48, 2))
BATCH, MAX_LR, WEIGHT_DECAY = 128, 0.2, 5e-4
SHIFT = 2                                   # augmentation: pixels, each way


class Block(nn.Module):
    """Two 3x3 convolutions; a 1x1 one on the shortcut where the shape changes."""

    def __init__(self, cin, cout, stride):
        super().__init__()
        self.conv1 = nn.Conv2d(cin, cout, 3, stride, 1, bias=False)
        self.bn1 = nn.BatchNorm2d(cout)
        self.conv2 = nn.Conv2d(cout, cout, 3, 1, 1, bias=False)
        self.bn2 = nn.BatchNorm2d(cout)
        self.relu1, self.relu2 = nn.ReLU(), nn.ReLU()
        self.shortcut = None
        if stride != 1 or cin != cout:
            self.shortcut = nn.Sequential()
            self.shortcut.add_module("conv", nn.Conv2d(cin, cout, 1, stride, bias=False))
            self.shortcut.add_module("bn", nn.BatchNorm2d(cout))

    def forward(self, x):
        y = self.relu1(self.bn1(self.conv1(x)))
        y = self.bn2(self.conv2(y))
        return self.relu2(y + (x if self.shortcut is None else self.shortcut(x)))


class ResNet(nn.Module):
    """The stem and blocks are (channels, stride); the studies train others than the demo's."""

    def __init__(self, stem=STEM, blocks=BLOCKS, classes=10):
        super().__init__()
        channels, stride = stem
        self.stem = nn.Sequential()
        self.stem.add_module("conv", nn.Conv2d(1, channels, 3, stride, 1, bias=False))
        self.stem.add_module("bn", nn.BatchNorm2d(channels))
        self.stem.add_module("relu", nn.ReLU())
        self.depth = len(blocks)
        for i, (cout, stride) in enumerate(blocks, 1):
            self.add_module(f"block{i}", Block(channels, cout, stride))
            channels = cout
        self.pool = nn.AdaptiveAvgPool2d(1)
        self.fc = nn.Linear(channels, classes)

    def forward(self, x):
        x = self.stem(x)
        for i in range(1, self.depth + 1):
            x = getattr(self, f"block{i}")(x)
        return self.fc(self.pool(x).flatten(1))


def read_idx(path):
    """An IDX file of unsigned bytes: 0, 0, 8, rank, big-endian sizes, data."""
    with gzip.open(path, "rb") as f:
        raw = f.read()
    if raw[:3] != b"\0\0\x08":
        raise SystemExit(f"{path}: not an IDX file of bytes")
    shape = np.frombuffer(raw, ">u4", raw[3], 4)
    return np.frombuffer(raw, np.uint8, offset=4 + 4 * raw[3]).reshape(shape)


def load(folder, part):
    images = read_idx(os.path.join(folder, f"{part}-images-idx3-ubyte.gz"))
    labels = read_idx(os.path.join(folder, f"{part}-labels-idx1-ubyte.gz"))
    x = (images.astype(np.float32) / np.float32(255) - np.float32(MEAN)) / np.float32(STD)
    return torch.from_numpy(x[:, None]), torch.from_numpy(labels.astype(np.int64))


def augment(x):
    """A random horizontal flip and shift for each image; x is padded by SHIFT."""
    n, size = len(x), x.shape[-1] - 2 * SHIFT
    at = torch.arange(size)
    rows = at + torch.randint(2 * SHIFT + 1, (n, 1))
    cols = at + torch.randint(2 * SHIFT + 1, (n, 1))
    flip = torch.rand(n, 1) < 0.5
    cols = torch.where(flip, cols.flip(1), cols)
    return x[torch.arange(n)[:, None, None], 0, rows[:, :, None], cols[:, None, :]][:, None]


def logits_of(model, x):
    model.eval()
    with torch.no_grad():
        return torch.cat([model(part) for part in x.split(500)])


def accuracy(model, x, labels):
    return (logits_of(model, x).argmax(1) == labels).float().mean().item()


def train(model, epochs, data, test):
    x, labels = data
    x = F.pad(x, (SHIFT,) * 4, value=-MEAN / STD)       # black
    steps = len(x) // BATCH
    optimizer = torch.optim.SGD(model.parameters(), MAX_LR, momentum=0.9,
                                weight_decay=WEIGHT_DECAY, nesterov=True)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, MAX_LR, epochs * steps)
    start = time.time()
    for epoch in range(1, epochs + 1):
        model.train()
        total = 0.0
        for pick in torch.randperm(len(x))[:steps * BATCH].split(BATCH):
            loss = F.cross_entropy(model(augment(x[pick])), labels[pick])
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            schedule.step()
            total += loss.item()
        print(f"epoch {epoch:2}/{epochs}: loss {total / steps:.4f}, "
              f"test accuracy {100 * accuracy(model, *test):.2f} %, "
              f"{time.time() - start:.0f} s", flush=True)


def export(model, path):
    """PRESERVE and no constant folding keep the BatchNormalization nodes.

    The two BatchNorms before an addition learn equal biases, since their gradients
    are equal.  The exporter stores equal tensors once, with Identity nodes for the
    others; here each gets its own initialiser again, as a fault hits only one.
    """
    model.eval()
    torch.onnx.export(model, torch.zeros(1, 1, 28, 28), path, opset_version=13,
                      training=torch.onnx.TrainingMode.PRESERVE,
                      do_constant_folding=False,
                      input_names=["image"], output_names=["logits"],
                      dynamic_axes={"image": {0: "batch"}, "logits": {0: "batch"}})
    proto = onnx.load(path)
    nodes, stored = proto.graph.node, proto.graph.initializer
    tensors = {t.name: t for t in stored}
    for node in [n for n in nodes if n.op_type == "Identity"]:
        copy = stored.add()
        copy.CopyFrom(tensors[node.input[0]])
        copy.name = node.output[0]
        nodes.remove(node)
    order = {name: i for i, name in enumerate(model.state_dict())}
    stored.sort(key=lambda t: order[t.name])
    onnx.save(proto, path)
    onnx.checker.check_model(proto, full_check=True)
    kept = sum(node.op_type == "BatchNormalization" for node in proto.graph.node)
    if kept != sum(isinstance(m, nn.BatchNorm2d) for m in model.modules()):
        raise SystemExit(f"{path}: the export has lost BatchNormalization nodes")


def main():
    here = os.path.dirname(os.path.abspath(__file__))
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--epochs", type=int, default=25)
    parser.add_argument("--out", metavar="FILE.onnx",
                        default=os.path.join(here, "..", "models", "fashion_resnet.onnx"))
    parser.add_argument("--data", metavar="DIR", default="/usr/share/datasets/fashion-mnist")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--logits", metavar="FILE.npy",
                        help="also write the first 100 test images' logits, float32 [100,10]")
    args = parser.parse_args()

    torch.set_num_threads(1)
    torch.use_deterministic_algorithms(True)
    torch.manual_seed(args.seed)
    data, test = load(args.data, "train"), load(args.data, "t10k")
    model = ResNet()
    print(f"{sum(p.numel() for p in model.parameters())} trained parameters")
    train(model, args.epochs, data, test)
    export(model, args.out)
    print(f"final test accuracy {100 * accuracy(model, *test):.2f} %; "
          f"{os.path.getsize(args.out)} bytes")
    if args.logits:
        np.save(args.logits, logits_of(model, test[0][:100]).numpy())


if __name__ == "__main__":
    main()
