/* Method deepvigor as a run. That its numbers are those of the paper's text is tested in
 * tests/unit/analysis/deepvigor.c; here they are compared with what that function gives. */
#include "unit/store/fixtures.h"

#include <math.h>

#include "analysis/deepvigor.h"
#include "bitseer/campaign.h"

enum { IMAGES = 4 };

#define ok(call) assert_int_equal(call, BSR_OK)

/* A .npy file of version 1.0: header padded to 128 bytes. */
static const char *put_npy(const char *name, const char *type, const char *shape, const void *data,
                           size_t bytes)
{
    unsigned char file[128 + IMAGES * 3 * 8 * 8 * sizeof(float)];
    assert_true(bytes <= sizeof file - 128);
    memcpy(file, "\x93NUMPY\x01\x00\x76\x00", 10);
    memset(file + 10, ' ', 118);
    char *text = (char *)file + 10;
    int n = snprintf(text, 117, "{'descr': '%s', 'fortran_order': False, 'shape': (%s), }", type,
                     shape);
    text[n] = ' ';
    file[127] = '\n';
    memcpy(file + 128, data, bytes);
    return temp_put(name, file, 128 + bytes);
}

typedef struct fixture {
    bsr_model *model;
    bsr_dataset *data;
} fixture;

static void open_fixture(fixture *x, const char *path)
{
    static float pixels[IMAGES * 3 * 8 * 8];
    static const int32_t labels[IMAGES];
    char spec[600];
    ok(bsr_model_load(&x->model, path, NULL));
    bsr_model_info info = bsr_model_get_info(x->model);
    assert_int_equal(info.channels * info.height * info.width, 3 * 8 * 8);
    for (size_t i = 0; i < sizeof pixels / sizeof *pixels; i++)
        pixels[i] = (float)((double)((i * 7919 + 13) % 1009) / 1009 * 6 - 3);
    const char *images = put_npy("x.npy", "<f4", "4, 3, 8, 8", pixels, sizeof pixels);
    snprintf(spec, sizeof spec, "npy:%s,%s", images,
             put_npy("y.npy", "<i4", "4,", labels, sizeof labels));
    bsr_dataset_options o = BSR_DATASET_OPTIONS_INIT;
    o.data = spec;
    ok(bsr_dataset_open(&x->data, &o, 3, 8, 8));
}

static void close_fixture(fixture *x)
{
    bsr_dataset_free(x->data);
    bsr_model_free(x->model);
}

static bsr_run_options options(bsr_target target, const char *plan)
{
    bsr_run_options o = BSR_RUN_OPTIONS_INIT;
    o.target = target;
    o.method = "deepvigor";
    o.plan = plan;
    o.threads = 1;
    o.seed = 5;
    o.per_channel = 1;
    return o;
}

/* By the function itself. */
static bsr_deepvigor *direct(const fixture *x, bsr_target target, double ratio)
{
    bsr_session s;
    bsr_deepvigor *d;
    bsr_deepvigor_options options_d = {.ratio = ratio};
    bsr_run_options o = options(target, NULL);
    ok(bsr_deepvigor_target_of(&o.target, target));
    ok(bsr_session_init(&s, x->model, x->data, &o, &o.target, 1));
    ok(bsr_session_lanes(&s));
    ok(bsr_deepvigor_run(&d, &s, &options_d));
    bsr_session_clear(&s);
    return d;
}

static void assert_unknown(const bsr_share *s, double value)
{
    assert_true(s->value == value);
    assert_true(isnan(s->lo) && isnan(s->hi));
}

static void assert_result(const bsr_result *r, const bsr_deepvigor *d)
{
    assert_int_equal(r->n_layers, d->n_layers);
    assert_int_equal(r->scored, 1);
    assert_int_equal(r->complete, 1);
    assert_unknown(&r->mvf, d->mvf);
    assert_memory_equal(&r->searches, &d->counts, sizeof d->counts);
    for (int i = 0; i < d->n_layers; i++) {
        const bsr_layer_result *l = &r->layers[i];
        const bsr_deepvigor_layer *e = &d->layers[i];
        assert_int_equal(l->index, e->index);
        assert_string_equal(l->name, e->name);
        assert_string_equal(l->format, "float32");
        assert_unknown(&l->vf, e->lvf);
        assert_unknown(&l->metrics[BSR_METRIC_CRITICAL], e->lvf);
        assert_true(isnan(l->metrics[BSR_METRIC_DUE].value));
        assert_memory_equal(&l->searches, &e->counts, sizeof e->counts);
        assert_int_equal(l->n_channels, e->n_chosen);
        for (int c = 0; c < e->n_chosen; c++) {
            assert_int_equal(l->channels[c].index, e->chosen[c]);
            assert_unknown(&l->channels[c].vf, e->cvf[c]);
        }
    }
}

