/* Disturbed inferences of linear networks, where first order is all there is: each trial's logits,
 * and over many trials the mean and covariance that the moments say. */
#include "predict_fixture.h"

#include "base/threads.h"

enum { CLASSES = 4 };

/* A bench with moments of some images, and the first order of trials on them. */
typedef struct trials {
    bench x;
    bsr_trial *list;
    size_t *images;
    size_t n, slots;
    bsr_disturbed_job job;
    bsr_first_order first;
    bsr_image_moments *moments;
    bsr_trial_result *results;
    double rates[2];
} trials;

/* Trials over `slots` images in turn; patterns: different ones. flips: expected in one inference,
 * at the greater of two rates; noise has no use for it. */
static void open_trials(trials *t, bsr_model *model, const char *targets, const char *format,
                        size_t slots, size_t n, size_t patterns, double flips, int noise)
{
    *t = (trials){.n = n, .slots = slots};
    bench *x = &t->x;
    open_bench(x, model, (int)slots, targets, format);
    double bits = (double)(x->memory.constant_bits + x->memory.tensor_bits);
    t->rates[1] = flips / bits;
    t->rates[0] = t->rates[1] / 3;
    t->list = bsr_alloc_array(n, sizeof *t->list);
    t->images = bsr_alloc_array(slots, sizeof *t->images);
    t->results = bsr_alloc_array(n, sizeof *t->results);
    for (size_t i = 0; i < slots; i++)
        t->images[i] = slots - 1 - i;
    for (size_t i = 0; i < n; i++)
        t->list[i] = (bsr_trial){t->images[i % slots], i % patterns};
    t->job = (bsr_disturbed_job){.s = &x->s,
                                 .map = &x->map,
                                 .followed = x->followed,
                                 .golden = x->golden,
                                 .normals = x->normals,
                                 .noise = noise,
                                 .trials = t->list,
                                 .n = n,
                                 .share = 1};
    must(bsr_first_order_new(&t->first, &t->job, slots, t->rates, 2));
    const bsr_error_map *map = &x->map;
    bsr_moments_job job = moments_job(x, &map, t->images, slots);
    job.visit = bsr_first_order_visit;
    job.visit_ctx = &t->first;
    must(bsr_image_moments_new(&t->moments, &job));
}

static void close_trials(trials *t)
{
    bsr_image_moments_free(t->moments, t->slots);
    bsr_first_order_clear(&t->first);
    bsr_free(t->list);
    bsr_free(t->images);
    bsr_free(t->results);
    close_bench(&t->x);
}

static void run_trials(trials *t, double rate)
{
    must(bsr_disturbed_run(t->results, &t->job, rate, 0, t->n));
}

/* Disturbance of logit k in a trial. */
static double disturbance(const trials *t, size_t i, int k)
{
    const float *z = t->x.golden + t->list[i].image * (size_t)t->x.followed.classes;
    assert_true(t->results[i].finite);
    return (double)t->results[i].logits[k] - (double)z[t->moments[i % t->slots].order[k]];
}

static double first_order(const trials *t, size_t i, int rate, int k)
{
    double ber = t->rates[rate], sum = bsr_first_order_at(&t->first, i, rate, ber, k);
    for (int s = 0; t->job.noise && s < t->x.map.n; s++)
        sum += ber * t->moments[i % t->slots].spaces[s].mean[k];
    return sum;
}

/* Every trial at both rates. */
static void expect_first_order(const char *what, trials *t)
{
    int logits = t->x.followed.logits, other = 0;
    for (int r = 0; r < 2; r++) {
        run_trials(t, t->rates[r]);
        for (size_t i = 0; i < t->n; i++) {
            double square = 0, most = 1;
            for (int k = 0; k < logits; k++)
                most = fmax(most, fabs(first_order(t, i, r, k)));
            for (int k = 0; k < logits; k++) {
                double d = disturbance(t, i, k);
                near_to(d, first_order(t, i, r, k), 3e-5 * most, what);
                square += d * d / logits;
                other += fabs(d) > 1e-3;
            }
            if (logits == t->x.followed.classes)
                near_to(t->results[i].square, square, 1e-5 * square, "square");
        }
    }
    assert_true(other > (int)t->n); /* there was something to see */
}

