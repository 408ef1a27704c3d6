#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>
#include <math.h>

#include "base/alloc.h"
#include "campaign_fixture.h"

/* JSON without blanks and newlines outside of strings. */
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

static void expect_json(char *text, const char *expected)
{
    squeeze(text);
    assert_string_equal(text, expected);
    bsr_text_free(text);
}

static void expect_text(char *text, const char *expected)
{
    assert_string_equal(text, expected);
    bsr_text_free(text);
}

/* Keys, order and values by hand from the fixtures; counts beyond 2^63 - 1 as strings. */
static const char plan_json[] =
    "{\"command\":\"plan\",\"target\":\"weight\",\"plan\":\"data-aware\",\"fault\":\"bitflip\","
    "\"method\":\"direct\",\"margin\":0.01,\"confidence\":0.95,\"t\":1.96,\"population\":80,"
    "\"n\":30,\"sites\":null,\"layers\":["
    "{\"index\":0,\"name\":\"conv\\\"1\",\"op\":\"Conv\",\"sites\":20,\"population\":40,\"n\":20},"
    "{\"index\":5,\"name\":\"f?g\\n\",\"op\":\"Gemm\",\"sites\":20,\"population\":40,\"n\":10}],"
    "\"strata\":["
    "{\"layer\":0,\"bit\":0,\"p\":0.25,\"population\":20,\"n\":5},"
    "{\"layer\":0,\"bit\":30,\"p\":0.5,\"population\":20,\"n\":15},"
    "{\"layer\":5,\"bit\":0,\"p\":0.125,\"population\":20,\"n\":0},"
    "{\"layer\":5,\"bit\":30,\"p\":0.5,\"population\":20,\"n\":10}]}";

static const char plan_text[] =
    "plan: single bit flips, target weight, method direct, sampling data-aware\n"
    "margin 1 %, confidence 95 % (t 1.96)\n"
    "\n"
    "layer  name    op    sites  faults  to inject       %\n"
    "    0  conv\"1  Conv     20      40         20  50.000\n"
    "    5  f?g?    Gemm     20      40         10  25.000\n"
    "  all                   40      80         30  37.500\n"
    "\n"
    "bits, over all layers\n"
    "bit         assumed %  faults  to inject       %\n"
    " 30            50.000      40         25  62.500\n"
    "  0  12.500 to 25.000      40          5  12.500\n"
    "\n"
    "30 of 80 faults\n";

static void test_report_campaign__plan(void **state)
{
    plan_fixture f;
    char *text;
    assert_int_equal(bsr_plan_json(&text, make_plan(&f)), BSR_OK);
    expect_json(text, plan_json);
    assert_int_equal(bsr_plan_text(&text, &f.p), BSR_OK);
    expect_text(text, plan_text);
}

static void test_report_campaign__plan_of_rays(void **state)
{
    plan_fixture f;
    char *text;
    make_plan(&f);
    f.p.plan = "adaptive";
    f.p.method = "ray";
    f.p.margin = 0;
    f.p.sites = 12;
    f.p.n_strata = 1;
    f.strata[0] = (bsr_plan_stratum){-1, -1, 0.5, UINT64_MAX, 30};
    assert_int_equal(bsr_plan_text(&text, &f.p), BSR_OK);
    assert_null(strstr(text, "margin 0"));
    assert_null(strstr(text, "bits, over all layers"));
    assert_non_null(strstr(text, "\n30 of 80 faults, answered by rays at 12 sites in the first "
                                 "round; more follow until the margin is met\n"));
    bsr_text_free(text);
    assert_int_equal(bsr_plan_json(&text, &f.p), BSR_OK);
    squeeze(text);
    assert_non_null(strstr(text, "\"margin\":null,"));
    assert_non_null(strstr(text, "\"sites\":12,"));
    assert_non_null(strstr(text, "[{\"layer\":null,\"bit\":null,\"p\":0.5,"
                                 "\"population\":\"18446744073709551615\",\"n\":30}]"));
    bsr_text_free(text);
}

