#!/usr/bin/python3
"""Repeats faults of a run in PyTorch and compares the numbers of images they are critical for.

usage: tools/replay_torch.py FOLDER RUN.db [N] [LAYERS] [PROGRAM]

RUN.db is a run of `bitseer inject` on weights of the pretrained ResNet-20 in FOLDER (BITSEER_DATA), on
the first 10 images of each class, normalised as in tools/compare_torch.py. N faults (60) that are
critical for some image or flip bit 30 are drawn from each of LAYERS (all, or numbers with commas
between). PROGRAM is build/release/bitseer. Needs Debian's python3-torch, python3-onnx, python3-numpy.
Exit status 1 when a count differs."""
import csv
import os
import random
import subprocess
import sys

sys.path[:0] = [os.path.join(os.path.dirname(os.path.abspath(__file__)), p)
                for p in (".", "../bench/peers")]
import torch
from compare_torch import images
from torch_weight_faults import ResNet20


def weight_names():
    names = ["conv1"]
    for stage in (1, 2, 3):
        names += [f"layer{stage}_{block}_conv{k}" for block in range(3) for k in (1, 2)]
    return [name + "_weight" for name in names + ["linear"]]


def faults(program, run, layers):
    lines = subprocess.run([program, "export", run], check=True, capture_output=True, text=True)
    chosen = {layer: [] for layer in layers}
    for row in csv.DictReader(lines.stdout.splitlines()):
        layer = int(row["layer"])
        if layer in chosen and (int(row["critical"]) or row["bit"] == "30"):
            chosen[layer].append((int(row["element"]), int(row["flip"], 16), int(row["critical"])))
    return chosen


def signed(mask):
    return mask - (1 << 32) if mask >> 31 else mask


def main():
    if not 3 <= len(sys.argv) <= 6:
        sys.exit(__doc__.split("\n\n")[1])
    folder, run = sys.argv[1:3]
    n = int(sys.argv[3]) if len(sys.argv) > 3 else 60
    names = weight_names()
    text = sys.argv[4] if len(sys.argv) > 4 else "all"
    layers = range(len(names)) if text == "all" else [int(x) for x in text.split(",")]
    program = sys.argv[5] if len(sys.argv) > 5 else "build/release/bitseer"
    model = ResNet20(folder + "/models/cifar10_resnet20_akamaster_bn.onnx")
    x = images(folder + "/cifar10/test_first1000.bin")
    wrong = 0
    with torch.no_grad():
        golden = model(x).argmax(1)
        for layer, rows in faults(program, run, layers).items():
            stored = getattr(model, names[layer]).view(-1).view(torch.int32)
            rows = random.Random(layer).sample(rows, min(n, len(rows)))
            ours = theirs = differ = 0
            for element, flip, critical in rows:
                stored[element] ^= signed(flip)
                count = int((model(x).argmax(1) != golden).sum())
                stored[element] ^= signed(flip)
                ours, theirs, differ = ours + critical, theirs + count, differ + (count != critical)
            print(f"layer {layer}: {len(rows)} faults, critical pairs {ours} by bitseer, {theirs} by "
                  f"PyTorch, {differ} faults differ", flush=True)
            wrong += differ
    sys.exit(wrong > 0)


if __name__ == "__main__":
    main()
