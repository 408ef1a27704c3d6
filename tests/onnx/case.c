#include "case.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/error.h"
#include "compare.h"
#include "onnx/onnx.h"
#include "ops/op.h"
#include "opset6.h"
#include "support/interp.h"

/* Everything the library may refuse in these tests, by the text of its message. A refusal that is
 * not here fails the case. */
static const struct {
    bsr_status status;
    const char *message, *reason;
} refusals[] = {
    {BSR_EUNSUPPORTED, "has element type", "element type"},
    {BSR_EUNSUPPORTED, "cast to element type", "element type"},
    {BSR_EUNSUPPORTED, "is not a dense tensor", "sequence or optional"},
    {BSR_EUNSUPPORTED, "has type GRAPH", "subgraph"},
    {BSR_EUNSUPPORTED, "operator domain", "other operator domain"},
    {BSR_EFORMAT, "has no entry for the domain ai.onnx", "other operator domain"},
    {BSR_EUNSUPPORTED, "opset is", "opset below 6"},
    {BSR_EUNSUPPORTED, "training_mode is true", "training"},
    {BSR_EUNSUPPORTED, "training_mode is 1", "training"},
};

static void *read_file(const char *path, size_t *n)
{
    FILE *f = fopen(path, "rb");
    if (!f)
        return NULL;
    long size = fseek(f, 0, SEEK_END) == 0 ? ftell(f) : -1;
    void *bytes = size >= 0 ? malloc((size_t)size + 1) : NULL;
    if (bytes && (fseek(f, 0, SEEK_SET) != 0 || fread(bytes, 1, (size_t)size, f) != (size_t)size)) {
        free(bytes);
        bytes = NULL;
    }
    fclose(f);
    *n = size >= 0 ? (size_t)size : 0;
    return bytes;
}

bsr_status case_read_tensors(case_tensors *out, const char *set, const char *kind)
{
    char path[1024];
    for (out->n = 0; out->n < CASE_MAX_TENSORS; out->n++) {
        size_t n;
        snprintf(path, sizeof path, "%s/%s_%d.pb", set, kind, out->n);
        void *bytes = read_file(path, &n);
        if (!bytes)
            return BSR_OK;
        bsr_status status = bsr_onnx_read_tensor(&out->t[out->n], bytes, n);
        free(bytes);
        if (status != BSR_OK)
            return bsr_fail_prefix(status, "%s_%d.pb", kind, out->n);
    }
    return BSR_OK;
}

void case_free_tensors(case_tensors *list)
{
    for (int i = 0; i < list->n; i++)
        bsr_tensor_free(list->t[i]);
}

bsr_status case_read_model(bsr_graph **out, const char *folder)
{
    char path[1024];
    size_t n;
    *out = NULL;
    snprintf(path, sizeof path, "%s/model.onnx", folder);
    unsigned char *bytes = read_file(path, &n);
    if (!bytes)
        return bsr_fail(BSR_EIO, "cannot read %s", path);
    int was_6 = opset6_relabel(bytes, n);
    bsr_status status = bsr_onnx_read(out, bytes, n, folder);
    if (status == BSR_OK && was_6)
        opset6_upgrade(*out);
    free(bytes);
    return status;
}

bsr_status case_bind_inputs(bsr_graph *graph, const case_tensors *in, uint32_t bound)
{
    if (in->n < graph->n_inputs)
        return bsr_fail(BSR_EIO, "has %d input files, the model has %d inputs", in->n,
                        graph->n_inputs);
    for (int i = 0; i < graph->n_inputs; i++) {
        bsr_value *v = &graph->values[graph->inputs[i]];
        const bsr_tensor *t = in->t[i];
        v->dtype = t->dtype;
        v->rank = t->rank;
        memcpy(v->dims, t->dims, sizeof v->dims);
        if (!(bound >> i & 1))
            continue;
        BSR_TRY(bsr_tensor_new(&v->constant, t->dtype, t->rank, t->dims));
        memcpy(v->constant->data, t->data,
               (size_t)bsr_count(t->rank, t->dims) * bsr_dtype_size(t->dtype));
    }
    return BSR_OK;
}