static const struct {
    const char *targets, *format;
    int convolution;
} linear[] = {
    {"weight,bias", "q2.12", 0},  {"weight,bias", "int8", 0},    {"input", "q1.10", 1},
    {"input", "int8", 1},         {"bias", "q3.10", 1},          {"bias,input", "q3.10", 1},
    {"input", "uint8/affine", 1}, {"weight", "int8/channel", 0}, {"weight,bias", "fp16/range=1", 0},
};

static void test_predict_disturbed__flips_in_linear_networks(void **state)
{
    for (size_t i = 0; i < sizeof linear / sizeof *linear; i++) {
        trials t;
        open_trials(&t, small_model(CLASSES, linear[i].convolution, NULL), linear[i].targets,
                    linear[i].format, 5, 40, 40, 6, 0);
        expect_first_order(linear[i].targets, &t);
        close_trials(&t);
    }
}

static void test_predict_disturbed__noise_in_linear_networks(void **state)
{
    for (size_t i = 0; i < sizeof linear / sizeof *linear; i++) {
        trials t;
        open_trials(&t, small_model(CLASSES, linear[i].convolution, NULL), linear[i].targets,
                    linear[i].format, 5, 40, 7, 6, 1);
        expect_first_order(linear[i].targets, &t);
        close_trials(&t);
    }
}

/* Of 14 classes those with the 8 greatest logits are followed. */
static void test_predict_disturbed__many_classes(void **state)
{
    trials t;
    open_trials(&t, small_model(14, 0, NULL), "weight,bias", "q2.12", 5, 40, 40, 6, 0);
    assert_int_equal(t.x.followed.logits, 8);
    expect_first_order("14 classes", &t);
    close_trials(&t);
}

/* Mean and covariance over trials of one image, 5 standard errors. */
static void expect_moments(trials *t, int rate)
{
    double ber = t->rates[rate], n = (double)t->n;
    run_trials(t, ber);
    for (int i = 0; i < CLASSES; i++) {
        double want = 0, got = 0, square = 0;
        for (int s = 0; s < t->x.map.n; s++)
            want += ber * t->moments[0].spaces[s].mean[i];
        for (size_t k = 0; k < t->n; k++) {
            double d = disturbance(t, k, i);
            got += d / n;
            square += d * d / n;
        }
        near_to(got, want, 5 * sqrt((square - got * got) / n), "mean");
        for (int j = 0; j <= i; j++) {
            double covariance = 0, product = 0, products = 0, other = 0;
            for (int s = 0; s < t->x.map.n; s++) {
                covariance +=
                    ber * (1 - ber) * t->moments[0].spaces[s].covariance[i * (i + 1) / 2 + j];
                other += ber * t->moments[0].spaces[s].mean[j];
            }
            for (size_t k = 0; k < t->n; k++) {
                double p = (disturbance(t, k, i) - want) * (disturbance(t, k, j) - other);
                product += p / n;
                products += p * p / n;
            }
            near_to(product, covariance, 5 * sqrt((products - product * product) / n),
                    "covariance");
        }
    }
}

/* Flips of whole-number codes have that mean and covariance at every rate; noise by definition. */
static void test_predict_disturbed__mean_and_covariance_over_patterns(void **state)
{
    enum { N = 6000 };
    for (size_t i = 0; i < 4; i++)
        for (int noise = 0; noise < 2; noise++) {
            trials t;
            open_trials(&t, small_model(CLASSES, linear[i].convolution, NULL), linear[i].targets,
                        linear[i].format, 1, N, N, 100, noise);
            expect_moments(&t, 1);
            close_trials(&t);
        }
}

