#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>
#include <math.h>

#include "base/alloc.h"
#include "bitseer/status.h"
#include "report/svg_curve.h"

static const bsr_curve_point first[] = {{0, {0.02, 0.015, 0.025}, 0},
                                        {0.1, {0.01, 0.008, 0.012}, 0},
                                        {0.2, {NAN, NAN, NAN}, 0},
                                        {0.3, {0.004, 0.004, 0.004}, 0},
                                        {0.4, {0.002, 0.001, 0.004}, 0}};
static const bsr_curve_point second[] = {{0, {0.02, 0.015, 0.025}, 0}, {0.4, {0, 0, 0.001}, 0}};

/* A protection curve with two series, on a linear or, by its spread, a logarithmic scale. */
static bsr_curve make_curve(bsr_curve_series series[2])
{
    series[0] = (bsr_curve_series){"parity & zero", 5, first};
    series[1] = (bsr_curve_series){"triple", 2, second};
    return (bsr_curve){.name = "protect",
                       .title = "MVF against storage",
                       .subtitle = "",
                       .desc = "d",
                       .x_name = "storage overhead",
                       .y_name = "MVF",
                       .x_symbol = "overhead",
                       .y_symbol = "MVF",
                       .x_percent = 1,
                       .confidence = 0.95,
                       .n_series = 2,
                       .series = series,
                       .reference_name = "unprotected",
                       .reference = 0.02};
}

static int count(const char *text, const char *what)
{
    int n = 0;
    for (; (text = strstr(text, what)); text += strlen(what))
        n++;
    return n;
}

static char *draw(const bsr_curve *c)
{
    char *text;
    assert_int_equal(bsr_svg_curve(&text, c), BSR_OK);
    return text;
}

/* By hand: the scale is 0 to 2.5 %, from y = 370 up to 100; x is from 80 to 604 for 0 to 40. */
static void test_report_svg_curve__linear(void **state)
{
    bsr_curve_series series[2];
    bsr_curve c = make_curve(series);
    c.y_linear = 1;
    char *text = draw(&c);
    assert_non_null(strstr(text, "<title>parity &amp; zero, overhead 10 %: MVF 1 %, 95 % interval "
                                 "[0.8 %, 1.2 %]</title>"));
    assert_non_null(strstr(text, "<title>unprotected: 2 %</title>"));
    assert_non_null(strstr(text, "points=\"80,154 211,262\""));
    assert_non_null(strstr(text, "points=\"473,326.8 604,348.4\""));
    assert_non_null(strstr(text, ">storage overhead (%)</text>"));
    assert_int_equal(count(text, "class=\"value\""), 6);
    assert_int_equal(count(text, "class=\"whisker\""), 5);
    assert_int_equal(count(text, "<polyline"), 3); /* two parts of the first, one of the second */
    assert_int_equal(count(text, "stroke-dasharray=\"7 3\""), 2); /* the second: legend and line */
    bsr_free(text);
}

/* On a logarithmic scale no line leads to 0, which stands apart. */
static void test_report_svg_curve__zero(void **state)
{
    bsr_curve_series series[2];
    bsr_curve c = make_curve(series);
    c.series = &series[1];
    c.n_series = 1;
    c.reference_name = NULL;
    char *text = draw(&c); /* one value above 0: linear */
    assert_int_equal(count(text, "<polyline"), 1);
    bsr_free(text);
    bsr_curve_point points[] = {
        {0, {0.5, 0.4, 0.6}, 0}, {0.1, {0.001, 0, 0.1}, 0}, {1, {0, 0, 0.01}, 0}};
    series[1] = (bsr_curve_series){"s", 3, points};
    text = draw(&c);
    assert_int_equal(count(text, "<polyline"), 1);
    assert_non_null(strstr(text, "text-anchor=\"end\">0</text>"));
    c.bands = 1;
    char *bands = draw(&c);
    assert_int_equal(count(bands, "class=\"band\""), 1);
    assert_int_equal(count(bands, "class=\"whisker\""), 1); /* of the lone point */
    assert_null(strstr(bands, "nan"));
    bsr_free(text);
    bsr_free(bands);
}