static void test_report_campaign__empty_plan(void **state)
{
    bsr_plan_result p = {
        .target = "input", .plan = "random", .fault = "zero", .method = "direct", .t = NAN};
    char *text;
    assert_int_equal(bsr_plan_text(&text, &p), BSR_OK);
    expect_text(text, "plan: codes set to 0, target input, method direct, sampling random\n"
                      "\n"
                      "layer  name  op  sites  faults  to inject  %\n"
                      "  all                0       0          0  -\n"
                      "\n"
                      "0 of 0 faults\n");
    assert_int_equal(bsr_plan_json(&text, &p), BSR_OK);
    squeeze(text);
    assert_non_null(strstr(text, "\"t\":null,"));
    assert_non_null(strstr(text, "\"layers\":[],\"strata\":[]}"));
    bsr_text_free(text);
}

#define NO_DISTRIBUTION                                                                            \
    "{\"mean\":null,\"sd\":null,\"min\":null,\"q05\":null,\"q25\":null,\"median\":null,"           \
    "\"q75\":null,\"q95\":null,\"max\":null}"

static const char sweep_json[] =
    "{\"command\":\"sweep\",\"target\":\"weight,activation\",\"format\":\"int8\",\"images\":8,"
    "\"golden_correct\":6,\"top5_correct\":8,\"confidence\":0.95,\"format_loss\":0.125,"
    "\"points\":["
    "{\"ber\":1e-06,\"accuracy\":0.75,\"ci\":[0.5,0.875],\"sdc\":0.0625,\"sdc_ci\":[0.0,0.25],"
    "\"critical\":0.125,\"critical_ci\":[0.0625,0.25],\"due\":0.03125,\"due_ci\":[0.0,0.5],"
    "\"top5\":0.0,\"top5_ci\":[0.0,0.125],\"rmse\":1.5,\"runs\":10,"
    "\"flips\":{\"mean\":1.5,\"sd\":1.0,\"min\":0.0,\"q05\":0.25,\"q25\":0.5,\"median\":1.25,"
    "\"q75\":2.0,\"q95\":3.0,\"max\":4.0},\"bits\":1781248.0,\"accuracy_runs\":" NO_DISTRIBUTION
    ",\"rmse_runs\":" NO_DISTRIBUTION ",\"rmse_ci\":[null,null],\"model\":\"bits\"},"
    "{\"ber\":0.01,\"accuracy\":null,\"ci\":[null,null],\"sdc\":null,\"sdc_ci\":[null,null],"
    "\"critical\":null,\"critical_ci\":[null,null],\"due\":null,\"due_ci\":[null,null],"
    "\"top5\":null,\"top5_ci\":[null,null],\"rmse\":null,\"runs\":0,"
    "\"flips\":" NO_DISTRIBUTION ",\"bits\":1781248.0,\"accuracy_runs\":" NO_DISTRIBUTION
    ",\"rmse_runs\":" NO_DISTRIBUTION ",\"rmse_ci\":[null,null],\"model\":\"bits\"}],\"guards\":[],"
    "\"performance\":{\"evaluations\":80,\"injections\":10,\"forward_equivalents\":12.5,"
    "\"seconds\":0.5,\"golden_seconds\":0.001,\"forward_seconds\":0.002,"
    "\"lanes_per_second\":160.0,\"injections_per_second\":20.0,\"threads\":1,\"cpu\":\"ref\","
    "\"cpu_brand\":null},"
    "\"provenance\":{\"version\":\"0.1.0\",\"model\":{\"path\":\"m\",\"sha256\":\"aa\"},"
    "\"data\":{\"spec\":\"d\",\"sha256\":\"bb\"},\"seed\":7,\"spec\":\"sweep\"}}";

static const char sweep_text[] =
    "sweep: bit error rates, target weight,activation, 8 images (golden accuracy 75.000 %)\n"
    "stored as int8: golden accuracy 75.000 % against 87.500 % as given\n"
    "\n"
    " rate  runs  flips  accuracy %          interval                    SDC %  DUE %  RMSE\n"
    "1e-06    10    1.5      75.000  [50.000, 87.500]  ################  6.250  3.125   1.5\n"
    " 0.01     0      -           -                 -                        -      -     -\n"
    "(flips: mean of a run; interval: 95 %; SDC: class changed, logits finite; RMSE: of the "
    "logits)\n"
    "\n"
    "time  0.5 s on 1 thread (ref), golden run 0.001 s\n";

static void test_report_campaign__sweep(void **state)
{
    sweep_fixture f;
    char *text;
    assert_int_equal(bsr_sweep_json(&text, make_sweep(&f)), BSR_OK);
    expect_json(text, sweep_json);
    assert_int_equal(bsr_sweep_text(&text, &f.r), BSR_OK);
    expect_text(text, sweep_text);
}