static void test_predict_disturbed__same_bits_however_run(void **state)
{
    enum { N = 30 };
    for (int noise = 0; noise < 2; noise++) {
        trials t, one;
        bsr_run_options o = BSR_RUN_OPTIONS_INIT;
        open_trials(&t, small_model(CLASSES, 1, "Relu"), "weight,activation", "int8", 5, N, 10, 20,
                    noise);
        run_trials(&t, t.rates[1]);
        one = t;
        o.threads = 1;
        o.cpu = "ref";
        o.format = "int8";
        open_map(&one.x, "weight,activation", &o);
        one.job.s = &one.x.s;
        one.job.map = &one.x.map;
        one.results = bsr_alloc_array(N, sizeof *one.results);
        /* In two parts, of which the second starts within a pattern. */
        must(bsr_disturbed_run(one.results, &one.job, t.rates[1], 0, 17));
        must(bsr_disturbed_run(one.results, &one.job, t.rates[1], 17, N));
        for (size_t i = 0; i < N; i++) {
            assert_memory_equal(one.results[i].logits, t.results[i].logits,
                                CLASSES * sizeof(float));
            assert_true(one.results[i].square == t.results[i].square && one.results[i].finite);
        }
        bsr_free(one.results);
        close_map(&one.x);
        close_trials(&t);
    }
}

/* Patterns that are taken for one: trials of one image and one taken pattern of weights agree. */
static void test_predict_disturbed__shared_patterns(void **state)
{
    trials t;
    open_trials(&t, small_model(CLASSES, 1, "Relu"), "weight", "int8", 1, 12, 12, 20, 0);
    run_trials(&t, t.rates[1]);
    bsr_trial_result own[12];
    memcpy(own, t.results, sizeof own);
    t.job.share = 4;
    run_trials(&t, t.rates[1]);
    for (int i = 0; i < 12; i++) {
        assert_memory_equal(t.results[i].logits, own[i / 4 * 4].logits, CLASSES * sizeof(float));
        assert_true(i % 4 == 0 || own[i].square != t.results[i].square);
    }
    close_trials(&t);
}

static void test_predict_disturbed__no_memory(void **state)
{
    for (int noise = 0; noise < 2; noise++) {
        trials t;
        open_trials(&t, small_model(CLASSES, 1, "Relu"), "weight,activation", "int8", 2, 4, 2, 5,
                    noise);
        bsr_status status = BSR_ENOMEM;
        for (long n = 1; status == BSR_ENOMEM; n++) {
            bsr_alloc_fail_after(n);
            status = bsr_disturbed_run(t.results, &t.job, t.rates[1], 0, t.n);
            assert_true(status == BSR_ENOMEM || bsr_alloc_fail_pending());
        }
        bsr_alloc_fail_after(0);
        assert_int_equal(status, BSR_OK);
        status = BSR_ENOMEM;
        for (long n = 1; status == BSR_ENOMEM; n++) {
            bsr_first_order f;
            bsr_alloc_fail_after(n);
            status = bsr_first_order_new(&f, &t.job, 2, t.rates, 2);
            assert_true(status == BSR_ENOMEM || bsr_alloc_fail_pending());
            bsr_first_order_clear(&f);
        }
        bsr_alloc_fail_after(0);
        assert_int_equal(status, BSR_OK);
        close_trials(&t);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_predict_disturbed__flips_in_linear_networks),
        cmocka_unit_test(test_predict_disturbed__noise_in_linear_networks),
        cmocka_unit_test(test_predict_disturbed__many_classes),
        cmocka_unit_test(test_predict_disturbed__mean_and_covariance_over_patterns),
        cmocka_unit_test(test_predict_disturbed__same_bits_however_run),
        cmocka_unit_test(test_predict_disturbed__shared_patterns),
        cmocka_unit_test(test_predict_disturbed__no_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
