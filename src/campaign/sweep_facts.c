/* A sweep's own facts in its database. */
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/error.h"
#include "campaign/sweep.h"
#include "campaign/sweep_rates.h"
#include "rng/sample.h"

static const char *const names[] = {"sweep_rates", "sweep_runs", "sweep_targets", "sweep_bits",
                                    "sweep_top5_correct"};
enum { RATES, RUNS, TARGETS, BITS, TOP5, N_NAMES };

bsr_status bsr_sweep_facts_write(bsr_store *store, const bsr_sweep_facts *f)
{
    char runs[16], bits[32], top5[32], *rates;
    snprintf(runs, sizeof runs, "%d", f->runs);
    snprintf(bits, sizeof bits, "%.17g", f->bits);
    snprintf(top5, sizeof top5, "%" PRIu64, f->top5_correct);
    BSR_TRY(bsr_rates_text(&rates, f->rates, f->points));
    const char *values[N_NAMES] = {rates, runs, f->targets, bits, top5};
    bsr_status status = BSR_OK;
    for (int i = 0; i < N_NAMES && status == BSR_OK; i++)
        status = bsr_store_put_fact(store, names[i], values[i]);
    bsr_free(rates);
    return status;
}

static bsr_status parse(bsr_sweep_facts *f, char *const values[N_NAMES])
{
    char *stop[3];
    long runs = strtol(values[RUNS], &stop[0], 10);
    f->bits = strtod(values[BITS], &stop[1]);
    f->top5_correct = strtoull(values[TOP5], &stop[2], 10);
    if (*stop[0] || *stop[1] || *stop[2] || runs < 1 || runs > 1 << 20 || !(f->bits >= 0) ||
        isinf(f->bits) || strlen(values[TARGETS]) >= sizeof f->targets)
        return bsr_fail(BSR_EFORMAT, "the database holds impossible facts of a sweep");
    f->runs = (int)runs;
    snprintf(f->targets, sizeof f->targets, "%s", values[TARGETS]);
    bsr_status status = bsr_rates_parse(&f->rates, &f->points, values[RATES]);
    return status == BSR_EINVAL ? bsr_fail(BSR_EFORMAT, "fact '%s' of the run is '%.60s'",
                                           names[RATES], values[RATES])
                                : status;
}

bsr_status bsr_sweep_facts_read(bsr_sweep_facts *f, bsr_store *store)
{
    char *values[N_NAMES] = {NULL};
    bsr_status status = BSR_OK;
    *f = (bsr_sweep_facts){0};
    for (int i = 0; i < N_NAMES && status == BSR_OK; i++) {
        status = bsr_store_get_fact(store, names[i], &values[i]);
        if (status == BSR_ENOTFOUND)
            status =
                bsr_fail(BSR_EFORMAT, "the database has no fact '%s': not a whole sweep", names[i]);
    }
    if (status == BSR_OK)
        status = parse(f, values);
    for (int i = 0; i < N_NAMES; i++)
        bsr_free(values[i]);
    return status;
}

void bsr_sweep_facts_clear(bsr_sweep_facts *f)
{
    bsr_free(f->rates);
    *f = (bsr_sweep_facts){0};
}
