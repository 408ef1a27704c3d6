#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/utf8.h"

/* Lengths that Python's str.encode("utf-8") gives for U+0041, U+00E9, U+20AC, U+1F600, U+10FFFF. */
static void test_base_utf8__characters(void **state)
{
    assert_int_equal(bsr_utf8_bytes("A"), 1);
    assert_int_equal(bsr_utf8_bytes("\xc3\xa9!"), 2);
    assert_int_equal(bsr_utf8_bytes("\xe2\x82\xac"), 3);
    assert_int_equal(bsr_utf8_bytes("\xf0\x9f\x98\x80"), 4);
    assert_int_equal(bsr_utf8_bytes("\xf4\x8f\xbf\xbf"), 4);
}

/* The examples of RFC 3629 and Unicode 15 (table 3-8) of what is none: overlong forms, surrogates,
 * above U+10FFFF, a lone continuation, a cut one. */
static void test_base_utf8__none(void **state)
{
    static const char *const wrong[] = {"\xc0\xaf",         "\xe0\x9f\xbf", "\xed\xa0\x80",
                                        "\xf4\x90\x80\x80", "\x80",         "\xe2\x82",
                                        "\xf0\x9f\x98",     "\xff",         "\xc3"};
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++)
        assert_int_equal(bsr_utf8_bytes(wrong[i]), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_base_utf8__characters),
        cmocka_unit_test(test_base_utf8__none),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
