#!/usr/bin/python3
"""Writes the seed corpus tests/fuzz/corpus/onnx with the onnx package (Debian's python3-onnx).

The files are also the inputs of tests/unit/onnx/read.c, which asserts what each one gives.
"""
import os

import numpy as np
from onnx import AttributeProto, TensorProto as T, helper as h, numpy_helper

OUT = os.path.join(os.path.dirname(os.path.abspath(__file__)), "corpus", "onnx")


def write(name, data):
    if not isinstance(data, bytes):
        data = data.SerializeToString()
    assert len(data) < 4096, name
    with open(os.path.join(OUT, name), "wb") as f:
        f.write(data)


def x(shape=(1, 2), type=T.FLOAT):
    return h.make_tensor_value_info("x", type, shape)


def y(name="y"):
    return h.make_tensor_value_info(name, T.FLOAT, None)


def model(nodes, inputs=None, outputs=None, inits=(), opsets=(("", 13),), ir=7, **kw):
    graph = h.make_graph(nodes, "g", [x()] if inputs is None else inputs,
                         [y()] if outputs is None else outputs, list(inits))
    m = h.make_model(graph, opset_imports=[h.make_opsetid(d, v) for d, v in opsets],
                     producer_name="corpus", **kw)
    m.ir_version = ir
    return m


def relu():
    return h.make_node("Relu", ["x"], ["y"], name="r")


def add(tensor, **kw):
    """y = x + tensor"""
    return model([h.make_node("Add", ["x", tensor.name], ["y"], name="a")], inits=[tensor], **kw)


def external(**entries):
    t = T(name="w", data_type=T.FLOAT, dims=[2], data_location=T.EXTERNAL)
    for key, value in entries.items():
        t.external_data.add(key=key, value=value)
    return t


def varint(n):
    out = b""
    while n > 127:
        out += bytes([n & 127 | 128])
        n >>= 7
    return out + bytes([n])


def nested(depth):
    """A model whose graph, node, attribute, graph, ... are nested `depth` messages deep."""
    tags = [0x3A] + [0x0A, 0x2A, 0x32] * depth  # ModelProto.graph, node, attribute, g, ...
    data = b""
    for tag in reversed(tags[: depth - 1]):
        data = bytes([tag]) + varint(len(data)) + data
    return data


def good():
    conv = h.make_node("Conv", ["x", "w", ""], ["c"], name="conv", pads=[1, 1, 1, 1],
                       auto_pad="NOTSET", group=1)
    w = numpy_helper.from_array(np.arange(18, dtype=np.float32).reshape(1, 2, 3, 3), "w")
    write("conv.onnx", model([conv, h.make_node("Relu", ["c"], ["y"])],
                             inputs=[x(("N", 2, 4, -1))], inits=[w]))
    # Reverse order in the file: c, b, a must come out as a, b, c.
    write("unsorted.onnx", model([h.make_node("Relu", ["b"], ["y"], name="c"),
                                  h.make_node("Relu", ["a"], ["b"], name="b"),
                                  h.make_node("Relu", ["x"], ["a"], name="a")]))
    typed = [h.make_tensor("f", T.FLOAT, [2], [1.5, -2.5]),
             h.make_tensor("i8", T.INT8, [2], [-128, 127]),
             h.make_tensor("u8", T.UINT8, [2], [0, 255]),
             h.make_tensor("b", T.BOOL, [2], [1, 0]),
             h.make_tensor("i32", T.INT32, [2], [-2147483648, 2147483647]),
             h.make_tensor("i64", T.INT64, [2], [-2**63, 2**63 - 1]),
             h.make_tensor("d", T.DOUBLE, [2], [0.1, -1e300]),
             h.make_tensor("scalar", T.FLOAT, [], [3.0]),
             h.make_tensor("empty", T.FLOAT, [0], [])]
    write("typed.onnx", model([relu()], inits=typed))
    w = h.make_tensor("w", T.FLOAT, [2], [1.0, 2.0])
    write("ir3_inputs.onnx", model([h.make_node("Add", ["x", "w"], ["y"])],
                                   inputs=[x(), h.make_tensor_value_info("w", T.FLOAT, [2])],
                                   inits=[w], ir=3, opsets=(("", 7), ("com.microsoft", 1))))
    attrs = h.make_node("Any", ["x"], ["y"], name="any", i=-7, f=0.5, s="text", ints=[1, -2],
                        floats=[0.25, 4.0], strings=["a", "bc"],
                        t=h.make_tensor("t", T.FLOAT, [1], [9.0]))
    write("attributes.onnx", model([attrs]))
    write("external.onnx", add(external(location="external.bin", offset="4", length="8")))
    with open(os.path.join(OUT, "external.bin"), "wb") as f:
        f.write(np.array([0.0, 10.0, 20.0], dtype="<f4").tobytes())
    # Fields of IR version 10 that this onnx package does not know: metadata_props of node (9) and
    # graph (16), each {"k": "v"}, and an overload (8), which means something for functions only.
    m = model([relu()], ir=10)
    m.graph.node[0].MergeFromString(b"\x42\x00" + b"\x4a\x06\x0a\x01k\x12\x01v")
    m.graph.MergeFromString(b"\x82\x01\x06\x0a\x01k\x12\x01v")
    write("ir10_metadata.onnx", m)
    write("tensor.pb", numpy_helper.from_array(np.array([[1, 2, 3]], dtype=np.int64), "lone"))


