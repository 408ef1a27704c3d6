/* Maps and walks by hand. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "analysis/edm.h"

static void test_analysis_edm__edges_are_powers_of_two_and_0(void **state)
{
    assert_true(bsr_edm_edge(BSR_EDM_FIRST) == -1024);
    assert_true(bsr_edm_edge(1) == -512);
    assert_true(bsr_edm_edge(BSR_EDM_MINUS_ONE) == -1);
    assert_true(bsr_edm_edge(20) == -0x1p-10f);
    assert_true(bsr_edm_edge(BSR_EDM_ZERO) == 0);
    assert_true(bsr_edm_edge(22) == 0x1p-10f);
    assert_true(bsr_edm_edge(BSR_EDM_ONE) == 1);
    assert_true(bsr_edm_edge(BSR_EDM_LAST) == 1024);
}

/* By comparison with every edge: an error below edge i counts in F[i]. */
static void test_analysis_edm__an_error_is_below_the_edges_above_it(void **state)
{
    static const float sizes[] = {0,       0x1p-149f, 0x1p-126f, 0x1p-11f, 0x1p-10f, 0x1.8p-10f,
                                  0x1p-9f, 0.3f,      0.5f,      0.75f,    1,        1.5f,
                                  2,       3,         511.5f,    512,      1023.5f,  1024,
                                  1024.5f, 1e4f,      1e30f,     INFINITY};
    for (size_t k = 0; k < 2 * (sizeof sizes / sizeof *sizes); k++) {
        float e = k % 2 ? -sizes[k / 2] : sizes[k / 2];
        bsr_edm map = {{0}};
        map.bin[bsr_edm_bin(e)]++;
        for (int i = 0; i < BSR_EDM_EDGES; i++)
            assert_int_equal(bsr_edm_below(&map, i), e < bsr_edm_edge(i));
        assert_int_equal(bsr_edm_total(&map), 1);
    }
}

static void test_analysis_edm__nan_is_a_large_error(void **state)
{
    assert_int_equal(bsr_edm_bin(NAN), BSR_EDM_EDGES);
    assert_int_equal(bsr_edm_bin(-NAN), BSR_EDM_EDGES);
}

/* Errors -3, -0.75, 0, 0.3, 0.3, 1.5, 100: bins end at edges -2, -0.5, 2^-10, 0.5, 2, 128. */
static void make_space(bsr_vvss *s)
{
    static const float errors[] = {-3, -0.75f, 0, 0.3f, 0.3f, 1.5f, 100};
    bsr_edm map = {{0}};
    for (size_t i = 0; i < sizeof errors / sizeof *errors; i++)
        map.bin[bsr_edm_bin(errors[i])]++;
    bsr_vvss_init(s, &map);
}

static void assert_list(const bsr_vvss *s, bsr_vvss_part part, int n, const float *values)
{
    assert_int_equal(s->n[part], n);
    for (int i = 0; i < n; i++)
        assert_true(bsr_edm_edge(s->edge[part][i]) == values[i]);
}

static void test_analysis_edm__the_search_space_has_edges_with_errors_and_the_ends(void **state)
{
    bsr_vvss s;
    make_space(&s);
    assert_list(&s, BSR_VVSS_BELOW_MINUS_ONE, 2, (float[]){-1024, -2});
    assert_list(&s, BSR_VVSS_FROM_MINUS_ONE, 1, (float[]){-0.5f});
    assert_list(&s, BSR_VVSS_TO_ONE, 2, (float[]){0x1p-10f, 0.5f});
    assert_list(&s, BSR_VVSS_ABOVE_ONE, 3, (float[]){2, 128, 1024});
    const bsr_edm none = {{0}};
    bsr_vvss_init(&s, &none);
    assert_list(&s, BSR_VVSS_BELOW_MINUS_ONE, 1, (float[]){-1024});
    assert_list(&s, BSR_VVSS_FROM_MINUS_ONE, 0, NULL);
    assert_list(&s, BSR_VVSS_TO_ONE, 0, NULL);
    assert_list(&s, BSR_VVSS_ABOVE_ONE, 1, (float[]){1024});
}

