/* Layers that get their codes through Flatten, Reshape or Transpose: tests/engine/make_graphs.py,
 * codes_moved. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "bitseer/model.h"
#include "exec/forward.h"
#include "exec/model_state.h"

#define PATH "tests/engine/data/codes_moved.onnx"

static void test_exec_moved_codes__layers_store_codes(void **state)
{
    static const char *const inputs[] = {"v3", "v17_codes", "v33_codes"};
    bsr_model *model;
    assert_int_equal(bsr_model_load(&model, PATH, NULL), BSR_OK);
    assert_int_equal(model->plan->n_layers, 3);
    for (int i = 0; i < 3; i++) {
        bsr_layer_info info;
        assert_int_equal(bsr_model_layer(model, i, &info), BSR_OK);
        assert_int_equal(info.weight_bits, 8);
        assert_int_equal(info.input_bits, 8);
        assert_string_equal(info.input, inputs[i]);
    }
    bsr_model_free(model);
}

/* By numpy from the definition: sums as whole numbers, then the roundings of QLinearConv. */
static void test_exec_moved_codes__values(void **state)
{
    static const float expected[] = {1.0816201f,   -0.592379987f, -1.09308004f,  1.05014992f,
                                     -1.35522008f, -0.659580052f, 0.0768600032f, 0.50436002f,
                                     -0.25544998f, 0.0433799997f};
    bsr_model *model;
    bsr_forward *forward;
    assert_int_equal(bsr_model_load(&model, PATH, NULL), BSR_OK);
    bsr_plan *plan = model->plan;
    /* Images are held with their channels last; pixel 64 is the padding. */
    static _Alignas(64) float x[65 * 3];
    for (int i = 0; i < 192; i++)
        x[i % 64 * 3 + i / 64] = (float)(i % 23 - 11) / 8;
    float got[10], *logits = got;
    assert_int_equal(bsr_plan_classes(plan), 10);
    assert_int_equal(bsr_forward_new(&forward, plan, 1), BSR_OK);
    assert_int_equal(
        bsr_forward_run(forward, 1, (const char *const[]){(const char *)x}, NULL, &logits), BSR_OK);
    for (int i = 0; i < 10; i++)
        assert_true(got[i] == expected[i]);
    bsr_forward_free(forward);
    bsr_model_free(model);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_exec_moved_codes__layers_store_codes),
        cmocka_unit_test(test_exec_moved_codes__values),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
