#!/usr/bin/python3
"""Critical pairs of one bit of one ResNet-20 layer, counted by PyTorch and by bitseer.

usage: tools/compare_torch.py FOLDER [BIT] [PROGRAM]

FOLDER is the folder of the pretrained networks (BITSEER_DATA), BIT is 30 unless given, PROGRAM
build/release/bitseer. Every weight of layer 13 (layer3.0.conv1), the first 10 images of each class.
PyTorch runs the network from that layer on for each of 18,432 faults: 5 to 10 minutes on one core.
Needs Debian's python3-torch, python3-onnx and python3-numpy. Exit status 1 when the counts differ."""
import json
import subprocess
import sys

import numpy as np
import onnx
import torch
import torch.nn.functional as F
from onnx import numpy_helper

MEAN, STD = (0.4914, 0.4822, 0.4465), (0.2023, 0.1994, 0.2010)
STAGES = ((1, 16), (2, 32), (3, 64))


def load_weights(path):
    graph = onnx.load(path).graph
    return {t.name: torch.tensor(numpy_helper.to_array(t).copy()) for t in graph.initializer}


def images(path):
    records = np.fromfile(path, dtype="u1").reshape(-1, 3073)
    seen, chosen = [0] * 10, []
    for i, label in enumerate(records[:, 0]):
        if seen[label] < 10:
            seen[label] += 1
            chosen.append(i)
    x = records[chosen, 1:].reshape(-1, 3, 32, 32) / 255.0
    shape = (1, 3, 1, 1)
    return torch.tensor(((x - np.reshape(MEAN, shape)) / np.reshape(STD, shape)).astype("f4"))


def batch_norm(w, x, name):
    return F.batch_norm(x, w[name + ".running_mean"], w[name + ".running_var"],
                        w[name + ".weight"], w[name + ".bias"], False, 0, 1e-5)


def stage(w, x, number, planes):
    for block in range(3):
        name = f"layer{number}.{block}"
        stride = 2 if number > 1 and block == 0 else 1
        y = F.relu(batch_norm(w, F.conv2d(x, w[name + ".conv1.weight"], None, stride, 1),
                              name + ".bn1"))
        y = batch_norm(w, F.conv2d(y, w[name + ".conv2.weight"], None, 1, 1), name + ".bn2")
        if stride == 2:
            x = F.pad(x[:, :, ::2, ::2], (0, 0, 0, 0, planes // 4, planes // 4))
        x = F.relu(y + x)
    return x


def count_torch(folder, bit):
    w = load_weights(folder + "/models/cifar10_resnet20_akamaster_bn.onnx")
    x = images(folder + "/cifar10/test_first1000.bin")
    with torch.no_grad():
        x = F.relu(batch_norm(w, F.conv2d(x, w["conv1.weight"], None, 1, 1), "bn1"))
        for number, planes in STAGES[:2]:
            x = stage(w, x, number, planes)

        def classes():
            y = stage(w, x, *STAGES[2])
            y = F.avg_pool2d(y, y.size(3)).flatten(1)
            return F.linear(y, w["linear.weight"], w["linear.bias"]).argmax(1)

        golden = classes()
        stored = w["layer3.0.conv1.weight"].view(-1).view(torch.int32)
        critical = 0
        for i in range(stored.numel()):
            stored[i] ^= 1 << bit
            critical += int((classes() != golden).sum())
            stored[i] ^= 1 << bit
    return critical


def count_bitseer(program, folder, bit):
    command = [program, "inject", folder + "/models/cifar10_resnet20_akamaster_bn.onnx",
               "--data", f"cifar10:{folder}/cifar10/test_first1000.bin", "--images", "10/class",
               "--mean", ",".join(map(str, MEAN)), "--std", ",".join(map(str, STD)),
               "--target", "weight", "--layers", "13", "--bits", str(bit),
               "--plan", "exhaustive", "--json"]
    return json.loads(subprocess.run(command, check=True, capture_output=True).stdout)["total"]["critical"]


def main():
    if not 2 <= len(sys.argv) <= 4:
        sys.exit(__doc__.split("\n\n")[1])
    folder = sys.argv[1]
    bit = int(sys.argv[2]) if len(sys.argv) > 2 else 30
    program = sys.argv[3] if len(sys.argv) > 3 else "build/release/bitseer"
    ours = count_bitseer(program, folder, bit)
    torchs = count_torch(folder, bit)
    print(f"bit {bit}: bitseer {ours}, PyTorch {torchs} critical pairs")
    sys.exit(ours != torchs)


if __name__ == "__main__":
    main()