static void test_campaign_deepvigor_run__the_result_is_that_of_the_method(void **state)
{
    static const bsr_target targets[] = {BSR_TARGET_WEIGHT, BSR_TARGET_OPERAND};
    static const struct {
        const char *plan, *sampling;
        double ratio;
    } plans[] = {
        {"exhaustive", "complete", 1}, {"channels:0.5", "channels", 0.5}, {NULL, "channels", 0.1}};
    fixture x;
    open_fixture(&x, "tests/engine/data/grouped.onnx");
    for (int t = 0; t < 2; t++)
        for (int p = 0; p < 3; p++) {
            bsr_deepvigor *d = direct(&x, targets[t], plans[p].ratio);
            bsr_run_options o = options(targets[t], plans[p].plan);
            bsr_result *r;
            ok(bsr_analyze(&r, x.model, x.data, &o));
            assert_result(r, d);
            assert_string_equal(r->target, bsr_target_name(targets[t]));
            assert_string_equal(r->method, "deepvigor");
            assert_string_equal(r->sampling, plans[p].sampling);
            assert_int_equal(r->images, IMAGES);
            bsr_result_free(r);
            bsr_deepvigor_free(d);
        }
    close_fixture(&x);
}

/* Stored weights of grouped.onnx: 6 x 3, 4 x 27, 8 x 9, 8 x 9; and 32 bits of each. */
static void test_campaign_deepvigor_run__sites_are_the_target_s(void **state)
{
    static const uint64_t weights[] = {18, 108, 72, 72};
    fixture x;
    bsr_result *r;
    open_fixture(&x, "tests/engine/data/grouped.onnx");
    bsr_run_options o = options(BSR_TARGET_WEIGHT, NULL);
    ok(bsr_analyze(&r, x.model, x.data, &o));
    for (int i = 0; i < 4; i++) {
        assert_int_equal(r->layers[i].sites, weights[i]);
        assert_int_equal(r->layers[i].population, 32 * weights[i]);
        assert_int_equal(r->layers[i].faults, 0);
    }
    assert_non_null(strstr(r->provenance.spec, "analyze target=weight "));
    assert_non_null(strstr(r->provenance.spec, " plan=channels:0.1 method=deepvigor "));
    bsr_result_free(r);
    o.layers = "n6";
    o.bits = "30";
    ok(bsr_analyze(&r, x.model, x.data, &o));
    assert_int_equal(r->n_layers, 1);
    assert_int_equal(r->layers[0].index, 1);
    assert_int_equal(r->layers[0].population, 108);
    bsr_result_free(r);
    close_fixture(&x);
}

/* Shown it is the same, started again it is not computed again, and what was stopped is. */
static void test_campaign_deepvigor_run__a_database_keeps_it(void **state)
{
    const char *path = temp_path("run.db");
    fixture x;
    bsr_result *r;
    char command[16];
    int complete;
    open_fixture(&x, "tests/engine/data/grouped.onnx");
    bsr_deepvigor *d = direct(&x, BSR_TARGET_OPERAND, 0.5);
    bsr_run_options o = options(BSR_TARGET_OPERAND, "channels:0.5");
    o.store = path;
    o.threads = 2;
    ok(bsr_analyze(&r, x.model, x.data, &o));
    assert_result(r, d);
    bsr_result_free(r);
    ok(bsr_run_kind(path, command, &complete));
    assert_string_equal(command, "analyze");
    assert_int_equal(complete, 1);
    ok(bsr_run_result(&r, path, NULL));
    assert_result(r, d);
    bsr_result_free(r);

    o.resume = 1;
    ok(bsr_analyze(&r, x.model, x.data, &o));
    assert_result(r, d);
    bsr_result_free(r);
    assert_string_equal(direct_sql(path, "SELECT count(*) FROM session"), "1");

    direct_sql(path, "DELETE FROM score; UPDATE fact SET value = '0' WHERE name = 'complete'");
    ok(bsr_run_result(&r, path, NULL));
    assert_int_equal(r->complete, 0);
    assert_true(isnan(r->mvf.value) && isnan(r->layers[0].vf.value));
    assert_int_equal(r->layers[0].n_channels, 0);
    bsr_result_free(r);
    ok(bsr_analyze(&r, x.model, x.data, &o));
    assert_result(r, d);
    bsr_result_free(r);
    o.seed = 6;
    assert_fails(bsr_analyze(&r, x.model, x.data, &o), BSR_EINVAL, "another run: its spec is");
    bsr_deepvigor_free(d);
    close_fixture(&x);
    remove(path);
}

