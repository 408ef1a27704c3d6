/* Every backward rule against differences of the forward function, over the whole registry. */
#include "backward_case.h"

typedef struct row {
    const char *type;
    int opset, n_out;
    const char *inputs, *attrs;
} row;

/* Values are at least two steps of 2^-6 away from kinks, and from each other where the greatest is
 * looked for. */
static const row rows[] = {
    {"Abs", 13, 1, "4x3", ""},
    {"Ceil", 13, 1, "4@-2:2", ""},
    {"Elu", 13, 1, "4x3", "alpha=0.7"},
    {"Erf", 13, 1, "4x3", ""},
    {"Exp", 13, 1, "4x3", ""},
    {"Floor", 13, 1, "4@-2:2", ""},
    {"HardSigmoid", 13, 1, "16@-4:4", ""},
    {"HardSigmoid", 13, 1, "16@-4:4", "alpha=0.3 beta=0.4"},
    {"HardSwish", 14, 1, "16@-4:4", ""},
    {"Identity", 13, 1, "4x3", ""},
    {"LeakyRelu", 13, 1, "4x3", "alpha=0.2"},
    {"Log", 13, 1, "4x3@0.3:3", ""},
    {"Neg", 13, 1, "4x3", ""},
    {"Reciprocal", 13, 1, "4x3@0.4:3", ""},
    {"Reciprocal", 13, 1, "4x3@-3:-0.5", ""},
    {"Relu", 13, 1, "4x3", ""},
    {"Relu", 13, 1, "s@1:1.1", ""},
    {"Round", 13, 1, "4@-1.9:2.1", ""},
    {"Selu", 13, 1, "4x3", "alpha=1.3 gamma=0.9"},
    {"Sigmoid", 13, 1, "4x3@-5:5", ""},
    {"Sign", 13, 1, "4x3", ""},
    {"Softplus", 13, 1, "4x3", ""},
    {"Softsign", 13, 1, "4x3", ""},
    {"Sqrt", 13, 1, "4x3@0.3:3", ""},
    {"Tanh", 13, 1, "4x3", ""},
    {"Clip", 10, 1, "4x3", "min=-1 max=0.9"},
    {"Clip", 13, 1, "4x3 s@-1.05:-1.05 s@0.8:0.8", ""},
    {"Clip", 13, 1, "4x3 _ s@0.8:0.8", ""},
    {"Clip", 13, 1, "4x3 s@1:1 s@-1:-1", ""},
    {"Dropout", 13, 1, "4x3 s@0.5:0.5", ""},
    {"Dropout", 9, 2, "4x3", "ratio=0.25"},
    {BSR_OP_STORE, 13, 1, "4x3", "kind=6 bits=8 scale=0.015625 zero=0 min=-100 max=100"},
    {BSR_OP_STORE, 13, 1, "4x3", "kind=0 bits=32"},

    {"Add", 13, 1, "2x3 2x3", ""},
    {"Add", 13, 1, "2x1x3 4x1", ""},
    {"Sub", 13, 1, "3 2x4x3", ""},
    {"Mul", 13, 1, "2x1x3 4x1", ""},
    {"Mul", 13, 1, "2x3 s@1.5:1.6", ""},
    {"Div", 13, 1, "2x1x3 4x1@0.5:3", ""},
    {"Div", 13, 1, "2x3 2x3@-3:-0.6", ""},
    {"Pow", 13, 1, "2x3@0.4:2 3@-1:2", ""},
    {"Pow", 13, 1, "2x3 !s@3:3", ""},
    {"Pow", 13, 1, "2x3 !i32:s@2:2", ""},
    {"Max", 13, 1, "2x3 2x3@-1.8:1.5 1@0.4:0.4", ""},
    {"Max", 13, 1, "4", ""},
    {"Min", 13, 1, "2x3 2x3@-1.8:1.5 1@0.4:0.4", ""},
    {"Mean", 13, 1, "2x3 3 2x1", ""},
    {"Sum", 13, 1, "2x3 3 2x1 2x3", ""},
    {"PRelu", 13, 1, "2x4x3 4x1", ""},
    {"PRelu", 13, 1, "2x4 s@0.2:0.3", ""},
    {"Where", 13, 1, "b:2x3 2x3 3", ""},
    {"Where", 13, 1, "b:3 2x1 s@1:1", ""},

    {"Concat", 13, 1, "2x3 2x1 2x2", "axis=-1"},
    {"Concat", 13, 1, "1x3 2x3", "axis=0"},
    {"DepthToSpace", 13, 1, "1x8x2x3", "blocksize=2"},
    {"DepthToSpace", 13, 1, "1x8x2x3", "blocksize=2 mode=CRD"},
    {"Expand", 13, 1, "3x1 [2,1,4]", ""},
    {"Flatten", 13, 1, "2x3x4", "axis=-1"},
    {"Gather", 13, 1, "4x3 [2,0,-2,2]", "axis=0"},
    {"Gather", 13, 1, "2x4x3 [1,-1]", "axis=-2"},
    {"GatherElements", 13, 1, "4 [2,2,-4]", "axis=0"},
    {"Pad", 13, 1, "2x3 [1,0,2,1] s@0.5:0.5", ""},
    {"Pad", 13, 1, "2x3 [1,-1,0,1]", ""},
    {"Pad", 10, 1, "2x3", "pads=0,1,1,0 value=1.5"},
    {"Pad", 13, 1, "3x4 [2,1,1,3]", "mode=reflect"},
    {"Pad", 13, 1, "3x4 [2,1,1,3]", "mode=edge"},
    {"Reshape", 13, 1, "2x3x4 [4,-1]", ""},
    {"Slice", 13, 1, "4x5 [3,0] [-5,4] [0,-1] [-2,2]", ""},
    {"Slice", 9, 1, "4x5", "starts=1 ends=3 axes=1"},
    {"SpaceToDepth", 13, 1, "1x2x4x2", "blocksize=2"},
    {"Split", 13, 3, "2x6 [1,3,2]", "axis=-1"},
    {"Split", 11, 2, "4x3", "axis=0"},
    {"Squeeze", 13, 1, "2x1x3x1 [1,-1]", ""},
    {"Tile", 13, 1, "2x3 [2,3]", ""},
    {"Transpose", 13, 1, "2x3x4", "perm=1,2,0"},
    {"Transpose", 13, 1, "2x3x4", ""},
    {"Unsqueeze", 13, 1, "2x3 [0,-1]", ""},

    {"LogSoftmax", 13, 1, "2x5x3", "axis=-2"},
    {"LogSoftmax", 11, 1, "2x2x3", "axis=1"},
    {"Softmax", 13, 1, "2x5x3", "axis=1"},
    {"Softmax", 13, 1, "3x4", ""},
    {"Softmax", 11, 1, "2x2x3", "axis=1"},
    {"ReduceL1", 13, 1, "3x4", "axes=0"},
    {"ReduceL2", 13, 1, "3x4x2", "axes=0,-1 keepdims=0"},
    {"ReduceMax", 13, 1, "3x4x2", "axes=-1,0"},
    {"ReduceMax", 13, 1, "3x4", ""},
    {"ReduceMean", 13, 1, "3x4x2", "axes=1 keepdims=0"},
    {"ReduceMin", 13, 1, "3x4x2", "axes=-2"},
    {"ReduceProd", 13, 1, "3x4", "axes=1"},
    {"ReduceSum", 13, 1, "3x4x2 [0,-1]", "keepdims=0"},
    {"ReduceSum", 13, 1, "3x4", "noop_with_empty_axes=1"},
    {"ReduceSumSquare", 13, 1, "3x4", "axes=-1"},

    {"Conv", 13, 1, "2x3x5x4 2x3x3x2 2", "pads=1,0,1,1"},
    {"Conv", 13, 1, "1x4x5x6 6x2x3x3 6", "group=2 strides=2,3 pads=1,2,0,1"},
    {"Conv", 13, 1, "2x3x7x6 3x1x3x2", "group=3 dilations=2,3 strides=1,2 pads=2,0,1,2"},
    {"Conv", 13, 1, "1x2x5x5 2x2x3x3 2", "auto_pad=SAME_LOWER strides=2,2"},
    {"Conv", 13, 1, "2x2x7 3x2x3", "pads=2,1 strides=2"},
    {"Conv", 13, 1, "1x2x3x3x4 2x2x2x2x3 2", "pads=0,1,0,1,0,2 strides=2,1,1"},
    {"Gemm", 13, 1, "3x4 4x5", ""},
    {"Gemm", 13, 1, "4x3 5x4 5", "transA=1 transB=1 alpha=0.5 beta=-2"},
    {"Gemm", 13, 1, "3x4 5x4 3x1", "transB=1 beta=0.5"},
    {"Gemm", 13, 1, "4x3 4x5 s@1:1", "transA=1"},
    {"MatMul", 13, 1, "3x4 4x2", ""},
    {"MatMul", 13, 1, "2x1x3x4 3x4x2", ""},
    {"MatMul", 13, 1, "4 2x4x3", ""},
    {"MatMul", 13, 1, "2x3x4 4", ""},
    {"MatMul", 13, 1, "4 4", ""},
    {"MaxPool", 12, 1, "2x2x5x6@-9:9", "kernel_shape=3,2 strides=2,2 pads=1,0,1,1"},
    {"MaxPool", 12, 2, "1x2x5x5@-9:9", "kernel_shape=2,2 dilations=2,1 ceil_mode=1"},
    {"MaxPool", 12, 1, "2x1x9@-9:9", "kernel_shape=3 auto_pad=SAME_UPPER strides=2"},
    {"MaxPool", 12, 1, "i8:1x1x4x4@-8:8", "kernel_shape=1,1 strides=3,1"},
    {"AveragePool", 11, 1, "2x2x5x6", "kernel_shape=3,2 strides=2,2 pads=1,0,1,1"},
    {"AveragePool", 11, 1, "1x2x5x5", "kernel_shape=3,3 count_include_pad=1 pads=1,1,2,2"},
    {"AveragePool", 11, 1, "1x2x6x6", "kernel_shape=3,3 strides=2,2 ceil_mode=1"},
    {"GlobalAveragePool", 13, 1, "2x3x4x2", ""},
    {"GlobalMaxPool", 13, 1, "2x3x4x2@-5:5", ""},
    {"BatchNormalization", 13, 1, "2x3x2x2 3 3 3 3@0.5:2", "epsilon=0.01"},
    {"BatchNormalization", 13, 1, "4x3 3 3 3 3@0.5:2", ""},
    {"LRN", 13, 1, "1x5x2x2", "size=3 alpha=0.5 beta=0.6 bias=1.2"},
    {"LRN", 13, 1, "2x4x3", "size=4 alpha=0.9"},

    /* A step is a code, and scales are such that results are whole codes: exact differences. */
    {"QuantizeLinear", 13, 1, "4x3 !s@0.015625:0.015625 !u8:s@128:128", ""},
    {"QuantizeLinear", 13, 1, "2x2x3@-1:1 !2@0.015625:0.015625 !i8:2@3:3", "axis=-2"},
    {"DequantizeLinear", 13, 1, "u8:4x3@3:200 s@0.5:0.5 u8:s@7:7", ""},
    {"DequantizeLinear", 13, 1, "i8:3x2x2@-90:90 2@0.5:2 i8:2@-3:4", "axis=-2"},
    {"DequantizeLinear", 13, 1, "i32:4@-900:900 s@0.25:0.25", ""},
    {"QLinearConv", 13, 1,
     "u8:1x4x4x3@5:9 !s@0.5:0.5 !u8:s@7:7 i8:4x2x3x2@-2:3 !4@0.25:0.25 !i8:4@0:1 !s@0.125:0.125 "
     "!u8:s@128:128 i32:4@-9:9",
     "group=2 pads=1,0,1,1 strides=1,2"},
    {"QLinearMatMul", 13, 1,
     "u8:2x3x2@5:9 !3@0.5:0.5 !u8:3@7:8 i8:2x4@-2:3 !s@0.25:0.25 !i8:s@0:0 !s@0.125:0.125 "
     "!i8:s@3:3",
     ""},
    {"QLinearMatMul", 13, 1,
     "u8:3@5:9 !s@0.5:0.5 !u8:s@7:7 i8:3x4@-2:3 !4@0.25:0.25 !i8:4@0:0 !s@0.125:0.125 !i8:s@3:3",
     ""},
};
enum { N_ROWS = sizeof rows / sizeof rows[0] };

