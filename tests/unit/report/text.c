#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/alloc.h"
#include "result_fixture.h"

/* Every number by hand from the fixture: 4/24, 6/12, (3 + 6)/18, (1 + 0)/18, 3/6, 10/36. */
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
    assert_non_null(strstr(text, "\ncheck        64 pairs injected directly, 1 disagree\n"));
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
        cmocka_unit_test(test_report_text__eval),
        cmocka_unit_test(test_report_text__allocation_fails),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
