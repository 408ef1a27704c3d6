#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/alloc.h"
#include "base/arena.h"
#include "base/file.h"
#include "prediction_fixture.h"

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

/* Keys, order and values by hand from the fixture; infinite limits are null. */
static const char json[] =
    "{\"command\":\"predict\",\"target\":\"weight,activation\",\"format\":\"int8\",\"images\""
    ":8,\"golden_correct\":6,\"top5_correct\":8,\"moment_images\":4,\"disturbed\":64,\"confid"
    "ence\":0.95,\"format_loss\":0.125,\"linear_limit\":0.001,\"normal_limit\":null,\"points"
    "\":[{\"ber\":1e-06,\"accuracy\":0.75,\"ci\":[0.5,0.875],\"sdc\":0.0625,\"sdc_ci\":[0.0,0"
    ".25],\"critical\":0.125,\"critical_ci\":[0.0625,0.25],\"due\":0.0,\"due_ci\":[0.0,0.0],"
    "\"top5\":0.0,\"top5_ci\":[0.0,0.125],\"rmse\":0.5,\"rmse_ci\":[0.25,0.75],\"model\":\"po"
    "isson\",\"reason\":\"kurtosis \\\"12\\\" above 1\",\"flips\":1.5,\"kurtosis\":12.0,\"lin"
    "earity\":null,\"logits_accuracy\":0.625},{\"ber\":0.001,\"accuracy\":0.75,\"ci\":[0.5,0."
    "875],\"sdc\":0.0625,\"sdc_ci\":[0.0,0.25],\"critical\":0.125,\"critical_ci\":[0.0625,0.2"
    "5],\"due\":0.0,\"due_ci\":[0.0,0.0],\"top5\":0.0,\"top5_ci\":[0.0,0.125],\"rmse\":0.5,\""
    "rmse_ci\":[0.25,0.75],\"model\":\"poisson\",\"reason\":\"kurtosis \\\"12\\\" above 1\","
    "\"flips\":1.5,\"kurtosis\":12.0,\"linearity\":1.25,\"logits_accuracy\":0.625},{\"ber\":0"
    ".01,\"accuracy\":null,\"ci\":[null,null],\"sdc\":null,\"sdc_ci\":[null,null],\"critical"
    "\":null,\"critical_ci\":[null,null],\"due\":null,\"due_ci\":[null,null],\"top5\":null,\""
    "top5_ci\":[null,null],\"rmse\":null,\"rmse_ci\":[null,null],\"model\":\"noise\",\"reason"
    "\":\"n?\",\"flips\":null,\"kurtosis\":null,\"linearity\":null,\"logits_accuracy\":null}]"
    ",\"shares\":[{\"target\":\"weight\",\"index\":3,\"name\":\"conv\\\"1\",\"op\":\"Conv\","
    "\"format\":\"int8\",\"bits\":1152.0,\"share\":0.75,\"ci\":[0.5,0.875],\"n_eff\":100.0,\""
    "rms_error\":0.25},{\"target\":\"activation\",\"index\":0,\"name\":\"image\",\"op\":\"\","
    "\"format\":\"uint8\",\"bits\":6272.0,\"share\":0.25,\"ci\":[null,null],\"n_eff\":12.5,\""
    "rms_error\":2.0}],\"layers\":[{\"name\":\"relu\",\"op\":\"Relu\",\"rms\":2.0,\"rates\":["
    "{\"ber\":1e-06,\"predicted\":0.5,\"measured\":0.25,\"kurtosis\":3.0,\"kurtosis_expected"
    "\":4.0},{\"ber\":0.001,\"predicted\":8.0,\"measured\":null,\"kurtosis\":null,\"kurtosis_"
    "expected\":0.5}],\"qq_ber\":0.001,\"qq\":[null,-3.75,-3.5,-3.25,-3.0,-2.75,-2.5,-2.25,-2"
    ".0,-1.75,-1.5,-1.25,-1.0,-0.75,-0.5,-0.25,0.0,0.25,0.5,0.75,1.0,1.25,1.5,1.75,2.0,2.25,2"
    ".5,2.75,3.0,3.25,3.5,3.75,4.0]}],\"read_offs\":[{\"kind\":\"width\",\"value\":\"int12\","
    "\"accuracy\":[0.75,0.5,null],\"rmse\":[1.0,2.0,3.0]}],\"performance\":{\"evaluations\":8"
    "0,\"injections\":10,\"forward_equivalents\":12.5,\"seconds\":0.5,\"golden_seconds\":0.00"
    "1,\"forward_seconds\":0.002,\"lanes_per_second\":160.0,\"injections_per_second\":20.0,\""
    "threads\":1,\"cpu\":\"ref\",\"cpu_brand\":null},\"provenance\":{\"version\":\"0.1.0\",\""
    "model\":{\"path\":\"m\",\"sha256\":\"aa\"},\"data\":{\"spec\":\"d\",\"sha256\":\"bb\"},"
    "\"seed\":\"18446744073709551615\",\"spec\":\"predict\"}}";