static void test_campaign_deepvigor_run__damaged_rows_are_refused(void **state)
{
    static const char *const damages[] = {
        "UPDATE score SET vf = 2 WHERE channel = 0",
        "UPDATE score SET vf = -0.5 WHERE channel = 0",
        "UPDATE score SET layer = 9 WHERE channel = 0",
        "UPDATE score SET channel = 99 WHERE channel = 0",
        "UPDATE score SET skipped = 2 WHERE channel = 0",
        "UPDATE score SET single = 1, skipped = 1 WHERE channel = 0",
        "UPDATE score SET targets = 0 WHERE channel = 0",
        "UPDATE score SET simulations = -1 WHERE channel = 0",
    };
    const char *path = temp_path("run.db");
    fixture x;
    bsr_result *r;
    open_fixture(&x, "tests/engine/data/grouped.onnx");
    for (size_t i = 0; i < sizeof damages / sizeof *damages; i++) {
        bsr_run_options o = options(BSR_TARGET_WEIGHT, "exhaustive");
        o.layers = "0";
        o.store = path;
        ok(bsr_analyze(&r, x.model, x.data, &o));
        bsr_result_free(r);
        direct_sql(path, damages[i]);
        assert_fails(bsr_run_result(&r, path, NULL), BSR_EFORMAT, "score of layer ",
                     " of the database is impossible");
        remove(path);
    }
    close_fixture(&x);
}

static void test_campaign_deepvigor_run__it_is_no_run_of_faults(void **state)
{
    static const char message[] = "run.db' holds factors of method deepvigor, not single faults";
    char path[256];
    fixture x;
    bsr_result *r;
    bsr_comparison *c;
    strcpy(path, temp_path("run.db"));
    open_fixture(&x, "tests/engine/data/grouped.onnx");
    bsr_run_options o = options(BSR_TARGET_WEIGHT, NULL);
    o.store = path;
    ok(bsr_analyze(&r, x.model, x.data, &o));
    bsr_result_free(r);
    assert_fails(bsr_compare(&c, path, path, 0.95), BSR_EINVAL, message);
    assert_fails(bsr_run_export(path, BSR_EXPORT_CSV, temp_path("none")), BSR_EINVAL, message);
    assert_false(file_exists(temp_path("none")));
    close_fixture(&x);
    remove(path);
}

static void refuse(const fixture *x, bsr_run_options o, bsr_status status, const char *message)
{
    bsr_result *r;
    o.store = temp_path("none.db");
    assert_fails(bsr_analyze(&r, x->model, x->data, &o), status, message);
    assert_null(r);
    assert_false(file_exists(o.store));
}

static void test_campaign_deepvigor_run__what_has_no_meaning_is_refused(void **state)
{
    fixture x;
    open_fixture(&x, "tests/engine/data/grouped.onnx");
#define REFUSE(field, value, message)                                                              \
    do {                                                                                           \
        bsr_run_options o = options(BSR_TARGET_WEIGHT, NULL);                                      \
        o.field = value;                                                                           \
        refuse(&x, o, BSR_EINVAL, message);                                                        \
    } while (0)
    REFUSE(target, BSR_TARGET_ACTIVATION, "targets weight and operand, not activation");
    REFUSE(plan, "random:5", "plan 'random:5': method deepvigor takes exhaustive or channels:R");
    REFUSE(plan, "channels:1.5", "plan 'channels:1.5': method deepvigor");
    REFUSE(plan, "channels:0.5x", "plan 'channels:0.5x': method deepvigor");
    REFUSE(transient, 1, "method deepvigor does without transient faults");
    REFUSE(faults, "list", "method deepvigor does without a list of faults");
    REFUSE(screen, 0.1, "method deepvigor does without screening");
    REFUSE(screen_checks, 3, "method deepvigor does without checks of screening");
    REFUSE(shares, "minmax", "method deepvigor does without shares");
    REFUSE(check, 3, "method deepvigor does without checks of rays");
    REFUSE(verify, 3, "method deepvigor does without verification");
    REFUSE(bounds, 1, "method deepvigor does without bounds of sites");
    REFUSE(max_time, 3, "method deepvigor does without a limit of time");
    REFUSE(fault, "ber:0.001", "wants a fault model of single sites, not 'ber:0.001'");
#undef REFUSE
    close_fixture(&x);
}

