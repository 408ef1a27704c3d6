/* Kernel, stride, dilation and padding of Conv and pooling nodes. */
#include <string.h>

#include "base/error.h"
#include "ops/op.h"

enum { MAX_SPATIAL = 3 };

/* Copies list attribute `name` to values[0..n-1], or leaves the defaults there when the node has
 * none; each value must be in least..BSR_MAX_ELEMENTS, so that the sums below cannot overflow. */
static bsr_status read_ints(int64_t *values, int n, const bsr_node *node, const char *name,
                            int64_t least)
{
    const bsr_attr *attr = bsr_node_attr(node, name);
    if (!attr)
        return BSR_OK;
    if (attr->kind != BSR_ATTR_INTS || attr->n != (size_t)n)
        return bsr_node_fail(node, BSR_EFORMAT, "%s has %zu values, expected %d", name, attr->n, n);
    for (int d = 0; d < n; d++) {
        if (attr->ints[d] < least || attr->ints[d] > BSR_MAX_ELEMENTS)
            return bsr_node_fail(node, BSR_EFORMAT, "%s[%d] is %lld, expected %lld to %lld", name,
                                 d, (long long)attr->ints[d], (long long)least,
                                 (long long)BSR_MAX_ELEMENTS);
        values[d] = attr->ints[d];
    }
    return BSR_OK;
}

static bsr_status read_kernel(bsr_window *w, const bsr_node *node, const int64_t *kernel_dims)
{
    if (!kernel_dims && !bsr_node_attr(node, "kernel_shape"))
        return bsr_node_fail(node, BSR_EFORMAT, "attribute 'kernel_shape' is missing");
    if (kernel_dims)
        memcpy(w->kernel, kernel_dims, (size_t)w->rank * sizeof *kernel_dims);
    BSR_TRY(read_ints(w->kernel, w->rank, node, "kernel_shape", 1));
    for (int d = 0; kernel_dims && d < w->rank; d++) {
        char have[96], want[96];
        if (w->kernel[d] != kernel_dims[d])
            return bsr_node_fail(node, BSR_EFORMAT, "kernel_shape is %s, the weight has %s",
                                 bsr_dims_text(have, sizeof have, w->rank, w->kernel),
                                 bsr_dims_text(want, sizeof want, w->rank, kernel_dims));
        if (kernel_dims[d] < 1)
            return bsr_node_fail(node, BSR_EFORMAT, "the weight has spatial dimensions %s",
                                 bsr_dims_text(want, sizeof want, w->rank, kernel_dims));
    }
    return BSR_OK;
}

/* Elements of the input that one window spans in dimension d. */
static int64_t span(const bsr_window *w, int d)
{
    return (w->kernel[d] - 1) * w->dilation[d] + 1;
}

/* SAME: out = ceil(in / stride), the odd padding element at the end (upper) or the begin (lower).
 */
static void pad_same(bsr_window *w, int lower)
{
    for (int d = 0; d < w->rank; d++) {
        w->out[d] = (w->in[d] + w->stride[d] - 1) / w->stride[d];
        int64_t total = (w->out[d] - 1) * w->stride[d] + span(w, d) - w->in[d];
        if (total < 0)
            total = 0;
        w->pad_begin[d] = lower ? total - total / 2 : total / 2;
        w->pad_end[d] = total - w->pad_begin[d];
    }
}

/* out = floor or ceil((in + pads - span) / stride) + 1. With ceil_mode, a last window that would
 * start in the end padding is dropped (PyTorch, ONNX Runtime and the ONNX text since opset 22
 * agree): it would hold no input element. */
static bsr_status count_windows(bsr_window *w, const bsr_node *node, int ceil_mode)
{
    for (int d = 0; d < w->rank; d++) {
        int64_t padded = w->in[d] + w->pad_begin[d] + w->pad_end[d];
        int64_t room = padded - span(w, d);
        if (room < 0)
            return bsr_node_fail(node, BSR_EFORMAT,
                                 "window spans %lld elements of spatial dimension %d, the padded "
                                 "input has %lld",
                                 (long long)span(w, d), d, (long long)padded);
        w->out[d] = (room + (ceil_mode ? w->stride[d] - 1 : 0)) / w->stride[d] + 1;
        if (ceil_mode && (w->out[d] - 1) * w->stride[d] >= w->in[d] + w->pad_begin[d])
            w->out[d]--;
    }
    return BSR_OK;
}

bsr_status bsr_window_resolve(bsr_window *w, const bsr_node *node, int rank, const int64_t *in,
                              const int64_t *kernel_dims)
{
    int64_t pads[2 * MAX_SPATIAL] = {0};
    if (rank < 1 || rank > MAX_SPATIAL)
        return bsr_node_fail(node, BSR_EUNSUPPORTED, "has %d spatial dimensions, expected 1 to %d",
                             rank, MAX_SPATIAL);
    *w = (bsr_window){.rank = rank, .stride = {1, 1, 1}, .dilation = {1, 1, 1}};
    memcpy(w->in, in, (size_t)rank * sizeof *in);
    BSR_TRY(read_kernel(w, node, kernel_dims));
    BSR_TRY(read_ints(w->stride, rank, node, "strides", 1));
    BSR_TRY(read_ints(w->dilation, rank, node, "dilations", 1));
    BSR_TRY(read_ints(pads, 2 * rank, node, "pads", 0));

    const char *mode = bsr_node_string(node, "auto_pad", "NOTSET");
    int upper = strcmp(mode, "SAME_UPPER") == 0, lower = strcmp(mode, "SAME_LOWER") == 0;
    int none = strcmp(mode, "NOTSET") == 0;
    if (!upper && !lower && !none && strcmp(mode, "VALID") != 0)
        return bsr_node_fail(node, BSR_EFORMAT,
                             "auto_pad is '%s', expected NOTSET, SAME_UPPER, SAME_LOWER or VALID",
                             mode);
    for (int d = 0; d < rank; d++) {
        if (!none && (pads[d] || pads[rank + d]))
            return bsr_node_fail(node, BSR_EFORMAT, "pads and auto_pad %s are both given", mode);
        w->pad_begin[d] = pads[d];
        w->pad_end[d] = pads[rank + d];
    }
    if (upper || lower) {
        pad_same(w, lower);
        return BSR_OK;
    }
    return count_windows(w, node, bsr_node_int(node, "ceil_mode", 0) != 0);
}
