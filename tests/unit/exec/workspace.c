/* The workspaces of whole inferences and lanes when memory ends anywhere. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/alloc.h"
#include "exec/lanes.h"
#include "exec/model_state.h"

/* A network with a weight that two layers share: its lanes own a whole inference too. */
static void test_exec_workspace__every_allocation_may_fail(void **state)
{
    bsr_model *model;
    bsr_plan *plan;
    assert_int_equal(bsr_model_load(&model, "tests/engine/data/shared_weight.onnx", NULL), BSR_OK);
    assert_int_equal(bsr_plan_new(&plan, model->graph, bsr_kernels_for(BSR_CPU_REF), NULL), BSR_OK);
    assert_true(plan->shared_weights);
    int failed = 0;
    for (long n = 1;; n++) {
        bsr_forward *forward = NULL;
        bsr_lanes *lanes = NULL;
        bsr_alloc_fail_after(n);
        bsr_status status = bsr_forward_new(&forward, plan, 2);
        if (status == BSR_OK)
            status = bsr_lanes_new(&lanes, plan);
        int pending = bsr_alloc_fail_pending();
        bsr_alloc_fail_after(0);
        bsr_forward_free(forward);
        bsr_lanes_free(lanes);
        if (pending) {
            assert_int_equal(status, BSR_OK);
            break;
        }
        assert_int_equal(status, BSR_ENOMEM);
        assert_null(lanes);
        failed++;
    }
    assert_true(failed > 20); /* the loop met the allocations of both */
    bsr_plan_free(plan);
    bsr_model_free(model);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_exec_workspace__every_allocation_may_fail),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