/* Three measured points between predicted ones: solid between these alone, hollow markers where it
 * is predicted, a legend of the kinds that occur. By hand: x is from 80 to 604 for 0 to 5, y from
 * 370 up to 100 for 0 to 100 %. */
static void test_report_svg_curve__kinds(void **state)
{
    const bsr_curve_kind kinds[] = {{"never", BSR_MARKER_DISC, 1},
                                    {"drawn", BSR_MARKER_TRIANGLE, 1},
                                    {"counted", BSR_MARKER_SQUARE, 0}};
    const bsr_curve_point points[] = {{0, {1, 0.9, 1}, 1},        {1, {1, 0.9, 1}, 2},
                                      {2, {0.5, 0.4, 0.6}, 2},    {3, {0.5, 0.4, 0.6}, 2},
                                      {4, {0.25, 0.125, 0.5}, 1}, {5, {0, 0, 0.125}, 1}};
    bsr_curve_series series[2];
    bsr_curve c = make_curve(series);
    series[0] = (bsr_curve_series){"s", 6, points};
    c.n_series = 1;
    c.x_percent = 0;
    c.y_linear = 1;
    c.reference_name = NULL;
    c.n_kinds = 3;
    c.kinds = kinds;
    char *text = draw(&c);
    assert_int_equal(count(text, ">never</text>"), 0);
    assert_int_equal(count(text, ">drawn</text>"), 1);
    assert_int_equal(count(text, ">counted</text>"), 1);
    assert_non_null(strstr(text, "<title>overhead 0, drawn: MVF 100 %, 95 % interval"));
    assert_non_null(strstr(text, "<title>overhead 1: MVF 100 %, 95 % interval"));
    assert_int_equal(count(text, "<polyline"), 3);
    assert_int_equal(count(text, "stroke-dasharray=\"4 3\""), 3); /* two lines, one legend */
    assert_non_null(strstr(text, "points=\"80,100 184.8,100\""));
    assert_non_null(strstr(text, "points=\"184.8,100 289.6,235 394.4,235\""));
    assert_non_null(strstr(text, "points=\"394.4,235 499.2,302.5 604,370\""));
    assert_int_equal(count(text, "class=\"point\" fill=\"#fff\""), 4); /* three and the legend */
    bsr_free(text);
}

/* Ten series: styles repeat, the legend takes several lines. */
static void test_report_svg_curve__many(void **state)
{
    bsr_curve_series series[10];
    bsr_curve c = make_curve(series);
    for (int i = 0; i < 10; i++)
        series[i] = (bsr_curve_series){"a name of middle length", 5, first};
    c.n_series = 10;
    char *text = draw(&c);
    assert_int_equal(count(text, ">a name of middle length</text>"), 10);
    bsr_free(text);
}

static void test_report_svg_curve__nothing(void **state)
{
    bsr_curve_series series[2];
    bsr_curve c = make_curve(series);
    char *text;
    series[0] = (bsr_curve_series){"s", 1, first + 2};
    c.n_series = 1;
    assert_int_equal(bsr_svg_curve(&text, &c), BSR_EINVAL);
    assert_string_equal(bsr_error_message(), "picture 'protect': no point has a value");
    assert_null(text);
}

static void test_report_svg_curve__out_of_memory(void **state)
{
    bsr_curve_series series[2];
    bsr_curve c = make_curve(series);
    for (long n = 1;; n++) {
        char *text;
        bsr_alloc_fail_after(n);
        bsr_status status = bsr_svg_curve(&text, &c);
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
        cmocka_unit_test(test_report_svg_curve__linear),
        cmocka_unit_test(test_report_svg_curve__zero),
        cmocka_unit_test(test_report_svg_curve__kinds),
        cmocka_unit_test(test_report_svg_curve__many),
        cmocka_unit_test(test_report_svg_curve__nothing),
        cmocka_unit_test(test_report_svg_curve__out_of_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