static const char text[] =
    "predict: bit error rates, target weight,activation, 8 images (golden accuracy 75.000 %)\n"
    "stored as int8: golden accuracy 75.000 % against 87.500 % as given\n"
    "derivatives of 4 images, 64 disturbed inferences\n"
    "\n"
    " rate  flips  model    accuracy %          interval            SDC %  DUE %  RMSE      "
    "interval\n"
    "1e-06    1.5  poisson      75.000  [50.000, 87.500]  ########  6.250      0   0.5  [0.25, "
    "0.75]\n"
    "0.001    1.5  poisson      75.000  [50.000, 87.500]  ########  6.250      0   0.5  [0.25, "
    "0.75]\n"
    " 0.01      -  noise             -                 -                -      -     -             "
    "-\n"
    "(flips: expected in one image's run; interval: 95 %, of what was sampled, not of\n"
    "the model; SDC: class changed, logits finite; RMSE: of the logits)\n"
    "\n"
    "models, and the rules that chose them\n"
    "rates           model    because\n"
    "1e-06 to 0.001  poisson  kurtosis \"12\" above 1\n"
    "0.01            noise    n?\n"
    "first order holds up to rate 0.001; the disturbance counts as normal at none of them\n"
    "\n"
    "where the disturbance of the logits comes from, largest share first\n"
    "target      layer  name    op    format  bits  share %          interval            n_eff  "
    "rms error\n"
    "weight          3  conv\"1  Conv  int8    1152   75.000  [50.000, 87.500]  ########    100    "
    "   0.25\n"
    "activation      0  image         uint8   6272   25.000                 -  ###        12.5     "
    "     2\n"
    "(share: of the variance, to first order; n_eff: as many equal elements; rms error: of one\n"
    "element, times the root of the rate)\n"
    "\n"
    "RMSE behind every layer\n"
    "tensor  op    rms   rate  predicted  measured  ratio  kurtosis  expected\n"
    "relu    Relu    2  1e-06        0.5      0.25    0.5         3         4\n"
    "                   0.001          8         -      -         -       0.5\n"
    "(rms: golden; measured: bit level; ratio: measured / predicted; kurtosis: excess)\n"
    "\n"
    "accuracy % with other storage, read off from the same derivatives, by rate\n"
    "storage           RMSE x   1e-06   0.001  0.01\n"
    "as stored              1  75.000  75.000     -\n"
    "width      int12       2  75.000  50.000     -\n"
    "(RMSE x: of the logits at the least rate, as a multiple of that as stored)\n"
    "\n"
    "time  0.5 s on 1 thread (ref), golden run 0.001 s\n";

static void test_report_prediction__forms(void **state)
{
    prediction_fixture f;
    char *s;
    assert_int_equal(bsr_prediction_json(&s, make_prediction(&f)), BSR_OK);
    squeeze(s);
    assert_string_equal(s, json);
    bsr_text_free(s);
    assert_int_equal(bsr_prediction_text(&s, &f.p), BSR_OK);
    assert_string_equal(s, text);
    bsr_text_free(s);
}

/* Nothing was asked for, no rate is linear, all are normal. */
static void test_report_prediction__bare(void **state)
{
    prediction_fixture f;
    char *s;
    make_prediction(&f);
    f.p.n_shares = f.p.n_layers = f.p.n_read_offs = 0;
    f.p.linear_limit = 0;
    f.p.normal_limit = 1e-6;
    f.p.format = "";
    assert_int_equal(bsr_prediction_text(&s, &f.p), BSR_OK);
    assert_non_null(strstr(s, "first order holds at none of the rates; the disturbance counts as "
                              "normal from 1e-06 on\n\ntime "));
    assert_null(strstr(s, "stored as"));
    bsr_text_free(s);
    assert_int_equal(bsr_prediction_json(&s, &f.p), BSR_OK);
    squeeze(s);
    assert_non_null(strstr(s, "\"normal_limit\":1e-06,"));
    assert_non_null(strstr(s, "\"shares\":[],\"layers\":[],\"read_offs\":[],"));
    bsr_text_free(s);
}

