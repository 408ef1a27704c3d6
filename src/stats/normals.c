#include "stats/normals.h"

#include <math.h>
#include <string.h>

#include "base/alloc.h"
#include "rng/philox.h"
#include "stats/special.h"

enum { HALF = 1 << 15, BLOCKS = 64 /* drawn at once */ };

struct bsr_normals {
    float value[HALF]; /* the positive ones, ascending; the sixteenth bit is the sign */
};

bsr_status bsr_normals_new(bsr_normals **out)
{
    bsr_normals *normals = bsr_alloc_array(1, sizeof *normals);
    double *mean = bsr_alloc_array(HALF, sizeof *mean);
    bsr_status status = BSR_ENOMEM;
    *out = NULL;
    if (!normals || !mean)
        goto done;
    double squares = 0, density = bsr_normal_pdf(0);
    for (int i = 0; i < HALF; i++) {
        /* The mean over a cell is the difference of the densities at its ends by its probability;
         * upper tails are taken as lower ones, which are exact. */
        double tail = (double)(HALF - 1 - i) / (2 * HALF);
        double next = tail > 0 ? bsr_normal_pdf(bsr_normal_quantile(tail)) : 0;
        mean[i] = (density - next) * (2 * HALF);
        squares += mean[i] * mean[i];
        density = next;
    }
    double scale = sqrt(HALF / squares);
    for (int i = 0; i < HALF; i++)
        normals->value[i] = (float)(mean[i] * scale);
    *out = normals;
    normals = NULL;
    status = BSR_OK;
done:
    bsr_free(normals);
    bsr_free(mean);
    return status;
}

void bsr_normals_free(bsr_normals *normals)
{
    bsr_free(normals);
}

/* Sign without a branch, which would be mispredicted every other time. */
static inline float pick(const bsr_normals *normals, uint32_t bits)
{
    uint32_t x;
    memcpy(&x, &normals->value[bits & (HALF - 1)], sizeof x);
    x |= (bits & HALF) << 16;
    float value;
    memcpy(&value, &x, sizeof value);
    return value;
}

void bsr_normals_fill(const bsr_normals *normals, float *out, size_t n, uint64_t seed,
                      uint64_t stream)
{
    uint32_t words[4 * BLOCKS];
    for (size_t at = 0; at < n; at += 8 * BLOCKS) {
        size_t left = n - at < 8 * BLOCKS ? n - at : 8 * BLOCKS;
        bsr_philox_fill(words, (left + 7) / 8, at / 8, seed, stream);
        for (size_t i = 0; i + 1 < left; i += 2) {
            out[at + i] = pick(normals, words[i / 2]);
            out[at + i + 1] = pick(normals, words[i / 2] >> 16);
        }
        if (left % 2)
            out[at + left - 1] = pick(normals, words[left / 2]);
    }
}
