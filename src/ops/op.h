/* What each ONNX operator means: arity and attributes, result shapes, and dense evaluation.
 *
 * An operator is one row of a table (src/ops/registry.c) pointing at functions in the file of its
 * family. Shapes are fully known when `infer` is called: the executor compiles a network for one
 * image, so no symbolic dimension exists. Everything here is exact about the opset: an operator,
 * attribute or input form that is not implemented is EUNSUPPORTED, never a silent default. */
#ifndef BSR_OPS_OP_H
#define BSR_OPS_OP_H

#include "graph/graph.h"
#include "tensor/format.h"

typedef struct bsr_op bsr_op;

/* Context of shape inference of one node. */
typedef struct bsr_infer {
    bsr_graph *graph;
    const bsr_node *node;
} bsr_infer;

/* Context of one dense evaluation. Views are in logical (ONNX) dimension order with arbitrary
 * strides; outputs never overlap inputs. An omitted optional input has data == NULL. */
typedef struct bsr_op_call {
    const bsr_node *node;
    int64_t opset;
    int n_in, n_out;
    const bsr_view *in;
    const bsr_view *out; /* shapes as inferred; an unwanted optional output has data == NULL */
} bsr_op_call;

/* Context of one backward evaluation: in and out as of the forward one, with the values that it
 * read and made. grad_out[i]: gradient of some scalar with respect to output i (data NULL: not an
 * output that the scalar depends on, count it as zeros). grad_in[i]: where the gradient with
 * respect to input i goes, overwritten; data NULL: not wanted. Gradients are float32, with any
 * strides, and do not overlap anything; of an output or input in 8-bit codes they are per step of
 * the code. */
typedef struct bsr_op_backward {
    const bsr_op_call *forward;
    const bsr_view *grad_out;
    const bsr_view *grad_in;
} bsr_op_backward;

struct bsr_op {
    const char *type;
    int min_in, max_in; /* max_in -1: variadic */
    int max_out;
    /* Attributes understood, as "name:kind ..." with kind i f s I F S t; others are refused. */
    const char *attrs;
    /* Checks attribute values and input shapes, sets every output's dtype and dims with
     * bsr_infer_set. Messages start with the node: use bsr_node_fail. */
    bsr_status (*infer)(bsr_infer *ctx);
    /* Computes all outputs. Deterministic; the same bits on every processor. */
    bsr_status (*run)(const bsr_op_call *call);
    /* Reverse-mode rule, NULL: not differentiable. */
    bsr_status (*backward)(const bsr_op_backward *call);
};

/* Row of the registry, NULL for an unknown operator type. */
const bsr_op *bsr_op_find(const char *op_type);

/* Number of rows and the i-th row, for listings. */
int bsr_op_count(void);
const bsr_op *bsr_op_at(int i);

/* Arity and attribute names/kinds of a node against its row; EUNSUPPORTED or EFORMAT. */
bsr_status bsr_op_check(const bsr_node *node, const bsr_op *op, int64_t opset);

/* Checks every node, infers every shape and folds: a node whose inputs are all constants (and
 * Shape, Size of anything) is evaluated and its outputs become constants. Graph inputs must have
 * known dtype and dims. A node with unknown operator type: EUNSUPPORTED naming it. Folded nodes
 * are removed from the graph. */
bsr_status bsr_ops_resolve(bsr_graph *graph);

/* Helpers for the families' infer functions. */
const bsr_value *bsr_infer_in(const bsr_infer *ctx, int i);     /* NULL when omitted */
const bsr_tensor *bsr_infer_const(const bsr_infer *ctx, int i); /* NULL when not constant */
bsr_status bsr_infer_set(bsr_infer *ctx, int i, bsr_dtype dtype, int rank, const int64_t *dims);

/* bsr_fail with "node 'NAME' (Type): " in front. */
bsr_status bsr_node_fail(const bsr_node *node, bsr_status status, const char *fmt, ...)
    BSR_PRINTF(3, 4);

/* Spatial window of Conv and pooling nodes after auto_pad, defaults and ceil_mode are resolved;
 * shared by shape inference and the executor. Up to 3 spatial dimensions. */
typedef struct bsr_window {
    int rank; /* spatial dimensions */
    int64_t in[3], out[3];
    int64_t kernel[3], stride[3], dilation[3], pad_begin[3], pad_end[3];
} bsr_window;

/* Reads kernel_shape (or `kernel_dims` of the weight when given), strides, dilations, pads,
 * auto_pad, ceil_mode of `node` for input spatial dims `in`. */
bsr_status bsr_window_resolve(bsr_window *w, const bsr_node *node, int rank, const int64_t *in,
                              const int64_t *kernel_dims);

/* Scalar functions of one float, shared by the dense path and the executor's fused chains so that
 * both give the same bits. p: parameters as each row says. */
typedef float (*bsr_unary_fn)(float x, const float *p);
/* Function and parameters of a unary elementwise float node (Relu, LeakyRelu, Clip with constant
 * bounds, Elu, Sigmoid, HardSigmoid, HardSwish, Tanh, Sign, Softplus, Erf, Neg, Abs, Sqrt,
 * Reciprocal, Exp, Log, Identity, Dropout at inference, BitseerStore): fills p[4]; NULL when the
 * node is not one. */
bsr_unary_fn bsr_op_unary(const bsr_graph *graph, const bsr_node *node, float p[4]);

/* The operator that stores a float32 tensor in a number format, y = decode(encode(x)): appends a
 * node called `name` from value x to value y, which gets the dtype and shape of x. The graph must
 * be finished again (bsr_graph_finish) when y is to be read by nodes before it. Files cannot
 * contain this operator. ENOMEM. */
#define BSR_OP_STORE "BitseerStore"
bsr_status bsr_op_add_store(bsr_graph *graph, const char *name, int x, int y,
                            const bsr_quantiser *q);

typedef float (*bsr_binary_fn)(float a, float b);
/* Add, Sub, Mul, Div, Pow, Min, Max (two inputs), PRelu on float32; NULL for others. Min and Max
 * return NaN when either operand is NaN (ONNX Runtime and numpy agree). */
bsr_binary_fn bsr_op_binary(const char *op_type);

#endif