static back_case new_case(const row *r)
{
    return back_new(r->type, r->opset, r->n_out, r->inputs, r->attrs);
}

/* sum(seed * output) */
static double weighted_sum(back_case *b)
{
    double sum = 0.0;
    assert_int_equal(op_evaluate(&b->c, 0), BSR_OK);
    for (int i = 0; i < op_node(&b->c)->n_out; i++) {
        const bsr_tensor *y = b->c.out[i];
        for (int64_t k = 0; b->seed[i] && k < bsr_count(y->rank, y->dims); k++) {
            double v = y->dtype == BSR_F32  ? (double)((const float *)y->data)[k]
                       : y->dtype == BSR_U8 ? (double)((const uint8_t *)y->data)[k]
                                            : (double)((const int8_t *)y->data)[k];
            sum += (double)((const float *)b->seed[i]->data)[k] * v;
        }
    }
    return sum;
}

/* The sum with element k of x moved by `steps` steps, of one code or of 2^-6. */
static double moved(back_case *b, bsr_tensor *x, int64_t k, int steps)
{
    char *at = (char *)x->data + (size_t)k * bsr_dtype_size(x->dtype), old[8];
    memcpy(old, at, bsr_dtype_size(x->dtype));
    if (x->dtype == BSR_F32)
        *(float *)(void *)at += (float)steps * 0x1p-6f;
    else if (x->dtype == BSR_I32)
        *(int32_t *)(void *)at += steps;
    else
        *(uint8_t *)at = (uint8_t)(*(uint8_t *)at + steps);
    double sum = weighted_sum(b);
    memcpy(at, old, bsr_dtype_size(x->dtype));
    return sum;
}

