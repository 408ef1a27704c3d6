#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>
#include <locale.h>
#include <math.h>

#include "base/alloc.h"
#include "report/svg.h"
#include "report/svg_text.h"

static void check_coordinate(double v, const char *expected)
{
    bsr_strbuf b = {0};
    bsr_svg_coordinate(&b, v);
    assert_string_equal(b.text, expected);
    bsr_free(b.text);
}

/* A locale with a decimal comma, where the system has one, changes nothing. */
static void test_report_svg__numbers(void **state)
{
    static const char *const locales[] = {"C", "de_DE.UTF-8", "fr_FR.UTF-8"};
    for (size_t i = 0; i < sizeof locales / sizeof *locales; i++) {
        if (!setlocale(LC_ALL, locales[i]))
            continue;
        check_coordinate(0, "0");
        check_coordinate(100, "100");
        check_coordinate(-1.5, "-1.5");
        check_coordinate(12.3456, "12.35");
        check_coordinate(-0.001, "0");
        check_coordinate(1e300, "100000000");
        assert_string_equal(bsr_fixed_text(1.005, 1).text, "1.0");
        assert_string_equal(bsr_fixed_text(-0.25, 1).text, "-0.3");
        assert_string_equal(bsr_fixed_text(NAN, 1).text, "nan");
        assert_string_equal(bsr_digits_text(3.4251, 3).text, "3.43");
        assert_string_equal(bsr_digits_text(5e-6, 3).text, "5e-06");
        assert_string_equal(bsr_digits_text(99.96, 3).text, "100");
    }
    setlocale(LC_ALL, "C");
}

static void test_report_svg__shares(void **state)
{
    assert_int_equal(bsr_percent_decimals(0.5), 2);
    assert_int_equal(bsr_percent_decimals(0.0343), 3);
    assert_int_equal(bsr_percent_decimals(0), 3);
    assert_int_equal(bsr_percent_decimals(2e-5), 5);
    assert_int_equal(bsr_percent_decimals(1e-30), 9);
    assert_string_equal(bsr_fixed_percent(0.034251, 3).text, "3.425");
    assert_string_equal(bsr_fixed_percent(0, 3).text, "0.000");
    assert_string_equal(bsr_fixed_percent(1e-7, 3).text, "<0.001");
    assert_string_equal(bsr_fixed_percent(NAN, 3).text, "\u2013");
    assert_string_equal(bsr_share_words((bsr_share){0.0125, 0.01, 0.0175}, 0.95).text,
                        "1.25 %, 95 % interval [1 %, 1.75 %]");
    assert_string_equal(bsr_share_words((bsr_share){0.5, 0.5, 0.5}, 0.95).text, "50 %, exact");
    assert_string_equal(bsr_share_words((bsr_share){0.5, 0.25, NAN}, 0.95).text,
                        "50 %, no interval");
    assert_string_equal(bsr_share_words((bsr_share){NAN, 0, 1}, 0.999).text, "not observed");
}

/* Names lose their middle, whole characters at a time. By hand: a letter is 0.65 wide, i, l, t and
 * / are 0.4, a capital 0.8, m, the ellipsis and what has three bytes or more 1. */
static void test_report_svg__names(void **state)
{
    char name[301];
    memset(name, 'x', 300);
    memcpy(name, "head", 4);
    memcpy(name + 296, "tail", 5);
    assert_string_equal(bsr_short_name("conv1", 3.25).text, "conv1");
    assert_string_equal(bsr_short_name("conv1", 3.2).text, "c\u20261");
    assert_string_equal(bsr_short_name("", 4).text, "");
    assert_string_equal(bsr_short_name(name, 6.3).text, "head\u2026xtail");
    assert_string_equal(bsr_short_name("a\xff\nb", 8).text, "a??b");
    assert_string_equal(bsr_short_name("\u5c64\u5c64\u5c64\u5c64", 3).text, "\u5c64\u2026\u5c64");
    assert_true(fabs(bsr_text_width("\u5c64a\u00e9/Am") - 4.5) < 1e-9);
    assert_string_equal(bsr_file_name("/a/b/net.onnx"), "net.onnx");
    assert_string_equal(bsr_file_name("net.onnx"), "net.onnx");
}

