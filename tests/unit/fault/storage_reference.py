#!/usr/bin/env python3
"""Prints the expectations of storage.c: models/fashion_resnet.onnx in other formats by numpy.

Run from the top folder with Debian's python3-numpy and python3-onnx.
"""

import hashlib

import numpy as np
import onnx
from onnx import numpy_helper

graph = onnx.load("models/fashion_resnet.onnx").graph
const = {i.name: numpy_helper.to_array(i) for i in graph.initializer}
layers = [n.input[1] for n in graph.node if n.op_type in ("Conv", "Gemm")]


def codes(w, scale):
    return np.clip(np.rint(w.astype(np.float64) / np.float64(scale)), -127, 127)


def digest(arrays):
    return hashlib.sha256(b"".join(a.tobytes() for a in arrays)).hexdigest()


def by_channel(w):
    rows = w.reshape(len(w), -1)
    scales = [np.float32(np.abs(r).max().astype(np.float64) / 127) for r in rows]
    return np.stack([codes(r, s) for r, s in zip(rows, scales)]).astype(np.int8)


print("fp16 values  ", digest(const[n].astype(np.float16).astype("<f4") for n in layers))
print("fp16 codes   ", digest(const[n].astype("<f2") for n in layers))
print("int8 codes   ", digest(
    codes(const[n], np.float32(np.abs(const[n]).max().astype(np.float64) / 127)).astype(np.int8)
    for n in layers))
print("int8/channel ", digest(by_channel(const[n]) for n in layers))


def image(i):
    p = np.arange(784, dtype=np.int64)
    return ((p * p // 7 + 37 * p + 101 * i) % 256 / 255.0).astype(np.float32).reshape(28, 28)


def stem(x, w):
    """Convolution 3x3, stride 2, padding 1; BatchNormalization; Relu; in float64."""
    x = np.pad(x.astype(np.float64), 1)
    y = np.zeros((16, 14, 14))
    for m in range(16):
        for r in range(3):
            for c in range(3):
                y[m] += x[r:r + 28:2, c:c + 28:2] * np.float64(w[m, 0, r, c])
    scale, bias, mean, var = (const["stem.bn." + k].astype(np.float64)[:, None, None]
                              for k in ("weight", "bias", "running_mean", "running_var"))
    return np.maximum((y - mean) / np.sqrt(var + 1e-5) * scale + bias, 0)


w = const["stem.conv.weight"]
plain = [stem(image(i), w) for i in range(3)]
print("range of stem relu, 3 images:", min(y.min() for y in plain), max(y.max() for y in plain))
y = stem(image(1).astype(np.float16), w.astype(np.float16)).ravel()
steps = y / np.float64(np.float32(1 / 127.0))
picked = [i for i in range(5, y.size, 61) if 0.05 < steps[i] % 1 < 0.45 or 0.55 < steps[i] % 1 < 0.95]
picked = [i for i in picked if steps[i] < 126.4 or steps[i] > 128][:24]
print("int8/range=1 of image 1:", ", ".join(f"{{{i}, {min(127, round(steps[i]))}}}" for i in picked))
z = stem(image(1).astype(np.float16), w.astype(np.float16)).ravel()
half = z.astype(np.float16).astype(np.float64)
up = np.nextafter(z.astype(np.float16), np.float16(np.inf)).astype(np.float64)
ulp = up - half
safe = [i for i in range(3, z.size, 67) if z[i] > 0 and abs(z[i] - half[i]) < 0.4 * ulp[i]][:16]
print("fp16 of image 1:", ", ".join(f"{{{i}, {half[i].hex()}}}" for i in safe))
print("fp32/range=0.25", digest(np.clip(const[n], -0.25, 0.25).astype("<f4") for n in layers))
beyond = [i for i in range(2, z.size, 97) if z[i] > 0.2501][:8]
print("above 0.25 in image 1:", ", ".join(map(str, beyond)))
