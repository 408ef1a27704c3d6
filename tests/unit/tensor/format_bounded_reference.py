#!/usr/bin/env python3
"""Prints the expectations of format_bounded.c, by Debian's python3-numpy and python3-torch."""

import hashlib

import numpy as np
import torch


def digest(x):
    return hashlib.sha256(x.astype("<f4").tobytes()).hexdigest()


def read(x, lo, hi):
    """What the network reads; the range as float32."""
    x = np.where(np.isnan(x), np.float32(0), x)
    return np.clip(x, np.float32(lo), np.float32(hi))


def bfloat16(bits):
    return (bits.astype(np.uint32) << 16).view(np.float32)


# Every exponent, both signs, eight mantissas: sample() of the test.
i = np.arange(8 * 512, dtype=np.uint32)
mantissas = np.array([0, 1, 0x400000, 0x7FFFFF, 0x2AAAAA, 0x600000, 0x123456, 0x7FFFFE], np.uint32)
sample = (i >> 3 << 23 | mantissas[i & 7]).view(np.float32)
codes = np.arange(65536, dtype=np.uint16)

print("decode fp32/range=1     ", digest(read(sample, -1, 1)))
print("decode fp32/range=-0.1:3", digest(read(sample, -0.1, 3)))
halves = codes.view(np.float16).astype(np.float32)
print("decode fp16/range=0.7   ", digest(read(halves, -0.7, 0.7)))
print("decode bf16/range=-2:0.3", digest(read(bfloat16(codes), -2, 0.3)))

# Bounds that the format holds: rounding in the range stays there.
print("store  fp32/range=1     ", digest(read(sample, -1, 1)))
print("store  fp16/range=0.75  ", digest(read(sample, -0.75, 0.75).astype(np.float16)))
brain = torch.from_numpy(read(sample, -2, 0.5)).bfloat16().float().numpy()
print("store  bf16/range=-2:0.5", digest(brain))

x = np.array([0.75], np.float32).view(np.uint32)
flips = read((x ^ np.uint32(1) << np.arange(32, dtype=np.uint32)).view(np.float32), -1, 1)
print("flips of 0.75 in fp32/range=1:", ", ".join(f"0x{b:08x}" for b in flips.view(np.uint32)))
