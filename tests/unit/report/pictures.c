#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>
#include <math.h>

#include "base/alloc.h"
#include "base/file.h"
#include "bitseer/pictures.h"
#include "campaign_fixture.h"
#include "result_fixture.h"

/* The pictures in tests/unit/report/pictures were drawn by this program and looked at; what they
 * show is checked against the numbers by tests/cli/check_pictures.py. */
static void check_golden(const char *name, char *text)
{
    char path[128];
    void *golden;
    size_t n;
    assert_non_null(text);
    snprintf(path, sizeof path, "tests/unit/report/pictures/%s.svg", name);
    bsr_status status = bsr_file_read(&golden, &n, path, 1 << 20);
    if (status != BSR_OK || strcmp(golden, text) != 0) {
        snprintf(path, sizeof path, "/tmp/bsr_picture_%s.svg", name);
        if (bsr_write_text(path, text) == BSR_OK)
            fail_msg("%s.svg differs, see %s", name, path);
    }
    assert_int_equal(status, BSR_OK);
    bsr_free(golden);
    bsr_text_free(text);
}

static char *draw(const bsr_result *r, bsr_picture picture)
{
    char *text = NULL;
    assert_int_equal(bsr_result_svg(&text, r, picture), BSR_OK);
    return text;
}

/* Eight bits of e4m3 with everything that can be: a zero with and without an interval, a bit not
 * observed, bounds that are 0 and that are not known. */
static bsr_result *make_bits(fixture *f, bsr_part bits[8])
{
    static const bsr_share shares[8] = {
        {0, 0, 0},          {0, 0, 0.002},      {0.001, 0, 0.004},       {NAN, NAN, NAN},
        {0.004, NAN, 0.01}, {0.02, 0.01, 0.04}, {0.375, 0.3125, 0.4375}, {0.125, 0.125, 0.125}};
    bsr_result *r = make_result(f);
    for (int i = 0; i < 8; i++)
        bits[i] = part(i, 6, 6, outcomes(18, 0, 0, 0), shares[i]);
    r->bits = bits;
    r->n_bits = 8;
    f->layers[0].format = f->layers[1].format = "e4m3";
    return r;
}

/* Two predicted rates and two measured ones. */
static bsr_sweep_result *make_mixed(sweep_fixture *f)
{
    static bsr_sweep_point points[4];
    static const double rates[] = {1e-6, 1e-4, 1e-3, 1e-2}, accuracy[] = {0.75, 0.75, 0.5, 0.125};
    static const bsr_error_model models[] = {BSR_MODEL_POISSON, BSR_MODEL_NORMAL, BSR_MODEL_BITS,
                                             BSR_MODEL_BITS};
    make_accelerated(f);
    for (int i = 0; i < 4; i++) {
        points[i] = f->points[0];
        points[i].ber = rates[i];
        points[i].model = models[i];
        points[i].accuracy =
            (bsr_share){accuracy[i], 0.75 * accuracy[i], fmin(1.25 * accuracy[i], 1)};
    }
    f->r.points = points;
    f->r.n_points = 4;
    return &f->r;
}

static void test_report_pictures__golden(void **state)
{
    fixture f;
    sweep_fixture s;
    bsr_part bits[8];
    char *text;
    check_golden("layers", draw(make_result(&f), BSR_PICTURE_LAYERS));
    check_golden("bits", draw(make_result(&f), BSR_PICTURE_BITS));
    check_golden("bits_log", draw(make_bits(&f, bits), BSR_PICTURE_BITS));
    check_golden("channels", draw(make_result(&f), BSR_PICTURE_CHANNELS));
    assert_int_equal(bsr_sweep_svg(&text, make_sweep(&s)), BSR_OK);
    check_golden("ber", text);
    assert_int_equal(bsr_sweep_svg(&text, make_mixed(&s)), BSR_OK);
    check_golden("ber_models", text);
}

/* A range leaves a float its sign, exponent and mantissa. */
static void test_report_pictures__float_fields(void **state)
{
    static const struct {
        const char *format;
        int fields;
    } rows[] = {{"e4m3", 1}, {"e4m3/range=1", 1}, {"e4m", 0}, {"e4m3x", 0}, {"int8/range=1", 0}};
    fixture f;
    bsr_part bits[8];
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        bsr_result *r = make_bits(&f, bits);
        f.layers[0].format = f.layers[1].format = rows[i].format;
        char *text = draw(r, BSR_PICTURE_BITS);
        assert_int_equal(strstr(text, ">exponent<") != NULL, rows[i].fields);
        bsr_text_free(text);
    }
}

static void check_error(const bsr_result *r, bsr_picture picture, const char *message)
{
    char *text = (char *)r;
    assert_int_equal(bsr_result_svg(&text, r, picture), BSR_EINVAL);
    assert_null(text);
    assert_string_equal(bsr_error_message(), message);
    text = (char *)r;
    assert_int_equal(bsr_result_csv(&text, r, picture), BSR_EINVAL);
    assert_null(text);
    assert_string_equal(bsr_error_message(), message);
}

