#!/usr/bin/python3
"""Prints the positions that tests/unit/rng/bernoulli.c expects, from the text of rng/bernoulli.h and
the definition of Philox4x32-10 (Salmon et al., SC'11) alone; the logarithms are the C library's."""
import math


def philox(counter, key):
    c, k = list(counter), list(key)
    for _ in range(10):
        a, b = c[0] * 0xD2511F53, c[2] * 0xCD9E8D57
        c = [(b >> 32) ^ c[1] ^ k[0], b & 0xFFFFFFFF, (a >> 32) ^ c[3] ^ k[1], a & 0xFFFFFFFF]
        k = [(k[0] + 0x9E3779B9) & 0xFFFFFFFF, (k[1] + 0xBB67AE85) & 0xFFFFFFFF]
    return c


def halves(x):
    return [x & 0xFFFFFFFF, x >> 32]


def band_positions(n, band, keep, seed, stream):
    width = 2.0 ** (-47 if band == 0 else band - 48)
    at = 0
    for index in range(n + 1):
        w = philox(halves((band << 56) + index) + halves(stream), halves(seed))
        u, v = (((w[i] + (w[i + 1] << 32) >> 12) + 0.5) / 2.0**52 for i in (0, 2))
        at += math.floor(-math.log(u) / width)
        if at >= n:
            return
        if v < keep:
            yield at
        at += 1


def flips(n, p, seed, stream):
    rate = -math.log1p(-p)
    top = max(0, math.floor(math.log2(rate)) + 48)
    start = 0 if top == 0 else 2.0 ** (top - 48)
    end = 2.0 ** (top - 47)
    share = math.expm1(start - rate) / math.expm1(start - end)
    found = set()
    for band in range(top + 1):
        found.update(band_positions(n, band, share if band == top else 1, seed, stream))
    return sorted(found)


if __name__ == "__main__":
    assert philox([0] * 4, [0] * 2)[0] == 0x6627E8D5  # Random123's kat_vectors
    for n, p, seed, stream in (
        (40, 0.3, 1, 2),
        (1000000, 1e-5, 42, 7),
        (1 << 53, 1e-15, 0xFEDCBA9876543210, 0x123456789ABCDEF0),
        (1 << 53, 1e-16, 3, 0),
        (12, 0.999, 5, 5),
    ):
        print(f"n {n}, p {p}, seed {seed:#x}, stream {stream:#x}: {flips(n, p, seed, stream)}")
