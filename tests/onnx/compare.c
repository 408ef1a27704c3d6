#include "compare.h"

#include <float.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

/* Where the length of an operator's sums shows. */
typedef enum sum_length {
    RATIO,       /* input elements per output element */
    WEIGHT_ROW,  /* elements of input 1 per output channel, its first dimension */
    LAST_DIM,    /* last dimension of input 0 */
    LONGEST_DIM, /* of input 0, whichever is reduced */
    KERNEL,      /* the kernel_shape attribute */
} sum_length;

static const struct {
    const char *type;
    sum_length length;
} lengths[] = {
    {"Conv", WEIGHT_ROW},     {"Gemm", LONGEST_DIM},       {"MatMul", LAST_DIM},
    {"AveragePool", KERNEL},  {"MaxPool", KERNEL},         {"LRN", LONGEST_DIM},
    {"Softmax", LONGEST_DIM}, {"LogSoftmax", LONGEST_DIM},
};

static int64_t elements(const bsr_value *v)
{
    int64_t n = bsr_count(v->rank, v->dims);
    return n > 0 ? n : 1;
}

static int64_t terms(const bsr_graph *graph, const bsr_node *node)
{
    if (node->n_in < 1 || node->in[0] < 0 || node->out[0] < 0)
        return 1;
    const bsr_value *x = &graph->values[node->in[0]];
    sum_length length = RATIO;
    int64_t k = 1;
    for (size_t i = 0; i < sizeof lengths / sizeof lengths[0]; i++)
        if (strcmp(lengths[i].type, node->op_type) == 0)
            length = lengths[i].length;
    const bsr_attr *kernel = bsr_node_attr(node, "kernel_shape");
    switch (length) {
    case RATIO:
        return elements(x) / elements(&graph->values[node->out[0]]) + 1;
    case WEIGHT_ROW:
        return elements(&graph->values[node->in[1]]) / graph->values[node->in[1]].dims[0];
    case LAST_DIM:
        return x->rank ? x->dims[x->rank - 1] : 1;
    case LONGEST_DIM:
        for (int d = 0; d < x->rank; d++)
            k = x->dims[d] > k ? x->dims[d] : k;
        return k;
    case KERNEL:
        for (size_t d = 0; kernel && d < kernel->n; d++)
            k *= kernel->ints[d];
        return k;
    }
    return k;
}

double compare_budget(const bsr_graph *graph)
{
    double budget = 8.0; /* a graph that was folded away */
    for (int i = 0; i < graph->n_nodes; i++)
        budget += (double)terms(graph, &graph->nodes[i]) + 8.0;
    return budget;
}

static double float_at(const bsr_tensor *t, int64_t i)
{
    return t->dtype == BSR_F64 ? ((const double *)t->data)[i] : (double)((const float *)t->data)[i];
}

static int compare_floats(const bsr_tensor *got, const bsr_tensor *want, int64_t count,
                          double budget, char *text, size_t n)
{
    double largest = 0.0;
    for (int64_t i = 0; i < count; i++)
        if (isfinite(float_at(want, i)))
            largest = fmax(largest, fabs(float_at(want, i)));
    int wide = want->dtype == BSR_F64;
    double bound = budget * (wide ? DBL_EPSILON : (double)FLT_EPSILON) * largest +
                   (wide ? DBL_MIN : (double)FLT_MIN);
    for (int64_t i = 0; i < count; i++) {
        double a = float_at(got, i), b = float_at(want, i);
        if (a == b || (isnan(a) && isnan(b)) || fabs(a - b) <= bound)
            continue;
        snprintf(text, n, "element %lld is %.9g, expected %.9g within %.3g", (long long)i, a, b,
                 bound);
        return 0;
    }
    return 1;
}

static int compare_bytes(const bsr_tensor *got, const bsr_tensor *want, int64_t count, char *text,
                         size_t n)
{
    size_t size = bsr_dtype_size(want->dtype);
    for (int64_t i = 0; i < count; i++) {
        const char *a = (const char *)got->data + (size_t)i * size;
        const char *b = (const char *)want->data + (size_t)i * size;
        if (memcmp(a, b, size) == 0)
            continue;
        snprintf(text, n, "%s element %lld differs", bsr_dtype_name(want->dtype), (long long)i);
        return 0;
    }
    return 1;
}

int compare_tensors(const bsr_tensor *got, const bsr_tensor *want, double budget, char *text,
                    size_t n)
{
    int same = got->dtype == want->dtype && got->rank == want->rank;
    if (!same || memcmp(got->dims, want->dims, (size_t)got->rank * sizeof *got->dims) != 0) {
        char a[192], b[192];
        snprintf(text, n, "is %s %s, expected %s %s", bsr_dtype_name(got->dtype),
                 bsr_dims_text(a, sizeof a, got->rank, got->dims), bsr_dtype_name(want->dtype),
                 bsr_dims_text(b, sizeof b, want->rank, want->dims));
        return 0;
    }
    int64_t count = bsr_count(want->rank, want->dims);
    int is_float = want->dtype == BSR_F32 || want->dtype == BSR_F64;
    return is_float ? compare_floats(got, want, count, budget, text, n)
                    : compare_bytes(got, want, count, text, n);
}