/* The ten largest shares, and how many there are beside them. */
static void test_report_prediction__many_shares(void **state)
{
    prediction_fixture f;
    bsr_variance_share shares[12];
    char *s;
    make_prediction(&f);
    for (int i = 0; i < 12; i++)
        shares[i] = f.shares[i > 0];
    f.p.n_shares = 12;
    f.p.shares = shares;
    assert_int_equal(bsr_prediction_text(&s, &f.p), BSR_OK);
    assert_non_null(strstr(s, "\nand 2 more\n"));
    int n = 0;
    for (const char *at = s; (at = strstr(at, "\nactivation ")); at++)
        n++;
    assert_int_equal(n, 9);
    bsr_text_free(s);
}

static int count(const char *s, const char *what)
{
    int n = 0;
    for (; (s = strstr(s, what)); s += strlen(what))
        n++;
    return n;
}

static void test_report_prediction__picture(void **state)
{
    prediction_fixture f;
    char *s;
    assert_int_equal(bsr_prediction_svg(&s, make_prediction(&f)), BSR_OK);
    assert_int_equal(count(s, "class=\"value\""), 2);
    assert_int_equal(count(s, "class=\"band\""), 1);
    assert_non_null(strstr(s, "<title>BER 1e-06, model poisson: accuracy 75 %, 95 % interval "
                              "[50 %, 87.5 %]</title>"));
    assert_int_equal(count(s, ">model poisson</text>"), 1); /* the legend */
    assert_int_equal(count(s, ">model noise</text>"), 0);   /* its point is unknown */
    assert_non_null(strstr(s, "without faults 75 %"));
    bsr_text_free(s);
    f.points[0].accuracy.value = f.points[1].accuracy.value = NAN;
    assert_int_equal(bsr_prediction_svg(&s, &f.p), BSR_EINVAL);
    assert_string_equal(bsr_error_message(), "picture 'prediction': no point has a value");
    assert_null(s);
}

/* A file of this text; the same name each time. */
static const char *file_of(const char *s)
{
    static char path[64];
    snprintf(path, sizeof path, "/tmp/bsr_prediction_%d.json", (int)getpid());
    assert_int_equal(bsr_write_text(path, s), BSR_OK);
    return path;
}

static void test_report_prediction__read_back(void **state)
{
    prediction_fixture f;
    bsr_prediction *p;
    char *s;
    assert_int_equal(bsr_prediction_json(&s, make_prediction(&f)), BSR_OK);
    const char *path = file_of(s);
    bsr_text_free(s);
    assert_int_equal(bsr_prediction_load(&p, path), BSR_OK);
    remove(path);
    assert_int_equal(bsr_prediction_json(&s, p), BSR_OK);
    squeeze(s);
    assert_string_equal(s, json);
    bsr_text_free(s);
    bsr_arena_free(p->arena);
}

/* The JSON with its first `old` replaced. */
static const char *changed(const char *old, const char *new)
{
    static char s[sizeof json + 256];
    const char *at = strstr(json, old);
    assert_non_null(at);
    snprintf(s, sizeof s, "%.*s%s%s", (int)(at - json), json, new, at + strlen(old));
    return s;
}