/* 0: none, 1: lists and scalars of integers, 2: all but the first, 3: all. */
static uint32_t bound_at(int level, const case_tensors *in)
{
    uint32_t bound = 0;
    for (int i = 0; i < in->n; i++) {
        const bsr_tensor *t = in->t[i];
        int is_list = t->rank <= 1 && (t->dtype == BSR_I64 || t->dtype == BSR_I32);
        if (level == 3 || (level == 2 && i > 0) || (level >= 1 && is_list))
            bound |= (uint32_t)1 << i;
    }
    return bound;
}

static bsr_status resolve(bsr_graph **out, const char *folder, const case_tensors *in)
{
    bsr_status status = BSR_OK;
    for (int level = 0; level <= 3; level++) {
        BSR_TRY(case_read_model(out, folder));
        status = case_bind_inputs(*out, in, bound_at(level, in));
        if (status == BSR_OK)
            status = bsr_ops_resolve(*out);
        if (status == BSR_OK)
            return BSR_OK;
        bsr_graph_free(*out);
        *out = NULL;
    }
    return status;
}

static case_result refused(bsr_status status)
{
    case_result r = {.verdict = CASE_FAILED};
    snprintf(r.text, sizeof r.text, "%s: %s", bsr_status_name(status), bsr_error_message());
    for (size_t i = 0; i < sizeof refusals / sizeof refusals[0]; i++) {
        if (status != refusals[i].status || !strstr(bsr_error_message(), refusals[i].message))
            continue;
        r.verdict = CASE_UNSUPPORTED;
        snprintf(r.text, sizeof r.text, "%s", refusals[i].reason);
        break;
    }
    return r;
}

static case_result compare_outputs(const interp *p, const case_tensors *want)
{
    case_result r = {.verdict = CASE_PASSED};
    char text[448];
    if (want->n < 1 || want->n > p->graph->n_outputs) {
        r.verdict = CASE_FAILED;
        snprintf(r.text, sizeof r.text, "has %d output files, the model has %d outputs", want->n,
                 p->graph->n_outputs);
        return r;
    }
    double budget = compare_budget(p->graph);
    for (int i = 0; i < want->n && r.verdict == CASE_PASSED; i++) {
        if (compare_tensors(interp_output(p, i), want->t[i], budget, text, sizeof text))
            continue;
        r.verdict = CASE_FAILED;
        snprintf(r.text, sizeof r.text, "output %d %s", i, text);
    }
    return r;
}

static case_result run_set(const char *folder, const char *set)
{
    case_tensors in = {0}, want = {0};
    bsr_graph *graph = NULL;
    interp *p = NULL;
    case_result r;
    bsr_status status = case_read_tensors(&in, set, "input");
    if (status == BSR_OK)
        status = case_read_tensors(&want, set, "output");
    if (status == BSR_OK)
        status = resolve(&graph, folder, &in);
    if (status == BSR_OK)
        status = interp_new(&p, graph);
    if (status == BSR_OK)
        status = interp_run(p, (const bsr_tensor *const *)in.t);
    r = status == BSR_OK ? compare_outputs(p, &want) : refused(status);
    interp_free(p);
    bsr_graph_free(graph);
    case_free_tensors(&in);
    case_free_tensors(&want);
    return r;
}

/* The first operator of the model that the registry has not, copied to r. */
static int misses_operator(case_result *r, const bsr_graph *graph)
{
    for (int i = 0; i < graph->n_nodes; i++) {
        if (bsr_op_find(graph->nodes[i].op_type))
            continue;
        r->verdict = CASE_MISSING;
        snprintf(r->text, sizeof r->text, "%s", graph->nodes[i].op_type);
        return 1;
    }
    return 0;
}

case_result case_run(const char *folder)
{
    case_result r = {.verdict = CASE_PASSED};
    bsr_graph *graph;
    bsr_status status = case_read_model(&graph, folder);
    if (status != BSR_OK)
        return refused(status);
    int missing = misses_operator(&r, graph);
    bsr_graph_free(graph);
    for (int set = 0; !missing && r.verdict == CASE_PASSED; set++) {
        char path[1024], first[1088];
        snprintf(path, sizeof path, "%s/test_data_set_%d", folder, set);
        snprintf(first, sizeof first, "%s/output_0.pb", path);
        FILE *f = fopen(first, "rb");
        if (f) {
            fclose(f);
            r = run_set(folder, path);
            continue;
        }
        if (set == 0) {
            r.verdict = CASE_FAILED;
            snprintf(r.text, sizeof r.text, "has no test_data_set_0/output_0.pb");
        }
        break;
    }
    return r;
}
