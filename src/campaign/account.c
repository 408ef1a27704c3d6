#include "campaign/account.h"

#include "base/error.h"

bsr_status bsr_keep_text(bsr_arena *arena, const char **to, const char *text)
{
    *to = bsr_arena_strdup(arena, text ? text : "");
    return *to ? BSR_OK : BSR_ENOMEM;
}

typedef struct account {
    bsr_arena *arena;
    bsr_performance *performance;
    bsr_provenance *provenance;
} account;

static bsr_status add_session(void *ctx, const bsr_session_row *row)
{
    account *a = ctx;
    bsr_performance *p = a->performance;
    p->seconds += row->seconds;
    p->golden_seconds += row->golden_seconds;
    p->forward_seconds = row->forward_seconds;
    p->evaluations += (uint64_t)row->evaluations;
    p->injections += (uint64_t)row->injections;
    p->forward_equivalents += row->forward_equivalents;
    p->threads = (int)row->threads;
    BSR_TRY(bsr_keep_text(a->arena, &p->cpu, row->cpu));
    return bsr_keep_text(a->arena, &a->provenance->cpu_brand, row->cpu_brand);
}

bsr_status bsr_account_fill(bsr_performance *performance, bsr_provenance *provenance,
                            bsr_arena *arena, bsr_store *store, const bsr_record *r)
{
    account a = {arena, performance, provenance};
    bsr_provenance *p = provenance;
    p->seed = r->seed;
    BSR_TRY(bsr_keep_text(arena, &p->version, r->version));
    BSR_TRY(bsr_keep_text(arena, &p->model_path, r->model_path));
    BSR_TRY(bsr_keep_text(arena, &p->model_sha256, r->model_sha256));
    BSR_TRY(bsr_keep_text(arena, &p->data_spec, r->data_spec));
    BSR_TRY(bsr_keep_text(arena, &p->data_sha256, r->data_sha256));
    if (!(p->spec = bsr_arena_strdup(arena, r->spec)))
        return BSR_ENOMEM;
    BSR_TRY(bsr_store_sessions(store, add_session, &a));
    if (performance->seconds > 0) {
        performance->lanes_per_second = (double)performance->evaluations / performance->seconds;
        performance->injections_per_second = (double)performance->injections / performance->seconds;
    }
    return BSR_OK;
}
