/* bsr_predict as a whole: refusals, what the result depends on, and bit-level sweeps as the truth.
 * The last needs Debian's Fashion-MNIST. */
#include "predict_fixture.h"

#include "base/cpu.h"
#include "bitseer/predict.h"

#define DEMO "models/fashion_resnet.onnx"
#define CARD "models/fashion-mnist.yaml"

static void load_demo(bench *x, int images)
{
    *x = (bench){.model = NULL};
    must(bsr_model_load(&x->model, DEMO, NULL));
    open_noise(x, images);
}

static void close_inputs(bench *x)
{
    bsr_dataset_free(x->data);
    bsr_model_free(x->model);
}

static bsr_status predict(bsr_prediction **out, const bench *x, const char *format,
                          const bsr_predict_options *p)
{
    bsr_run_options o = BSR_RUN_OPTIONS_INIT;
    o.format = format;
    o.threads = 2;
    return bsr_predict(out, x->model, x->data, &o, p);
}

static void test_predict_prediction__refusals(void **state)
{
    static const struct {
        bsr_predict_options options;
        const char *message;
    } rows[] = {
        {{.version = 2}, "predict options have version 2, expected 1"},
        {{.version = 1, .ber = "1e-3", .model = BSR_MODEL_BITS}, "model 5 is none of a prediction"},
        {{.version = 1, .ber = "1e-3", .model = BSR_MODELS}, "model 6 is none of a prediction"},
        {{.version = 1, .ber = "1e-3", .moment_images = -1},
         "-1 images with derivatives and 0 disturbed inferences"},
        {{.version = 1, .ber = "1e-3", .disturbed = -7},
         "0 images with derivatives and -7 disturbed inferences"},
        {{.version = 1, .ber = "0,1e-3"}, "bit error rate 0: predictions are for rates above 0"},
        {{.version = 1, .ber = "1e-3,1e-3"}, "rate"},
        {{.version = 1, .ber = "2"}, "rate"},
        {{.version = 1, .ber = NULL}, "rate"},
        {{.version = 1, .ber = "1e-3", .targets = "operand"}, "'operand'"},
        {{.version = 1, .ber = "1e-3", .targets = "weight,weight"}, "weight"},
    };
    bench x;
    load_demo(&x, 2);
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        bsr_prediction *p = (bsr_prediction *)1;
        assert_int_equal(predict(&p, &x, "int8", &rows[i].options), BSR_EINVAL);
        assert_null(p);
        if (!strstr(bsr_error_message(), rows[i].message))
            fail_msg("'%s', expected '%s'", bsr_error_message(), rows[i].message);
    }
    bsr_prediction *p;
    assert_int_equal(predict(&p, &x, "int8", NULL), BSR_EINVAL);
    assert_string_equal(bsr_error_message(), "predict options have version 0, expected 1");
    close_inputs(&x);
}

/* Errors of float32 have no variance to speak of, unless what is read is limited. */
static void test_predict_prediction__floats_need_a_range(void **state)
{
    bsr_predict_options o = BSR_PREDICT_OPTIONS_INIT;
    bsr_prediction *p;
    bench x;
    load_demo(&x, 4);
    o.ber = "1e-6";
    assert_int_equal(predict(&p, &x, NULL, &o), BSR_EUNSUPPORTED);
    assert_null(p);
    assert_non_null(
        strstr(bsr_error_message(), "is stored as float32: a flip of bit 30 makes NaN"));
    assert_non_null(strstr(bsr_error_message(), "give the format a range (fp32/range=R)"));
    must(predict(&p, &x, "fp32/range=1", &o));
    assert_int_equal(p->n_points, 1);
    assert_string_equal(p->format, "fp32/range=1");
    assert_true(p->points->rmse.value > 0 && p->points->accuracy.value <= 1);
    bsr_prediction_free(p);
    close_inputs(&x);
}

static void same(double a, double b)
{
    if (!(a == b || (isnan(a) && isnan(b))))
        fail_msg("%.17g and %.17g", a, b);
}

static void same_share(bsr_share a, bsr_share b)
{
    same(a.value, b.value);
    same(a.lo, b.lo);
    same(a.hi, b.hi);
}

