#include <string.h>

#include "ops/families.h"

typedef struct family {
    const bsr_op *ops;
    const int *count;
} family;

static const family families[] = {
    {bsr_ops_unary, &bsr_ops_unary_count},       {bsr_ops_binary, &bsr_ops_binary_count},
    {bsr_ops_constant, &bsr_ops_constant_count}, {bsr_ops_shape, &bsr_ops_shape_count},
    {bsr_ops_reduce, &bsr_ops_reduce_count},     {bsr_ops_nn, &bsr_ops_nn_count},
    {bsr_ops_quant, &bsr_ops_quant_count},
};
enum { N_FAMILIES = sizeof families / sizeof families[0] };

int bsr_op_count(void)
{
    int n = 0;
    for (int f = 0; f < N_FAMILIES; f++)
        n += *families[f].count;
    return n;
}

const bsr_op *bsr_op_at(int i)
{
    int f = 0;
    while (f < N_FAMILIES && i >= *families[f].count)
        i -= *families[f++].count;
    return f < N_FAMILIES && i >= 0 ? &families[f].ops[i] : NULL;
}

/* A hundred comparisons once per node and compilation: no index is worth its code. */
const bsr_op *bsr_op_find(const char *op_type)
{
    for (int f = 0; f < N_FAMILIES; f++)
        for (int i = 0; i < *families[f].count; i++)
            if (strcmp(families[f].ops[i].type, op_type) == 0)
                return &families[f].ops[i];
    return NULL;
}
