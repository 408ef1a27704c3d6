#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/alloc.h"
#include "result_fixture.h"

/* Every number by hand from the fixture: 4/24, 6/12, (3 + 6)/18, (1 + 0)/18, 3/6, 10/36;
 * of 14 masked pairs 6, 5, 2 and 1. */
static const char expected[] =
    "inject: single bit flips, target weight, method direct, sampling exhaustive\n"
    "12 of 12 faults, each on 3 images (golden accuracy 66.667 %)\n"
    "\n"
    "layer  name    op    sites  faults  critical  due    VF %  interval\n"
    "    0  conv\"1  Conv      4       8         4    1  16.667     exact  ###\n"
    "    5  f?g?    Gemm      2       4         6    0  50.000     exact  ########\n"
    "\n"
    "bits, worst first\n"
    "bit  faults  critical  due    VF %  interval\n"
    "31        6         9    1  50.000     exact  ########\n"
    "0         6         1    0   5.556     exact  #\n"
    "\n"
    "channels, worst 1 of 1\n"
    "layer  name  channel  sites  faults  critical   CVF %  interval\n"
    "    5  f?g?        7      2       4         6  50.000         -  ########\n"
    "\n"
    "sites, worst of those observed\n"
    "layer  name  element  value  critical  pairs       %\n"
    "    5  f?g?        9    inf         3      6  50.000\n"
    "\n"
    "MVF          27.778 %, of the whole population\n"
    "pairs        36 (fault, image)\n"
    "outcomes     14 masked, 12 benign, 10 critical; 1 DUE, 9 SDC\n"
    "masked at    layer 5 42.857 %, layer 0 35.714 %, layer 2 14.286 %, elsewhere 7.143 %\n"
    "evaluations  36 (100 % of the pairs), the work of 1.5 inferences of all images\n"
    "time         0.5 s on 2 threads (avx2), golden run 0.001 s\n"
    "speed        24 injections/s, 72 evaluations/s\n";

static void test_report_text__result(void **state)
{
    fixture f;
    char *text;
    assert_int_equal(bsr_result_text(&text, make_result(&f)), BSR_OK);
    assert_string_equal(text, expected);
    bsr_text_free(text);
}

/* What a ray does not tell is not printed as zero. */
static void test_report_text__ray(void **state)
{
    fixture f;
    char *text;
    make_result(&f);
    f.r.method = "ray";
    f.r.outcomes_known = f.r.masking_known = 0;
    f.layers[0].n_maskings = f.layers[1].n_maskings = 0;
    f.r.checked = 64;
    f.r.violations = 1;
    f.r.mvf = (bsr_share){0.25, 0.2, 0.3};
    f.layers[0].sampled_sites = 2;
    f.layers[0].outcomes = (bsr_outcomes){.pairs = 24, .critical = 4};
    f.r.total = (bsr_outcomes){.pairs = 36, .critical = 10};
    assert_int_equal(bsr_result_text(&text, &f.r), BSR_OK);
    assert_non_null(strstr(text, "12 of 12 faults (at 2 of 6 sites), each on"));
    assert_non_null(strstr(text, " Conv      4       8         4    -  16.667 "));
    assert_non_null(strstr(text, "\noutcomes     10 critical\n"));
    assert_non_null(strstr(text, "\nMVF          25.000 %, 95 % interval [20.000, 30.000]\n"));
    assert_null(strstr(text, "masked at"));
    assert_null(strstr(text, "outcomes, all layers"));
    assert_non_null(strstr(text, "\ncheck        64 pairs injected directly, 1 disagree\n"));
    bsr_text_free(text);
}

static bsr_share metric(double value)
{
    return (bsr_share){value, value / 2, value * 1.5};
}

