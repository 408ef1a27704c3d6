#include "base/sha256.h"

#include <string.h>

static const uint32_t round_constants[64] = {
    0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5, 0x3956c25b, 0x59f111f1, 0x923f82a4, 0xab1c5ed5,
    0xd807aa98, 0x12835b01, 0x243185be, 0x550c7dc3, 0x72be5d74, 0x80deb1fe, 0x9bdc06a7, 0xc19bf174,
    0xe49b69c1, 0xefbe4786, 0x0fc19dc6, 0x240ca1cc, 0x2de92c6f, 0x4a7484aa, 0x5cb0a9dc, 0x76f988da,
    0x983e5152, 0xa831c66d, 0xb00327c8, 0xbf597fc7, 0xc6e00bf3, 0xd5a79147, 0x06ca6351, 0x14292967,
    0x27b70a85, 0x2e1b2138, 0x4d2c6dfc, 0x53380d13, 0x650a7354, 0x766a0abb, 0x81c2c92e, 0x92722c85,
    0xa2bfe8a1, 0xa81a664b, 0xc24b8b70, 0xc76c51a3, 0xd192e819, 0xd6990624, 0xf40e3585, 0x106aa070,
    0x19a4c116, 0x1e376c08, 0x2748774c, 0x34b0bcb5, 0x391c0cb3, 0x4ed8aa4a, 0x5b9cca4f, 0x682e6ff3,
    0x748f82ee, 0x78a5636f, 0x84c87814, 0x8cc70208, 0x90befffa, 0xa4506ceb, 0xbef9a3f7, 0xc67178f2,
};

static uint32_t rotr(uint32_t x, int n)
{
    return x >> n | x << (32 - n);
}

/* Round number k of eight: the standard's words a to h are v[(0 - k) % 8] to v[(7 - k) % 8]. */
static inline void one_round(uint32_t v[8], int k, uint32_t input)
{
#define WORD(i) v[((i)-k) & 7]
    uint32_t a = WORD(0), e = WORD(4);
    uint32_t t1 = WORD(7) + (rotr(e, 6) ^ rotr(e, 11) ^ rotr(e, 25)) +
                  ((e & WORD(5)) ^ (~e & WORD(6))) + input;
    uint32_t t2 = (rotr(a, 2) ^ rotr(a, 13) ^ rotr(a, 22)) +
                  ((a & WORD(1)) ^ (a & WORD(2)) ^ (WORD(1) & WORD(2)));
    WORD(3) += t1;
    WORD(7) = t1 + t2;
#undef WORD
}

/* FIPS 180-4, section 6.2.2. */
static void compress(uint32_t state[8], const unsigned char block[64])
{
    uint32_t w[64];
    for (int t = 0; t < 16; t++)
        w[t] = (uint32_t)block[4 * t] << 24 | (uint32_t)block[4 * t + 1] << 16 |
               (uint32_t)block[4 * t + 2] << 8 | block[4 * t + 3];
    for (int t = 16; t < 64; t++) {
        uint32_t s0 = rotr(w[t - 15], 7) ^ rotr(w[t - 15], 18) ^ w[t - 15] >> 3;
        uint32_t s1 = rotr(w[t - 2], 17) ^ rotr(w[t - 2], 19) ^ w[t - 2] >> 10;
        w[t] = s1 + w[t - 7] + s0 + w[t - 16];
    }
    uint32_t v[8];
    memcpy(v, state, sizeof v);
    for (int t = 0; t < 64; t += 8) {
        /* After eight rounds every word is where it was: nothing is moved. Written out, the words
         * stay in registers. */
        const uint32_t *c = round_constants + t, *x = w + t;
        one_round(v, 0, c[0] + x[0]);
        one_round(v, 1, c[1] + x[1]);
        one_round(v, 2, c[2] + x[2]);
        one_round(v, 3, c[3] + x[3]);
        one_round(v, 4, c[4] + x[4]);
        one_round(v, 5, c[5] + x[5]);
        one_round(v, 6, c[6] + x[6]);
        one_round(v, 7, c[7] + x[7]);
    }
    for (int i = 0; i < 8; i++)
        state[i] += v[i];
}

void bsr_sha256_init(bsr_sha256 *h)
{
    static const uint32_t start[8] = {0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a,
                                      0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19};
    memcpy(h->state, start, sizeof start);
    h->bytes = 0;
}

void bsr_sha256_update(bsr_sha256 *h, const void *data, size_t n)
{
    const unsigned char *p = data;
    size_t fill = h->bytes % 64;
    h->bytes += n;
    if (!n)
        return; /* memcpy takes no NULL, not even for nothing */
    if (fill) {
        size_t part = n < 64 - fill ? n : 64 - fill;
        memcpy(h->block + fill, p, part);
        if (fill + part < 64)
            return;
        compress(h->state, h->block);
        p += part;
        n -= part;
    }
    for (; n >= 64; p += 64, n -= 64)
        compress(h->state, p);
    if (n)
        memcpy(h->block, p, n);
}

void bsr_sha256_final(bsr_sha256 *h, char hex[65])
{
    static const unsigned char padding[64] = {0x80};
    uint64_t bits = h->bytes * 8;
    unsigned char length[8];
    for (int i = 0; i < 8; i++)
        length[i] = (unsigned char)(bits >> (56 - 8 * i));
    bsr_sha256_update(h, padding, 64 - (h->bytes + 8) % 64);
    bsr_sha256_update(h, length, 8);
    for (int i = 0; i < 64; i++)
        hex[i] = "0123456789abcdef"[h->state[i / 8] >> (28 - 4 * (i % 8)) & 15];
    hex[64] = 0;
}
