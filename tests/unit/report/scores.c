/* Results of method deepvigor, and both targets together. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "bitseer/pictures.h"
#include "bitseer/report.h"
#include "result_fixture.h"

#define assert_has(text, part)                                                                     \
    do {                                                                                           \
        if (!strstr(text, part))                                                                   \
            fail_msg("'%s' is not in\n%s", part, text);                                            \
    } while (0)

static bsr_share score(double v)
{
    return (bsr_share){v, NAN, NAN};
}

/* The fixture with factors in place of counts: 4 filters with 18 simulations, 2 with 5. */
static bsr_result *make_scores(fixture *f)
{
    bsr_result *r = make_result(f);
    const bsr_outcomes none = {0};
    for (int i = 0; i < 2; i++) {
        bsr_layer_result *l = &f->layers[i];
        l->outcomes = none;
        l->faults = 0;
        l->n_bits = l->n_maskings = 0;
        l->vf = score(i ? 0.5 : 0.125);
        l->rmse = score(NAN);
        critical_only(l->metrics, l->vf);
        l->searches =
            i ? (bsr_deepvigor_counts){2, 0, 1, 5, 20} : (bsr_deepvigor_counts){4, 1, 2, 18, 30};
    }
    f->layers[1].name = "fc";
    f->channels[0] = part(7, 2, 0, none, score(0.5));
    r->method = "deepvigor";
    r->sampling = "channels";
    r->scored = 1;
    r->outcomes_known = r->masking_known = 0;
    r->n_bits = r->n_strata = r->n_worst = 0;
    r->total = none;
    r->mvf = score(0.3125);
    critical_only(r->metrics, r->mvf);
    r->reached = NAN;
    r->searches = (bsr_deepvigor_counts){6, 1, 3, 23, 50};
    return r;
}

/* By hand: 18 / 4 and 5 / 2 simulations of one filter, 23 / 6 of all; 1 / 4 skipped, 1 / 6 of all;
 * 2 / 4 and 1 / 2 decided by the probes. */
static void test_report_scores__text(void **state)
{
    fixture f;
    char *text;
    assert_int_equal(bsr_result_text(&text, make_scores(&f)), BSR_OK);
    assert_has(text, "inject: single bit flips, target weight, method deepvigor, sampling "
                     "channels\n"
                     "6 filters of 2 layers, each on 3 images (golden accuracy 66.667 %)\n"
                     "\n"
                     "layer  name    op    sites  filters  simulations  each  skipped %  single "
                     "%    VF %\n"
                     "    0  conv\"1  Conv      4        4           18  4.50     25.000    "
                     "50.000  12.500  ##\n"
                     "    5  fc      Gemm      2        2            5  2.50          0    "
                     "50.000  50.000  ########\n"
                     "\n"
                     "channels, worst 1 of 1\n"
                     "layer  name  channel  sites   CVF %\n"
                     "    5  fc          7      2  50.000  ########\n"
                     "\n"
                     "MVF          31.250 %, mean of the layers; the method has no interval\n"
                     "simulations  23 of all images, 3.83 for one of the filters\n"
                     "skipped      16.667 % of the filters: no gradient in any image\n"
                     "single       50.000 % of the filters: decided by the probes at -1 and 1\n"
                     "evaluations  36, the work of 1.5 inferences of all images\n");
    assert_null(strstr(text, "pairs"));
    assert_null(strstr(text, "critical"));
    bsr_text_free(text);
    f.r.target = "operand";
    f.r.complete = 0;
    f.r.searches = (bsr_deepvigor_counts){0};
    f.r.mvf = score(NAN);
    assert_int_equal(bsr_result_text(&text, &f.r), BSR_OK);
    assert_has(text, "\n0 neurons of 2 layers, each on 3 images");
    assert_has(text, "\nINCOMPLETE: nothing is known before the end\n");
    assert_has(text, "\nsimulations  0 of all images, - for one of the neurons\n");
    bsr_text_free(text);
}

static void test_report_scores__json(void **state)
{
    fixture f;
    char *text;
    assert_int_equal(bsr_result_json(&text, make_scores(&f)), BSR_OK);
    assert_has(text, "\"pairs\": null,\n      \"critical\": null,");
    assert_has(text, "\"vf\": 0.125,\n      \"ci\": [\n        null,\n        null\n      ]");
    assert_has(text, "\"simulations\": {\n        \"targets\": 4,\n        \"skipped\": 1,\n"
                     "        \"single\": 2,\n        \"simulations\": 18,\n"
                     "        \"evaluations\": 30\n      }");
    assert_has(text, "\"simulations\": {\n    \"targets\": 6,\n    \"skipped\": 1,\n"
                     "    \"single\": 3,\n    \"simulations\": 23,\n    \"evaluations\": 50\n  }");
    assert_has(text, "\"reached\": null,");
    bsr_text_free(text);
}

