#include "rng/philox.h"

#include <Random123/philox.h>
#include <string.h>

void bsr_philox4x32(const uint32_t counter[4], const uint32_t key[2], uint32_t out[4])
{
    philox4x32_ctr_t c;
    philox4x32_key_t k;
    memcpy(c.v, counter, sizeof c.v);
    memcpy(k.v, key, sizeof k.v);
    c = philox4x32_R(10, c, k);
    memcpy(out, c.v, sizeof c.v);
}

void bsr_philox_fill(uint32_t *out, size_t blocks, uint64_t first, uint64_t seed, uint64_t stream)
{
    const philox4x32_key_t key = {{(uint32_t)seed, (uint32_t)(seed >> 32)}};
    for (size_t b = 0; b < blocks; b++) {
        uint64_t index = first + b;
        philox4x32_ctr_t c = {
            {(uint32_t)index, (uint32_t)(index >> 32), (uint32_t)stream, (uint32_t)(stream >> 32)}};
        c = philox4x32_R(10, c, key);
        memcpy(out + 4 * b, c.v, sizeof c.v);
    }
}

static void fill_block(bsr_rng *rng)
{
    uint64_t index = rng->position / 4;
    const uint32_t counter[4] = {(uint32_t)index, (uint32_t)(index >> 32), (uint32_t)rng->stream,
                                 (uint32_t)(rng->stream >> 32)};
    const uint32_t key[2] = {(uint32_t)rng->seed, (uint32_t)(rng->seed >> 32)};
    bsr_philox4x32(counter, key, rng->block);
}

bsr_rng bsr_rng_make(uint64_t seed, uint64_t stream)
{
    return (bsr_rng){.seed = seed, .stream = stream};
}

void bsr_rng_seek(bsr_rng *rng, uint64_t position)
{
    rng->position = position;
    if (position % 4 != 0)
        fill_block(rng);
}

uint32_t bsr_rng_u32(bsr_rng *rng)
{
    if (rng->position % 4 == 0)
        fill_block(rng);
    return rng->block[rng->position++ % 4];
}

uint64_t bsr_rng_u64(bsr_rng *rng)
{
    uint64_t low = bsr_rng_u32(rng);
    return low | (uint64_t)bsr_rng_u32(rng) << 32;
}

uint64_t bsr_rng_below(bsr_rng *rng, uint64_t n)
{
    uint64_t rejected = -n % n; /* 2^64 mod n */
    uint64_t r;
    do
        r = bsr_rng_u64(rng);
    while (r < rejected);
    return r % n;
}

double bsr_rng_uniform(bsr_rng *rng)
{
    return ((double)(bsr_rng_u64(rng) >> 12) + 0.5) * 0x1p-52;
}
