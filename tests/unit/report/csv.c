#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "bitseer/pictures.h"
#include "campaign_fixture.h"
#include "result_fixture.h"

/* Written by hand from the fixtures; names quoted as RFC 4180, section 2, says. */
static void check(bsr_status status, char *text, const char *expected)
{
    assert_int_equal(status, BSR_OK);
    assert_string_equal(text, expected);
    bsr_text_free(text);
}

static void test_report_csv__result(void **state)
{
    fixture f;
    char *text;
    bsr_result *r = make_result(&f);
    bsr_status status = bsr_result_csv(&text, r, BSR_PICTURE_LAYERS);
    check(status, text,
          "layer,name,op,format,sites,population,sampled_sites,faults,pairs,masked,benign,critical,"
          "due,sdc,top5,correct,vf,vf_lo,vf_hi\n"
          "0,\"conv\"\"1\",Conv,float32,4,8,0,8,24,8,12,4,1,3,0,0,0.16666666666666666,"
          "0.16666666666666666,0.16666666666666666\n"
          "5,\"f?g\n\",Gemm,float32,2,4,0,4,12,6,0,6,0,6,0,0,0.5,0.5,0.5\n");
    status = bsr_result_csv(&text, r, BSR_PICTURE_CHANNELS);
    check(status, text,
          "layer,name,channel,sites,faults,pairs,masked,benign,critical,due,sdc,top5,correct,vf,"
          "vf_lo,vf_hi\n"
          "5,\"f?g\n\",7,2,4,12,6,0,6,0,6,0,0,0.5,0.25,\n");
    r->outcomes_known = 0;
    f.all_bits[0].vf = (bsr_share){NAN, NAN, NAN};
    status = bsr_result_csv(&text, r, BSR_PICTURE_BITS);
    check(status, text,
          "bit,sites,faults,pairs,masked,benign,critical,due,sdc,top5,correct,vf,vf_lo,vf_hi\n"
          "0,6,6,18,,,1,,,,,,,\n"
          "31,6,6,18,,,9,,,,,0.5,0.5,0.5\n");
}

static void test_report_csv__sweep(void **state)
{
    sweep_fixture f;
    char *text;
    bsr_status status = bsr_sweep_csv(&text, make_sweep(&f));
    check(status, text,
          "ber,runs,bits,flips,accuracy,accuracy_lo,accuracy_hi,critical,critical_lo,critical_hi,"
          "sdc,sdc_lo,sdc_hi,due,due_lo,due_hi,top5,top5_lo,top5_hi,rmse,"
          "rmse_lo,rmse_hi,model\n"
          "1e-06,10,1781248,1.5,0.75,0.5,0.875,0.125,0.0625,0.25,0.0625,0,0.25,0.03125,0,0.5,0,0,"
          "0.125,1.5,,,bits\n"
          "0.01,0,1781248,,,,,,,,,,,,,,,,,,,,bits\n");
}

/* A predicted point has no runs, and an interval of its RMSE. */
static void test_report_csv__accelerated(void **state)
{
    sweep_fixture f;
    char *text;
    make_accelerated(&f);
    bsr_status status = bsr_sweep_csv(&text, &f.r);
    check(status, text,
          "ber,runs,bits,flips,accuracy,accuracy_lo,accuracy_hi,critical,critical_lo,critical_hi,"
          "sdc,sdc_lo,sdc_hi,due,due_lo,due_hi,top5,top5_lo,top5_hi,rmse,rmse_lo,rmse_hi,model\n"
          "1e-06,0,1781248,1.5,0.75,0.5,0.875,0.125,0.0625,0.25,0.0625,0,0.25,0.03125,0,0.5,0,0,"
          "0.125,1.5,1.25,1.75,poisson\n"
          "0.01,0,1781248,,,,,,,,,,,,,,,,,,,,bits\n");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_report_csv__result),
        cmocka_unit_test(test_report_csv__sweep),
        cmocka_unit_test(test_report_csv__accelerated),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
