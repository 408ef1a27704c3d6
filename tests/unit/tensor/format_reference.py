#!/usr/bin/env python3
"""Writes format_reference.h: codes and values of every number format, from exact fractions.

A float format is the list of the values of all its codes; encoding is a search in that list.
Integers are whole numbers times a float32 scale. float16 and bfloat16 are checked against numpy and
torch (Debian: python3-numpy, python3-torch). Run: python3 format_reference.py > format_reference.h
"""

import bisect
import math
import random
import struct
from fractions import Fraction

import numpy
import torch

# Exponent bits, mantissa bits, bias; e4m3 spends one code a sign on NaN and none on infinity
# (OCP 8-bit Floating Point Specification 1.0, table 1).
FLOATS = {"fp16": (5, 10, 15), "bf16": (8, 7, 127), "e4m3": (4, 3, 7), "e5m2": (5, 2, 15)}


def bits32(x):
    return struct.unpack("<I", struct.pack("<f", x))[0]


def float32(bits):
    return struct.unpack("<f", struct.pack("<I", bits))[0]


def round32(exact):
    """Nearest float32 of a fraction that a double holds exactly."""
    assert Fraction(float(exact)) == exact
    return float(numpy.float32(float(exact)))


class Float:
    def __init__(self, name):
        self.name, self.lo, self.hi = name, 0.0, 0.0
        self.e, self.m, self.bias = FLOATS[name]
        self.bits = 1 + self.e + self.m
        finite = [(self.value(c), c) for c in range(1 << (self.bits - 1))
                  if isinstance(self.value(c), Fraction)]
        self.values = [v for v, _ in finite]
        self.codes = [c for _, c in finite]
        assert self.values == sorted(self.values)

    def value(self, code):
        sign = -1 if code >> (self.bits - 1) else 1
        e = code >> self.m & ((1 << self.e) - 1)
        m = code & ((1 << self.m) - 1)
        top = e == (1 << self.e) - 1
        if self.name == "e4m3":
            if top and m == 7:
                return math.nan
        elif top:
            return math.nan if m else sign * math.inf
        if e == 0:
            return sign * Fraction(m, 1 << self.m) * Fraction(2) ** (1 - self.bias)
        return sign * (1 + Fraction(m, 1 << self.m)) * Fraction(2) ** (e - self.bias)

    def encode(self, x):
        sign = 1 << (self.bits - 1) if math.copysign(1, x) < 0 else 0
        size = abs(Fraction(x))
        at = bisect.bisect_left(self.values, size)
        if at == len(self.values):
            return sign | self.codes[-1]
        if self.values[at] == size:
            return sign | self.codes[at]
        down, up = size - self.values[at - 1], self.values[at] - size
        if down != up:
            return sign | self.codes[at if up < down else at - 1]
        return sign | self.codes[at if self.codes[at] % 2 == 0 else at - 1]

    def decode32(self, code):
        v = self.value(code)
        if not isinstance(v, Fraction):
            return bits32(v) & 0x7FFFFFFF | code >> (self.bits - 1) << 31
        return bits32(round32(abs(v))) | code >> (self.bits - 1) << 31


class Steps:
    """Whole numbers times a scale: int, uint, fixed point."""

    def __init__(self, name, bits, lo, hi, scale, zero, least, most):
        self.name, self.bits, self.lo, self.hi = name, bits, lo, hi
        self.scale, self.zero, self.least, self.most = scale, zero, least, most

    def encode(self, x):
        code = round(Fraction(x) / Fraction(self.scale)) + self.zero
        return max(self.least, min(self.most, code)) & ((1 << self.bits) - 1)

    def decode32(self, code):
        if not self.name.startswith("uint") and code >> (self.bits - 1):
            code -= 1 << self.bits
        return bits32(round32((code - self.zero) * Fraction(self.scale)))


def integer(name, bits, lo, hi, affine):
    codes = 1 << bits
    signed = name.startswith("int")
    least = -codes // 2 if signed else 0
    most = least + codes - 1
    if affine:
        scale = float(numpy.float32((Fraction(hi) - Fraction(lo)) / (codes - 1)))
        zero = round(least - Fraction(lo) / Fraction(scale))
    else:
        zero = 0
        least = -most if signed else 0
        scale = float(numpy.float32(float(Fraction(max(-lo, hi) if signed else hi) / most)))
    return Steps(name, bits, lo, hi, scale, zero, least, most)


def fixed(whole, fraction):
    bits = 1 + whole + fraction
    return Steps(f"q{whole}.{fraction}", bits, 0.0, 0.0, 2.0 ** -fraction, 0, -(1 << bits - 1),
                 (1 << bits - 1) - 1)