/* Central difference; of floats with the error of order h^4 (Abramowitz & Stegun 25.3.24 without
 * the derivative's own term). */
static double difference(back_case *b, bsr_tensor *x, int64_t k)
{
    double first = moved(b, x, k, 1) - moved(b, x, k, -1);
    if (x->dtype != BSR_F32)
        return first / 2.0;
    double second = moved(b, x, k, 2) - moved(b, x, k, -2);
    return (8.0 * first - second) / (12.0 * 0x1p-6);
}

static void check_input(const row *r, back_case *b, int i)
{
    bsr_tensor *x = back_constant(b, i);
    const float *got = b->grad[i]->data;
    int64_t n = bsr_count(x->rank, x->dims);
    double squares = 0.0;
    for (int64_t k = 0; k < n; k++)
        squares += (double)got[k] * (double)got[k];
    for (int64_t k = 0; k < n; k++) {
        double want = difference(b, x, k);
        double scale = fmax(fabs(want), sqrt(squares / (double)n));
        if (!(fabs((double)got[k] - want) <= 1e-3 * scale))
            fail_msg("%s (%s; %s): gradient of input %d, element %d is %.9g, differences give %.9g",
                     r->type, r->inputs, r->attrs, i, (int)k, (double)got[k], want);
    }
}

