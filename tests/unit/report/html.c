#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>
#include <math.h>

#include "base/alloc.h"
#include "bitseer/report.h"
#include "campaign_fixture.h"
#include "prediction_fixture.h"
#include "report/html_escape.h"
#include "report/html_page.h"
#include "result_fixture.h"

typedef void (*adder)(bsr_strbuf *b, const char *text);

static void check_added(adder add, const char *from, const char *to)
{
    bsr_strbuf b = {0};
    char *text;
    add(&b, from);
    assert_int_equal(bsr_strbuf_take(&text, &b), BSR_OK);
    assert_string_equal(text, to);
    bsr_free(text);
}

/* The five characters of HTML's "Restrictions on the contents of raw text elements" and attributes;
 * bytes that are no UTF-8; control characters. */
static void test_report_html__text(void **state)
{
    check_added(bsr_html_text, "", "");
    check_added(bsr_html_text, "<b title=\"x\">&amp; it's</b>",
                "&lt;b title=&quot;x&quot;&gt;&amp;amp; it&#39;s&lt;/b&gt;");
    check_added(bsr_html_text, "caf\xc3\xa9 \xe2\x82\xac \xf0\x9f\x98\x80",
                "caf\xc3\xa9 \xe2\x82\xac \xf0\x9f\x98\x80");
    check_added(bsr_html_text,
                "a\xff"
                "b\xc3",
                "a?b?");
    check_added(bsr_html_text, "\xc0\xbcscript>", "??script&gt;"); /* overlong '<' */
    check_added(bsr_html_text, "1\n\t2\r\x1b[0m\x7f", "1\n\t2??[0m?");
}

/* No string can end the script element or start a comment in it, whatever it holds. */
static void test_report_html__json_strings(void **state)
{
    check_added(bsr_html_json, "\"</script><!-- &\"",
                "\"\\u003c/script\\u003e\\u003c!-- \\u0026\"");
    check_added(bsr_html_json,
                "\"a\xe2\x80\xa8"
                "b\xe2\x80\xa9"
                "c\xe2\x80\xaa\"",
                "\"a\\u2028b\\u2029c\xe2\x80\xaa\"");
    check_added(bsr_html_json, "\"\xe2\x80\"", "\"\xe2\x80\"");
    check_added(bsr_html_json, "\"\\\\\" ", "\"\\\\\"");
    check_added(bsr_html_json, "{\"a \\\" : <\": [ \" 1 \" ]}", "{\"a \\\" : \\u003c\":[\" 1 \"]}");
}

/* Doubles hold whole numbers of 15 digits; longer ones become text. */
static void test_report_html__json_numbers(void **state)
{
    check_added(bsr_html_json, "[\n  1,\r\n\t-2.5e-300,  true, null\n]\n",
                "[1,-2.5e-300,true,null]");
    check_added(bsr_html_json, "[999999999999999,1234567890123456,-9223372036854775807]",
                "[999999999999999,\"1234567890123456\",\"-9223372036854775807\"]");
    check_added(bsr_html_json, "[0.12345678901234567,1e+308]", "[0.12345678901234567,1e+308]");
}

/* The test vectors of RFC 4648, section 10, and bytes above 127. */
static void test_report_html__base64(void **state)
{
    static const struct {
        const char *bytes, *text;
    } vectors[] = {
        {"", ""},
        {"f", "Zg=="},
        {"fo", "Zm8="},
        {"foo", "Zm9v"},
        {"foob", "Zm9vYg=="},
        {"fooba", "Zm9vYmE="},
        {"foobar", "Zm9vYmFy"},
        {"\xff\xfe\xfd", "//79"},
    };
    for (size_t i = 0; i < sizeof vectors / sizeof *vectors; i++) {
        bsr_strbuf b = {0};
        char *text;
        bsr_html_base64(&b, vectors[i].bytes, strlen(vectors[i].bytes));
        assert_int_equal(bsr_strbuf_take(&text, &b), BSR_OK);
        assert_string_equal(text, vectors[i].text);
        bsr_free(text);
    }
}

/* How often `part` is in `text`. */
static int occurrences(const char *text, const char *part)
{
    int n = 0;
    for (const char *p = text; (p = strstr(p, part)); p += strlen(part))
        n++;
    return n;
}