class Binary:
    def __init__(self, scale):
        self.name, self.bits, self.lo, self.hi = "binary", 1, -scale, scale

    def encode(self, x):
        return 0 if x < 0 else 1

    def decode32(self, code):
        return bits32(self.hi if code else -self.hi)


def check(f, x, code):
    """The same by numpy and torch, which do not saturate: finite results only."""
    with numpy.errstate(over="ignore"):
        theirs = None
        if f.name == "fp16" and numpy.isfinite(numpy.float16(x)):
            theirs = int(numpy.float32(x).astype(numpy.float16).view(numpy.uint16))
        if f.name == "bf16" and torch.isfinite(torch.tensor(x).bfloat16()):
            theirs = int(torch.tensor(x).bfloat16().view(torch.int16)) & 0xFFFF
    assert theirs is None or theirs == code, (f.name, x, code, theirs)


def values_of(f):
    """0, -0, 1, -1, 1.5, pi, then the least and the greatest values."""
    xs = [0.0, -0.0, 1.0, -1.0, 1.5, float32(bits32(math.pi))]
    if isinstance(f, Float):
        xs += [float(f.values[1]), -float(f.values[-1])]
    elif isinstance(f, Steps):
        xs += [float32(bits32(f.scale)), float32(f.decode32(f.most & ((1 << f.bits) - 1))),
               float32(f.decode32(f.least & ((1 << f.bits) - 1)))]
    return xs


def main():
    formats = [Float(n) for n in FLOATS]
    formats += [integer("int8", 8, -1.0, 2.0, False), integer("int8/affine", 8, -1.0, 2.0, True),
                integer("int16", 16, -3.5, 3.5, False), integer("int4", 4, -1.0, 0.5, False),
                integer("int2", 2, -1.0, 1.0, False), integer("uint8", 8, -0.25, 6.0, True),
                integer("uint8/sym", 8, 0.0, 6.0, False), integer("uint16", 16, -1.0, 6.0, True),
                fixed(5, 10), fixed(2, 5), fixed(0, 7), fixed(0, 31), fixed(31, 0), fixed(15, 16),
                Binary(0.75)]
    print("/* Written by format_reference.py: exact fractions, numpy and torch. Values are the bits of")
    print(" * float32; NaN is 7fc00000 or ffc00000. */")
    print("/* clang-format off */")
    print("static const struct flip_row {")
    print("    const char *format;")
    print("    double lo, hi;")
    print("    uint32_t x, code, value;")
    print("    uint32_t flipped[32]; /* value with bit i of the code flipped */")
    print("} flip_rows[] = {")
    for f in formats:
        for x in values_of(f):
            code = f.encode(x)
            check(f, x, code)
            flips = [f.decode32(code ^ 1 << b) for b in range(f.bits)]
            print(f'    {{"{f.name}", {f.lo!r}, {f.hi!r}, {bits32(x):#010x}, {code:#x}, '
                  f"{f.decode32(code):#010x},")
            for at in range(0, len(flips), 8):
                lead = "     {" if at == 0 else "      "
                tail = "}}," if at + 8 >= len(flips) else ","
                print(lead + ", ".join(f"{v:#010x}" for v in flips[at:at + 8]) + tail)
    print("};\n")
    print("static const struct rounding_row {")
    print("    const char *format;")
    print("    double lo, hi;")
    print("    uint32_t x, code;")
    print("} rounding_rows[] = {")
    rng = random.Random(1)
    for f in formats:
        for _ in range(20):
            if isinstance(f, Float):
                x = float32(rng.choice([0, 1 << 31]) | rng.randrange(0x7F800000))
                if rng.random() < 0.8:  # where the format has values
                    top = math.log2(float(f.values[-1])) + 1
                    x = math.copysign(2.0 ** rng.uniform(math.log2(float(f.values[1])) - 2, top), x)
                x = float(numpy.float32(x)) if abs(x) < 3e38 else 3e38
            else:
                span = f.hi or 2.0 ** (int(f.name[1:].split(".")[0]) if f.name[0] == "q" else 1)
                x = rng.uniform(-1.2, 1.2) * span
                if rng.random() < 0.3 and isinstance(f, Steps):  # ties and near them
                    x = (rng.randrange(-9, 9) + 0.5) * f.scale
            x = float32(bits32(x))
            code = f.encode(x)
            check(f, x, code)
            print(f'    {{"{f.name}", {f.lo!r}, {f.hi!r}, {bits32(x):#010x}, {code:#x}}},')
    print("};")
    print("/* clang-format on */")


if __name__ == "__main__":
    main()