static void test_ops_backward__differences(void **state)
{
    for (const row *r = rows; r < rows + N_ROWS; r++) {
        back_case b = new_case(r);
        assert_true(b.checked != 0);
        back_ok(&b, b.checked, 0);
        for (int i = 0; i < op_node(&b.c)->n_in; i++)
            if (b.checked >> i & 1)
                check_input(r, &b, i);
        back_free(&b);
    }
}

/* The gradient of an input is the same bits for any strides and when it alone is wanted. */
static void test_ops_backward__same_bits(void **state)
{
    for (const row *r = rows; r < rows + N_ROWS; r++) {
        back_case b = new_case(r);
        bsr_tensor *first[OP_CASE_MAX];
        back_ok(&b, b.checked, 0);
        memcpy(first, b.grad, sizeof first);
        memset(b.grad, 0, sizeof b.grad);
        for (int i = 0; i < op_node(&b.c)->n_in; i++) {
            if (!(b.checked >> i & 1))
                continue;
            back_ok(&b, 1u << i, 1);
            if (memcmp(first[i]->data, b.grad[i]->data,
                       (size_t)bsr_count(first[i]->rank, first[i]->dims) * sizeof(float)))
                fail_msg("%s (%s; %s): input %d", r->type, r->inputs, r->attrs, i);
            bsr_tensor_free(first[i]);
        }
        back_free(&b);
    }
}