/* A layer on codes is found before anything is written. */
static void test_campaign_deepvigor_run__codes_are_refused(void **state)
{
    fixture x;
    open_fixture(&x, "tests/engine/data/codes_qdq.onnx");
    refuse(&x, options(BSR_TARGET_OPERAND, NULL), BSR_EUNSUPPORTED,
           "computes on 8-bit codes, method deepvigor is for float32 sums");
    close_fixture(&x);
}

/* Eq. 15 from databases is Eq. 15 of the results. */
static void test_campaign_deepvigor_run__both_targets_together(void **state)
{
    char weight[256], operand[256];
    fixture x;
    bsr_result *r;
    bsr_total_result *total;
    double mvf;
    strcpy(weight, temp_path("w.db"));
    strcpy(operand, temp_path("o.db"));
    open_fixture(&x, "tests/engine/data/grouped.onnx");
    bsr_deepvigor *w = direct(&x, BSR_TARGET_WEIGHT, 1), *a = direct(&x, BSR_TARGET_OPERAND, 0.5);
    ok(bsr_deepvigor_total(&mvf, a, w));
    bsr_run_options o = options(BSR_TARGET_WEIGHT, "exhaustive");
    o.store = weight;
    ok(bsr_analyze(&r, x.model, x.data, &o));
    bsr_result_free(r);
    o = options(BSR_TARGET_OPERAND, "channels:0.5");
    o.store = operand;
    ok(bsr_analyze(&r, x.model, x.data, &o));
    bsr_result_free(r);
    ok(bsr_total(&total, weight, operand, 0));
    assert_int_equal(total->n_layers, 4);
    assert_string_equal(total->weight.method, "deepvigor");
    for (int i = 0; i < 4; i++) {
        assert_int_equal(total->layers[i].inputs, a->layers[i].inputs);
        assert_int_equal(total->layers[i].weights, w->layers[i].weights);
        assert_true(total->layers[i].operand.value == a->layers[i].lvf);
        assert_true(total->layers[i].weight.value == w->layers[i].lvf);
    }
    assert_true(fabs(total->mvf.value - mvf) < 1e-15);
    assert_true(isnan(total->mvf.lo) && isnan(total->mvf.hi));
    bsr_total_free(total);
    bsr_deepvigor_free(a);
    bsr_deepvigor_free(w);
    close_fixture(&x);
    remove(weight);
    remove(operand);
}

/* In memory: what a run keeps is read from there. */
static bsr_status small_run(const fixture *x)
{
    bsr_result *r;
    bsr_run_options o = options(BSR_TARGET_WEIGHT, NULL);
    o.layers = "3";
    bsr_status status = bsr_analyze(&r, x->model, x->data, &o);
    bsr_result_free(r);
    return status;
}

static bsr_status show_once(const char *path)
{
    bsr_result *r;
    bsr_status status = bsr_run_result(&r, path, NULL);
    bsr_result_free(r);
    return status;
}

static void test_campaign_deepvigor_run__every_allocation_may_fail(void **state)
{
    const char *path = temp_path("run.db");
    fixture x;
    bsr_result *r;
    open_fixture(&x, "tests/engine/data/grouped.onnx");
    assert_survives_no_memory(small_run(&x));
    bsr_run_options o = options(BSR_TARGET_WEIGHT, NULL);
    o.store = path;
    ok(bsr_analyze(&r, x.model, x.data, &o));
    bsr_result_free(r);
    assert_survives_no_memory(show_once(path));
    close_fixture(&x);
    remove(path);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_campaign_deepvigor_run__the_result_is_that_of_the_method),
        cmocka_unit_test(test_campaign_deepvigor_run__sites_are_the_target_s),
        cmocka_unit_test(test_campaign_deepvigor_run__a_database_keeps_it),
        cmocka_unit_test(test_campaign_deepvigor_run__damaged_rows_are_refused),
        cmocka_unit_test(test_campaign_deepvigor_run__it_is_no_run_of_faults),
        cmocka_unit_test(test_campaign_deepvigor_run__what_has_no_meaning_is_refused),
        cmocka_unit_test(test_campaign_deepvigor_run__codes_are_refused),
        cmocka_unit_test(test_campaign_deepvigor_run__both_targets_together),
        cmocka_unit_test(test_campaign_deepvigor_run__every_allocation_may_fail),
    };
    return cmocka_run_group_tests(tests, temp_setup, temp_teardown);
}
