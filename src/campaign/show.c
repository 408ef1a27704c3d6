/* What is in a run's database. */
#include <stdio.h>
#include <string.h>

#include "base/alloc.h"
#include "base/error.h"
#include "bitseer/campaign.h"
#include "campaign/answers.h"
#include "campaign/deepvigor_run.h"
#include "campaign/summary.h"
#include "campaign/sweep.h"

/* A fact that every run has. */
static bsr_status get_fact(char **value, bsr_store *store, const char *path, const char *name)
{
    bsr_status status = bsr_store_get_fact(store, name, value);
    return status == BSR_ENOTFOUND
               ? bsr_fail(BSR_EFORMAT, "'%s' has no fact '%s': not a whole run", path, name)
               : status;
}

bsr_status bsr_run_kind(const char *path, char command[16], int *complete)
{
    bsr_store *store;
    char *kind = NULL, *state = NULL;
    command[0] = 0;
    *complete = 0;
    BSR_TRY(bsr_store_open(&store, path, 0));
    bsr_status status = get_fact(&kind, store, path, "command");
    if (status == BSR_OK)
        status = get_fact(&state, store, path, "complete");
    if (status == BSR_OK) {
        snprintf(command, 16, "%s", kind);
        *complete = strcmp(state, "1") == 0;
    }
    bsr_free(kind);
    bsr_free(state);
    bsr_store_close(store);
    return status;
}

bsr_status bsr_run_settings(const char *path, bsr_run_setting_fn fn, void *ctx)
{
    bsr_store *store;
    BSR_TRY(bsr_store_open(&store, path, 0));
    bsr_status status = bsr_store_settings(store, fn, ctx);
    bsr_store_close(store);
    return status;
}

bsr_status bsr_run_result(bsr_result **out, const char *path, const bsr_run_options *options)
{
    bsr_store *store;
    bsr_record r;
    *out = NULL;
    if (options && options->version != BSR_RUN_OPTIONS_VERSION)
        return bsr_fail(BSR_EINVAL, "run options have version %d, expected %d", options->version,
                        BSR_RUN_OPTIONS_VERSION);
    BSR_TRY(bsr_run_read(&store, &r, path));
    bsr_status status;
    if (strcmp(r.command, "sweep") == 0)
        status = bsr_fail(BSR_EINVAL, "'%s' holds a sweep, not an injection or analysis", path);
    else if (bsr_record_of_patterns(&r))
        status = bsr_patterns_result(out, store, &r);
    else if (bsr_record_of_scores(&r))
        status = bsr_deepvigor_result(out, store, &r, options);
    else
        status = bsr_summarise(out, store, &r, options);
    bsr_record_clear(&r);
    bsr_store_close(store);
    return status;
}
