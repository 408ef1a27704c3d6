#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/alloc.h"
#include "result_fixture.h"

/* The text without blanks and newlines, which the layout may change. None of the strings compared
 * has a blank but those kept here: the blanks inside quotes. */
static void squeeze(char *s)
{
    char *to = s;
    int quoted = 0;
    for (; *s; s++) {
        if (*s == '"' && s[-1] != '\\')
            quoted = !quoted;
        if (quoted || (*s != ' ' && *s != '\n'))
            *to++ = *s;
    }
    *to = 0;
}

/* Keys, their order and the values by hand from the fixture; the shares are the shortest decimals
 * that read back (Python's repr of 1/6, 1/12, 5/18). */
#define METRICS(v)                                                                                 \
    "\"metrics\":{\"critical\":{\"value\":" v ",\"ci\":[" v "," v "]},\"sdc\":null,"               \
    "\"due\":null,\"benign\":null,\"masked\":null,\"top5\":null,\"accuracy\":null}"

static const char expected[] =
    "{\"command\":\"inject\",\"target\":\"weight\",\"method\":\"direct\","
    "\"sampling\":\"exhaustive\",\"fault\":\"bitflip\",\"format\":\"\",\"transient\":false,"
    "\"complete\":true,\"planned\":12,\"margin\":null,\"format_loss\":0.0,"
    "\"units\":\"faults\",\"stopped\":\"\",\"reached\":0.0,\"images\":3,"
    "\"golden_correct\":2,\"confidence\":0.95,\"layers\":[{\"index\":0,\"name\":\"conv\\\"1\","
    "\"op\":\"Conv\",\"target\":\"weight\",\"sites\":4,\"population\":8,\"sampled_sites\":0,"
    "\"faults\":8,\"images\":3,\"pairs\":24,\"critical\":4,\"due\":1,\"sdc\":3,\"masked\":8,"
    "\"benign\":12,\"top5\":0,\"correct\":0,\"vf\":0.16666666666666666,"
    "\"ci\":[0.16666666666666666,0.16666666666666666],\"format\":\"float32\"," METRICS(
        "0.16666666666666666") ",\"rmse\":{\"value\":0.75,\"ci\":[0.5,1.0]},\"masked_at\":[{"
                               "\"layer\":-1,\"pairs\":1},"
                               "{\"layer\":0,\"pairs\":5},{\"layer\":2,\"pairs\":2}],\"bits\":[{"
                               "\"bit\":0,\"sites\":4,"
                               "\"faults\":4,\"critical\":1,\"due\":0,\"sdc\":1,\"vf\":0."
                               "08333333333333333,"
                               "\"ci\":[0.08333333333333333,0.08333333333333333]," METRICS(
                                   "0.08333333333333333") "},{\"bit\":31,\"sites\":4,\"faults\":4,"
                                                          "\"critical\":3,\"due\":1,\"sdc\":2,"
                                                          "\"vf\":0.25,"
                                                          "\"ci\":[0.25,0.25]," METRICS(
                                                              "0.25") "}],\"channels\":[],"
                                                                      "\"simulations\":null},{"
                                                                      "\"index\":5,\"name\":\"f?"
                                                                      "g\\n\",\"op\":\"Gemm\","
                                                                      "\"target\":\"weight\","
                                                                      "\"sites\":2,\"population\":"
                                                                      "4,\"sampled_sites\":0,"
                                                                      "\"faults\":4,"
                                                                      "\"images\":3,\"pairs\":12,"
                                                                      "\"critical\":6,\"due\":0,"
                                                                      "\"sdc\":6,\"masked\":6,"
                                                                      "\"benign\":0,"
                                                                      "\"top5\":0,\"correct\":0,"
                                                                      "\"vf\":0.5,\"ci\":[0.5,0.5],"
                                                                      "\"format\":"
                                                                      "\"float32\"," METRICS(
                                                                          "0.5") ",\"rmse\":null,"
                                                                                 "\"masked_at\":[{"
                                                                                 "\"layer\":5,"
                                                                                 "\"pairs\":6}],"
                                                                                 "\"bits\":[{"
                                                                                 "\"bit\":0,"
                                                                                 "\"sites\":2,"
                                                                                 "\"faults\":2,"
                                                                                 "\"critical\":0,"
                                                                                 "\"due\":0,"
                                                                                 "\"sdc\":0,\"vf\":"
                                                                                 "0.0,\"ci\":[0.0,"
                                                                                 "0.0]," METRICS(
                                                                                     "0.0") "},{"
                                                                                            "\"bit"
                                                                                            "\":31,"
                                                                                            "\"site"
                                                                                            "s\":2,"
                                                                                            "\"faul"
                                                                                            "ts\":"
                                                                                            "2,"
                                                                                            "\"crit"
                                                                                            "ical\""
                                                                                            ":6,"
                                                                                            "\"due"
                                                                                            "\":0,"
                                                                                            "\"sdc"
                                                                                            "\":6,"
                                                                                            "\"vf\""
                                                                                            ":1.0,"
                                                                                            "\"ci\""
                                                                                            ":[1.0,"
                                                                                            "1.0]"
                                                                                            "," METRICS(
                                                                                                "1."
                                                                                                "0") "}],\"channels\":[{\"index\":7,\"sites\":2,\"faults\":4,\"critical\":6,\"due\":0,\"sdc\":6,"
                                                                                                     "\"vf\":0.5,\"ci\":[0.25,null]}],\"simulations\":null}],\"mvf\":{\"vf\":0.2777777777777778,"
                                                                                                     "\"ci\":[0.2777777777777778,0.2777777777777778]},\"bits\":[{\"bit\":0,\"sites\":6,"
                                                                                                     "\"faults\":6,\"critical\":1,\"due\":0,\"sdc\":1,\"vf\":0.05555555555555555,"
                                                                                                     "\"ci\":[0.05555555555555555,0.05555555555555555]," METRICS(
                                                                                                         "0.05555555555555555") "},{\"bit\":31,\"sites\":6,\"faults\":6,\"critical\":9,\"due\":1,\"sdc\":8,\"vf\":0.5,"
                                                                                                                                "\"ci\":[0.5,0.5]," METRICS("0.5") "}]," METRICS(
                                                                                                                                    "0.2777777777777778") ",\"rmse\":null,\"strata\":[{\"layer\":5,\"bit\":31,\"p\":0.5,\"population\":2,\"n\":2},"
                                                                                                                                                          "{\"layer\":null,\"bit\":null,\"p\":0.25,\"population\":10,\"n\":10}],"
                                                                                                                                                          "\"total\":{\"sites\":6,\"population\":12,\"sampled_sites\":0,\"faults\":12,\"images\":3,"
                                                                                                                                                          "\"pairs\":36,\"critical\":10,\"due\":1,\"sdc\":9,\"masked\":14,\"benign\":12,\"top5\":0,"
                                                                                                                                                          "\"correct\":0},\"worst\":[{\"index\":5,\"name\":\"f?g\\n\",\"element\":9,\"pixel\":null,"
                                                                                                                                                          "\"value\":null,\"critical\":3,\"pairs\":6}],\"check\":{\"pairs\":0,\"violations\":0},\"screening\":null,\"verification\":null,\"simulations\":null,";