static const char accelerated_text[] =
    "sweep: bit error rates, target weight,activation, 8 images (golden accuracy 75.000 %)\n"
    "stored as int8: golden accuracy 75.000 % against 87.500 % as given\n"
    "\n"
    " rate  model    runs  flips  accuracy %          interval                    SDC %  DUE %  "
    "RMSE\n"
    "1e-06  poisson     -    1.5      75.000  [50.000, 87.500]  ################  6.250  3.125   "
    "1.5\n"
    " 0.01  bits        -      -           -                 -                        -      -     "
    "-\n"
    "(flips: mean of a run; interval: 95 %; SDC: class changed, logits finite; RMSE: of the "
    "logits)\n"
    "\n"
    "guards: first order against inferences with flipped bits\n"
    " rate  patterns  images  RMSE  predicted  ratio       interval\n"
    "0.001         4      50   0.5      0.625    0.8  [0.75, 0.875]  rescaled\n"
    "0.002         1      50     0          0      -              -\n"
    "(ratio: RMSE / predicted; rescaled: predictions are multiplied by it)\n"
    "\n"
    "time  0.5 s on 1 thread (ref), golden run 0.001 s\n";

static void test_report_campaign__accelerated_sweep(void **state)
{
    sweep_fixture f;
    char *text;
    assert_int_equal(bsr_sweep_text(&text, make_accelerated(&f)), BSR_OK);
    expect_text(text, accelerated_text);
    assert_int_equal(bsr_sweep_json(&text, &f.r), BSR_OK);
    squeeze(text);
    assert_non_null(strstr(text, "\"rmse_ci\":[1.25,1.75],\"model\":\"poisson\"},{"));
    assert_non_null(strstr(text, "\"guards\":[{\"ber\":0.001,\"patterns\":4,\"images\":50,"
                                 "\"measured\":0.5,\"predicted\":0.625,\"ratio\":0.8,"
                                 "\"ratio_ci\":[0.75,0.875],\"rescaled\":true},{"));
    assert_non_null(strstr(text, "\"ratio\":null,\"ratio_ci\":[null,null],\"rescaled\":false}]"));
    bsr_text_free(text);
}

static const char comparison_json[] =
    "{\"command\":\"compare\",\"a\":\"a\\\".db\",\"b\":\"b.db\",\"images\":4,\"confidence\":0.9,"
    "\"layers\":["
    "{\"index\":0,\"name_a\":\"conv\",\"name_b\":\"conv\",\"faults\":4,\"pairs\":16,"
    "\"critical_a\":8,\"critical_b\":4,\"only_a\":5,\"only_b\":1,\"difference\":-0.25,"
    "\"ci\":[-0.5,0.0625]},"
    "{\"index\":1,\"name_a\":\"fc\",\"name_b\":\"gemm\",\"faults\":0,\"pairs\":0,"
    "\"critical_a\":0,\"critical_b\":0,\"only_a\":0,\"only_b\":0,\"difference\":null,"
    "\"ci\":[null,null]}],"
    "\"total\":{\"faults\":4,\"pairs\":16,\"critical_a\":8,\"critical_b\":4,\"only_a\":5,"
    "\"only_b\":1,\"difference\":-0.25,\"ci\":[-0.5,0.0625]},"
    "\"p_value\":0.21875,\"left_out_a\":3,\"left_out_b\":0}";

static const char comparison_text[] =
    "compare: a is a\".db\n"
    "         b is b.db\n"
    "4 faults that both answered, 4 images, 16 pairs\n"
    "\n"
    "layer  name      faults    VF a    VF b    b - a          interval  only a  only b\n"
    "    0  conv           4  50.000  25.000  -25.000  [-50.000, 6.250]       5       1\n"
    "    1  fc, gemm       0       -       -        -                 -       0       0\n"
    "  all                 4  50.000  25.000  -25.000  [-50.000, 6.250]       5       1\n"
    "(VF: critical pairs in %; b - a: in points; interval: 90 %; only a: critical in a alone)\n"
    "\n"
    "McNemar      p = 0.2188 (exact, two-sided; takes pairs for independent)\n"
    "left out     3 faults that only a answered, 0 that only b did\n";