/* Walks where values of at least `limit` flip; returns the result, *path the values tried. */
static float walk(const bsr_vvss *s, int side, float limit, int *tried, float *path)
{
    bsr_vvss_walk w;
    *tried = 0;
    bsr_vvss_walk_start(&w, s, side, limit <= 1);
    for (int edge; (edge = bsr_vvss_walk_ask(&w)) >= 0;) {
        path[(*tried)++] = bsr_edm_edge(edge);
        bsr_vvss_walk_tell(&w, fabsf(bsr_edm_edge(edge)) >= limit);
    }
    return bsr_edm_edge(w.edge);
}

static void assert_walk(const bsr_vvss *s, int side, float limit, float result, int n,
                        const float *values)
{
    float path[32];
    int tried;
    assert_true(walk(s, side, limit, &tried, path) == result);
    assert_int_equal(tried, n);
    for (int i = 0; i < n; i++)
        assert_true(path[i] == values[i]);
}

static void test_analysis_edm__a_walk_starts_in_the_middle_and_ends_where_values_flip(void **state)
{
    bsr_vvss s;
    make_space(&s);
    /* Above 1: 128 is the middle of 2, 128, 1024. */
    assert_walk(&s, 1, 64, 128, 2, (float[]){128, 2});
    assert_walk(&s, 1, 1.5f, 2, 2, (float[]){128, 2});
    assert_walk(&s, 1, 500, 1024, 1, (float[]){128}); /* 1024 need not be tried */
    /* Up to 1: of 2^-10 and 0.5 the second is the middle; that 1 flips is known. */
    assert_walk(&s, 1, 0.7f, 1, 1, (float[]){0.5f});
    assert_walk(&s, 1, 0.2f, 0.5f, 2, (float[]){0.5f, 0x1p-10f});
    assert_walk(&s, 1, 0, 0x1p-10f, 2, (float[]){0.5f, 0x1p-10f});
    /* Below: the middle of -1024, -2 is -2, and of -0.5 itself. */
    assert_walk(&s, 0, 1.5f, -2, 1, (float[]){-2});
    assert_walk(&s, 0, 3, -1024, 1, (float[]){-2});
    assert_walk(&s, 0, 0.1f, -0.5f, 1, (float[]){-0.5f});
    assert_walk(&s, 0, 0.7f, -1, 1, (float[]){-0.5f});
}

static void test_analysis_edm__lists_without_a_choice_need_no_walk(void **state)
{
    const bsr_edm none = {{0}};
    bsr_vvss s;
    bsr_vvss_init(&s, &none);
    assert_walk(&s, 0, 5, -1024, 0, NULL);
    assert_walk(&s, 1, 5, 1024, 0, NULL);
    assert_walk(&s, 0, 1, -1, 0, NULL);
    assert_walk(&s, 1, 1, 1, 0, NULL);
    /* 1 alone: 0.5 <= e < 1. */
    bsr_edm one = {{0}};
    one.bin[bsr_edm_bin(0.7f)] = 1;
    bsr_vvss_init(&s, &one);
    assert_walk(&s, 1, 0.1f, 1, 0, NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_analysis_edm__edges_are_powers_of_two_and_0),
        cmocka_unit_test(test_analysis_edm__an_error_is_below_the_edges_above_it),
        cmocka_unit_test(test_analysis_edm__nan_is_a_large_error),
        cmocka_unit_test(test_analysis_edm__the_search_space_has_edges_with_errors_and_the_ends),
        cmocka_unit_test(test_analysis_edm__a_walk_starts_in_the_middle_and_ends_where_values_flip),
        cmocka_unit_test(test_analysis_edm__lists_without_a_choice_need_no_walk),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