def bad():
    whole = add(h.make_tensor("w", T.FLOAT, [2], [1.0, 2.0])).SerializeToString()
    write("bad_truncated.onnx", whole[:-3])
    write("bad_garbage.onnx", bytes(np.random.RandomState(1).randint(0, 256, 512, dtype=np.uint8)))
    write("bad_text.onnx", b"hello, this is not a network\n")
    write("bad_empty.onnx", b"")
    write("bad_nested.onnx", nested(1000))
    write("bad_nested_33.onnx", nested(33))
    write("bad_nested_32.onnx", nested(32))
    write("bad_cycle.onnx", model([h.make_node("Add", ["x", "b"], ["a"], name="first"),
                                   h.make_node("Relu", ["a"], ["b"], name="second"),
                                   h.make_node("Relu", ["b"], ["y"], name="third")]))
    write("bad_dangling.onnx", model([h.make_node("Add", ["x", "ghost"], ["y"], name="a")]))
    write("bad_dangling_output.onnx", model([relu()], outputs=[y("z")]))
    write("bad_two_producers.onnx", model([relu(), h.make_node("Abs", ["x"], ["y"], name="s")]))
    write("bad_writes_input.onnx", model([h.make_node("Relu", ["x"], ["x"], name="r")],
                                         outputs=[y("x")]))
    write("bad_two_inputs.onnx", model([relu()], inputs=[x(), x()]))
    write("bad_no_output.onnx", model([relu()], outputs=[]))
    write("bad_two_inits.onnx", model([relu()], inits=[h.make_tensor("w", T.FLOAT, [1], [1.0])] * 2))
    write("bad_ir2.onnx", model([relu()], ir=2))
    write("bad_ir11.onnx", model([relu()], ir=11))
    write("bad_opset6.onnx", model([relu()], opsets=(("", 6),)))
    write("bad_opset18.onnx", model([relu()], opsets=(("", 18),)))
    write("bad_no_opset.onnx", model([relu()], opsets=(("com.microsoft", 1),)))
    write("bad_domain.onnx", model([h.make_node("FusedConv", ["x"], ["y"], name="fc",
                                                domain="com.microsoft")],
                                   opsets=(("", 13), ("com.microsoft", 1))))
    body = h.make_graph([relu()], "body", [], [y()])
    write("bad_subgraph.onnx", model([h.make_node("If", ["x"], ["y"], name="if", then_branch=body,
                                                  else_branch=body)]))
    m = model([relu()])
    m.functions.add(name="F", domain="local")
    write("bad_function.onnx", m)
    m = model([relu()])
    m.training_info.add()
    write("bad_training.onnx", m)
    m = model([relu()])
    m.graph.sparse_initializer.add().values.CopyFrom(h.make_tensor("s", T.FLOAT, [1], [1.0]))
    write("bad_sparse.onnx", m)
    m = model([relu()])
    m.graph.quantization_annotation.add(tensor_name="q")
    write("bad_annotation.onnx", m)
    m = model([relu()])
    m.graph.node[0].op_type = ""
    write("bad_no_op.onnx", m)
    m = model([relu()])
    m.graph.node[0].attribute.extend([h.make_attribute("k", 1)] * 2)
    write("bad_two_attributes.onnx", m)
    m = model([relu()])
    m.graph.node[0].attribute.append(AttributeProto(name="k"))
    write("bad_attribute_type.onnx", m)
    write("bad_input_type.onnx", model([relu()], inputs=[x(type=T.FLOAT16)]))
    write("bad_input_dim.onnx", model([relu()], inputs=[x((1, -5))]))
    tensors()