static void assert_same(const bsr_prediction *a, const bsr_prediction *b)
{
    assert_int_equal(a->n_points, b->n_points);
    assert_int_equal(a->disturbed, b->disturbed);
    assert_int_equal(a->n_read_offs, b->n_read_offs);
    same(a->linear_limit, b->linear_limit);
    same(a->normal_limit, b->normal_limit);
    for (int i = 0; i < a->n_points; i++) {
        const bsr_predicted_point *p = &a->points[i], *q = &b->points[i];
        assert_int_equal(p->model, q->model);
        assert_string_equal(p->reason, q->reason);
        same_share(p->accuracy, q->accuracy);
        same_share(p->critical, q->critical);
        same_share(p->top5, q->top5);
        same_share(p->rmse, q->rmse);
        same(p->kurtosis, q->kurtosis);
        same(p->linearity, q->linearity);
        same(p->logits_accuracy, q->logits_accuracy);
    }
    assert_int_equal(a->n_shares, b->n_shares);
    for (int i = 0; i < a->n_shares; i++) {
        assert_string_equal(a->shares[i].name, b->shares[i].name);
        same_share(a->shares[i].share, b->shares[i].share);
        same(a->shares[i].n_eff, b->shares[i].n_eff);
    }
    for (int i = 0; i < a->n_read_offs; i++)
        for (int k = 0; k < a->n_points; k++) {
            same(a->read_offs[i].accuracy[k], b->read_offs[i].accuracy[k]);
            same(a->read_offs[i].rmse[k], b->read_offs[i].rmse[k]);
        }
}

/* 1 thread of plain C and 2 with the best kernels. */
static void test_predict_prediction__same_bits_for_threads_and_kernels(void **state)
{
    static const bsr_error_model models[] = {BSR_MODEL_AUTO, BSR_MODEL_NOISE};
    bench x;
    load_demo(&x, 12);
    for (int m = 0; m < 2; m++) {
        bsr_predict_options o = BSR_PREDICT_OPTIONS_INIT;
        bsr_run_options run = BSR_RUN_OPTIONS_INIT;
        bsr_prediction *a, *b;
        o.ber = "1e-5,1e-3";
        o.targets = "weight,activation";
        o.model = models[m];
        o.moment_images = 8;
        o.disturbed = 16;
        o.read_offs = m == 0;
        run.format = "int8";
        run.threads = 1;
        run.cpu = "ref";
        must(bsr_predict(&a, x.model, x.data, &run, &o));
        run.threads = 2;
        run.cpu = bsr_cpu_name(bsr_cpu_best());
        must(bsr_predict(&b, x.model, x.data, &run, &o));
        assert_same(a, b);
        bsr_prediction_free(a);
        bsr_prediction_free(b);
    }
    close_inputs(&x);
}

/* Shares of a network without a fault to speak of, and of one that is all faults. */
static void test_predict_prediction__ends_of_the_curve(void **state)
{
    bsr_predict_options o = BSR_PREDICT_OPTIONS_INIT;
    bsr_prediction *p;
    bench x;
    load_demo(&x, 40);
    o.ber = "1e-12,0.5";
    must(predict(&p, &x, "int8", &o));
    near_to(p->points[0].accuracy.value, (double)p->golden_correct / 40, 1e-4, "accuracy");
    near_to(p->points[0].critical.value, 0, 1e-4, "critical");
    assert_true(p->points[1].critical.value > 0.6); /* of 10 classes, 0.9 were they alike */
    assert_true(p->points[1].model == BSR_MODEL_BITS);
    near_to(p->points[1].flips / p->points[0].flips, 0.5e12, 1, "flips");
    double sum = 0;
    for (int i = 0; i < p->n_shares; i++) {
        sum += p->shares[i].share.value;
        assert_true(i == 0 || p->shares[i].share.value <= p->shares[i - 1].share.value);
    }
    near_to(sum, 1, 1e-9, "shares");
    bsr_prediction_free(p);
    close_inputs(&x);
}

