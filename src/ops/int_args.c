#include "ops/int_args.h"

#include <inttypes.h>
#include <string.h>

#include "base/error.h"

void bsr_infer_call(const bsr_infer *ctx, bsr_op_call *call, bsr_view in[BSR_CALL_INPUTS])
{
    int n_in = ctx->node->n_in < BSR_CALL_INPUTS ? ctx->node->n_in : BSR_CALL_INPUTS;
    *call = (bsr_op_call){.node = ctx->node,
                          .opset = ctx->graph->opset,
                          .n_in = n_in,
                          .n_out = ctx->node->n_out,
                          .in = in};
    for (int i = 0; i < n_in; i++) {
        const bsr_value *value = bsr_infer_in(ctx, i);
        const bsr_tensor *constant = bsr_infer_const(ctx, i);
        in[i] = (bsr_view){.dtype = BSR_NONE};
        if (constant) {
            in[i] = bsr_tensor_view(constant);
        } else if (value) {
            in[i].dtype = value->dtype;
            in[i].rank = value->rank;
            memcpy(in[i].dims, value->dims, sizeof in[i].dims);
        }
    }
}

int bsr_call_has(const bsr_op_call *call, int i)
{
    return i < call->n_in && call->in[i].dtype != BSR_NONE;
}

static bsr_status ints_from_input(bsr_ints *out, const bsr_op_call *call, const char *name,
                                  int input)
{
    const bsr_view *v = &call->in[input];
    if (v->dtype != BSR_I64 && v->dtype != BSR_I32)
        return bsr_node_fail(call->node, BSR_EFORMAT, "%s is %s, expected int64 or int32", name,
                             bsr_dtype_name(v->dtype));
    if (v->rank > 1)
        return bsr_node_fail(call->node, BSR_EFORMAT, "%s has rank %d, expected 1", name, v->rank);
    if (!v->data)
        return bsr_node_fail(call->node, BSR_EUNSUPPORTED,
                             "%s depends on the network's input, expected a constant", name);
    *out = (bsr_ints){.present = 1,
                      .n = v->rank ? v->dims[0] : 1,
                      .step = v->rank ? v->strides[0] : 0,
                      .dtype = v->dtype,
                      .data = v->data};
    return BSR_OK;
}

bsr_status bsr_call_ints(bsr_ints *out, const bsr_op_call *call, const char *name, int input,
                         int64_t since)
{
    *out = (bsr_ints){.present = 0};
    const bsr_attr *attr = bsr_node_attr(call->node, name);
    if (call->opset >= since) {
        if (attr)
            return bsr_node_fail(call->node, BSR_EFORMAT,
                                 "attribute %s is an input from opset %" PRId64
                                 " on, the model has opset %" PRId64,
                                 name, since, call->opset);
        return bsr_call_has(call, input) ? ints_from_input(out, call, name, input) : BSR_OK;
    }
    if (bsr_call_has(call, input))
        return bsr_node_fail(call->node, BSR_EFORMAT,
                             "input %s is an attribute before opset %" PRId64
                             ", the model has opset %" PRId64,
                             name, since, call->opset);
    if (attr)
        *out = (bsr_ints){
            .present = 1, .n = (int64_t)attr->n, .step = 1, .dtype = BSR_I64, .data = attr->ints};
    return BSR_OK;
}

int64_t bsr_ints_at(const bsr_ints *list, int64_t i)
{
    if (list->dtype == BSR_I32)
        return ((const int32_t *)list->data)[i * list->step];
    return ((const int64_t *)list->data)[i * list->step];
}

bsr_status bsr_call_axis(int *out, const bsr_op_call *call, int64_t axis, int rank)
{
    if (axis < -rank || axis >= rank)
        return bsr_node_fail(call->node, BSR_EFORMAT,
                             "axis is %" PRId64 ", expected %d to %d for rank %d", axis, -rank,
                             rank - 1, rank);
    *out = (int)(axis < 0 ? axis + rank : axis);
    return BSR_OK;
}

bsr_status bsr_call_axes(int out[BSR_MAX_RANK], const bsr_op_call *call, const bsr_ints *axes,
                         int rank)
{
    unsigned seen = 0;
    for (int64_t i = 0; i < axes->n; i++) {
        int axis = 0;
        BSR_TRY(bsr_call_axis(&axis, call, bsr_ints_at(axes, i), rank));
        if (seen >> axis & 1)
            return bsr_node_fail(call->node, BSR_EFORMAT, "axis %d is given twice", axis);
        seen |= 1u << axis;
        out[i] = axis; /* no repetitions, so i < rank */
    }
    return BSR_OK;
}