static void assert_has(const char *text, const char *part)
{
    if (!strstr(text, part))
        fail_msg("the page does not have: %s", part);
}

/* A result and a sweep that nothing good can be said about: names with quotes and bytes that are no
 * UTF-8, nothing observed. */
static void test_report_html__page(void **state)
{
    fixture f;
    sweep_fixture s;
    const bsr_report_run runs[] = {
        {"</script>.db", "bitseer inject 'a b'", 0, make_result(&f), NULL, NULL},
        {"s.db", NULL, 1, NULL, make_sweep(&s), NULL},
    };
    bsr_report_options o = BSR_REPORT_OPTIONS_INIT;
    char *page;
    o.title = "A </title><script> \"x\"";
    o.protection = "{\"points\": []}";
    assert_int_equal(bsr_report_html(&page, runs, 2, &o), BSR_OK);
    assert_has(page, "<title>A &lt;/title&gt;&lt;script&gt; &quot;x&quot;</title>");
    assert_has(page, "{\"name\":\"\\u003c/script\\u003e.db\",\"command\":\"bitseer inject 'a b'\","
                     "\"complete\":false,\"result\":{\"command\":\"inject\",");
    assert_has(page, "{\"name\":\"s.db\",\"command\":null,\"complete\":true,\"result\":{");
    assert_has(page, "\"seed\":\"18446744073709551615\"");
    assert_has(page, "],\"protection\":{\"points\":[]}}</script>");
    assert_has(page, "<h2>&lt;/script&gt;.db</h2>");
    assert_has(page, "<img alt=\"Vulnerability factor of every layer with its interval\" "
                     "src=\"data:image/svg+xml;base64,");
    assert_int_equal(occurrences(page, "<!--bitseer:"), 0);
    assert_int_equal(occurrences(page, "</script>"), 2); /* data and script */
    assert_int_equal(occurrences(page, "src=\"http"), 0);
    assert_int_equal(occurrences(page, "<link"), 0);
    bsr_text_free(page);
}

/* A prediction is a run like others: its JSON, its picture, its text, its network in the title. */
static void test_report_html__prediction(void **state)
{
    prediction_fixture f;
    sweep_fixture s;
    const bsr_report_run runs[] = {
        {"p.json", NULL, 1, NULL, NULL, make_prediction(&f)},
        {"s.db", NULL, 1, NULL, make_accelerated(&s), NULL},
    };
    char *page;
    f.p.provenance.model_path = "net.onnx";
    assert_int_equal(bsr_report_html(&page, runs, 2, NULL), BSR_OK);
    assert_has(page, "<title>net.onnx, m</title>");
    assert_has(page, "{\"name\":\"p.json\",\"command\":null,\"complete\":true,\"result\":{"
                     "\"command\":\"predict\",\"target\":\"weight,activation\",");
    assert_has(page, "\"guards\":[{\"ber\":0.001,");
    assert_has(page,
               "<section data-run=\"0\">\n<h2>p.json</h2>\n<figure data-picture=\"prediction\">"
               "<img alt=\"Predicted accuracy against bit error rate with intervals\" ");
    assert_has(page, "<pre>predict: bit error rates, target weight,activation, 8 images");
    assert_has(page, "because\n1e-06 to 0.001  poisson  kurtosis &quot;12&quot; above 1\n");
    bsr_text_free(page);
    f.points[0].accuracy.value = f.points[1].accuracy.value = NAN;
    assert_int_equal(bsr_report_html(&page, runs, 1, NULL), BSR_OK);
    assert_int_equal(occurrences(page, "data-picture=\"prediction\""), 0);
    bsr_text_free(page);
}

/* Without a title the page has the names of the networks, each once. */
static void test_report_html__title(void **state)
{
    fixture f[3];
    bsr_report_run runs[3];
    char *page;
    for (int i = 0; i < 3; i++)
        runs[i] = (bsr_report_run){"r.db", NULL, 1, make_result(&f[i]), NULL, NULL};
    f[1].r.provenance.model_path = "/a/other <1>.onnx";
    f[2].r.provenance.model_path = "b/m.onnx";
    assert_int_equal(bsr_report_html(&page, runs, 3, NULL), BSR_OK);
    assert_has(page, "<title>m.onnx, other &lt;1&gt;.onnx</title>");
    bsr_text_free(page);
}