static void test_report_pictures__nothing(void **state)
{
    fixture f;
    sweep_fixture s;
    char *text;
    bsr_result *r = make_result(&f);
    check_error(r, (bsr_picture)3, "there is no picture 3, the last one is 2");
    check_error(r, (bsr_picture)-1, "there is no picture -1, the last one is 2");
    f.layers[1].n_channels = 0;
    f.all_bits[0].index = f.all_bits[1].index = -1;
    check_error(r, BSR_PICTURE_CHANNELS,
                "picture 'channels': the result has no channels: they are reported when asked for");
    check_error(r, BSR_PICTURE_BITS, "picture 'bits': the result has no bit positions");
    r->n_layers = 0;
    check_error(r, BSR_PICTURE_LAYERS, "picture 'layers': the result has no layers");
    assert_false(bsr_picture_possible(r, (bsr_picture)7));
    make_sweep(&s)->points[0].accuracy.value = NAN;
    assert_int_equal(bsr_sweep_svg(&text, &s.r), BSR_EINVAL);
    assert_string_equal(bsr_error_message(), "picture 'ber': no point has a value");
    s.r.n_points = 0;
    assert_int_equal(bsr_sweep_svg(&text, &s.r), BSR_EINVAL);
    assert_null(text);
}

static void test_report_pictures__names(void **state)
{
    assert_string_equal(bsr_picture_name(BSR_PICTURE_LAYERS), "layers");
    assert_string_equal(bsr_picture_name(BSR_PICTURE_BITS), "bits");
    assert_string_equal(bsr_picture_name(BSR_PICTURE_CHANNELS), "channels");
    assert_null(bsr_picture_name(BSR_PICTURES));
    assert_null(bsr_picture_name((bsr_picture)-1));
}

static int count(const char *text, const char *what)
{
    int n = 0;
    for (; (text = strstr(text, what)); text += strlen(what))
        n++;
    return n;
}

/* Names are escaped, whole in the titles and cut where they are drawn. */
static void test_report_pictures__odd_names(void **state)
{
    fixture f;
    char longest[301];
    memset(longest, 'n', 300);
    longest[300] = 0;
    bsr_result *r = make_result(&f);
    f.layers[0].name = "a,\"b\"<&>'\xc3\xa9\xe5\xb1\xa4\xff";
    f.layers[1].name = longest;
    char *text = draw(r, BSR_PICTURE_LAYERS);
    const char *whole = "a,&quot;b&quot;&lt;&amp;&gt;&#39;\xc3\xa9\xe5\xb1\xa4?";
    assert_int_equal(count(text, whole), 2);
    assert_non_null(strstr(text, longest));
    assert_non_null(strstr(text, ">nnnnnnnnnnnnnn\u2026nnnnnnnnnnnnnn<"));
    assert_null(strstr(text, "nan"));
    check_golden("odd_names", text);
}

/* Nothing observed, nothing critical: still a picture, without a number that is none. */
static void test_report_pictures__unknown(void **state)
{
    fixture f;
    bsr_result *r = make_result(&f);
    const bsr_share unknown = {NAN, NAN, NAN};
    for (int zero = 0; zero <= 1; zero++) {
        bsr_share v = zero ? exact(0) : unknown;
        r->mvf = f.layers[0].vf = f.layers[1].vf = v;
        f.all_bits[0].vf = f.all_bits[1].vf = f.channels[0].vf = v;
        for (int p = 0; p < BSR_PICTURES; p++) {
            char *text = draw(r, (bsr_picture)p);
            assert_null(strstr(text, "\"nan"));
            assert_null(strstr(text, "\"-"));
            assert_non_null(strstr(text, zero ? "0 %, exact" : "not observed"));
            bsr_text_free(text);
        }
    }
}

static bsr_status make(char **text, const bsr_result *r, const bsr_sweep_result *s, int which)
{
    if (which < BSR_PICTURES)
        return bsr_result_svg(text, r, (bsr_picture)which);
    if (which < 2 * BSR_PICTURES)
        return bsr_result_csv(text, r, (bsr_picture)(which - BSR_PICTURES));
    return which == 2 * BSR_PICTURES ? bsr_sweep_svg(text, s) : bsr_sweep_csv(text, s);
}

static void test_report_pictures__out_of_memory(void **state)
{
    fixture f;
    sweep_fixture s;
    const bsr_result *r = make_result(&f);
    make_sweep(&s);
    for (int which = 0; which < 2 * BSR_PICTURES + 2; which++)
        for (long n = 1;; n++) {
            char *text = NULL;
            bsr_alloc_fail_after(n);
            bsr_status status = make(&text, r, &s.r, which);
            int pending = bsr_alloc_fail_pending();
            bsr_alloc_fail_after(0);
            if (pending) {
                assert_int_equal(status, BSR_OK);
                bsr_text_free(text);
                break;
            }
            assert_int_equal(status, BSR_ENOMEM);
            assert_non_null(strstr(bsr_error_message(), "out of memory"));
            assert_null(text);
        }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_report_pictures__golden),
        cmocka_unit_test(test_report_pictures__float_fields),
        cmocka_unit_test(test_report_pictures__nothing),
        cmocka_unit_test(test_report_pictures__names),
        cmocka_unit_test(test_report_pictures__odd_names),
        cmocka_unit_test(test_report_pictures__unknown),
        cmocka_unit_test(test_report_pictures__out_of_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
