/* Windows and addresses of operands on layers small enough to draw. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "exec/operand.h"

/* A plan of one step: `in` pixels of `channels` floats through `map` to `out` pixels. */
typedef struct layer_plan {
    bsr_plan plan;
    bsr_pten ptens[2];
    bsr_source source;
    bsr_step step;
    bsr_layer layer;
    bsr_weights weights;
    int64_t identity[32];
} layer_plan;

static void make_plan(layer_plan *l, const bsr_pixmap *map, int in, int channels, int out)
{
    *l = (layer_plan){0};
    for (int i = 0; i < 32; i++)
        l->identity[i] = (int64_t)i * channels * (int64_t)sizeof(float);
    l->ptens[0] = (bsr_pten){.value = 7,
                             .dtype = BSR_F32,
                             .esize = sizeof(float),
                             .pixels = in,
                             .channels = channels,
                             .identity = l->identity};
    l->ptens[1] = (bsr_pten){.pixels = out};
    l->source = (bsr_source){.pten = 0, .map = map};
    l->step = (bsr_step){.n_sources = 1, .sources = &l->source, .out = 1, .weights = &l->weights};
    l->layer = (bsr_layer){.weights = &l->weights};
    l->plan = (bsr_plan){
        .ptens = l->ptens, .steps = &l->step, .layers = &l->layer, .n_steps = 1, .n_layers = 1};
}

/* 3 x 3 kernel, padding 1, on 2 x 3 pixels. Taps are bits 0..8 in row-major order; a window at the
 * top lacks taps 0 1 2, at the bottom 6 7 8, on the left 0 3 6, on the right 2 5 8. */
static void test_exec_operand__taps_in_the_padding_are_left_out(void **state)
{
    const bsr_window w = {.rank = 2,
                          .in = {2, 3},
                          .out = {2, 3},
                          .kernel = {3, 3},
                          .stride = {1, 1},
                          .dilation = {1, 1},
                          .pad_begin = {1, 1},
                          .pad_end = {1, 1}};
    enum { TOP = 0007, BOTTOM = 0700, LEFT = 0111, RIGHT = 0444 };
    static const int missing[6] = {TOP | LEFT,    TOP,    TOP | RIGHT,
                                   BOTTOM | LEFT, BOTTOM, BOTTOM | RIGHT};
    bsr_pixmap *map;
    layer_plan l;
    unsigned char mask[12];
    assert_int_equal(bsr_pixmap_window(&map, &w, 1, sizeof(float), 0), BSR_OK);
    make_plan(&l, map, 6, 1, 6);
    l.weights = (bsr_weights){.groups = 1, .taps = 9, .cin = 1, .cout = 1};
    assert_int_equal(bsr_operand_windows(&l.plan, 0, NULL), sizeof mask);
    assert_int_equal(bsr_operand_windows(&l.plan, 0, mask), sizeof mask);
    for (int p = 0; p < 6; p++)
        assert_int_equal(mask[2 * p] | mask[2 * p + 1] << 8, 0777 & ~missing[p]);
    bsr_pixmap_free(map);
}

/* Stride 2 without padding on 1 x 4 pixels, two groups of two channels: output pixel p and tap t
 * read input pixel 2 p + t. */
static void test_exec_operand__the_address_is_that_of_pixel_and_group_channel(void **state)
{
    const bsr_window w = {
        .rank = 1, .in = {4}, .out = {2}, .kernel = {2}, .stride = {2}, .dilation = {1}};
    bsr_pixmap *map;
    layer_plan l;
    static _Alignas(64) char records[2][128];
    bsr_golden golden = {.images = 2, .records = records[0]};
    assert_int_equal(bsr_pixmap_window(&map, &w, 1, 4 * sizeof(float), 0), BSR_OK);
    make_plan(&l, map, 4, 4, 2);
    l.ptens[0].golden_at = 16;
    l.plan.golden_bytes = sizeof records[0];
    /* Weights [M = 4][C = 2][taps = 2]. */
    l.weights = (bsr_weights){
        .groups = 2, .taps = 2, .cin = 2, .cout = 2, .stride_m = 4, .stride_c = 2, .stride_t = 1};
    /* Output channel 3 belongs to the second group; weight [3][1][1], output pixel 1: input pixel
     * 3, channel 2 + 1, so float 3 * 4 + 3 of the tensor. */
    const char *x = bsr_operand_input(&l.plan, &golden, 1, 0, 1, 3 * 4 + 1 * 2 + 1);
    assert_ptr_equal(x, records[1] + 16 + (3 * 4 + 3) * sizeof(float));
    /* Weight [1][0][0], output pixel 0: the first channel of the first pixel. */
    x = bsr_operand_input(&l.plan, &golden, 0, 0, 0, 1 * 4);
    assert_ptr_equal(x, records[0] + 16);
    assert_int_equal(bsr_operand_value(&l.plan, 0), 7);
    bsr_pixmap_free(map);
}

/* A matrix product has one tap, and row r reads row r. */
static void test_exec_operand__a_matrix_product_has_one_tap(void **state)
{
    layer_plan l;
    char record[64];
    unsigned char mask[3];
    bsr_golden golden = {.images = 1, .records = record};
    make_plan(&l, NULL, 3, 5, 3);
    /* Weights [K = 5][M = 2]. */
    l.weights = (bsr_weights){
        .groups = 1, .taps = 1, .cin = 5, .cout = 2, .stride_m = 1, .stride_c = 2, .stride_t = 10};
    assert_int_equal(bsr_operand_windows(&l.plan, 0, mask), 3);
    for (int r = 0; r < 3; r++)
        assert_int_equal(mask[r], 1);
    assert_ptr_equal(bsr_operand_input(&l.plan, &golden, 0, 0, 2, 4 * 2 + 1),
                     record + (2 * 5 + 4) * sizeof(float));
}

static void test_exec_operand__layer_at_is_the_last_one_so_far(void **state)
{
    bsr_step steps[5] = {{.layer = -1}, {.layer = 0}, {.layer = -1}, {.layer = 1}, {.layer = -1}};
    const bsr_plan plan = {.steps = steps, .n_steps = 5};
    static const int want[] = {-1, 0, 0, 1, 1};
    for (int s = 0; s < 5; s++)
        assert_int_equal(bsr_plan_layer_at(&plan, s), want[s]);
    assert_int_equal(bsr_plan_layer_at(&plan, -1), -1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_exec_operand__taps_in_the_padding_are_left_out),
        cmocka_unit_test(test_exec_operand__the_address_is_that_of_pixel_and_group_channel),
        cmocka_unit_test(test_exec_operand__a_matrix_product_has_one_tap),
        cmocka_unit_test(test_exec_operand__layer_at_is_the_last_one_so_far),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
