#!/usr/bin/python3
"""Method deepvigor by the text of arXiv 2410.15742, in numpy and torch (Debian's python3-torch 1.13.0,
python3-onnx 1.12.0, python3-numpy 1.24.2), without any of the library: the numbers in deepvigor.c.

The gradient is torch's, in double; classes come from float32. Every neuron of every channel is
analysed, so that nothing depends on draws.

    tests/unit/analysis/deepvigor_reference.py tests/engine/data/grouped.onnx 6
"""
import sys

import numpy as np
import onnx
import torch
import torch.nn.functional as F
from onnx import numpy_helper

EDGES = [-2.0 ** k for k in range(10, -11, -1)] + [0.0] + [2.0 ** k for k in range(-10, 11)]


def images(n, c, h, w):
    i = np.arange(n * c * h * w, dtype=np.int64)
    x = ((i * 7919 + 13) % 1009).astype(np.float64) / 1009 * 6 - 3
    return x.astype(np.float32).reshape(n, c, h, w)


class Net:
    def __init__(self, path):
        g = onnx.load(path).graph
        self.nodes, self.input, self.output = g.node, g.input[0].name, g.output[0].name
        self.consts = {i.name: numpy_helper.to_array(i) for i in g.initializer}
        self.shape = [d.dim_value for d in g.input[0].type.tensor_type.shape.dim]
        self.convs = [n for n in self.nodes if n.op_type == "Conv"]

    def run(self, x, dtype, where=None, delta=None):
        """delta is added to the output of node `where`. Returns logits and all values."""
        v = {k: torch.tensor(a, dtype=dtype) if a.dtype == np.float32 else a
             for k, a in self.consts.items()}
        v[self.input] = torch.tensor(x, dtype=dtype)
        for n in self.nodes:
            a = {t.name: onnx.helper.get_attribute_value(t) for t in n.attribute}
            i = [v[k] if k else None for k in n.input]
            y = getattr(self, n.op_type)(i, a)
            if n.name == where:
                y = y + delta
            v[n.output[0]] = y
        return v[self.output], v

    def Conv(self, i, a):
        p = a.get("pads", [0, 0, 0, 0])
        x = F.pad(i[0], (p[1], p[3], p[0], p[2]))
        return F.conv2d(x, i[1], i[2] if len(i) > 2 else None, a.get("strides", [1, 1]), 0,
                        a.get("dilations", [1, 1]), a.get("group", 1))

    def Relu(self, i, a): return torch.relu(i[0])
    def Identity(self, i, a): return i[0]
    def Add(self, i, a): return i[0] + i[1]
    def Mul(self, i, a): return i[0] * i[1]
    def Flatten(self, i, a): return i[0].flatten(1)
    def GlobalAveragePool(self, i, a): return i[0].mean((2, 3), keepdim=True)
    def Clip(self, i, a): return torch.clamp(i[0], float(i[1]), float(i[2]))
    def HardSigmoid(self, i, a): return torch.clamp(a["alpha"] * i[0] + a["beta"], 0, 1)
    def Gemm(self, i, a): return i[0] @ (i[1].T if a.get("transB") else i[1]) + i[2]


def flips(x):
    """x with each bit flipped: [32, ...] in double."""
    bits = x.astype(np.float32).view(np.uint32)
    with np.errstate(invalid="ignore"):
        return np.stack([(bits ^ np.uint32(1 << b)).view(np.float32) for b in range(32)]).astype(
            np.float64)


def windows(node, x, w):
    """Inputs of every neuron by torch.unfold of indices: values [n, c_in, taps, pixels] with zeros in
    the padding, and which taps are real [c_in, taps, pixels]."""
    a = {t.name: onnx.helper.get_attribute_value(t) for t in node.attribute}
    p = a.get("pads", [0, 0, 0, 0])
    args = dict(kernel_size=w.shape[2:], stride=a.get("strides", [1, 1]),
                dilation=a.get("dilations", [1, 1]))
    def cut(t):
        u = F.unfold(F.pad(t, (p[1], p[3], p[0], p[2])), **args)
        return u.reshape(t.shape[0], t.shape[1], -1, u.shape[-1]).numpy()
    return cut(torch.tensor(x)), cut(torch.ones(1, *x.shape[1:]))[0], a.get("group", 1)


