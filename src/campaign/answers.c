#include "campaign/answers.h"

#include <math.h>
#include <string.h>

#include "base/error.h"

bsr_status bsr_run_read(bsr_store **store, bsr_record *r, const char *path)
{
    *r = (bsr_record){0};
    BSR_TRY(bsr_store_open(store, path, 0));
    bsr_status status = bsr_record_read(r, *store);
    if (status == BSR_OK)
        return status;
    bsr_record_clear(r);
    bsr_store_close(*store);
    *store = NULL;
    return bsr_record_fail(status, path);
}

int bsr_record_of_patterns(const bsr_record *r)
{
    return strcmp(r->command, "sweep") == 0 || strncmp(r->fault, "ber", 3) == 0;
}

int bsr_record_of_scores(const bsr_record *r)
{
    return strcmp(r->method, "deepvigor") == 0;
}

bsr_status bsr_run_check_rows(const bsr_record *r, const char *path)
{
    if (r->design.pairs)
        return bsr_fail(
            BSR_EINVAL,
            "'%s' holds %s in single images, not single faults; sites:N and the plans of "
            "inject keep those",
            path, r->design.neurons ? "neurons" : "sites");
    return bsr_record_of_scores(r) ? bsr_run_check_faults(r, path) : BSR_OK;
}

bsr_status bsr_run_check_faults(const bsr_record *r, const char *path)
{
    if (bsr_record_of_patterns(r))
        return bsr_fail(BSR_EINVAL, "'%s' holds error patterns, not single faults", path);
    if (bsr_record_of_scores(r))
        return bsr_fail(BSR_EINVAL, "'%s' holds factors of method deepvigor, not single faults",
                        path);
    return BSR_OK;
}

bsr_status bsr_answer_fault(bsr_injected *fault, int *variant, const bsr_record *r,
                            const bsr_fault_row *row)
{
    int64_t images = r->transient ? 1 : (int64_t)r->images;
    if (row->fault < 0 || (uint64_t)row->fault / r->design.images >= r->spaces.population ||
        row->pairs != images || row->critical < 0 || row->critical > images)
        return bsr_fail(BSR_EFORMAT, "fault %lld of the database is impossible",
                        (long long)row->fault);
    *fault = bsr_locate_unit(r, (uint64_t)row->fault);
    uint64_t local = (uint64_t)row->fault / r->design.images - fault->space->first;
    *variant = (int)(local % (uint64_t)fault->space->n_variants);
    return BSR_OK;
}

double bsr_mean_square(double sse, int64_t pairs, int64_t due, int classes)
{
    int64_t valid = pairs - due;
    return due < 0 || valid <= 0 ? NAN : sse / (double)valid / classes;
}