/* In two, as compilers need not take longer strings. */
static const char expected_end[] =
    "\"performance\":{\"evaluations\":36,\"injections\":12,"
    "\"forward_equivalents\":1.5,\"seconds\":0.5,\"golden_seconds\":0.001,"
    "\"forward_seconds\":0.002,\"lanes_per_second\":72.0,\"injections_per_second\":24.0,"
    "\"threads\":2,\"cpu\":\"avx2\",\"cpu_brand\":\"Some CPU\"},"
    "\"provenance\":{\"version\":\"0.1.0\",\"model\":{\"path\":\"m.onnx\",\"sha256\":\"aa\"},"
    "\"data\":{\"spec\":\"npy:x,y\",\"sha256\":\"bb\"},\"seed\":\"18446744073709551615\","
    "\"spec\":\"inject target=weight\"}}";

static void assert_text(const char *text)
{
    size_t n = sizeof expected - 1;
    assert_true(strlen(text) > n);
    assert_memory_equal(text, expected, n);
    assert_string_equal(text + n, expected_end);
}

static void test_report_json__result(void **state)
{
    fixture f;
    char *text;
    assert_int_equal(bsr_result_json(&text, make_result(&f)), BSR_OK);
    assert_string_equal(text + strlen(text) - 2, "}\n");
    squeeze(text);
    assert_text(text);
    bsr_text_free(text);
}