def tensors():
    write("bad_fp16.onnx", add(numpy_helper.from_array(np.zeros(2, np.float16), "w")))
    # The numbers of FLOAT8E4M3FN (IR version 9) and INT4 (IR version 10).
    write("bad_float8.onnx", add(T(name="w", data_type=17, dims=[2], raw_data=b"\0\0"), ir=9))
    write("bad_int4.onnx", add(T(name="w", data_type=22, dims=[2], raw_data=b"\0"), ir=10))
    for name, dims in (("huge", [1 << 40, 1 << 40]), ("wide", [1 << 31, 2]), ("negative", [2, -3]),
                       ("rank9", [1] * 9), ("large", [1 << 30])):
        write("bad_%s.onnx" % name, add(T(name="w", data_type=T.FLOAT, dims=dims)))
    write("bad_raw_length.onnx", add(T(name="w", data_type=T.FLOAT, dims=[2, 3], raw_data=b"\0" * 12)))
    write("bad_typed_length.onnx", add(T(name="w", data_type=T.INT64, dims=[3], int64_data=[1, 2])))
    write("bad_typed_field.onnx", add(T(name="w", data_type=T.FLOAT, dims=[1], int32_data=[1])))
    write("bad_raw_and_typed.onnx", add(T(name="w", data_type=T.FLOAT, dims=[1], float_data=[1],
                                          raw_data=b"\0" * 4)))
    write("bad_int8_value.onnx", add(T(name="w", data_type=T.INT8, dims=[2], int32_data=[1, 128])))
    write("bad_bool_value.onnx", add(T(name="w", data_type=T.BOOL, dims=[2], raw_data=b"\1\2")))
    write("bad_no_type.onnx", add(T(name="w", dims=[1], float_data=[1])))
    segment = T(name="w", data_type=T.FLOAT, dims=[1], float_data=[1])
    segment.segment.begin = 0
    write("bad_segment.onnx", add(segment))
    for name, entries in (("up", {"location": "../../../etc/hostname"}),
                          ("absolute", {"location": "/etc/hostname"}),
                          ("missing", {"location": "no_such_file.bin"}),
                          ("nowhere", {}),
                          ("folder", {"location": "."}),
                          ("length", {"location": "external.bin", "length": "12"}),
                          ("offset", {"location": "external.bin", "offset": "8"}),
                          ("number", {"location": "external.bin", "offset": "-4"}),
                          ("key", {"location": "external.bin", "codec": "zip"})):
        write("bad_external_%s.onnx" % name, add(external(**entries)))


if __name__ == "__main__":
    good()
    bad()