/* 2/3 of the images are correct in the format, 2/3 + 1/4 as given. */
static void test_report_text__campaign(void **state)
{
    static const double values[BSR_METRICS] = {0.25, 0.125, 0.1875, 0.5, 0.25, 0.0625, 0.625};
    fixture f;
    char *text;
    make_result(&f);
    f.r.fault = "mbu:2";
    f.r.sampling = "layer-wise";
    f.r.margin = 0.01;
    f.r.format = "weight=q2.5";
    f.r.format_loss = 0.25;
    f.r.complete = 0;
    f.r.planned = 100;
    f.r.rmse = (bsr_share){0.75, 0.5, 1};
    f.layers[1].format = "q2.5";
    f.worst[0].pixel = 12;
    f.worst[0].value = NAN;
    for (int m = 0; m < BSR_METRICS; m++)
        f.r.metrics[m] = metric(values[m]);
    assert_int_equal(bsr_result_text(&text, &f.r), BSR_OK);
    static const char head[] =
        "inject: fault mbu:2, target weight, method direct, sampling layer-wise\n"
        "margin 1 %, confidence 95 %\n"
        "12 of 12 faults, each on 3 images (golden accuracy 66.667 %)\n"
        "stored as weight=q2.5: golden accuracy 66.667 % against 91.667 % as given\n"
        "INCOMPLETE: 12 of 100 faults answered\n"
        "\n"
        "layer  name    op    format   sites  faults  critical  due    VF %  interval\n"
        "    0  conv\"1  Conv  float32      4       8         4    1  16.667     exact  ###\n"
        "    5  f?g?    Gemm  q2.5         2       4         6    0  50.000     exact  ########\n"
        "\n"
        "outcomes, all layers\n"
        "outcome        %          interval  meaning\n"
        "critical  25.000  [12.500, 37.500]  class changed\n"
        "sdc       12.500   [6.250, 18.750]  class changed, logits finite\n"
        "due       18.750   [9.375, 28.125]  a logit is NaN or infinite\n"
        "benign    50.000  [25.000, 75.000]  logits changed, class kept\n"
        "masked    25.000  [12.500, 37.500]  logits as without the fault\n"
        "top5       6.250    [3.125, 9.375]  class no longer among the first five\n"
        "accuracy  62.500  [31.250, 93.750]  class is the label's\n"
        "\n"
        "lowest bits of the faults, worst first\n";
    text[sizeof head - 1] = 0;
    assert_string_equal(text, head);
    bsr_text_free(text);
    assert_int_equal(bsr_result_text(&text, &f.r), BSR_OK);
    assert_non_null(strstr(text, "layer  name  element  pixel  value  critical  pairs       %\n"
                                 "    5  f?g?        9     12      -         3      6  50.000\n"));
    assert_non_null(strstr(text, "\nRMSE         0.75 of the logits, interval [0.5, 1]\n"));
    bsr_text_free(text);
}

/* The words for the kinds of runs. */
static void test_report_text__kinds(void **state)
{
    fixture f;
    char *text;
    make_result(&f);
    f.r.transient = 1;
    f.r.complete = 0;
    f.r.planned = 40;
    f.r.fault = "stuck1";
    assert_int_equal(bsr_result_text(&text, &f.r), BSR_OK);
    assert_non_null(strstr(text, "inject: single bits stuck at 1, target weight, "));
    assert_non_null(strstr(text, "\ntransient: 36 of 12 x 3 (fault, image) pairs (golden "
                                 "accuracy 66.667 %)\n"
                                 "INCOMPLETE: 36 of 40 pairs answered\n"));
    bsr_text_free(text);
    make_result(&f)->sampling = "list";
    assert_int_equal(bsr_result_text(&text, &f.r), BSR_OK);
    assert_int_equal(strncmp(text, "inject: faults of a list, target weight, ", 41), 0);
    assert_non_null(strstr(text, "\nlowest bits of the faults, worst first\n"));
    assert_non_null(strstr(text, "\nMVF          27.778 %, of the listed faults\n"));
    bsr_text_free(text);
    make_result(&f)->fault = "ber01:1e-05,0";
    f.r.performance.cpu = NULL;
    assert_int_equal(bsr_result_text(&text, &f.r), BSR_OK);
    assert_int_equal(strncmp(text, "inject: fault ber01:1e-05,0, target ", 36), 0);
    assert_non_null(strstr(text, "\n12 error patterns, each on 3 images (golden"));
    assert_non_null(strstr(text, " on 2 threads (-), golden run 0.001 s\n"));
    bsr_text_free(text);
}

