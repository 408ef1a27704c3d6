#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/alloc.h"
#include "base/arena.h"

static void test_base_arena__room(void **state)
{
    bsr_arena *a = bsr_arena_new();
    char *big = bsr_arena_calloc(a, 100000, 3);
    assert_non_null(big);
    for (size_t i = 0; i < 300000; i++)
        assert_int_equal(big[i], 0);
    double *d = bsr_arena_calloc(a, 7, sizeof *d);
    assert_int_equal((uintptr_t)d % _Alignof(max_align_t), 0);
    memset(d, 0xff, 7 * sizeof *d);
    char *s = bsr_arena_strdup(a, "layer");
    assert_string_equal(s, "layer");
    assert_non_null(bsr_arena_calloc(a, 0, 8));
    assert_non_null(bsr_arena_calloc(a, 8, 0));
    assert_string_equal(s, "layer");
    bsr_arena_free(a);
    bsr_arena_free(NULL);
}

static void test_base_arena__out_of_memory(void **state)
{
    bsr_alloc_fail_after(1);
    assert_null(bsr_arena_new());
    bsr_arena *a = bsr_arena_new();
    bsr_alloc_fail_after(1);
    assert_null(bsr_arena_strdup(a, "x"));
    assert_null(bsr_arena_calloc(a, SIZE_MAX / 2, 4));
    assert_non_null(bsr_arena_calloc(a, 1, 1));
    bsr_arena_free(a);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_base_arena__room),
        cmocka_unit_test(test_base_arena__out_of_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
