#include "rng/bernoulli.h"

#include <inttypes.h>
#include <math.h>

#include "base/error.h"
#include "base/fixed_math.h"
#include "rng/philox.h"

#define MAX_BITS     ((uint64_t)1 << 53)
#define FIRST_EDGE   (-47) /* log2 of the end of band 0 */
#define BLOCK_DIGITS 56    /* more than the blocks that a band can use: one a position */

typedef struct bsr_flips_band flip_band;

/* Two uniform numbers in (0, 1) from one block; each band has its own range of blocks. */
static void draw(const bsr_flips *f, flip_band *b, double u[2])
{
    uint64_t at = (uint64_t)b->band << BLOCK_DIGITS | b->drawn++;
    const uint32_t counter[4] = {(uint32_t)at, (uint32_t)(at >> 32), (uint32_t)f->stream,
                                 (uint32_t)(f->stream >> 32)};
    const uint32_t key[2] = {(uint32_t)f->seed, (uint32_t)(f->seed >> 32)};
    uint32_t w[4];
    bsr_philox4x32(counter, key, w);
    for (int i = 0; i < 2; i++) {
        uint64_t r = (uint64_t)w[2 * i + 1] << 32 | w[2 * i];
        u[i] = ((double)(r >> 12) + 0.5) * 0x1p-52;
    }
}

/* 2^e for the exponents of bands; ldexp takes as long as all the rest of a draw. */
static double power_of_two(int e)
{
    return e < 0 ? 1.0 / (double)((uint64_t)1 << -e) : (double)((uint64_t)1 << e);
}

/* log2 of the width of a band. */
static int width_log2(int band)
{
    return band == 0 ? FIRST_EDGE : FIRST_EDGE + band - 1;
}

/* Moves a band to its first flip at or after `from`; 0 when there is none. */
static int advance(const bsr_flips *f, flip_band *b, uint64_t from)
{
    double per_width = power_of_two(-width_log2(b->band));
    while (from < f->n) {
        double u[2];
        draw(f, b, u);
        uint64_t gap = (uint64_t)(-bsr_fixed_log(u[0]) * per_width); /* below 37 * 2^47 */
        if (gap >= f->n - from)
            return 0;
        b->next = from + gap;
        if (b->band != f->uppermost || u[1] < f->keep)
            return 1;
        from = b->next + 1;
    }
    return 0;
}

/* Puts a band in its place after those with a smaller position, among bands[0..count-1]. Dense
 * bands move by a step or two, the others seldom: cheaper than a heap. */
static void insert(bsr_flips *f, flip_band b, unsigned at)
{
    while (at + 1 < f->count && f->bands[at + 1].next < b.next) {
        f->bands[at] = f->bands[at + 1];
        at++;
    }
    f->bands[at] = b;
}

bsr_status bsr_flips_init(bsr_flips *f, uint64_t n, double p, uint64_t seed, uint64_t stream)
{
    *f = (bsr_flips){.seed = seed, .stream = stream, .uppermost = -1};
    if (n > MAX_BITS)
        return bsr_fail(BSR_EINVAL, "flips: %" PRIu64 " bits, limit is %" PRIu64, n, MAX_BITS);
    if (!(p >= 0 && p <= 1))
        return bsr_fail(BSR_EINVAL, "flips: probability is %g, expected 0..1", p);
    f->n = n;
    f->all = p == 1;
    if (p == 0 || f->all)
        return BSR_OK;

    double lambda = -bsr_fixed_log1p(-p); /* at most 36.8 < 2^(FIRST_EDGE + 53) */
    int top = 0;
    while (lambda >= power_of_two(FIRST_EDGE + top))
        top++;
    double start = top == 0 ? 0 : power_of_two(FIRST_EDGE + top - 1);
    /* Of the bits found in the uppermost band, those with T_i <= lambda: T_i is exponential there,
     * given that it is inside. */
    f->keep = bsr_fixed_expm1(start - lambda) / bsr_fixed_expm1(-power_of_two(width_log2(top)));
    f->uppermost = top;
    for (int band = top; band >= 0; band--) {
        flip_band b = {.band = band};
        if (!advance(f, &b, 0))
            continue;
        for (unsigned k = f->count++; k > 0; k--)
            f->bands[k] = f->bands[k - 1];
        insert(f, b, 0);
    }
    return BSR_OK;
}

int bsr_flips_next(bsr_flips *f, uint64_t *position)
{
    if (f->all && f->counted < f->n) {
        *position = f->counted++;
        return 1;
    }
    if (f->count == 0)
        return 0;
    *position = f->bands[0].next;
    while (f->count > 0 && f->bands[0].next == *position) { /* a bit may be in several bands */
        flip_band b = f->bands[0];
        if (advance(f, &b, *position + 1)) {
            insert(f, b, 0);
            continue;
        }
        f->count--;
        for (unsigned k = 0; k < f->count; k++)
            f->bands[k] = f->bands[k + 1];
    }
    return 1;
}