/* Rays say which pairs are critical only; that all of them are does not make the rest known. */
static void test_report_json__unknown_outcomes(void **state)
{
    fixture f;
    char *text;
    make_result(&f);
    f.r.outcomes_known = f.r.masking_known = 0;
    f.layers[0].outcomes = (bsr_outcomes){.pairs = 24, .critical = 24};
    f.r.total = (bsr_outcomes){.pairs = 36, .critical = 30};
    assert_int_equal(bsr_result_json(&text, &f.r), BSR_OK);
    squeeze(text);
    assert_non_null(strstr(text, "\"pairs\":24,\"critical\":24,\"due\":null,\"sdc\":null,"
                                 "\"masked\":null,\"benign\":null,\"top5\":null,"
                                 "\"correct\":null,\"vf\""));
    assert_non_null(strstr(text, "\"critical\":30,\"due\":null,\"sdc\":null,\"masked\":null,"
                                 "\"benign\":null,\"top5\":null,\"correct\":null}"));
    bsr_text_free(text);
}

/* What only some runs have. */
static void test_report_json__campaign(void **state)
{
    fixture f;
    char *text;
    make_result(&f);
    f.r.fault = "mbu:2";
    f.r.format = "a\"b\x01";
    f.r.transient = 1;
    f.r.complete = 0;
    f.r.planned = (uint64_t)1 << 63;
    f.r.margin = 0.01;
    f.r.format_loss = -0.125;
    f.worst[0].pixel = 0;
    f.worst[0].value = NAN;
    f.all_bits[0].index = -1;
    f.r.metrics[BSR_METRIC_ACCURACY] = (bsr_share){0.5, 0.25, NAN};
    f.r.total.top5 = 3;
    f.r.total.correct = 30;
    assert_int_equal(bsr_result_json(&text, &f.r), BSR_OK);
    squeeze(text);
    assert_non_null(strstr(text, "\"fault\":\"mbu:2\",\"format\":\"a\\\"b\\u0001\","
                                 "\"transient\":true,\"complete\":false,"
                                 "\"planned\":\"9223372036854775808\",\"margin\":0.01,"
                                 "\"format_loss\":-0.125,\"units\":\"faults\",\"stopped\":\"\","
                                 "\"reached\":0.0,\"images\":3,"));
    assert_non_null(strstr(text, "\"element\":9,\"pixel\":0,\"value\":null,"));
    assert_non_null(strstr(text, "\"bits\":[{\"bit\":null,\"sites\":6,"));
    assert_non_null(strstr(text, "\"accuracy\":{\"value\":0.5,\"ci\":[0.25,null]}}"));
    assert_non_null(strstr(text, "\"top5\":3,\"correct\":30}"));
    bsr_text_free(text);
}