/* Every STRIDE-th allocation fails in its turn: there are a few thousand. */
static void test_predict_prediction__no_memory(void **state)
{
    enum { STRIDE = 7 };
    bsr_predict_options o = BSR_PREDICT_OPTIONS_INIT;
    bench x = {.model = small_model(4, 1, "Relu")};
    bsr_status status = BSR_ENOMEM;
    open_noise(&x, 3);
    o.ber = "1e-3";
    o.targets = "weight,activation";
    o.disturbed = 4;
    o.moment_images = 2;
    o.read_offs = 1;
    for (long n = 1; status == BSR_ENOMEM; n += STRIDE) {
        bsr_prediction *p;
        bsr_alloc_fail_after(n);
        status = predict(&p, &x, "int8", &o);
        assert_true(status == BSR_ENOMEM || bsr_alloc_fail_pending());
        assert_true((status == BSR_OK) == (p != NULL));
        bsr_prediction_free(p);
    }
    bsr_alloc_fail_after(0);
    assert_int_equal(status, BSR_OK);
    close_inputs(&x);
}

/* Bit-level runs: within 3 points and the sweep's own interval, and the RMSE by a quarter. */
static void compare_with_sweep(const bench *x, const char *targets, const char *rates, int runs)
{
    bsr_predict_options o = BSR_PREDICT_OPTIONS_INIT;
    bsr_sweep_options s = BSR_SWEEP_OPTIONS_INIT;
    bsr_run_options run = BSR_RUN_OPTIONS_INIT;
    bsr_prediction *p;
    bsr_sweep_result *truth;
    run.format = "int8";
    o.ber = s.ber = rates;
    o.targets = s.targets = targets;
    s.runs = runs;
    must(bsr_predict(&p, x->model, x->data, &run, &o));
    must(bsr_sweep(&truth, x->model, x->data, &run, &s));
    assert_int_equal(p->n_points, truth->n_points);
    assert_int_equal(p->golden_correct, truth->golden_correct);
    for (int i = 0; i < p->n_points; i++) {
        const bsr_predicted_point *a = &p->points[i];
        const bsr_sweep_point *b = &truth->points[i];
        double allowed = 0.03 + (b->accuracy.hi - b->accuracy.lo) / 2;
        if (getenv("BSR_COVERAGE_PRINT"))
            print_message("%s, BER %g, %s: accuracy %.4f, bits %.4f +- %.4f; RMSE %.3f, bits "
                          "%.3f\n",
                          targets, a->ber, bsr_error_model_name(a->model), a->accuracy.value,
                          b->accuracy.value, (b->accuracy.hi - b->accuracy.lo) / 2, a->rmse.value,
                          b->rmse);
        near_to(a->accuracy.value, b->accuracy.value, allowed, "accuracy");
        if (a->flips > 30) /* with fewer that of some runs is a matter of luck */
            near_to(a->rmse.value, b->rmse, 0.25 * b->rmse, "RMSE");
    }
    bsr_prediction_free(p);
    bsr_sweep_result_free(truth);
}

static void test_predict_prediction__agrees_with_bit_level_runs(void **state)
{
    bsr_dataset_options o = BSR_DATASET_OPTIONS_INIT;
    bench x;
    if (access("/usr/share/datasets/fashion-mnist/t10k-images-idx3-ubyte.gz", R_OK) != 0)
        skip();
    o.data = CARD;
    o.images = "200";
    must(bsr_model_load(&x.model, DEMO, NULL));
    must(bsr_dataset_open(&x.data, &o, 1, 28, 28));
    compare_with_sweep(&x, "weight", "1e-5,1e-4,1e-3,5e-3", 40);
    compare_with_sweep(&x, "activation", "1e-5,1e-4,1e-3,1e-2", 10);
    close_inputs(&x);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_predict_prediction__refusals),
        cmocka_unit_test(test_predict_prediction__floats_need_a_range),
        cmocka_unit_test(test_predict_prediction__same_bits_for_threads_and_kernels),
        cmocka_unit_test(test_predict_prediction__ends_of_the_curve),
        cmocka_unit_test(test_predict_prediction__no_memory),
        cmocka_unit_test(test_predict_prediction__agrees_with_bit_level_runs),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
