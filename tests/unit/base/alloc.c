#include "base/alloc.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static void assert_no_memory(const void *p, const char *message)
{
    assert_null(p);
    assert_string_equal(bsr_error_message(), message);
}

static void test_base_alloc__sizes(void **state)
{
    unsigned char *p = bsr_calloc_array(3, 5);
    assert_non_null(p);
    for (int i = 0; i < 15; i++)
        assert_int_equal(p[i], 0);
    memset(p, 7, 15);
    p = bsr_realloc_array(p, 4, 5);
    assert_non_null(p);
    for (int i = 0; i < 15; i++)
        assert_int_equal(p[i], 7);
    bsr_free(p);
    bsr_free(NULL);
    void *none[] = {bsr_alloc_array(0, 8), bsr_calloc_array(8, 0), bsr_realloc_array(NULL, 0, 0),
                    bsr_alloc_aligned(0, 4)};
    for (int i = 0; i < 4; i++) {
        assert_non_null(none[i]);
        bsr_free(none[i]);
    }
}

/* 2^32 * 2^32 is 0 modulo 2^64. */
static void test_base_alloc__overflow(void **state)
{
    const size_t half = (size_t)1 << 32;
    static const char message[] = "out of memory: 18446744073709551615 bytes asked for";
    char kept[4] = "old";
    void *p = kept;
    size_t cap = 4;
    assert_no_memory(bsr_alloc_array(half, half), message);
    assert_no_memory(bsr_calloc_array(SIZE_MAX, 2), message);
    assert_no_memory(bsr_realloc_array(NULL, 2, SIZE_MAX), message);
    assert_no_memory(bsr_alloc_aligned(half, half), message);
    assert_no_memory(bsr_alloc_aligned(SIZE_MAX / 2, 1),
                     "out of memory: 9223372036854775807 bytes asked for");
    assert_int_equal(bsr_grow(&p, &cap, half, half), BSR_ENOMEM);
    assert_ptr_equal(p, kept);
    assert_int_equal(cap, 4);
}

static void test_base_alloc__aligned(void **state)
{
    for (size_t n = 0; n < 200; n += 7) {
        unsigned char *p = bsr_alloc_aligned(n, 1);
        assert_non_null(p);
        assert_int_equal((uintptr_t)p % 64, 0);
        for (size_t i = 0; i < BSR_EXTRA_BYTES; i++)
            assert_int_equal(p[n + i], 0);
        memset(p, 1, n);
        bsr_free(p);
    }
}

static void test_base_alloc__strings(void **state)
{
    char *a = bsr_strdup("text"), *b = bsr_strndup("text", 2), *c = bsr_strdup("");
    assert_string_equal(a, "text");
    assert_string_equal(b, "te");
    assert_string_equal(c, "");
    bsr_free(a);
    bsr_free(b);
    bsr_free(c);
}

static void test_base_alloc__grow(void **state)
{
    int *items = NULL, resized = 0;
    size_t cap = 0;
    for (size_t n = 0; n < 10000; n++) {
        size_t before = cap;
        assert_int_equal(bsr_grow(&items, &cap, n + 1, sizeof *items), BSR_OK);
        assert_true(cap > n);
        resized += cap != before;
        items[n] = (int)n;
    }
    assert_true(resized < 30); /* amortised: 10000 < 8 * 1.5^18 */
    for (int n = 0; n < 10000; n++)
        assert_int_equal(items[n], n);
    assert_int_equal(bsr_grow(&items, &cap, 5, sizeof *items), BSR_OK);
    bsr_alloc_fail_after(1);
    assert_int_equal(bsr_grow(&items, &cap, cap + 1, sizeof *items), BSR_ENOMEM);
    assert_int_equal(items[9999], 9999);
    bsr_free(items);
}

static void *by_alloc(void)
{
    return bsr_alloc_array(2, 8);
}
static void *by_calloc(void)
{
    return bsr_calloc_array(2, 8);
}
static void *by_realloc(void)
{
    return bsr_realloc_array(NULL, 2, 8);
}
static void *by_aligned(void)
{
    return bsr_alloc_aligned(2, 8);
}
static void *by_strdup(void)
{
    return bsr_strdup("fifteen letters");
}

static void test_base_alloc__fails_once_at_n(void **state)
{
    void *(*const kinds[])(void) = {by_alloc, by_calloc, by_realloc, by_aligned, by_strdup};
    for (size_t k = 0; k < sizeof kinds / sizeof *kinds; k++) {
        bsr_alloc_fail_after(3);
        for (int i = 1; i <= 5; i++) {
            assert_int_equal(bsr_alloc_fail_pending(), i <= 3);
            void *p = kinds[k]();
            if (i == 3)
                assert_no_memory(p, "out of memory: 16 bytes asked for");
            else
                assert_non_null(p);
            bsr_free(p);
        }
    }
    bsr_alloc_fail_after(1);
    bsr_alloc_fail_after(0);
    assert_false(bsr_alloc_fail_pending());
    void *p = bsr_alloc_array(1, 1);
    assert_non_null(p);
    bsr_free(p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_base_alloc__sizes),
        cmocka_unit_test(test_base_alloc__overflow),
        cmocka_unit_test(test_base_alloc__aligned),
        cmocka_unit_test(test_base_alloc__strings),
        cmocka_unit_test(test_base_alloc__grow),
        cmocka_unit_test(test_base_alloc__fails_once_at_n),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
