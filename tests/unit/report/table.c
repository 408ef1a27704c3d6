#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>
#include <math.h>

#include "base/alloc.h"
#include "report/table.h"

static void test_report_table__percent(void **state)
{
    static const struct {
        double share;
        const char *text;
    } t[] = {{0, "0"},
             {1, "100"},
             {0.5, "50.000"},
             {0.00001, "0.001"},
             {4e-7, "4.0e-05"},
             {0.12345678, "12.346"},
             {0.9999999, "99.999"},
             {NAN, "-"}};
    for (size_t i = 0; i < sizeof t / sizeof *t; i++)
        assert_string_equal(bsr_percent(t[i].share).text, t[i].text);
}

static void test_report_table__interval(void **state)
{
    assert_string_equal(bsr_percent_interval((bsr_share){0.5, 0.25, 1}).text, "[25.000, 100]");
    assert_string_equal(bsr_percent_interval((bsr_share){0.5, 0.5, 0.5}).text, "exact");
    assert_string_equal(bsr_percent_interval((bsr_share){NAN, NAN, NAN}).text, "-");
}

static void test_report_table__counts(void **state)
{
    assert_string_equal(bsr_count_text(0).text, "0");
    assert_string_equal(bsr_count_text(9999999).text, "9999999");
    assert_string_equal(bsr_count_text(10000000).text, "10.0M");
    assert_string_equal(bsr_count_text(1234567890).text, "1.23G");
    assert_string_equal(bsr_count_text(999499999).text, "999M");
    assert_string_equal(bsr_count_text(UINT64_MAX).text, "18.4E"); /* 18446744073709551615 */
    assert_string_equal(bsr_bytes_text(1023).text, "1023 B");
    assert_string_equal(bsr_bytes_text(1536).text, "1.50 KiB");
    assert_string_equal(bsr_bytes_text((uint64_t)3 << 30).text, "3.00 GiB");
}

static void test_report_table__bar(void **state)
{
    assert_string_equal(bsr_bar(1, 1, 8).text, "########");
    assert_string_equal(bsr_bar(0.5, 1, 8).text, "####");
    assert_string_equal(bsr_bar(1e-9, 1, 8).text, "#");
    assert_string_equal(bsr_bar(0, 1, 8).text, "");
    assert_string_equal(bsr_bar(0, 0, 8).text, "");
    assert_string_equal(bsr_bar(NAN, 1, 8).text, "");
}

static void test_report_table__layout(void **state)
{
    bsr_table t;
    bsr_strbuf b = {0};
    char *text;
    bsr_table_init(&t, "n|<name|value");
    for (int i = 0; i < 2; i++) {
        bsr_table_cell(&t, "%d", i ? 100 : 7);
        bsr_table_cell(&t, "%s", i ? "a\x1b[0m" : "conv");
        bsr_table_cell(&t, "%.1f", 0.5);
    }
    bsr_table_print(&t, &b);
    assert_int_equal(bsr_strbuf_take(&text, &b), BSR_OK);
    assert_string_equal(text, "  n  name   value\n"
                              "  7  conv     0.5\n"
                              "100  a?[0m    0.5\n");
    bsr_free(text);
}

/* 150 + 40 characters of names into 100 columns: the wider gives way first, to equal widths. */
static void test_report_table__too_wide(void **state)
{
    bsr_table t;
    bsr_strbuf b = {0};
    char wide[151], *text;
    memset(wide, 'x', 150);
    memcpy(wide, "head", 4);
    memcpy(wide + 146, "tail", 5);
    bsr_table_init(&t, "<~a|<~b|n");
    bsr_table_cell(&t, "%s", wide);
    bsr_table_cell(&t, "%.40s", wide);
    bsr_table_cell(&t, "%d", 1234567890);
    bsr_table_print(&t, &b);
    assert_int_equal(bsr_strbuf_take(&text, &b), BSR_OK);
    char *row = strchr(text, '\n') + 1;
    assert_int_equal(strlen(row), 101);
    /* 100 - 10 digits - 2 blanks = 88 */
    assert_int_equal(strcspn(row, " "), 48);
    assert_int_equal(strspn(row, "head"), 4);
    assert_memory_equal(row + 44, "tail ", 5);
    bsr_free(text);
}

static void test_report_table__allocation_fails(void **state)
{
    for (long n = 1, pending = 0; !pending; n++) {
        bsr_table t;
        bsr_strbuf b = {0};
        char *text;
        bsr_alloc_fail_after(n);
        bsr_table_init(&t, "a|b");
        for (int i = 0; i < 20; i++)
            bsr_table_cell(&t, "%d", i);
        bsr_table_print(&t, &b);
        bsr_status status = bsr_strbuf_take(&text, &b);
        pending = bsr_alloc_fail_pending();
        assert_int_equal(status, pending ? BSR_OK : BSR_ENOMEM);
        assert_true(pending == (text != NULL));
        bsr_free(text);
    }
    bsr_alloc_fail_after(0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_report_table__percent),
        cmocka_unit_test(test_report_table__interval),
        cmocka_unit_test(test_report_table__counts),
        cmocka_unit_test(test_report_table__bar),
        cmocka_unit_test(test_report_table__layout),
        cmocka_unit_test(test_report_table__too_wide),
        cmocka_unit_test(test_report_table__allocation_fails),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