/* Before the first answer, and at the other end of the range. */
static void test_report_text__extremes(void **state)
{
    fixture f;
    char *text;
    make_result(&f);
    f.r.n_layers = f.r.n_bits = f.r.n_worst = 0;
    f.r.mvf = (bsr_share){NAN, NAN, NAN};
    f.r.total = (bsr_outcomes){0};
    f.r.images = 0;
    assert_int_equal(bsr_result_text(&text, &f.r), BSR_OK);
    assert_non_null(strstr(text, "\n0 of 0 faults, each on 0 images (golden accuracy "));
    assert_non_null(strstr(text, "\nMVF          - %, 95 % interval -\n"));
    assert_null(strstr(text, "worst first"));
    bsr_text_free(text);

    make_result(&f);
    for (int i = 0; i < 2; i++) {
        f.layers[i].sites = f.layers[i].faults = UINT64_MAX / 2;
        f.layers[i].outcomes.critical = f.layers[i].outcomes.due = UINT64_MAX;
        f.layers[i].name = "/a/very/long/name/of/a/node/in/a/very/deep/network/Conv_output_0";
        f.layers[i].op = "BatchNormalization";
        f.layers[i].format = i ? "float32" : "bfloat16";
        f.layers[i].vf = metric(0.123456);
    }
    f.maskings[0][0].pairs = 1000000000000;
    for (int m = 0; m < BSR_METRICS; m++)
        f.r.metrics[m] = metric(1e-9);
    assert_int_equal(bsr_result_text(&text, &f.r), BSR_OK);
    for (const char *p = text; *p; p += strcspn(p, "\n") + 1)
        assert_true(strcspn(p, "\n") <= 100);
    assert_non_null(strstr(text, "\nmasked at    before layer 0 99.999 %, "));
    bsr_text_free(text);
}

static void test_report_text__eval(void **state)
{
    char *text;
    bsr_eval_result r = {.images = 100,
                         .correct = 93,
                         .accuracy = 0.93,
                         .top5_accuracy = 1,
                         .accuracy_ci = {0.93, 0.8625, 0.9657},
                         .seconds = 0.5};
    assert_int_equal(bsr_eval_text(&text, &r), BSR_OK);
    assert_string_equal(text, "images   100\n"
                              "correct  93\n"
                              "top-1    93.000 %  [86.250, 96.570]\n"
                              "top-5    100 %\n"
                              "time     0.5 s, 200 images/s\n");
    bsr_text_free(text);
}

static void test_report_text__allocation_fails(void **state)
{
    fixture f;
    make_result(&f);
    for (long n = 1, pending = 0; !pending; n++) {
        char *text;
        bsr_alloc_fail_after(n);
        bsr_status status = bsr_result_text(&text, &f.r);
        pending = bsr_alloc_fail_pending();
        assert_int_equal(status, pending ? BSR_OK : BSR_ENOMEM);
        if (pending)
            assert_string_equal(text, expected);
        else
            assert_null(text);
        bsr_text_free(text);
    }
    bsr_alloc_fail_after(0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_report_text__result),
        cmocka_unit_test(test_report_text__ray),
        cmocka_unit_test(test_report_text__campaign),
        cmocka_unit_test(test_report_text__kinds),
        cmocka_unit_test(test_report_text__extremes),
        cmocka_unit_test(test_report_text__eval),
        cmocka_unit_test(test_report_text__allocation_fails),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
