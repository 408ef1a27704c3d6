#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/alloc.h"
#include "campaign/sweep_rates.h"

static void expect(const char *text, int n, const double *want)
{
    double *rates;
    int got;
    if (bsr_rates_parse(&rates, &got, text) != BSR_OK)
        fail_msg("%s", bsr_error_message());
    assert_int_equal(got, n);
    for (int i = 0; i < n; i++)
        if (rates[i] != want[i])
            fail_msg("'%s': rate %d is %.17g, expected %.17g", text, i, rates[i], want[i]);
    bsr_free(rates);
}

static void test_campaign_sweep_rates__single_ones_are_sorted(void **state)
{
    expect("1e-3", 1, (const double[]){1e-3});
    expect("0.5,0,1,2.5e-7", 4, (const double[]){0, 2.5e-7, 0.5, 1});
}

/* Powers of ten as the compiler reads them; 10^(1/2) and 10^(1/3) to 15 digits as tables have
 * them: 3.16227766016838, 2.15443469003188, 4.64158883361278. */
static void test_campaign_sweep_rates__ranges_have_exact_decades(void **state)
{
    expect("1e-12:1e-1/1", 12,
           (const double[]){1e-12, 1e-11, 1e-10, 1e-9, 1e-8, 1e-7, 1e-6, 1e-5, 1e-4, 1e-3, 1e-2,
                            1e-1});
    expect("1e-4:1e-2/2", 5,
           (const double[]){1e-4, 3.16227766016838e-4, 1e-3, 3.16227766016838e-3, 1e-2});
    expect("0.001:1/3", 10,
           (const double[]){1e-3, 2.15443469003188e-3, 4.64158883361278e-3, 1e-2,
                            2.15443469003188e-2, 4.64158883361278e-2, 1e-1, 2.15443469003188e-1,
                            4.64158883361278e-1, 1});
    expect("2e-5:5e-4/1", 3,
           (const double[]){2e-5, 2e-4, 5e-4}); /* the end is in, on grid or not */
    expect("1e-5:2e-5/1,0", 3, (const double[]){0, 1e-5, 2e-5});
}

static void test_campaign_sweep_rates__errors_name_the_text(void **state)
{
    static const struct {
        const char *text, *message;
    } cases[] = {
        {NULL, "no bit error rates are given"},
        {"", "bit error rate '', expected a number in 0..1 or LO:HI/N"},
        {"1.5", "bit error rate '1.5', expected a number in 0..1 or LO:HI/N"},
        {"-0.1", "bit error rate '-0.1', expected a number in 0..1 or LO:HI/N"},
        {"nan", "bit error rate 'nan', expected a number in 0..1 or LO:HI/N"},
        {"0.1,,0.2", "bit error rate '', expected a number in 0..1 or LO:HI/N"},
        {"0.1x", "bit error rate '0.1x', expected a number in 0..1 or LO:HI/N"},
        {"0.1:0.2", "bit error rates '0.1:0.2', expected LO:HI/N with rates in 0..1"},
        {"0.1:2/3", "bit error rates '0.1:2/3', expected LO:HI/N with rates in 0..1"},
        {"0.1:0.2/0", "bit error rates '0.1:0.2/0': N is the rates in a decade, 1 to 100"},
        {"0.1:0.2/", "bit error rates '0.1:0.2/': N is the rates in a decade, 1 to 100"},
        {"0.1:0.2/3x", "bit error rates '0.1:0.2/3x': N is the rates in a decade, 1 to 100"},
        {"0.2:0.1/3", "bit error rates '0.2:0.1/3': LO must be above 0 and below HI"},
        {"0:0.1/3", "bit error rates '0:0.1/3': LO must be above 0 and below HI"},
        {"0.1,1e-1", "bit error rates '0.1,1e-1': 0.1 is there twice"},
        {"1e-300:1/100", "bit error rates '1e-300:1/100': more than 1000"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        double *rates;
        int n;
        assert_int_equal(bsr_rates_parse(&rates, &n, cases[i].text), BSR_EINVAL);
        assert_string_equal(bsr_error_message(), cases[i].message);
        assert_null(rates);
        assert_int_equal(n, 0);
    }
}

static void test_campaign_sweep_rates__text_reads_back(void **state)
{
    const double rates[] = {0, 1e-7, 3.16227766016838e-4, 1.0 / 3, 1};
    char *text;
    assert_int_equal(bsr_rates_text(&text, rates, 5), BSR_OK);
    expect(text, 5, rates);
    bsr_free(text);
}

static void test_campaign_sweep_rates__allocation_failures(void **state)
{
    double *rates;
    int n, failures = 0;
    for (long k = 1;; k++, failures++) {
        bsr_alloc_fail_after(k);
        bsr_status status = bsr_rates_parse(&rates, &n, "1e-9:1e-1/5");
        if (bsr_alloc_fail_pending())
            break;
        assert_int_equal(status, BSR_ENOMEM);
        assert_null(rates);
    }
    bsr_alloc_fail_after(0);
    bsr_free(rates);
    assert_true(failures > 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_campaign_sweep_rates__single_ones_are_sorted),
        cmocka_unit_test(test_campaign_sweep_rates__ranges_have_exact_decades),
        cmocka_unit_test(test_campaign_sweep_rates__errors_name_the_text),
        cmocka_unit_test(test_campaign_sweep_rates__text_reads_back),
        cmocka_unit_test(test_campaign_sweep_rates__allocation_failures),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