static void assert_refused(const bsr_report_run *runs, int n, const bsr_report_options *o,
                           const char *message)
{
    char *page = (char *)&page;
    assert_int_equal(bsr_report_html(&page, runs, n, o), BSR_EINVAL);
    assert_null(page);
    assert_string_equal(bsr_error_message(), message);
}

static void test_report_html__refuses(void **state)
{
    fixture f;
    sweep_fixture s;
    bsr_report_run run = {"r.db", NULL, 1, make_result(&f), NULL, NULL};
    bsr_report_options o = BSR_REPORT_OPTIONS_INIT;
    assert_refused(&run, 0, &o, "a report of 0 runs, expected 1 to 64");
    assert_refused(&run, 65, &o, "a report of 65 runs, expected 1 to 64");
    o.protection = "{\"points\": [1,}";
    assert_refused(&run, 1, &o, "protection is no JSON: line 1: unexpected token near '}'");
    o = (bsr_report_options){.version = 7};
    assert_refused(&run, 1, &o, "report options have version 7, expected 1");
    run.sweep = make_sweep(&s);
    assert_refused(&run, 1, NULL, "run 'r.db' has 2 results, expected one");
    prediction_fixture p;
    run = (bsr_report_run){
        .name = "p.json", .sweep = make_sweep(&s), .prediction = make_prediction(&p)};
    assert_refused(&run, 1, NULL, "run 'p.json' has 2 results, expected one");
    run = (bsr_report_run){.name = "r.db"};
    assert_refused(&run, 1, NULL, "run 'r.db' has 0 results, expected one");
}

/* The page that was built in has a policy that allows no network, and all that the C code fills. */
static void test_report_html__template(void **state)
{
    const char *page = (const char *)bsr_html_page;
    assert_int_equal(strlen(page), bsr_html_page_bytes);
    assert_has(page, "content=\"default-src 'none'; script-src 'sha256-");
    assert_int_equal(occurrences(page, "<!--bitseer:title-->"), 2);
    assert_int_equal(occurrences(page, "<!--bitseer:static-->"), 1);
    assert_int_equal(occurrences(page, "<!--bitseer:data-->"), 1);
    assert_int_equal(occurrences(page, "<!--bitseer:"), 4);
    assert_has(page, "Permission is hereby granted, free of charge"); /* uPlot's licence */
}

static void test_report_html__out_of_memory(void **state)
{
    fixture f;
    sweep_fixture s;
    prediction_fixture p;
    const bsr_report_run runs[] = {
        {"a.db", "bitseer", 1, make_result(&f), NULL, NULL},
        {"s.db", NULL, 1, NULL, make_accelerated(&s), NULL},
        {"p.json", NULL, 1, NULL, NULL, make_prediction(&p)},
    };
    bsr_report_options o = BSR_REPORT_OPTIONS_INIT;
    o.protection = "{\"points\": [{\"overhead\": 1}]}";
    char *expected;
    assert_int_equal(bsr_report_html(&expected, runs, 3, &o), BSR_OK);
    bsr_status status = BSR_ENOMEM;
    long n = 0;
    for (int pending = 0; !pending;) {
        char *page = (char *)&f;
        bsr_alloc_fail_after(++n);
        status = bsr_report_html(&page, runs, 3, &o);
        if (status != BSR_OK) {
            if (status != BSR_ENOMEM || strncmp(bsr_error_message(), "out of memory", 13) != 0)
                fail_msg("allocation %ld: %s", n, bsr_error_message());
            assert_null(page);
        } else {
            assert_string_equal(page, expected);
            bsr_text_free(page);
        }
        pending = bsr_alloc_fail_pending();
    }
    bsr_alloc_fail_after(0);
    bsr_text_free(expected);
    assert_int_equal(status, BSR_OK);
    assert_true(n > 50);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_report_html__text),
        cmocka_unit_test(test_report_html__json_strings),
        cmocka_unit_test(test_report_html__json_numbers),
        cmocka_unit_test(test_report_html__base64),
        cmocka_unit_test(test_report_html__page),
        cmocka_unit_test(test_report_html__prediction),
        cmocka_unit_test(test_report_html__title),
        cmocka_unit_test(test_report_html__refuses),
        cmocka_unit_test(test_report_html__template),
        cmocka_unit_test(test_report_html__out_of_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
