/* What a lane's logits say, on logits small enough to judge by eye. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "exec/lane_state.h"

enum { CLASSES = 7 };

static bsr_lane_result judge_against(const float *golden, const float *z, int classes)
{
    float logits[CLASSES];
    int top1 = bsr_top1(golden, classes);
    memcpy(logits, golden, (size_t)classes * sizeof *logits);
    bsr_golden g = {.images = 1, .logits = logits, .top1 = &top1, .classes = classes};
    bsr_lane_result r;
    bsr_lane_judge(&g, 0, z, &r);
    return r;
}

/* The golden class is 3. */
static const float golden[CLASSES] = {0, 1, 2, 9, 3, -1, 4};

static void test_exec_lane_result__top5_counts_classes_in_front(void **state)
{
    const struct {
        float z[CLASSES];
        int top5, critical;
    } rows[] = {
        {{0, 1, 2, 9, 3, -1, 5}, 0, 0},
        {{9, 9, 9, 8, 9, -1, 4}, 0, 1}, /* four greater: fifth */
        {{9, 9, 9, 8, 9, 9, 4}, 1, 1},  /* five greater */
        /* Ties: of the classes with 8 those before class 3 come first. */
        {{8, 8, 8, 8, 9, 9, 4}, 1, 1},
        {{8, 8, 7, 8, 9, 9, 8}, 0, 1},
        /* NaN is greatest, class 3's too, and the lowest index first. */
        {{NAN, NAN, NAN, 8, NAN, NAN, 4}, 1, 1},
        {{NAN, NAN, 1, NAN, NAN, NAN, NAN}, 0, 1},
        {{INFINITY, INFINITY, INFINITY, NAN, INFINITY, INFINITY, 0}, 0, 0},
        {{9, 9, 9, -INFINITY, 9, 9, 0}, 1, 1},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        bsr_lane_result r = judge_against(golden, rows[i].z, CLASSES);
        assert_int_equal(r.top5, rows[i].top5);
        assert_int_equal(r.critical, rows[i].critical);
    }
}

static void test_exec_lane_result__five_classes_are_always_the_first_five(void **state)
{
    const float z[5] = {9, 9, 9, -1, 9};
    bsr_lane_result r = judge_against(golden, z, 5);
    assert_int_equal(r.critical, 1);
    assert_int_equal(r.top5, 0);
}

/* (3 - 0)^2 + (1 - 1)^2 + ... + (0.5 - 4)^2 = 9 + 12.25, exact in binary. */
static void test_exec_lane_result__sse_sums_the_squares(void **state)
{
    const float z[CLASSES] = {3, 1, 2, 9, 3, -1, 0.5f};
    bsr_lane_result r = judge_against(golden, z, CLASSES);
    assert_int_equal(r.masked, 0);
    assert_true(r.sse == 21.25);
    /* In double: (2^127)^2 is far from its end. */
    const float huge[CLASSES] = {0x1p127f, 1, 2, 9, 3, -1, 4};
    assert_true(judge_against(golden, huge, CLASSES).sse == 0x1p254);
    const float infinite[CLASSES] = {-INFINITY, 1, 2, 9, 3, -1, 4};
    r = judge_against(golden, infinite, CLASSES);
    assert_true(r.due && isinf(r.sse));
}

static void test_exec_lane_result__masked_has_no_error(void **state)
{
    bsr_lane_result r = judge_against(golden, golden, CLASSES);
    assert_int_equal(r.masked, 1);
    assert_int_equal(r.top5, 0);
    assert_true(r.sse == 0);
    /* A NaN equals any NaN, and the square of their difference would be NaN. */
    const float was[2] = {NAN, 0}, is[2] = {-NAN, 0};
    r = judge_against(was, is, 2);
    assert_int_equal(r.masked, 1);
    assert_true(r.sse == 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_exec_lane_result__top5_counts_classes_in_front),
        cmocka_unit_test(test_exec_lane_result__five_classes_are_always_the_first_five),
        cmocka_unit_test(test_exec_lane_result__sse_sums_the_squares),
        cmocka_unit_test(test_exec_lane_result__masked_has_no_error),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
