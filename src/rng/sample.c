#include "rng/sample.h"

#include <inttypes.h>
#include <stdlib.h>

#include "base/alloc.h"
#include "base/error.h"
#include "rng/philox.h"

#define FREE_SLOT  UINT64_MAX
#define FIRST_BITS 4

/* Position `key` of the shuffled sequence holds `value` instead of key. */
typedef struct slot {
    uint64_t key;
    uint64_t value;
} slot;

struct bsr_sample {
    bsr_rng rng;
    uint64_t population;
    uint64_t drawn;
    slot *slots; /* open addressing, linear probing, 1 << bits slots, at most half in use */
    int bits;
    uint64_t used;
};

/* The slot of `key`, or the free one where it belongs. */
static slot *find(slot *slots, int bits, uint64_t key)
{
    size_t mask = ((size_t)1 << bits) - 1;
    /* Fibonacci hashing (Knuth, TAOCP 3, 6.4): runs of keys spread over the table. */
    size_t at = (size_t)(key * UINT64_C(0x9E3779B97F4A7C15) >> (64 - bits));
    while (slots[at].key != FREE_SLOT && slots[at].key != key)
        at = (at + 1) & mask;
    return &slots[at];
}

static slot *new_table(int bits)
{
    size_t n = (size_t)1 << bits;
    slot *slots = bsr_alloc_array(n, sizeof *slots);
    for (size_t i = 0; slots && i < n; i++)
        slots[i].key = FREE_SLOT;
    return slots;
}

static bsr_status make_room(bsr_sample *s)
{
    size_t n = (size_t)1 << s->bits;
    if (s->used < n / 2)
        return BSR_OK;
    slot *grown = new_table(s->bits + 1);
    if (!grown)
        return BSR_ENOMEM;
    for (size_t i = 0; i < n; i++)
        if (s->slots[i].key != FREE_SLOT)
            *find(grown, s->bits + 1, s->slots[i].key) = s->slots[i];
    bsr_free(s->slots);
    s->slots = grown;
    s->bits++;
    return BSR_OK;
}

bsr_status bsr_sample_new(bsr_sample **out, uint64_t N, uint64_t seed, uint64_t stream)
{
    *out = NULL;
    if (N < 1 || N > BSR_MAX_POPULATION)
        return bsr_fail(BSR_EINVAL, "sample: population is %" PRIu64 ", expected 1..%" PRIu64, N,
                        BSR_MAX_POPULATION);
    bsr_sample *s = bsr_calloc_array(1, sizeof *s);
    if (!s)
        return BSR_ENOMEM;
    s->rng = bsr_rng_make(seed, stream);
    s->population = N;
    s->bits = FIRST_BITS;
    s->slots = new_table(s->bits);
    if (!s->slots) {
        bsr_sample_free(s);
        return BSR_ENOMEM;
    }
    *out = s;
    return BSR_OK;
}

void bsr_sample_free(bsr_sample *sample)
{
    if (!sample)
        return;
    bsr_free(sample->slots);
    bsr_free(sample);
}

bsr_status bsr_sample_next(bsr_sample *sample, uint64_t *index)
{
    uint64_t i = sample->drawn;
    if (i == sample->population)
        return bsr_fail(BSR_EINVAL, "sample: all %" PRIu64 " units are drawn", i);
    BSR_TRY(make_room(sample)); /* before the draw, so that a failure changes nothing */

    uint64_t j = i + bsr_rng_below(&sample->rng, sample->population - i);
    slot *head = find(sample->slots, sample->bits, i);
    uint64_t displaced = head->key == i ? head->value : i;
    slot *picked = find(sample->slots, sample->bits, j);
    if (picked->key == FREE_SLOT) {
        *index = j;
        picked->key = j;
        sample->used++;
    } else {
        *index = picked->value;
    }
    picked->value = displaced;
    sample->drawn++;
    return BSR_OK;
}

uint64_t bsr_sample_drawn(const bsr_sample *sample)
{
    return sample->drawn;
}

static int compare(const void *a, const void *b)
{
    uint64_t x = *(const uint64_t *)a;
    uint64_t y = *(const uint64_t *)b;
    return (x > y) - (x < y);
}

bsr_status bsr_sample_indices(uint64_t **out, uint64_t N, uint64_t n, uint64_t seed,
                              uint64_t stream, int sorted)
{
    *out = NULL;
    if (n > N)
        return bsr_fail(BSR_EINVAL, "sample: %" PRIu64 " of %" PRIu64 " units asked for", n, N);
    bsr_sample *sample;
    BSR_TRY(bsr_sample_new(&sample, N, seed, stream));

    bsr_status status = BSR_ENOMEM;
    uint64_t *indices = bsr_alloc_array((size_t)n, sizeof *indices);
    if (!indices)
        goto done;
    status = BSR_OK;
    for (uint64_t i = 0; i < n && status == BSR_OK; i++)
        status = bsr_sample_next(sample, &indices[i]);
    if (status != BSR_OK)
        goto done;
    if (sorted)
        qsort(indices, (size_t)n, sizeof *indices, compare);
    *out = indices;
    indices = NULL;
done:
    bsr_free(indices);
    bsr_sample_free(sample);
    return status;
}

size_t bsr_sample_weighted(const double *below, size_t n, double u)
{
    size_t lo = 0, hi = n - 1;
    u *= below[n - 1];
    while (lo < hi) {
        size_t mid = (lo + hi) / 2;
        if (below[mid] < u)
            lo = mid + 1;
        else
            hi = mid;
    }
    return lo;
}