static void test_report_scores__tables(void **state)
{
    fixture f;
    char *text;
    bsr_result *r = make_scores(&f);
    assert_int_equal(bsr_result_csv(&text, r, BSR_PICTURE_LAYERS), BSR_OK);
    assert_has(text, "\n5,fc,Gemm,float32,2,4,0,0,,,,,,,,,0.5,,\n");
    bsr_text_free(text);
    assert_int_equal(bsr_result_csv(&text, r, BSR_PICTURE_CHANNELS), BSR_OK);
    assert_has(text, "\n5,fc,7,2,0,,,,,,,,,0.5,,\n");
    bsr_text_free(text);
}

static void test_report_scores__pictures(void **state)
{
    fixture f;
    char *text;
    bsr_result *r = make_scores(&f);
    assert_int_equal(bsr_picture_possible(r, BSR_PICTURE_BITS), 0);
    assert_int_equal(bsr_result_svg(&text, r, BSR_PICTURE_LAYERS), BSR_OK);
    assert_has(text, "<title>layer 5 fc (Gemm): VF 50 %, no interval</title>");
    assert_null(strstr(text, "nan"));
    assert_null(strstr(text, "whiskers"));
    bsr_text_free(text);
    assert_int_equal(bsr_result_svg(&text, r, BSR_PICTURE_CHANNELS), BSR_OK);
    assert_has(text, "VF 50 %, no interval</title>");
    bsr_text_free(text);
    bsr_report_run run = {.name = "run.db", .complete = 1, .result = r};
    assert_int_equal(bsr_report_html(&text, &run, 1, NULL), BSR_OK);
    assert_has(text, "no interval");
    bsr_text_free(text);
}

static bsr_total_result make_total(bsr_total_layer layers[2])
{
    layers[0] = (bsr_total_layer){.index = 0,
                                  .name = "conv",
                                  .op = "Conv",
                                  .inputs = 12,
                                  .weights = 8,
                                  .operand = {0.25, 0.125, 0.375},
                                  .weight = {0.5, 0.5, 0.5},
                                  .both = {0.35, 0.275, 0.425}};
    layers[1] = (bsr_total_layer){.index = 3,
                                  .name = "fc",
                                  .op = "Gemm",
                                  .inputs = 10000000,
                                  .weights = 4,
                                  .operand = {0, NAN, NAN},
                                  .weight = {NAN, 0, 1},
                                  .both = {NAN, NAN, NAN}};
    return (bsr_total_result){.operand = {"o.db", "ray", 20, 0},
                              .weight = {"w.db", "deepvigor", 10, 1},
                              .fault = "bitflip",
                              .confidence = 0.9,
                              .n_layers = 2,
                              .layers = layers,
                              .mvf = {0.5, 0.25, 0.75}};
}

static void test_report_scores__total(void **state)
{
    bsr_total_layer layers[2];
    bsr_total_result t = make_total(layers);
    char *text;
    assert_int_equal(bsr_total_text(&text, &t), BSR_OK);
    assert_string_equal(
        text, "total: single bit flips, both targets\n"
              "weights   w.db, method deepvigor, 10 images\n"
              "operands  o.db, method ray, 20 images, INCOMPLETE\n"
              "\n"
              "layer  name  op    inputs  weights  operand %  weight %  both %          interval\n"
              "    0  conv  Conv      12        8     25.000    50.000  35.000  [27.500, 42.500]\n"
              "    3  fc    Gemm   10.0M        4          0         -       -                 -\n"
              "(both: VFs of operands and weights, weighted by the numbers of inputs and "
              "weights)\n"
              "\n"
              "MVF total    50.000 %, mean of the layers, 90 % interval [25.000, 75.000]\n");
    bsr_text_free(text);
    assert_int_equal(bsr_total_json(&text, &t), BSR_OK);
    assert_has(text, "{\n  \"command\": \"total\",\n  \"operand\": {\n    \"path\": \"o.db\",\n"
                     "    \"method\": \"ray\",\n    \"images\": 20,\n    \"complete\": false\n"
                     "  },\n  \"weight\": {\n    \"path\": \"w.db\",");
    assert_has(text, "\"inputs\": 12,\n      \"weights\": 8,\n      \"operand\": {\n"
                     "        \"value\": 0.25,\n        \"ci\": [\n          0.125,\n"
                     "          0.375\n        ]\n      },");
    assert_has(text, "\"weight\": null,\n      \"both\": null\n");
    assert_has(text, "\"mvf\": {\n    \"vf\": 0.5,\n    \"ci\": [\n      0.25,\n      0.75\n");
    bsr_text_free(text);
    t.mvf = score(0.5);
    assert_int_equal(bsr_total_text(&text, &t), BSR_OK);
    assert_has(text, "\nMVF total    50.000 %, mean of the layers, no interval\n");
    bsr_text_free(text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_report_scores__text),
        cmocka_unit_test(test_report_scores__json),
        cmocka_unit_test(test_report_scores__tables),
        cmocka_unit_test(test_report_scores__pictures),
        cmocka_unit_test(test_report_scores__total),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