static void test_report_json__no_layers(void **state)
{
    bsr_result r = {.command = "inject",
                    .target = "weight",
                    .method = "direct",
                    .sampling = "random",
                    .mvf = {NAN, NAN, NAN}};
    char *text;
    assert_int_equal(bsr_result_json(&text, &r), BSR_OK);
    squeeze(text);
    assert_non_null(strstr(text, "\"layers\":[],\"mvf\":{\"vf\":null,\"ci\":[null,null]},"
                                 "\"bits\":[],"));
    assert_non_null(strstr(text, "\"strata\":[],"));
    bsr_text_free(text);
}

static bsr_eval_result some_eval(void)
{
    static char spec[] = "eval";
    return (bsr_eval_result){.images = 10,
                             .correct = 9,
                             .top5 = 10,
                             .accuracy = 0.9,
                             .top5_accuracy = 1,
                             .accuracy_ci = {0.9, 0.5958, 0.9821},
                             .classes = 10,
                             .seconds = 0.1,
                             .provenance = {"0.1.0", "", "aa", "d", "bb", NULL, spec, 0}};
}

static void test_report_json__eval(void **state)
{
    char *text;
    bsr_eval_result r = some_eval();
    assert_int_equal(bsr_eval_json(&text, &r), BSR_OK);
    squeeze(text);
    assert_string_equal(
        text, "{\"images\":10,\"correct\":9,\"accuracy\":0.9,\"top5\":1.0,\"top5_correct\":10,"
              "\"accuracy_ci\":[0.5958,0.9821],\"classes\":10,"
              "\"performance\":{\"seconds\":0.1,\"cpu_brand\":null},"
              "\"provenance\":{\"version\":\"0.1.0\",\"model\":{\"path\":\"\",\"sha256\":\"aa\"},"
              "\"data\":{\"spec\":\"d\",\"sha256\":\"bb\"},\"seed\":0,\"spec\":\"eval\"}}");
    bsr_text_free(text);
}

/* Numbers must read back to the same double; strings that look like numbers stay. */
static void test_report_json__numbers(void **state)
{
    static const double values[] = {0.1,
                                    1.0 / 3,
                                    5e-324,
                                    1.7976931348623157e308,
                                    1e16,
                                    -0.0,
                                    123456789012345678.0,
                                    2e-10,
                                    0.30000000000000004};
    char name[] = "0.30000000000000000 \\\" 1e5", *text;
    for (size_t i = 0; i < sizeof values / sizeof *values; i++) {
        fixture f;
        make_result(&f)->confidence = values[i];
        f.layers[0].name = name;
        assert_int_equal(bsr_result_json(&text, &f.r), BSR_OK);
        double back = strtod(strstr(text, "\"confidence\": ") + 14, NULL);
        assert_memory_equal(&back, &values[i], sizeof back);
        assert_non_null(strstr(text, "\"name\": \"0.30000000000000000 \\\\\\\" 1e5\""));
        bsr_text_free(text);
    }
}

static void test_report_json__allocation_fails(void **state)
{
    fixture f;
    bsr_status status = BSR_ENOMEM;
    make_result(&f);
    long n = 0;
    for (int pending = 0; !pending;) {
        char *text = (char *)&f;
        bsr_alloc_fail_after(++n);
        status = bsr_result_json(&text, &f.r);
        if (status != BSR_OK) {
            assert_int_equal(status, BSR_ENOMEM);
            assert_null(text);
            assert_int_equal(strncmp(bsr_error_message(), "out of memory", 13), 0);
        } else {
            squeeze(text);
            assert_text(text);
            bsr_text_free(text);
        }
        pending = bsr_alloc_fail_pending();
    }
    bsr_alloc_fail_after(0);
    assert_int_equal(status, BSR_OK);
    assert_true(n > 50);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_report_json__result),
        cmocka_unit_test(test_report_json__unknown_outcomes),
        cmocka_unit_test(test_report_json__campaign),
        cmocka_unit_test(test_report_json__no_layers),
        cmocka_unit_test(test_report_json__eval),
        cmocka_unit_test(test_report_json__numbers),
        cmocka_unit_test(test_report_json__allocation_fails),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
