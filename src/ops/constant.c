/* Cast and the operators that make constants. */
#include <string.h>

#include "base/error.h"
#include "ops/convert.h"
#include "ops/families.h"

/* `to` comes from the file: any number is possible. */
static bsr_status cast_target(const bsr_node *node, bsr_dtype *to)
{
    const bsr_attr *attr = bsr_node_attr(node, "to");
    *to = BSR_NONE;
    if (!attr)
        return bsr_node_fail(node, BSR_EFORMAT, "attribute 'to' is missing");
    int known = attr->i > 0 && attr->i <= BSR_F64 && bsr_dtype_size((bsr_dtype)attr->i) > 0;
    if (!known)
        return bsr_node_fail(node, BSR_EUNSUPPORTED, "cast to element type %lld is not supported",
                             (long long)attr->i);
    *to = (bsr_dtype)attr->i;
    return BSR_OK;
}

static bsr_status cast_infer(bsr_infer *ctx)
{
    const bsr_value *x = bsr_infer_in(ctx, 0);
    bsr_dtype to;
    BSR_TRY(cast_target(ctx->node, &to));
    BSR_TRY(bsr_infer_dtype(ctx, 0, BSR_TYPES_ALL));
    return bsr_infer_set(ctx, 0, to, x->rank, x->dims);
}

typedef struct cast_types {
    bsr_dtype from, to;
} cast_types;

/* Integers keep their low bits in a narrower integer; to bool, everything but 0 is true. */
static void cast_int(bsr_dtype to, char *p, int64_t x)
{
    if (to == BSR_F32)
        *(float *)(void *)p = (float)x;
    else if (to == BSR_F64)
        *(double *)(void *)p = (double)x;
    else
        bsr_store_int(to, p, to == BSR_BOOL ? x != 0 : x);
}

/* To integers by bsr_float_to_int; NaN is true. */
static void cast_float(bsr_dtype to, char *p, double x)
{
    if (to == BSR_F32)
        *(float *)(void *)p = (float)x;
    else if (to == BSR_F64)
        *(double *)(void *)p = x;
    else
        bsr_store_int(to, p, to == BSR_BOOL ? x != 0.0 : bsr_float_to_int(to, x));
}

static void cast_row(int64_t n, char *const *p, const int64_t *step, const void *ctx)
{
    const cast_types *t = ctx;
    for (int64_t i = 0; i < n; i++) {
        const char *from = p[1] + i * step[1];
        char *to = p[0] + i * step[0];
        if (bsr_is_float(t->from))
            cast_float(t->to, to, bsr_load_float(t->from, from));
        else
            cast_int(t->to, to, bsr_load_int(t->from, from));
    }
}

static bsr_status cast_run(const bsr_op_call *call)
{
    cast_types t = {call->in[0].dtype, call->out[0].dtype};
    bsr_rows(&call->out[0], &call->in[0], 1, cast_row, &t);
    return BSR_OK;
}

/* The one attribute of a Constant node as a view of its elements. value_string, value_strings and
 * sparse_value are not in the row, so they do not come here. */
static bsr_view attr_view(const bsr_attr *attr)
{
    int is_float = attr->kind == BSR_ATTR_FLOAT || attr->kind == BSR_ATTR_FLOATS;
    bsr_view v = {.dtype = is_float ? BSR_F32 : BSR_I64};
    if (attr->kind == BSR_ATTR_TENSOR)
        return bsr_tensor_view(attr->t);
    /* A scalar, or a list of attr->n; the view is only read. */
    if (attr->kind == BSR_ATTR_INTS || attr->kind == BSR_ATTR_FLOATS) {
        v.rank = 1;
        v.dims[0] = (int64_t)attr->n;
        v.strides[0] = 1;
    }
    switch (attr->kind) {
    case BSR_ATTR_INT:
        v.data = (void *)(uintptr_t)&attr->i;
        break;
    case BSR_ATTR_FLOAT:
        v.data = (void *)(uintptr_t)&attr->f;
        break;
    case BSR_ATTR_INTS:
        v.data = attr->ints;
        break;
    default:
        v.data = attr->floats;
        break;
    }
    return v;
}

static bsr_status constant_infer(bsr_infer *ctx)
{
    const bsr_node *node = ctx->node;
    if (node->n_attr != 1)
        return bsr_node_fail(node, BSR_EFORMAT, "has %d value attributes, expected 1",
                             node->n_attr);
    bsr_view v = attr_view(&node->attr[0]);
    return bsr_infer_set(ctx, 0, v.dtype, v.rank, v.dims);
}

static bsr_status constant_run(const bsr_op_call *call)
{
    bsr_view v = attr_view(&call->node->attr[0]);
    bsr_view_copy(&call->out[0], &v);
    return BSR_OK;
}

static bsr_status constant_of_shape_infer(bsr_infer *ctx)
{
    const bsr_node *node = ctx->node;
    const bsr_tensor *shape = bsr_infer_const(ctx, 0);
    const bsr_attr *value = bsr_node_attr(node, "value");
    if (!shape)
        return bsr_node_fail(node, BSR_EUNSUPPORTED, "shape is not a constant");
    if (shape->dtype != BSR_I64 || shape->rank != 1)
        return bsr_node_fail(node, BSR_EFORMAT, "shape is a rank %d %s, expected a list of int64",
                             shape->rank, bsr_dtype_name(shape->dtype));
    if (shape->dims[0] > BSR_MAX_RANK)
        return bsr_node_fail(node, BSR_EUNSUPPORTED, "shape has %lld values, expected at most %d",
                             (long long)shape->dims[0], BSR_MAX_RANK);
    const int64_t *dims = shape->data;
    for (int64_t d = 0; d < shape->dims[0]; d++)
        if (dims[d] < 0)
            return bsr_node_fail(node, BSR_EFORMAT, "shape[%lld] is %lld, expected at least 0",
                                 (long long)d, (long long)dims[d]);
    if (value && bsr_count(value->t->rank, value->t->dims) != 1)
        return bsr_node_fail(node, BSR_EFORMAT, "value has %lld elements, expected 1",
                             (long long)bsr_count(value->t->rank, value->t->dims));
    return bsr_infer_set(ctx, 0, value ? value->t->dtype : BSR_F32, (int)shape->dims[0], dims);
}

static bsr_status constant_of_shape_run(const bsr_op_call *call)
{
    float zero = 0.0f;
    const bsr_attr *value = bsr_node_attr(call->node, "value");
    bsr_view one = {.dtype = call->out[0].dtype, .data = value ? value->t->data : &zero};
    bsr_rows_copy(&call->out[0], &one);
    return BSR_OK;
}

const bsr_op bsr_ops_constant[] = {
    {"Cast", 1, 1, 1, "to:i", cast_infer, cast_run, NULL},
    {"Constant", 0, 0, 1, "value:t value_float:f value_floats:F value_int:i value_ints:I",
     constant_infer, constant_run, NULL},
    {"ConstantOfShape", 1, 1, 1, "value:t", constant_of_shape_infer, constant_of_shape_run, NULL},
};
const int bsr_ops_constant_count = sizeof bsr_ops_constant / sizeof bsr_ops_constant[0];