def errors(node, x, w, target, m):
    """Errors of output channel m: operands [pixels] arrays over images, operands, bits; weights one
    array over images, operands, bits and pixels."""
    values, real, groups = windows(node, x, w)
    cin = w.shape[1]
    g = m // (w.shape[0] // groups)
    values, real = values[:, g * cin:(g + 1) * cin], real[g * cin:(g + 1) * cin]
    k = w[m].reshape(cin, -1).astype(np.float64)
    with np.errstate(invalid="ignore", over="ignore"):
        if target == "weight":
            d = flips(w[m].reshape(cin, -1)) - k  # [32, cin, taps]
            return [(d[:, None, :, :, None] * values[None].astype(np.float64)).ravel()]
        e = (flips(values) - values.astype(np.float64)) * k[None, None, :, :, None]
        return [e[:, :, real[..., q] > 0, q].ravel() for q in range(values.shape[-1])]


def distribution(e):
    e = np.where(np.isnan(e), 1e4, e)
    return [int((e < x).sum()) for x in EDGES], e.size


def search_lists(below):
    full = [i for i in range(43) if i != 21 and (below[i] - (below[i - 1] if i else 0) or i in (0, 42))]
    return {(0, 0): [i for i in full if i < 10], (0, 1): [i for i in full if 10 <= i < 21],
            (1, 1): [i for i in full if 21 < i <= 32], (1, 0): [i for i in full if i > 32]}


def search(flipped, lists, side):
    """flipped: edge -> does the class flip? Returns the edge found and the passes after the probe."""
    one, end = (10, 32)[side], (0, 42)[side]
    start = flipped(one)
    asc = lists[side, int(start)]
    middle = asc[len(asc) // 2] if asc else None
    by_size = asc if side else asc[::-1]
    passes, known = 0, {one: True} if start else {}
    def ask(i):
        nonlocal passes
        if i not in known:
            passes += 1
            known[i] = flipped(i)
        return known[i]
    if start:
        best = one
        if not asc:
            return best, 0
    else:
        best = end
        if asc == [end]:
            return best, 0
    at = by_size.index(middle)
    if ask(by_size[at]):
        while True:
            best = by_size[at]
            at -= 1
            if at < 0 or not ask(by_size[at]):
                return best, passes
    while True:
        at += 1
        if at == len(by_size) or by_size[at] == end:
            return best, passes
        if ask(by_size[at]):
            return by_size[at], passes


def gradients(net, x, gold, node, delta):
    """Is the gradient of the loss at the delta zero? Per image."""
    d = delta.clone().requires_grad_()
    z = net.run(x, torch.float64, node.name, d)[0]
    loss = torch.sigmoid(z.gather(1, gold[:, None]) - z).sum() / len(x)
    g, = torch.autograd.grad(loss, d)
    return g.flatten(1)


def analyse(net, x, target):
    with torch.no_grad():
        z, values = net.run(x, torch.float32)
    gold = z.argmax(1)
    for node in net.convs:
        w = net.consts[node.input[1]]
        source = values[node.input[0]].numpy()
        shape = values[node.output[0]].shape
        cvf, skipped, single, sims, targets = [], 0, 0, 0, 0
        for m in range(shape[1]):
            vf = []
            for q, e in enumerate(errors(node, source, w, target, m)):
                below, total = distribution(e)
                lists = search_lists(below)
                place = torch.zeros(shape[1:], dtype=torch.float64)
                if target == "weight":
                    place[m] = 1
                else:
                    place[m].view(-1)[q] = 1
                classes = {}
                def flip(i):
                    if i not in classes:
                        with torch.no_grad():
                            d = (place * EDGES[i]).to(torch.float32)
                            classes[i] = net.run(x, torch.float32, node.name, d)[0].argmax(1) != gold
                    return classes[i]
                benign, steps, alive = [0] * len(x), 0, 0
                for side, one in ((0, -1.0), (1, 1.0)):
                    d = place.expand(len(x), *shape[1:]) * one
                    g = (gradients(net, x, gold, node, d) * place.flatten()).sum(1)
                    most = 0
                    for b in range(len(x)):
                        edge = (0, 42)[side]
                        if g[b] != 0:
                            alive += 1
                            edge, n = search(lambda i: bool(flip(i)[b]), lists, side)
                            most = max(most, n)
                        benign[b] += below[edge] if side else -below[edge]
                    steps += most
                targets += 1
                skipped += alive == 0
                single += alive > 0 and steps == 0
                sims += 2 + steps
                vf.append(1 - sum(benign) / (total * len(x)))
            cvf.append(float(np.mean(vf)))
        print(f'    {{"{node.name}", {targets}, {skipped}, {single}, {sims}, {np.mean(cvf):.15g}, '
              f'{{{", ".join(f"{c:.15g}" for c in cvf[:3])}}}}},')


if __name__ == "__main__":
    net = Net(sys.argv[1])
    x = images(int(sys.argv[2]), *net.shape[1:])
    for target in "weight", "operand":
        print(f"/* {target} */")
        analyse(net, x, target)
