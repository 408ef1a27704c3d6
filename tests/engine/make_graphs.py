#!/usr/bin/python3
"""Writes tests/engine/data: small networks of the shapes that the pretrained ones do not have, with
the onnx and numpy packages (Debian's python3-onnx). tests/engine/graphs.c reads them."""
import os

import numpy as np
from onnx import TensorProto as T, checker, helper as h, numpy_helper

OUT = os.path.join(os.path.dirname(os.path.abspath(__file__)), "data")
rng = np.random.default_rng(1)


class Net:
    """A chain of nodes with an input 'x'; methods give the name of the value they make."""

    def __init__(self, shape=(1, 3, 8, 8)):
        self.nodes, self.inits, self.n = [], [], 0
        self.x = h.make_tensor_value_info("x", T.FLOAT, shape)

    def const(self, array, name=None):
        self.n += 1
        name = name or f"c{self.n}"
        self.inits.append(numpy_helper.from_array(np.asarray(array), name))
        return name

    def weights(self, *shape):
        fan_in = max(1, int(np.prod(shape[1:])))
        return self.const((rng.standard_normal(shape) / fan_in ** 0.5).astype(np.float32))

    def op(self, type, *inputs, outputs=1, **attrs):
        self.n += 1
        names = [f"v{self.n}" if outputs == 1 else f"v{self.n}_{i}" for i in range(outputs)]
        self.nodes.append(h.make_node(type, list(inputs), names, name=f"n{self.n}", **attrs))
        return names[0] if outputs == 1 else names

    def conv(self, x, m, c, k=3, w=None, bias=True, dims=2, **attrs):
        w = w or self.weights(m, c, *[k] * dims)
        attrs.setdefault("pads", [k // 2] * 2 * dims)
        return self.op("Conv", x, w, *([self.weights(m)] if bias else []), **attrs)

    def head(self, x, channels, classes=5):
        flat = self.op("Flatten", self.op("GlobalAveragePool", x))
        return self.op("Gemm", flat, self.weights(classes, channels), self.weights(classes),
                       transB=1)

    def ints(self, *values):
        return self.const(np.array(values, np.int64))

    def write(self, name, y, rank=2):
        self.nodes.append(h.make_node("Identity", [y], ["y"], name="out"))
        graph = h.make_graph(self.nodes, name, [self.x],
                             [h.make_tensor_value_info("y", T.FLOAT, [None] * rank)], self.inits)
        m = h.make_model(graph, opset_imports=[h.make_opsetid("", 13)], producer_name="graphs")
        m.ir_version = 7
        checker.check_model(m)
        data = m.SerializeToString()
        assert len(data) < 2048, (name, len(data))
        with open(os.path.join(OUT, name + ".onnx"), "wb") as f:
            f.write(data)


def concat_branches():
    n = Net()
    a = n.op("Relu", n.conv("x", 4, 3, 1))
    b = n.op("Relu", n.conv("x", 3, 3, 3))
    c = n.op("MaxPool", "x", kernel_shape=[3, 3], pads=[1, 1, 1, 1])
    n.write("concat_branches", n.head(n.conv(n.op("Concat", a, b, c, axis=1), 5, 10, 1), 5))


def concat_pixels():
    n = Net()
    a, b = n.conv("x", 3, 3, 1), n.op("Sigmoid", "x")
    n.write("concat_pixels", n.head(n.op("Concat", a, b, axis=2), 3))


def split_add():
    n = Net()
    a, b, c = n.op("Split", n.conv("x", 6, 3), n.ints(2, 2, 2), outputs=3, axis=1)
    s = n.op("Sub", n.op("Add", a, b), n.op("Relu", c))
    n.write("split_add", n.head(s, 2))


def squeeze_excite():
    n = Net()
    f = n.op("Relu", n.conv("x", 4, 3))
    g = n.op("Relu", n.conv(n.op("GlobalAveragePool", f), 2, 4, 1))
    g = n.op("HardSigmoid", n.conv(g, 4, 2, 1), alpha=0.2, beta=0.5)
    n.write("squeeze_excite", n.head(n.op("Add", n.op("Mul", f, g), f), 4))


def nhwc():
    n = Net((1, 8, 8, 3))
    a = n.op("Relu", n.conv(n.op("Transpose", "x", perm=[0, 3, 1, 2]), 4, 3))
    a = n.op("Transpose", a, perm=[0, 2, 3, 1])
    a = n.op("Add", a, n.weights(4))
    a = n.op("ReduceMean", a, axes=[1, 2], keepdims=0)
    n.write("nhwc", n.op("Gemm", a, n.weights(4, 5), n.weights(5)))


def grouped():
    n = Net()
    a = n.op("Relu", n.conv("x", 6, 3, 1, bias=False))
    a = n.op("Relu", n.conv(a, 4, 3, 3, group=2, strides=[2, 2]))
    a = n.conv(a, 8, 1, 3, group=4, bias=False)  # two outputs per channel
    a = n.op("Clip", a, n.const(np.float32(0)), n.const(np.float32(6)))
    n.write("grouped", n.head(n.conv(a, 8, 1, 3, group=8, dilations=[2, 2], pads=[2] * 4), 8))


def conv1d():
    n = Net()
    a = n.op("Reshape", "x", n.ints(1, 6, 32))
    a = n.op("Relu", n.conv(a, 4, 6, 5, dims=1, strides=[2]))
    a = n.op("MaxPool", a, kernel_shape=[3], strides=[2], pads=[1, 1])
    n.write("conv1d", n.head(n.conv(a, 4, 4, 3, dims=1), 4))


def shared_weight():
    n = Net()
    w = n.weights(3, 3, 3, 3)
    a = n.op("Relu", n.conv("x", 3, 3, w=w))
    b = n.conv(a, 3, 3, w=w, bias=False)
    n.write("shared_weight", n.head(n.op("Add", n.op("Relu", b), "x"), 3))


def softmax():
    n = Net()
    n.write("softmax", n.op("Softmax", n.head(n.op("Elu", n.conv("x", 4, 3), alpha=0.7), 4)))


def lrn():
    n = Net()
    a = n.op("LRN", n.op("Relu", n.conv("x", 7, 3, 3)), size=5, alpha=0.5, beta=0.75, bias=1.0)
    n.write("lrn", n.head(n.op("Tanh", a), 7))


def reshape_middle():
    n = Net()
    a = n.op("Relu", n.conv("x", 4, 3))
    a = n.op("Reshape", a, n.ints(0, 8, 4, -1))
    a = n.conv(a, 3, 8, 1)
    a = n.op("Reshape", n.op("Transpose", a, perm=[0, 2, 1, 3]), n.ints(1, 12, 8))
    n.write("reshape_middle", n.op("ReduceMax", a, axes=[0, 1], keepdims=0), rank=1)


def max_pool_border():
    n = Net((1, 3, 7, 9))
    a = n.op("Sub", n.conv("x", 4, 3), n.const(np.float32(2)))  # below the 0 of padding
    a = n.op("MaxPool", a, kernel_shape=[3, 3], strides=[2, 2], pads=[1, 1, 1, 1], ceil_mode=1)
    b = n.op("AveragePool", a, kernel_shape=[2, 2], pads=[1, 0, 0, 1])
    c = n.op("AveragePool", a, kernel_shape=[2, 2], pads=[1, 0, 0, 1], count_include_pad=1)
    n.write("max_pool_border", n.head(n.op("Concat", b, c, axis=1), 8))


def gemm_chw():
    n = Net()
    a = n.op("Relu", n.conv("x", 3, 3, 3, strides=[3, 3]))
    a = n.op("Reshape", a, n.ints(1, -1))
    a = n.op("Gemm", a, n.weights(27, 6), n.weights(6), alpha=0.5, beta=2.0)
    n.write("gemm_chw", n.op("Add", n.op("MatMul", n.op("Relu", a), n.weights(6, 5)),
                             n.weights(5)))


def batch8():
    n = Net((8, 3, 8, 8))
    a = n.op("Relu", n.conv("x", 2, 3, 3, strides=[3, 3]))
    a = n.op("Reshape", a, n.ints(8, -1))
    n.write("batch8", n.op("Gemm", a, n.weights(5, 18), n.weights(5), transB=1))


def attention():
    n = Net((1, 3, 4, 4))
    q, k, v = (n.op("Reshape", n.conv("x", 4, 3, 1), n.ints(1, 4, 16)) for _ in range(3))
    s = n.op("MatMul", n.op("Transpose", q, perm=[0, 2, 1]), k)
    a = n.op("MatMul", n.op("Softmax", n.op("Mul", s, n.const(np.float32(0.5))), axis=-1),
             n.op("Transpose", v, perm=[0, 2, 1]))
    a = n.op("MatMul", a, n.weights(4, 5))
    n.write("attention", n.op("ReduceMean", a, axes=[1], keepdims=0))


def flat_input():
    n = Net((1, 36))
    a = n.op("PRelu", n.op("Gemm", "x", n.weights(6, 36), n.weights(6), transB=1), n.weights(6))
    a = n.op("BatchNormalization", a, n.weights(6), n.weights(6), n.weights(6),
             n.const(np.linspace(0.5, 1.5, 6, dtype=np.float32)))
    n.write("flat_input", n.op("LogSoftmax", n.op("MatMul", a, n.weights(6, 4))))


def pad_slice():
    n = Net()
    a = n.op("Pad", n.conv("x", 4, 3, 1), n.ints(0, 1, 2, 0, 0, 1, 0, 1),
             n.const(np.float32(-1)), mode="constant")
    a = n.op("Slice", a, n.ints(5, 1, 8), n.ints(0, 9, -100), n.ints(1, 2, 3), n.ints(-2, 2, -1))
    b = n.op("Div", n.op("Exp", a), n.op("Add", n.op("Abs", a), n.const(np.float32(1))))
    n.write("pad_slice", n.head(n.op("Max", b, a), 3))


def hard_swish_pieces():
    n = Net()
    a = n.op("BatchNormalization", n.conv("x", 4, 3, bias=False), n.weights(4), n.weights(4),
             n.weights(4), n.const(np.linspace(0.5, 2, 4, dtype=np.float32)))
    six = n.op("Clip", n.op("Add", a, n.const(np.float32(3))), n.const(np.float32(0)),
               n.const(np.float32(6)))
    a = n.op("Div", n.op("Mul", a, six), n.const(np.float32(6)))
    b = n.op("LeakyRelu", n.op("Add", a, n.weights(4, 1, 1)), alpha=0.1)
    n.write("hard_swish_pieces", n.head(n.op("Add", b, n.op("Add", a, a)), 4))


def code_weights(n, *shape):
    """int8 weights with a scale per output channel: names of codes and scales, and the scales."""
    w = rng.standard_normal(shape) / int(np.prod(shape[1:])) ** 0.5
    scales = (np.abs(w).reshape(shape[0], -1).max(axis=1) / 127).astype(np.float32)
    codes = np.rint(w / scales.reshape(-1, *[1] * (len(shape) - 1))).astype(np.int8)
    return n.const(codes), n.const(scales), scales


def codes_qdq():
    """Convolution, depthwise convolution, pooling and Gemm on codes, bias scales as they must be."""
    n = Net()

    def requantise(x, scale, zero, then=lambda codes: codes):
        s, z = n.const(np.float32(scale)), n.const(zero)
        codes = then(n.op("QuantizeLinear", x, s, z))
        return n.op("DequantizeLinear", codes, s, z), np.float32(scale)

    def layer(type, x, sx, *shape, **attrs):
        w, sw, scales = code_weights(n, *shape)
        w = n.op("DequantizeLinear", w, sw, axis=0)
        b = n.const(rng.integers(-2000, 2000, shape[0], dtype=np.int32))
        b = n.op("DequantizeLinear", b, n.const(sx * scales), axis=0)
        return n.op(type, x, w, b, **attrs)

    a, s = requantise("x", 0.025, np.uint8(120))
    a = n.op("Relu", layer("Conv", a, s, 4, 3, 3, 3, pads=[1] * 4))
    a, s = requantise(a, 0.02, np.uint8(0))
    a = layer("Conv", a, s, 4, 1, 3, 3, group=4, strides=[2, 2])
    a, s = requantise(a, 0.03, np.int8(-5))
    a = n.op("GlobalAveragePool", a)
    a, s = requantise(a, 0.03, np.int8(-5), lambda codes: n.op("Flatten", codes))
    n.write("codes_qdq", layer("Gemm", a, s, 5, 4, transB=1))


def codes_moved():
    """Moves between the DequantizeLinear and a Gemm, and a MatMul with a scale for each column."""
    n = Net()
    s, z = n.const(np.float32(0.025)), n.const(np.uint8(120))
    a = n.op("DequantizeLinear", n.op("QuantizeLinear", "x", s, z), s, z)
    w, sw, scales = code_weights(n, 2, 3, 3, 3)
    b = n.const(rng.integers(-2000, 2000, 2, dtype=np.int32))
    a = n.op("Conv", a, n.op("DequantizeLinear", w, sw, axis=0),
             n.op("DequantizeLinear", b, n.const(np.float32(0.025) * scales), axis=0),
             strides=[3, 3])
    s, z = n.const(np.float32(0.03)), n.const(np.int8(-5))
    a = n.op("DequantizeLinear", n.op("QuantizeLinear", a, s, z), s, z)
    a = n.op("Flatten", n.op("Transpose", a, perm=[0, 2, 3, 1]))
    w, sw, scales = code_weights(n, 6, 8)
    b = n.const(rng.integers(-2000, 2000, 6, dtype=np.int32))
    a = n.op("Gemm", a, n.op("DequantizeLinear", w, sw, axis=0),
             n.op("DequantizeLinear", b, n.const(np.float32(0.03) * scales), axis=0), transB=1)
    s, z = n.const(np.float32(0.03)), n.const(np.uint8(100))
    a = n.op("DequantizeLinear", n.op("QuantizeLinear", a, s, z), s, z)
    codes = n.const(rng.integers(-127, 128, (3, 5)).astype(np.int8))
    w = n.op("DequantizeLinear", codes, n.const(np.linspace(.002, .006, 5, dtype=np.float32)),
             axis=1)
    n.write("codes_moved", n.op("Flatten", n.op("MatMul", n.op("Reshape", a, n.ints(2, 3)), w)))


def codes_qop():
    """QLinearConv, plain and depthwise, then BatchNormalization in float."""
    n = Net()
    s, z = n.const(np.float32(0.025)), n.const(np.uint8(120))
    a = n.op("QuantizeLinear", "x", s, z)
    for shape, attrs in (((4, 3, 3, 3), {"pads": [1] * 4}), ((4, 1, 3, 3), {"group": 4})):
        w, sw, scales = code_weights(n, *shape)
        zeros = n.const(np.array([0, 3, -2, 0], np.int8))
        t, y = n.const(np.float32(0.03)), n.const(np.uint8(100))
        b = n.const(rng.integers(-2000, 2000, 4, dtype=np.int32))
        a = n.op("QLinearConv", a, s, z, w, sw, zeros, t, y, b, **attrs)
        s, z = t, y
    a = n.op("BatchNormalization", n.op("DequantizeLinear", a, s, z), n.weights(4), n.weights(4),
             n.weights(4), n.const(np.linspace(0.5, 2, 4, dtype=np.float32)))
    n.write("codes_qop", n.head(n.op("Relu", a), 4))


def wide():
    """A first tensor of more than 1 MiB that takes few multiplications, so that it is not kept."""
    n = Net((1, 2, 128, 132))
    a = n.op("Relu", n.conv("x", 16, 2, 1))
    b = n.conv(a, 16, 1, 3, group=16, strides=[2, 2])
    b = n.op("Clip", b, n.const(np.float32(0)), n.const(np.float32(1)))
    a = n.op("MaxPool", a, kernel_shape=[2, 2], strides=[2, 2])
    n.write("wide", n.head(n.op("Add", a, b), 16))


def one_conv():
    """The test puts other numbers in place of these, see tests/known/bits.c."""
    n = Net((1, 1, 1, 1))
    w = n.const(np.array([1001, 1002, 1003], np.float32).reshape(3, 1, 1, 1))
    b = n.const(np.array([2001, 2002, 2003], np.float32))
    n.write("one_conv", n.op("Flatten", n.op("Conv", "x", w, b)))


for make in (concat_branches, concat_pixels, split_add, squeeze_excite, nhwc, grouped, conv1d,
             shared_weight, softmax, lrn, reshape_middle, max_pool_border, gemm_chw, batch8,
             attention, flat_input, pad_slice, hard_swish_pieces,
             one_conv, codes_qdq, codes_qop, wide, codes_moved):
    make()
