#include "campaign/shares.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "bitseer/campaign.h"
#include "stats/quantile.h"

static bsr_status read_table(double *shares, int width, const char *text)
{
    int n = 0;
    for (const char *p = text;; p++) {
        char *stop;
        double v = strtod(p, &stop);
        if (stop == p || !(v > 0 && v < 1) || (*stop && *stop != ',') || n == width)
            return bsr_fail(
                BSR_EINVAL,
                "shares '%.80s', expected minmax, run:FILE or %d numbers between 0 and 1, one "
                "for each bit, lowest first",
                text, width);
        v = fmin(v, 0.5);
        shares[n++] = fmax(v, BSR_LEAST_SHARE);
        p = stop;
        if (!*p)
            break;
    }
    return n == width ? BSR_OK
                      : bsr_fail(BSR_EINVAL,
                                 "shares '%.80s' has %d numbers, expected %d, one for "
                                 "each bit",
                                 text, n, width);
}

/* D of every bit over all constants of the population: sums in the order of the sites. */
static void mean_distances(double *distance, const bsr_spaces *all, int width)
{
    double sum[BSR_MAX_VARIANTS] = {0}, n[BSR_MAX_VARIANTS] = {0};
    for (int i = 0; i < all->n; i++) {
        const bsr_space *sp = &all->spaces[i];
        for (uint64_t s = 0; s < sp->sites; s++) {
            bsr_site site = bsr_space_site(sp, s);
            uint32_t code = bsr_space_code(sp, NULL, 0, site);
            double v = bsr_space_value(sp, site, code);
            for (int b = 0; b < width; b++) {
                double d = fabs(bsr_space_value(sp, site, code ^ (uint32_t)1 << b) - v);
                if (!isfinite(d))
                    continue;
                sum[b] += d;
                n[b]++;
            }
        }
    }
    for (int b = 0; b < width; b++)
        distance[b] = n[b] > 0 ? sum[b] / n[b] : INFINITY;
}

static int ascending(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static void from_distances(double *shares, const double *distance, int width)
{
    double logs[BSR_MAX_VARIANTS];
    int n = 0;
    for (int b = 0; b < width; b++)
        if (isfinite(distance[b]) && distance[b] > 0)
            logs[n++] = log2(distance[b]);
    qsort(logs, (size_t)n, sizeof *logs, ascending);
    double q1 = n ? bsr_quantile(logs, (size_t)n, 0.25) : 0;
    double q3 = n ? bsr_quantile(logs, (size_t)n, 0.75) : 0;
    double most = q3 + 3 * (q3 - q1), lo = INFINITY, hi = 0;
    int outlier[BSR_MAX_VARIANTS];
    for (int b = 0; b < width; b++) {
        outlier[b] = !isfinite(distance[b]) || (distance[b] > 0 && log2(distance[b]) > most);
        if (outlier[b])
            continue;
        lo = fmin(lo, distance[b]);
        hi = fmax(hi, distance[b]);
    }
    for (int b = 0; b < width; b++) {
        double p = hi > lo ? 0.5 * (distance[b] - lo) / (hi - lo) : 0.5;
        shares[b] = outlier[b] ? 0.5 : fmin(fmax(p, BSR_LEAST_SHARE), 0.5);
    }
}

/* What an earlier run measured for each bit; a bit it says nothing about gets 1/2. */
static bsr_status from_run(double *shares, int width, const char *path)
{
    bsr_result *r;
    BSR_TRY(bsr_run_result(&r, path, NULL));
    for (int b = 0; b < width; b++)
        shares[b] = 0.5;
    for (int i = 0; i < r->n_bits; i++) {
        const bsr_part *p = &r->bits[i];
        if (p->index < width && !isnan(p->vf.value))
            shares[p->index] = fmin(fmax(p->vf.value, BSR_LEAST_SHARE), 0.5);
    }
    bsr_status status = r->n_bits == width ? BSR_OK
                                           : bsr_fail(BSR_EINVAL,
                                                      "shares of run '%s': it hit %d bits, these "
                                                      "codes have %d",
                                                      path, r->n_bits, width);
    bsr_result_free(r);
    return status;
}

bsr_status bsr_find_shares(double shares[BSR_MAX_VARIANTS], const bsr_spaces *all, const char *text)
{
    int width = all->spaces[0].width;
    if (all->model.kind != BSR_FAULT_BITFLIP)
        return bsr_fail(BSR_EINVAL, "plan data-aware is for fault model bitflip");
    for (int i = 0; i < all->n; i++)
        if (all->spaces[i].width != width)
            return bsr_fail(BSR_EINVAL, "plan data-aware: '%s' has %d bits, '%s' has %d",
                            all->spaces[0].name, width, all->spaces[i].name, all->spaces[i].width);
    if (text && strncmp(text, "run:", 4) == 0)
        return from_run(shares, width, text + 4);
    if (text && strcmp(text, "minmax") != 0)
        return read_table(shares, width, text);
    for (int i = 0; i < all->n; i++)
        if (!all->spaces[i].data || bsr_is_operand(all->spaces[i].place))
            return bsr_fail(BSR_EINVAL,
                            "plan data-aware: shares of '%s' cannot be told from constants; give "
                            "them as numbers",
                            all->spaces[i].name);
    double distance[BSR_MAX_VARIANTS];
    mean_distances(distance, all, width);
    from_distances(shares, distance, width);
    return BSR_OK;
}
