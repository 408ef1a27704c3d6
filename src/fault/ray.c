#include "fault/ray.h"

#include <math.h>
#include <string.h>

#include "fault/space.h"

/* Insertion by falling key. On one side of v the flipped values have the order of |s|, without the
 * rounding that a difference from a large v would bring. */
static void insert(bsr_ray_side *side, double *keys, int bit, double key)
{
    int at = side->n++;
    while (at > 0 && keys[at - 1] < key) {
        keys[at] = keys[at - 1];
        side->order[at] = side->order[at - 1];
        at--;
    }
    keys[at] = key;
    side->order[at] = (uint8_t)bit;
}

void bsr_ray_init(bsr_ray *ray, bsr_dtype dtype, uint32_t stored, const int *bits, int n_bits)
{
    memset(ray, 0, sizeof *ray);
    double keys[2][BSR_RAY_BITS], v = bsr_stored_value(dtype, stored);
    for (int i = 0; i < n_bits; i++) {
        double w = bsr_stored_value(dtype, stored ^ (uint32_t)1 << bits[i]);
        /* A stored NaN or Inf has no line through it. Codes are few and their rounding breaks the
         * order too often (6 in 1000 pairs of an int8 ResNet-8): 8 flips are tried one by one. */
        if (isnan(w) || !isfinite(v) || bsr_dtype_size(dtype) == 1)
            ray->nans[ray->n_nans++] = (uint8_t)bits[i];
        else if (w != v)
            insert(&ray->side[w > v], keys[w > v], bits[i], w > v ? w : -w);
    }
    for (int k = 0; k < 2; k++) {
        ray->side[k].harmless = ray->side[k].n;
        ray->side[k].step = 1;
    }
}

/* Position to try: the largest first, then close below the last critical one, with growing steps:
 * usually only the top exponent bit is critical, and then the second try decides. */
static int next_try(const bsr_ray_side *s)
{
    int at = s->critical + s->step - 1, last = s->harmless - 1;
    if (s->harmless < s->n) /* bracketed: halve */
        return (s->critical + s->harmless) / 2;
    return at < last ? at : last;
}

int bsr_ray_ask(const bsr_ray *ray, int bit[3], int which[3])
{
    int n = 0;
    for (int k = 0; k < 2; k++)
        if (ray->side[k].critical < ray->side[k].harmless) {
            bit[n] = ray->side[k].order[next_try(&ray->side[k])];
            which[n++] = k;
        }
    if (ray->nan_done < ray->n_nans) {
        bit[n] = ray->nans[ray->nan_done];
        which[n++] = 2;
    }
    return n;
}

void bsr_ray_tell(bsr_ray *ray, int which, int critical)
{
    if (which == 2) {
        ray->nan_critical |= (uint32_t)(critical != 0) << ray->nan_done++;
        return;
    }
    bsr_ray_side *s = &ray->side[which];
    int at = next_try(s);
    if (critical) {
        if (at > 0)
            s->step = (uint8_t)(s->step * 2);
        s->critical = (uint8_t)(at + 1);
    } else {
        s->harmless = (uint8_t)at;
    }
}

uint32_t bsr_ray_critical(const bsr_ray *ray)
{
    uint32_t set = 0;
    for (int k = 0; k < 2; k++)
        for (int i = 0; i < ray->side[k].critical; i++)
            set |= (uint32_t)1 << ray->side[k].order[i];
    for (int i = 0; i < ray->n_nans; i++)
        if (ray->nan_critical >> i & 1)
            set |= (uint32_t)1 << ray->nans[i];
    return set;
}
