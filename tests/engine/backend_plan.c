/* backend_plan DATA [NAME]: the ONNX backend cases (all, or those whose name holds NAME) through
 * the executor. Cases with one float input, others bound as constants, and one float output, which
 * compile: the executor must give the bits of the reference interpreter, with and without fused
 * stages and with every kernel set. tests/onnx compares the interpreter with the published outputs.
 * Exit 1 on a difference or when fewer cases run than the floor below; exit 77 without data. */
#define _POSIX_C_SOURCE 200809L
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "onnx/case.h"
#include "ops/op.h"
#include "support/compare_plan.h"
#include "support/interp.h"

enum { FLOOR = 150 };

typedef struct totals {
    int cases, ran, dense, failed;
} totals;

/* Binds all inputs but number `free_input` and resolves. */
static bsr_status resolve(bsr_graph **out, const char *folder, const case_tensors *in,
                          int free_input)
{
    bsr_status status = case_read_model(out, folder);
    if (status == BSR_OK)
        status = case_bind_inputs(*out, in, ~((uint32_t)1 << free_input));
    if (status == BSR_OK)
        status = bsr_ops_resolve(*out);
    if (status != BSR_OK) {
        bsr_graph_free(*out);
        *out = NULL;
    }
    return status;
}

/* Every way of running the executor; returns 0 when the plan does not compile, -1 on a difference.
 */
static int compare_all(const char *folder, const bsr_graph *graph, const bsr_tensor *x,
                       const bsr_tensor *want)
{
    for (int cpu = BSR_CPU_REF; cpu <= (int)bsr_cpu_best(); cpu++)
        for (int keep_all = 0; keep_all < 2; keep_all++) {
            int same;
            int64_t at;
            if (compare_plan(&same, &at, graph, bsr_kernels_for((bsr_cpu)cpu), keep_all, x, want) !=
                BSR_OK)
                return 0;
            if (same)
                continue;
            printf("FAILED %s: element %lld differs (kernels %s%s)\n", folder, (long long)at,
                   bsr_cpu_name((bsr_cpu)cpu), keep_all ? ", all values kept" : "");
            return -1;
        }
    return 1;
}

/* Is the network's only node evaluated by the operator's own function, as the interpreter does? */
static int is_dense(const bsr_graph *graph)
{
    bsr_plan *plan;
    int dense = 1;
    if (bsr_plan_new(&plan, graph, bsr_kernels_for(BSR_CPU_REF), NULL) != BSR_OK)
        return 0;
    for (int i = 0; i < plan->n_steps; i++)
        dense &= plan->steps[i].core == BSR_CORE_DENSE || plan->steps[i].core == BSR_CORE_RELAYOUT;
    bsr_plan_free(plan);
    return dense;
}

static void run_case(totals *t, const char *folder)
{
    char set[1100];
    case_tensors in = {0};
    t->cases++;
    snprintf(set, sizeof set, "%s/test_data_set_0", folder);
    bsr_status status = case_read_tensors(&in, set, "input");
    int ran = 0;
    for (int i = 0; i < in.n && status == BSR_OK && !ran; i++) {
        bsr_graph *graph;
        interp *p = NULL;
        if (in.t[i]->dtype != BSR_F32 || resolve(&graph, folder, &in, i) != BSR_OK)
            continue;
        const bsr_value *out = &graph->values[graph->outputs[0]];
        /* A fully folded graph computes nothing. */
        if (graph->n_outputs == 1 && out->dtype == BSR_F32 && !out->constant &&
            interp_new(&p, graph) == BSR_OK &&
            interp_run(p, (const bsr_tensor *const *)in.t) == BSR_OK)
            ran = compare_all(folder, graph, in.t[i], interp_output(p, 0));
        t->dense += ran && is_dense(graph);
        interp_free(p);
        bsr_graph_free(graph);
    }
    t->ran += ran != 0;
    t->failed += ran < 0;
    case_free_tensors(&in);
}

static totals run_folder(const char *data, const char *folder, const char *filter)
{
    totals t = {0};
    char path[768], at[1040];
    struct dirent **entries;
    snprintf(path, sizeof path, "%s/%s", data, folder);
    int n = scandir(path, &entries, NULL, alphasort);
    for (int i = 0; i < n; i++) {
        snprintf(at, sizeof at, "%s/%s", path, entries[i]->d_name);
        if (entries[i]->d_name[0] != '.' && (!filter || strstr(at, filter)))
            run_case(&t, at);
        free(entries[i]);
    }
    if (n >= 0)
        free(entries);
    printf("%-18s %4d cases, %4d ran (%d on dense evaluation only), %d failed\n", folder, t.cases,
           t.ran, t.dense, t.failed);
    return t;
}

int main(int argc, char **argv)
{
    static const char *const folders[] = {"node", "pytorch-converted", "pytorch-operator",
                                          "simple"};
    if (argc < 2) {
        printf("skipped: no folder of backend test data\n");
        return 77;
    }
    const char *filter = argc > 2 ? argv[2] : NULL;
    int ran = 0, failed = 0;
    for (size_t i = 0; i < sizeof folders / sizeof *folders; i++) {
        totals t = run_folder(argv[1], folders[i], filter);
        ran += t.ran;
        failed += t.failed;
    }
    if (!filter && ran < FLOOR) {
        printf("FAILED: %d cases ran, expected at least %d\n", ran, FLOOR);
        failed++;
    }
    return failed > 0;
}