static void test_report_campaign__comparison(void **state)
{
    comparison_fixture f;
    char *text;
    assert_int_equal(bsr_comparison_json(&text, make_comparison(&f)), BSR_OK);
    expect_json(text, comparison_json);
    assert_int_equal(bsr_comparison_text(&text, &f.c), BSR_OK);
    expect_text(text, comparison_text);
    f.c.left_out_a = 0;
    f.c.n_layers = 0;
    assert_int_equal(bsr_comparison_text(&text, &f.c), BSR_OK);
    assert_null(strstr(text, "left out"));
    bsr_text_free(text);
}

/* Names of any length and the greatest counts stay within 100 columns. */
static void test_report_campaign__width(void **state)
{
    static const char name[] = "/features/block.12/expand/conv/Conv_output_0_quantized_and_folded";
    comparison_fixture f;
    char *text;
    make_comparison(&f);
    f.layers[0] = (bsr_compared_layer){.index = 100,
                                       .name_a = name,
                                       .name_b = "other",
                                       .faults = UINT64_MAX,
                                       .pairs = UINT64_MAX,
                                       .critical_a = UINT64_MAX,
                                       .only_a = UINT64_MAX,
                                       .difference = {-1, -1, -0.123456}};
    f.c.confidence = 0.999;
    assert_int_equal(bsr_comparison_text(&text, &f.c), BSR_OK);
    for (const char *p = text; *p; p += strcspn(p, "\n") + 1)
        assert_true(strcspn(p, "\n") <= 100);
    assert_non_null(strstr(text, "\n  100 /features/bloc.._folded, other "));
    assert_non_null(strstr(text, " 18.4E "));
    assert_non_null(strstr(text, " [-100.000, -12.346] "));
    bsr_text_free(text);
}

static plan_fixture plan;
static sweep_fixture sweep;
static comparison_fixture comparison;

static bsr_status write_plan_json(char **out)
{
    return bsr_plan_json(out, &plan.p);
}

static bsr_status write_plan_text(char **out)
{
    return bsr_plan_text(out, &plan.p);
}

static bsr_status write_sweep_json(char **out)
{
    return bsr_sweep_json(out, &sweep.r);
}

static bsr_status write_sweep_text(char **out)
{
    return bsr_sweep_text(out, &sweep.r);
}

static bsr_status write_comparison_json(char **out)
{
    return bsr_comparison_json(out, &comparison.c);
}

static bsr_status write_comparison_text(char **out)
{
    return bsr_comparison_text(out, &comparison.c);
}

static void test_report_campaign__allocation_fails(void **state)
{
    static bsr_status (*const writers[])(char **) = {write_plan_json,       write_plan_text,
                                                     write_sweep_json,      write_sweep_text,
                                                     write_comparison_json, write_comparison_text};
    make_plan(&plan);
    make_sweep(&sweep);
    make_comparison(&comparison);
    char *whole[sizeof writers / sizeof *writers];
    for (size_t i = 0; i < sizeof writers / sizeof *writers; i++) {
        assert_int_equal(writers[i](&whole[i]), BSR_OK);
        squeeze(whole[i]);
    }
    for (size_t i = 0; i < sizeof writers / sizeof *writers; i++) {
        int failures = 0;
        for (long n = 1, pending = 0; !pending; n++) {
            char *text = (char *)&plan;
            bsr_alloc_fail_after(n);
            bsr_status status = writers[i](&text);
            pending = bsr_alloc_fail_pending();
            bsr_alloc_fail_after(0);
            failures += status != BSR_OK;
            if (status == BSR_OK) {
                squeeze(text);
                assert_string_equal(text, whole[i]);
            } else {
                assert_int_equal(status, BSR_ENOMEM);
                assert_false(pending);
                assert_null(text);
                assert_int_equal(strncmp(bsr_error_message(), "out of memory", 13), 0);
            }
            bsr_text_free(text);
        }
        assert_true(failures > 10);
        bsr_text_free(whole[i]);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_report_campaign__plan),
        cmocka_unit_test(test_report_campaign__plan_of_rays),
        cmocka_unit_test(test_report_campaign__empty_plan),
        cmocka_unit_test(test_report_campaign__sweep),
        cmocka_unit_test(test_report_campaign__accelerated_sweep),
        cmocka_unit_test(test_report_campaign__comparison),
        cmocka_unit_test(test_report_campaign__width),
        cmocka_unit_test(test_report_campaign__allocation_fails),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
