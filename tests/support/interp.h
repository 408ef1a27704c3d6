/* The reference interpreter: evaluates a resolved graph node by node with the operators' dense
 * functions on row-major tensors. Slow and plain, an oracle for the executor. */
#ifndef TESTS_SUPPORT_INTERP_H
#define TESTS_SUPPORT_INTERP_H

#include "graph/graph.h"

typedef struct interp {
    const bsr_graph *graph;
    const bsr_tensor **values; /* per value: constant, input or result; NULL before it is known */
    bsr_tensor **results;      /* per value: what interp_run made, owned; NULL otherwise */
    /* Called for each result before anything reads it; may change its elements. May be NULL. */
    void (*computed)(void *ctx, int value, const bsr_tensor *result);
    void *ctx;
} interp;

/* `graph` has been through bsr_ops_resolve and outlives *out. Caller owns *out. */
bsr_status interp_new(interp **out, const bsr_graph *graph);
void interp_free(interp *p);

/* Evaluates every node. inputs[i] belongs to graph->inputs[i], must have its dtype and dims
 * (EINVAL) and is borrowed until the next run; it is ignored where the input was bound as a
 * constant. Afterwards p->values[v] holds every value. */
bsr_status interp_run(interp *p, const bsr_tensor *const *inputs);

/* The i-th graph output after a run. */
const bsr_tensor *interp_output(const interp *p, int i);

#endif
