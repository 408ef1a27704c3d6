/* BitseerStore: the fused function and the dense evaluation against decode(encode(x)), which
 * tests/unit/tensor/format.c checks; and that files cannot contain it. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/alloc.h"
#include "base/error.h"
#include "ops/op.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static const char *const formats[] = {
    "fp32",          "fp16",         "bf16",           "e4m3",           "e5m2",
    "int2",          "int8",         "int8/affine",    "int16",          "int16/affine",
    "uint4/sym",     "uint8",        "uint16",         "q5.10",          "q2.5",
    "q24.1",         "q8.17",        "q31.0",          "q0.31",          "q15.16",
    "binary",        "fp32/range=1", "fp16/range=0.7", "bf16/range=0:6", "e4m3/range=-0.6:0.3",
    "e5m2/range=1e9"};

/* Graph input x, float32 2x3, stored by a node "x@q" to y, the output. */
static bsr_status build(bsr_graph **out, const bsr_quantiser *q)
{
    int x, y;
    BSR_TRY(bsr_graph_new(out));
    bsr_graph *g = *out;
    g->opset = 13;
    BSR_TRY(bsr_graph_value(g, "x", &x));
    BSR_TRY(bsr_graph_value(g, "y", &y));
    g->values[x].dtype = BSR_F32;
    g->values[x].rank = 2;
    g->values[x].dims[0] = 2;
    g->values[x].dims[1] = 3;
    BSR_TRY(bsr_graph_add_input(g, x));
    BSR_TRY(bsr_graph_add_output(g, y));
    BSR_TRY(bsr_op_add_store(g, "x@q", x, y, q));
    return bsr_graph_finish(g);
}

static bsr_quantiser quantiser(const char *text)
{
    bsr_format f;
    bsr_quantiser q;
    assert_int_equal(bsr_format_parse(&f, text), BSR_OK);
    bsr_quantiser_init(&q, &f, -1.7, 5.9);
    return q;
}

/* Every exponent, both signs, eight mantissas; NaN and infinities are among them. */
static float sample(uint32_t i)
{
    static const uint32_t mantissas[] = {0,        1,        0x400000, 0x7fffff,
                                         0x2aaaaa, 0x600000, 0x123456, 0x7ffffe};
    uint32_t bits = i >> 3 << 23 | mantissas[i & 7];
    float x;
    memcpy(&x, &bits, sizeof x);
    return x;
}

static void assert_same(const char *format, float x, float y, float expected)
{
    if (memcmp(&y, &expected, sizeof y) != 0)
        fail_msg("%s of %.9g is %.9g, expected %.9g", format, x, y, expected);
}

static void test_ops_store_format__function(void **state)
{
    for (size_t k = 0; k < COUNT(formats); k++) {
        bsr_quantiser q = quantiser(formats[k]);
        bsr_graph *g;
        float p[4];
        assert_int_equal(build(&g, &q), BSR_OK);
        bsr_unary_fn fn = bsr_op_unary(g, &g->nodes[0], p);
        assert_non_null(fn);
        for (uint32_t i = 0; i < 8 * 512; i++) {
            float x = sample(i);
            assert_same(formats[k], x, fn(x, p), bsr_decode(&q, bsr_encode(&q, x)));
        }
        /* Around every limit and half step, where there are steps. */
        for (int i = -70000; i <= 70000; i++) {
            float x = 0.25f * (float)i * q.scale;
            assert_same(formats[k], x, fn(x, p), bsr_decode(&q, bsr_encode(&q, x)));
        }
        bsr_graph_free(g);
    }
}

static void test_ops_store_format__dense(void **state)
{
    float x[6] = {-2, -0.3f, 0, 0.3f, 1, 1000}, y[6];
    bsr_quantiser q = quantiser("q2.1");
    bsr_graph *g;
    assert_int_equal(build(&g, &q), BSR_OK);
    bsr_view in = {.dtype = BSR_F32, .rank = 2, .dims = {2, 3}, .strides = {3, 1}, .data = x};
    bsr_view out = in;
    out.data = y;
    bsr_op_call call = {&g->nodes[0], 13, 1, 1, &in, &out};
    assert_int_equal(bsr_op_find("BitseerStore")->run(&call), BSR_OK);
    /* Steps of 1/2 from -4 to 3.5. */
    static const float expected[6] = {-2, -0.5f, 0, 0.5f, 1, 3.5f};
    assert_memory_equal(y, expected, sizeof y);
    bsr_graph_free(g);
}

/* An inserted node is resolved as any other; the same node from a file is not an operator. */
static void test_ops_store_format__not_from_files(void **state)
{
    bsr_quantiser q = quantiser("int8");
    bsr_graph *g;
    assert_int_equal(build(&g, &q), BSR_OK);
    assert_int_equal(bsr_ops_resolve(g), BSR_OK);
    const bsr_value *y = &g->values[g->outputs[0]];
    assert_int_equal(y->dtype, BSR_F32);
    assert_int_equal(y->rank, 2);
    assert_int_equal(y->dims[1], 3);
    g->nodes[0].inserted = 0;
    assert_int_equal(bsr_ops_resolve(g), BSR_EUNSUPPORTED);
    assert_string_equal(bsr_error_message(), "node 'x@q' (BitseerStore): operator 'BitseerStore' "
                                             "is not supported");
    bsr_graph_free(g);
}

static void test_ops_store_format__out_of_memory(void **state)
{
    bsr_quantiser q = quantiser("int8");
    for (long n = 1;; n++) {
        bsr_graph *g = NULL;
        bsr_alloc_fail_after(n);
        bsr_status status = build(&g, &q);
        int pending = bsr_alloc_fail_pending();
        bsr_alloc_fail_after(0);
        bsr_graph_free(g);
        if (pending) {
            assert_int_equal(status, BSR_OK);
            assert_true(n > 10);
            break;
        }
        assert_int_equal(status, BSR_ENOMEM);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_ops_store_format__function),
        cmocka_unit_test(test_ops_store_format__dense),
        cmocka_unit_test(test_ops_store_format__not_from_files),
        cmocka_unit_test(test_ops_store_format__out_of_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