static void test_report_svg__escape(void **state)
{
    bsr_strbuf b = {0};
    bsr_svg_escape(&b, "<a & \"b\" 'c'>\t\x01\x7f \xc3\xa9 \xff \xed\xa0\x80 \xef\xbf\xbf");
    assert_string_equal(b.text,
                        "&lt;a &amp; &quot;b&quot; &#39;c&#39;&gt;\t?\x7f \xc3\xa9 ? ??? ?");
    bsr_free(b.text);
}

static bsr_status draw(char **out)
{
    bsr_svg s;
    const bsr_svg_point points[] = {{0, 0}, {1.25, 2}, {3, 0.5}};
    bsr_svg_begin(&s, &(bsr_svg_head){"test", "T<1>", "", "D", 20, 10});
    bsr_svg_open(&s, "");
    bsr_svg_mark(&s, "k", "%s & %d", "\"q\"", 7);
    bsr_svg_lines(&s, points, 3, 1, "");
    bsr_svg_lines(&s, points, 2, 0, "fill=\"none\"");
    bsr_svg_close(&s);
    bsr_svg_disc(&s, 1, 2, 0.5, "");
    bsr_svg_text(&s, 1, 2, 'm', "", "%s", "a<b");
    bsr_svg_close(&s);
    return bsr_svg_take(out, &s);
}

/* The hash is FNV-1a of "T<1>D", reckoned with Python: 5559366e. */
static void test_report_svg__document(void **state)
{
    char *text;
    assert_int_equal(draw(&text), BSR_OK);
    assert_string_equal(
        text, "<svg xmlns=\"http://www.w3.org/2000/svg\" version=\"1.1\" viewBox=\"0 0 20 10\" "
              "width=\"100%\" style=\"max-width:20px\" role=\"img\" "
              "aria-labelledby=\"test-5559366e-title "
              "test-5559366e-desc\" font-family=\"sans-serif\" font-size=\"12\" fill=\"#1a1a1a\">\n"
              "<title id=\"test-5559366e-title\">T&lt;1&gt;</title>\n"
              "<desc id=\"test-5559366e-desc\">D</desc>\n"
              "<rect x=\"0\" y=\"0\" width=\"20\" height=\"10\" fill=\"#fff\"/>\n"
              "<text x=\"16\" y=\"23\" font-size=\"15\" font-weight=\"bold\">T&lt;1&gt;</text>\n"
              "<g>\n"
              "<g class=\"k\"><title>&quot;q&quot; &amp; 7</title>\n"
              "<polygon points=\"0,0 1.25,2 3,0.5\"/>\n"
              "<polyline points=\"0,0 1.25,2\" fill=\"none\"/>\n"
              "</g>\n"
              "<circle cx=\"1\" cy=\"2\" r=\"0.5\"/>\n"
              "<text x=\"1\" y=\"2\" text-anchor=\"middle\">a&lt;b</text>\n"
              "</g>\n"
              "</svg>\n");
    bsr_free(text);
}

static void test_report_svg__out_of_memory(void **state)
{
    char *text;
    for (long n = 1;; n++) {
        bsr_alloc_fail_after(n);
        bsr_status status = draw(&text);
        int pending = bsr_alloc_fail_pending();
        bsr_alloc_fail_after(0);
        if (pending) {
            assert_int_equal(status, BSR_OK);
            bsr_free(text);
            break;
        }
        assert_int_equal(status, BSR_ENOMEM);
        assert_null(text);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_report_svg__numbers),
        cmocka_unit_test(test_report_svg__shares),
        cmocka_unit_test(test_report_svg__names),
        cmocka_unit_test(test_report_svg__escape),
        cmocka_unit_test(test_report_svg__document),
        cmocka_unit_test(test_report_svg__out_of_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
