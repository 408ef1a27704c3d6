#!/usr/bin/env python3
"""Writes backward_reference.h: gradients by PyTorch's autograd in float64 (Debian: python3-torch).

Inputs and seeds are those of backward_case.h. Run: python3 backward_reference.py >
backward_reference.h
"""

import math
import textwrap

import torch
import torch.nn.functional as F


def spread(dims, lo=-2.0, hi=1.9):
    """The values of a word such as "2x3@-2:1.9"."""
    n = math.prod(dims)
    factor = 7
    while math.gcd(factor, n) != 1:
        factor += 2
    values = [lo + (hi - lo) * (i * factor % n + 0.5) / n for i in range(n)]
    x = torch.tensor(values, dtype=torch.float64)
    return (torch.round(x * 1024) / 1024).reshape(dims).requires_grad_()


def codes(dims, lo, hi):
    return torch.floor(spread(dims, lo, hi)).detach().requires_grad_()


def seed(y):
    k = torch.arange(y.numel(), dtype=torch.float64)
    return ((k * 5 % 11 - 5) * 0.25 + 0.0625).reshape(y.shape)


def write(name, y, inputs):
    """Gradients of sum(seed * y); a value may be an intermediate one."""
    for label, g in zip(inputs, torch.autograd.grad((seed(y) * y).sum(), inputs.values())):
        text = ", ".join(f"{v:.9g}" for v in g.flatten().tolist())
        text = ", ".join(v + "f" if "." in v or "e" in v else v for v in text.split(", "))
        line = f"static const float {name}_{label}[] = {{{text}}};"
        print("\n".join(textwrap.wrap(line, 100, subsequent_indent="    ")))


def main():
    print("/* Written by backward_reference.py with PyTorch's autograd. */")
    print("/* clang-format off */")
    x, w, b = spread((1, 4, 5, 6)), spread((6, 2, 3, 3)), spread((6,))
    y = F.conv2d(x, w, b, stride=(2, 3), padding=(1, 2), groups=2)
    write("conv_grouped", y, {"x": x, "w": w, "b": b})

    x, w = spread((2, 3, 7, 6)), spread((3, 1, 3, 2))
    y = F.conv2d(x, w, None, stride=(1, 2), padding=(2, 1), dilation=(2, 3), groups=3)
    write("conv_dilated", y, {"x": x, "w": w})

    x, scale, bias, mean = spread((2, 3, 2, 2)), spread((3,)), spread((3,)), spread((3,))
    var = spread((3,), 0.5, 2)
    y = F.batch_norm(x, mean.detach(), var.detach(), scale, bias, False, 0, 0.01)
    write("batch_norm", y, {"x": x, "scale": scale, "bias": bias})
    m, v, s, t = (p.reshape(1, 3, 1, 1) for p in (mean, var, scale, bias))
    y = (x - m) / torch.sqrt(v + 0.01) * s + t
    write("batch_norm", y, {"mean": mean, "var": var})

    x = codes((1, 2, 5, 5), -2, 3)  # many equal maxima
    write("max_pool", F.max_pool2d(x, 3, 2, 1), {"x": x})

    x = spread((1, 2, 5, 6))
    y = F.avg_pool2d(x, (3, 2), 2, (1, 1), count_include_pad=False)
    write("average_pool", y, {"x": x})
    y = F.avg_pool2d(x, (3, 2), 2, (1, 1), count_include_pad=True)
    write("average_pool_padded", y, {"x": x})

    x = spread((2, 5, 3))
    write("softmax", F.softmax(x, 1), {"x": x})
    write("log_softmax", F.log_softmax(x, 1), {"x": x})

    # Three layers with a skip connection: the network of graph_gradient.c.
    x, w1, b1 = spread((1, 2, 6, 6)), spread((3, 2, 3, 3)), spread((3,))
    w2, w3 = spread((3, 3, 3, 3), -0.5, 0.5), spread((2, 27))
    pool = F.max_pool2d(F.relu(F.conv2d(x, w1, b1, padding=1)), 2)
    skip = F.relu(F.conv2d(pool, w2, padding=1)) + pool
    y = skip.flatten(1) @ w3.T
    write("net", y, {"x": x, "w1": w1, "b1": b1, "w2": w2, "w3": w3, "pool": pool})
    assert 0.2 < (skip.detach() == pool.detach()).double().mean() < 0.8


main()
