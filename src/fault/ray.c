#include "fault/ray.h"

#include <math.h>
#include <string.h>

/* Insertion by falling key. On one side of v the faulty values have the order of |s|, without the
 * rounding that a difference from a large v would bring. */
static void insert(bsr_ray_side *side, double *keys, int fault, double key)
{
    int at = side->n++;
    while (at > 0 && keys[at - 1] < key) {
        keys[at] = keys[at - 1];
        side->order[at] = side->order[at - 1];
        at--;
    }
    keys[at] = key;
    side->order[at] = (uint8_t)fault;
}

void bsr_ray_init(bsr_ray *ray, double v, const double *values, int n, int one_by_one)
{
    memset(ray, 0, sizeof *ray);
    double keys[2][BSR_RAY_BITS];
    for (int i = 0; i < n; i++) {
        double w = values[i];
        /* A stored NaN or Inf has no line through it. */
        if (isnan(w) || !isfinite(v) || one_by_one)
            ray->nans[ray->n_nans++] = (uint8_t)i;
        else if (w != v)
            insert(&ray->side[w > v], keys[w > v], i, w > v ? w : -w);
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
    if (s->bracketed)
        return (s->critical + s->harmless) / 2;
    return at < last ? at : last;
}

int bsr_ray_ask(const bsr_ray *ray, int fault[3], int which[3])
{
    int n = 0;
    for (int k = 0; k < 2; k++)
        if (ray->side[k].critical < ray->side[k].harmless) {
            fault[n] = ray->side[k].order[next_try(&ray->side[k])];
            which[n++] = k;
        }
    if (ray->nan_done < ray->n_nans) {
        fault[n] = ray->nans[ray->nan_done];
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
        s->bracketed = 1;
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