static void test_report_prediction__refuses(void **state)
{
    static const struct {
        const char *old, *new, *message;
    } cases[] = {
        {"\"predict\"", "\"sweep\"", "command is 'sweep', expected 'predict'"},
        {"\"command\":\"predict\",", "", "'command' is missing"},
        {"\"images\":8", "\"images\":-8", "'images' is no count"},
        {"\"images\":8", "\"images\":\"8x\"", "'images' is no count"},
        {"\"images\":8", "\"images\":5", "'golden_correct' is more than the images"},
        {"\"target\":\"weight,activation\"", "\"target\":7", "'target' is no text"},
        {"\"confidence\":0.95", "\"confidence\":\"high\"", "'confidence' is no number"},
        {"\"points\":[", "\"points\":null,\"x\":[", "'points' is no array"},
        {"{\"ber\":1e-06,\"acc", "7,{\"ber\":1e-06,\"acc", "'ber' is missing"},
        {"\"ber\":1e-06,\"acc", "\"ber\":0.001,\"acc", "'ber' is not ascending in 0..1"},
        {"\"ber\":1e-06,\"acc", "\"ber\":0,\"acc", "'ber' is not ascending in 0..1"},
        {"\"ber\":1e-06,\"acc", "\"ber\":null,\"acc", "'ber' is not ascending in 0..1"},
        {"\"ci\":[0.5,0.875]", "\"ci\":[0.5]", "'ci' is no interval"},
        {"\"poisson\"", "\"guess\"", "'model' is no error model"},
        {"\"target\":\"weight\"", "\"target\":\"chip\"", "'target' is no target"},
        {"\"index\":3", "\"index\":3000000000", "'index' is too large"},
        {"\"bits\":1152.0", "\"bits\":-1", "'bits' is no count"},
        {"\"qq\":[null,", "\"qq\":[", "'qq' is an array of another length"},
        {"[0.75,0.5,null]", "[0.75,0.5]", "'accuracy' is an array of another length"},
        {"\"performance\":{", "\"performance\":[],\"x\":{", "'performance' is no object"},
    };
    char expected[256];
    bsr_prediction *p;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const char *path = file_of(changed(cases[i].old, cases[i].new));
        assert_int_equal(bsr_prediction_load(&p, path), BSR_EFORMAT);
        assert_null(p);
        snprintf(expected, sizeof expected, "'%s' is no prediction: %s", path, cases[i].message);
        assert_string_equal(bsr_error_message(), expected);
    }
    const char *path = file_of("{\"command\":\n]");
    assert_int_equal(bsr_prediction_load(&p, path), BSR_EFORMAT);
    snprintf(expected, sizeof expected, "'%s' is no JSON: line 2: unexpected token near ']'", path);
    assert_string_equal(bsr_error_message(), expected);
    remove(path);
    assert_int_equal(bsr_prediction_load(&p, path), BSR_ENOTFOUND);
    assert_null(p);
}

static bsr_status make(char **s, const bsr_prediction *p, const char *path, int which)
{
    bsr_prediction *read;
    switch (which) {
    case 0:
        return bsr_prediction_json(s, p);
    case 1:
        return bsr_prediction_text(s, p);
    case 2:
        return bsr_prediction_svg(s, p);
    }
    *s = NULL;
    bsr_status status = bsr_prediction_load(&read, path);
    if (status == BSR_OK)
        bsr_arena_free(read->arena);
    else
        assert_null(read);
    return status;
}

/* A text that fails to allocate is tried again, so that a failure does not always show; then the
 * result is what it would have been. */
static void test_report_prediction__out_of_memory(void **state)
{
    prediction_fixture f;
    const char *path = file_of(json);
    make_prediction(&f);
    for (int which = 0; which < 4; which++) {
        char *whole;
        int failures = 0;
        assert_int_equal(make(&whole, &f.p, path, which), BSR_OK);
        for (int n = 1, pending = 0; !pending; n++) {
            char *s = NULL;
            bsr_alloc_fail_after(n);
            bsr_status status = make(&s, &f.p, path, which);
            pending = bsr_alloc_fail_pending();
            bsr_alloc_fail_after(0);
            failures += status != BSR_OK;
            if (status == BSR_OK) {
                assert_string_equal(s ? s : "", whole ? whole : "");
            } else {
                assert_int_equal(status, BSR_ENOMEM);
                assert_non_null(strstr(bsr_error_message(), "out of memory"));
                assert_null(s);
            }
            bsr_text_free(s);
        }
        assert_true(failures > 10);
        bsr_text_free(whole);
    }
    remove(path);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_report_prediction__forms),
        cmocka_unit_test(test_report_prediction__bare),
        cmocka_unit_test(test_report_prediction__many_shares),
        cmocka_unit_test(test_report_prediction__picture),
        cmocka_unit_test(test_report_prediction__read_back),
        cmocka_unit_test(test_report_prediction__refuses),
        cmocka_unit_test(test_report_prediction__out_of_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
