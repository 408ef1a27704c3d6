#!/usr/bin/python3
"""Train families of small ResNets on Fashion-MNIST that differ in one thing.

usage: studies/families.py [options]

depth     1, 2, 3, 4 and 6 residual blocks of 16 channels, on 14 x 14 pixels
classes   2 blocks of 16 channels that tell 2, 5 or all 10 classes: the first ones, and of two also
          T-shirts from shirts (0, 6), which are hard to tell
width     2 blocks of 8, 16, 32 and 48 channels
chance    2 blocks of 16 channels from three seeds: what the draw of the first weights and of the batches
          alone does

The network of 2 blocks, 16 channels and 10 classes is in all of them. Blocks are those of the demo
network (tools/train_demo.py, which needs Debian's python3-torch, python3-numpy, python3-onnx and
dataset-fashion-mnist), all of stride 1; epochs are such that all take equally many steps.

Writes NAME.onnx, for subsets of the classes the test images as NAME.images.npy and
NAME.labels.npy, and families.json, which tells what they are, into --output. What is there is not
trained again. Time on one core: 25 minutes. architecture.py takes them from there."""
import argparse
import json
import os
import sys
import time

import numpy as np
import torch

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
sys.path.insert(0, os.path.join(ROOT, "tools"))
import train_demo as demo  # noqa: E402

ALL = tuple(range(10))


def members():
    """(name, families, blocks, channels, classes, seed) of every network."""
    known = {}

    def add(family, blocks, channels, classes, seed=1):
        name = f"blocks{blocks}-width{channels}-classes" + ("".join(map(str, classes)))
        name += f"-seed{seed}" if seed > 1 else ""
        known.setdefault(name, (name, [], blocks, channels, classes, seed))[1].append(family)

    for blocks in (1, 2, 3, 4, 6):
        add("depth", blocks, 16, ALL)
    for classes in ((0, 1), (0, 6), ALL[:5], ALL):
        add("classes", 2, 16, classes)
    for channels in (8, 16, 32, 48):
        add("width", 2, channels, ALL)
    for seed in (1, 2, 3):
        add("chance", 2, 16, ALL, seed)
    return known.values()


def subset(data, classes):
    """The images of these classes, which are numbered in this order."""
    images, labels = data
    place = torch.full((10,), -1, dtype=torch.int64)
    place[list(classes)] = torch.arange(len(classes))
    kept = place[labels] >= 0
    return images[kept], place[labels[kept]]


def save_test(folder, name, data, classes):
    """The test images and labels of a subset as bytes, as bitseer reads them."""
    images = demo.read_idx(os.path.join(data, "t10k-images-idx3-ubyte.gz"))
    labels = demo.read_idx(os.path.join(data, "t10k-labels-idx1-ubyte.gz"))
    kept = np.isin(labels, classes)
    np.save(os.path.join(folder, name + ".images.npy"), images[kept][:, None])
    places = np.array([classes.index(label) for label in labels[kept]], np.uint8)
    np.save(os.path.join(folder, name + ".labels.npy"), places)


def make(name, blocks, channels, classes, seed, options, data, test):
    """Trains a network and writes its files; what is told of it."""
    torch.manual_seed(seed)
    model = demo.ResNet((channels, 2), ((channels, 1),) * blocks, len(classes))
    part, start = subset(test, classes), time.time()
    demo.train(model, options.epochs * len(ALL) // len(classes), subset(data, classes), part)
    if classes != ALL:
        save_test(options.output, name, options.data, classes)
    path = os.path.join(options.output, name + ".onnx")
    demo.export(model, path + ".new")
    os.replace(path + ".new", path)
    return {"blocks": blocks, "channels": channels, "classes": list(classes),
            "parameters": sum(p.numel() for p in model.parameters()),
            "accuracy": demo.accuracy(model, *part), "epochs": options.epochs,
            "seed": seed, "seconds": time.time() - start}


def main():
    p = argparse.ArgumentParser(description=__doc__,
                                formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("--data", default="/usr/share/datasets/fashion-mnist")
    p.add_argument("--epochs", type=int, default=4, help="of all classes (4)")
    p.add_argument("--output", default=os.path.join(ROOT, "build/studies/families"))
    options = p.parse_args()
    torch.set_num_threads(1)
    torch.use_deterministic_algorithms(True)
    os.makedirs(options.output, exist_ok=True)
    listed = os.path.join(options.output, "families.json")
    known = {}
    if os.path.exists(listed):
        with open(listed, encoding="utf-8") as f:
            known = json.load(f)
    data, test = demo.load(options.data, "train"), demo.load(options.data, "t10k")
    for name, families, *how in members():
        if name not in known or not os.path.exists(os.path.join(options.output, name + ".onnx")):
            print(name, flush=True)
            known[name] = make(name, *how, options, data, test)
        known[name]["families"] = families
        with open(listed + ".new", "w", encoding="utf-8") as f:
            json.dump(known, f, indent=1)
        os.replace(listed + ".new", listed)


if __name__ == "__main__":
    main()