/* No gradient comes in: +0 goes out. */
static void test_ops_backward__no_seed(void **state)
{
    for (const row *r = rows; r < rows + N_ROWS; r++) {
        back_case b = new_case(r);
        for (int i = 0; i < OP_CASE_MAX; i++) {
            bsr_tensor_free(b.seed[i]);
            b.seed[i] = NULL;
        }
        back_ok(&b, b.checked, 0);
        static const float zeros[BACK_MAX_ELEMENTS];
        for (int i = 0; i < op_node(&b.c)->n_in; i++)
            if (b.checked >> i & 1)
                back_expect(&b, i, zeros, 0.0);
        back_free(&b);
    }
}

static void test_ops_backward__allocation_failures(void **state)
{
    for (const row *r = rows; r < rows + N_ROWS; r++) {
        back_case b = new_case(r);
        int pending = 0;
        for (long n = 1; !pending; n++) {
            bsr_status status;
            pending = back_run(&b, b.checked, 0, n, &status);
            assert_int_equal(status, pending ? BSR_OK : BSR_ENOMEM);
        }
        back_free(&b);
    }
}

/* Every operator has a case above, or is one of those that have no gradient. */
static void test_ops_backward__complete(void **state)
{
    static const char *const none[] = {"And",
                                       "ArgMax",
                                       "ArgMin",
                                       "Cast",
                                       "Constant",
                                       "ConstantOfShape",
                                       "ConvInteger",
                                       "DynamicQuantizeLinear",
                                       "Equal",
                                       "Greater",
                                       "GreaterOrEqual",
                                       "Less",
                                       "LessOrEqual",
                                       "MatMulInteger",
                                       "Not",
                                       "Or",
                                       "Shape",
                                       "Size",
                                       "Xor"};
    int without = 0;
    for (int i = 0; i < bsr_op_count(); i++) {
        const bsr_op *op = bsr_op_at(i);
        int cases = 0;
        for (int k = 0; k < N_ROWS; k++)
            cases += strcmp(rows[k].type, op->type) == 0;
        int listed = 0;
        for (size_t k = 0; k < sizeof none / sizeof none[0]; k++)
            listed |= strcmp(none[k], op->type) == 0;
        if (op->backward ? cases == 0 : !listed)
            fail_msg("%s: %s", op->type, op->backward ? "no case here" : "no backward rule");
        without += !op->backward;
    }
    assert_int_equal(without, sizeof none / sizeof none[0]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_ops_backward__differences),
        cmocka_unit_test(test_ops_backward__same_bits),
        cmocka_unit_test(test_ops_backward__no_seed),
        cmocka_unit_test(test_ops_backward__allocation_failures),
        cmocka_unit_test(test_ops_backward__complete),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
