/* From moments made by hand to shares of wrong answers: closed forms, enumeration, and drawing with
 * another generator. Where draws of the library are compared, within 5 of their standard errors. */
#include "logit_fixture.h"

#include "base/threads.h"
#include "predict/logit_draws.h"
#include "stats/special.h"

enum { IMAGES = 1000 };

static const double ber = 1e-3;

/* Draws of an image from its own donor: 2^16 / 2 over the images. */
static double chance(double variance)
{
    return 5 * sqrt(variance / (32.0 * IMAGES)) + 1e-6;
}

/* Every image gets a covariance R R^T, R random of the size given, and a mean; all their own
 * donors. roots: [IMAGES][n][n]. */
static void fill_moments(population *p, double *roots, double size, uint64_t seed)
{
    int n = p->m.followed.classes;
    bsr_rng rng = bsr_rng_make(seed, 1);
    for (size_t i = 0; i < IMAGES; i++) {
        bsr_space_moments *s = p->donors[i].spaces;
        double *r = roots + i * (size_t)(n * n);
        for (int k = 0; k < n * n; k++)
            r[k] = size * box_muller(&rng);
        for (int a = 0; a < n; a++) {
            s->mean[a] = size * box_muller(&rng) / sqrt(ber);
            s->slope[a] = size * box_muller(&rng) / sqrt(ber);
            for (int b = 0; b <= a; b++)
                for (int k = 0; k < n; k++)
                    s->covariance[a * (a + 1) / 2 + b] += r[a * n + k] * r[b * n + k];
        }
    }
    must(bsr_assign_donors(model_of(p)));
}

static void fill_logits(population *p, uint64_t seed)
{
    int n = p->m.followed.classes;
    bsr_rng rng = bsr_rng_make(seed, 2);
    for (size_t i = 0; i < IMAGES; i++) {
        for (int k = 0; k < n; k++)
            logits_at(p, i)[k] = (float)box_muller(&rng);
        p->m.label[i] = bsr_rng_below(&rng, 3) ? bsr_top1(logits_at(p, i), n) : 1;
    }
}

/* Two classes: P(label) = Phi(margin / sigma), the margin's disturbance having the mean BER (M1 -
 * M0) and the variance BER (1 - BER) (C11 + C00 - 2 C10). */
static void test_predict_logit_model__two_classes_in_closed_form(void **state)
{
    static const bsr_scaling scalings[] = {{1, 1, 0}, {4, 2, 0}, {0.25, 0.5, 2}};
    static double roots[IMAGES * 4];
    population p;
    open_population(&p, IMAGES, 2, IMAGES, 0);
    fill_logits(&p, 5);
    fill_moments(&p, roots, 1 / sqrt(ber), 6);
    for (int scaling = 0; scaling < 3; scaling++) {
        const bsr_scaling *by = &scalings[scaling];
        double correct = 0, critical = 0, square = 0, spread = 0;
        bsr_logit_answer got;
        for (size_t i = 0; i < IMAGES; i++) {
            const bsr_space_moments *s = p.donors[i].spaces;
            const float *z = logits_at(&p, i);
            double m[2], sd = s->covariance[2] + s->covariance[0] - 2 * s->covariance[1];
            for (int k = 0; k < 2; k++)
                m[k] = ber * (by->mean * s->mean[k] + by->slope * s->slope[k]);
            double margin = (double)z[1] - (double)z[0] + m[1] - m[0];
            double one = bsr_normal_cdf(margin / sqrt(by->covariance * ber * (1 - ber) * sd));
            correct += (p.m.label[i] ? one : 1 - one) / IMAGES;
            critical += (z[1] > z[0] ? 1 - one : one) / IMAGES;
            spread += one * (1 - one) / IMAGES;
            square += (by->covariance * ber * (1 - ber) * (s->covariance[0] + s->covariance[2]) +
                       m[0] * m[0] + m[1] * m[1]) /
                      2 / IMAGES;
        }
        const bsr_logit_task task = {.ber = ber, .model = BSR_MODEL_NORMAL};
        run_tasks(&got, &p, scaling ? by : NULL, &task, 1);
        near_to(got.correct[0], correct, chance(spread), "accuracy");
        near_to(got.critical[0], critical, chance(spread), "critical");
        near_to(got.square[0], square, 1e-5 * square, "square");
        near_to(got.top5[0], 0, 0, "top5");
        for (int v = 1; v < BSR_VARIANTS; v++) /* nobody's donors are others */
            assert_true(got.correct[v] == got.correct[0]);
    }
    close_population(&p);
}

/* Several classes: 400 draws of each image here, with R itself. */
static void test_predict_logit_model__several_classes_against_drawing(void **state)
{
    enum { DRAWS = 400 };
    for (int n = 4; n <= 7; n += 3) {
        static double roots[IMAGES * 49];
        population p;
        double correct = 0, critical = 0, top5 = 0;
        bsr_rng rng = bsr_rng_make(11, (uint64_t)n);
        open_population(&p, IMAGES, n, IMAGES, 0);
        fill_logits(&p, 7);
        fill_moments(&p, roots, 0.5 / sqrt(ber), 8);
        for (size_t i = 0; i < IMAGES; i++)
            for (int d = 0; d < DRAWS; d++) {
                float y[8];
                double x[8];
                int top = bsr_top1(logits_at(&p, i), n), before = 0;
                for (int k = 0; k < n; k++)
                    x[k] = sqrt(ber * (1 - ber)) * box_muller(&rng);
                for (int a = 0; a < n; a++) {
                    double z = (double)logits_at(&p, i)[a] + ber * p.donors[i].spaces->mean[a];
                    for (int k = 0; k < n; k++)
                        z += roots[i * (size_t)(n * n) + (size_t)(a * n + k)] * x[k];
                    y[a] = (float)z;
                }
                for (int k = 0; k < n; k++)
                    before += y[k] > y[top];
                correct += bsr_top1(y, n) == p.m.label[i];
                critical += bsr_top1(y, n) != top;
                top5 += before >= 5;
            }
        const bsr_logit_task task = {.ber = ber, .model = BSR_MODEL_NORMAL};
        bsr_logit_answer got;
        run_tasks(&got, &p, NULL, &task, 1);
        near_to(got.correct[0], correct / DRAWS / IMAGES, chance(0.2), "accuracy");
        near_to(got.critical[0], critical / DRAWS / IMAGES, chance(0.2), "critical");
        near_to(got.top5[0], top5 / DRAWS / IMAGES, chance(0.05), "top5");
        assert_true(n == 4 ? top5 == 0 : top5 > 100);
        close_population(&p);
    }
}

/* Model "logits": the exact integral with the mean square over all images. */
static void test_predict_logit_model__equal_noise(void **state)
{
    static double roots[IMAGES * 16];
    population p;
    double square = 0, correct = 0, critical = 0;
    bsr_logit_answer got;
    open_population(&p, IMAGES, 4, IMAGES, 0);
    fill_logits(&p, 9);
    fill_moments(&p, roots, 0.5 / sqrt(ber), 10);
    for (size_t i = 0; i < IMAGES; i++)
        square += bsr_mean_square_of(&p.m, i, NULL, ber) / IMAGES;
    for (size_t i = 0; i < IMAGES; i++) {
        const float *z = logits_at(&p, i);
        correct += bsr_top1_probability(p.rule, z, 4, p.m.label[i], sqrt(square)) / IMAGES;
        critical += (1 - bsr_top1_probability(p.rule, z, 4, bsr_top1(z, 4), sqrt(square))) / IMAGES;
    }
    const bsr_logit_task task = {.ber = ber, .model = BSR_MODEL_LOGITS};
    run_tasks(&got, &p, NULL, &task, 1);
    near_to(got.correct[0], correct, 1e-6, "accuracy");
    near_to(got.critical[0], critical, 1e-6, "critical");
    near_to(got.square[0], square, 1e-9 * square, "square");
    assert_true(isnan(got.top5[0]));
    close_population(&p);
}

/* Six flips, each of `rate` bits; the first is as good as none. */
static const float jumps[6][3] = {{0.9f, 0, 0}, {0, 1.5f, 0},  {-1.2f, 0, 0},
                                  {0, 0, -2},   {0, -1.5f, 2}, {-0.8f, 0.8f, 0}};

static void fill_jumps(population *p, double bits)
{
    bsr_rng rng = bsr_rng_make(12, 0);
    p->bits = bits;
    for (size_t i = 0; i < IMAGES; i++) {
        bsr_space_moments *s = p->donors[i].spaces;
        float *z = logits_at(p, i);
        memcpy(p->donors[i].jumps, jumps, sizeof jumps);
        for (int r = 0; r < 6; r++)
            for (int a = 0; a < 3; a++) {
                s->mean[a] += bits / 6 * (double)jumps[r][a];
                for (int b = 0; b <= a; b++)
                    s->covariance[a * (a + 1) / 2 + b] +=
                        bits / 6 * (double)jumps[r][a] * (double)jumps[r][b];
            }
        z[0] = 2 + 0.001f * (float)box_muller(&rng);
        z[1] = 1;
        z[2] = 0.5f;
    }
    must(bsr_assign_donors(model_of(p)));
}

/* Class 0 stays under one flip, and under two flips. */
static int stays(int a, int b)
{
    double z[3] = {2, 1, 0.5};
    for (int k = 0; k < 3; k++)
        z[k] += (double)jumps[a][k] + (b < 0 ? 0 : (double)jumps[b][k]);
    return z[0] > z[1] && z[0] > z[2];
}

/* At small rates 1 - A = BER times the bits whose flip is critical; here with the pairs of flips
 * that are, so that what is left out goes with BER^3. */
static void test_predict_logit_model__few_flips(void **state)
{
    static const double rates[] = {1e-6, 1e-4, 3e-3};
    population p;
    int one = 0, two = 0;
    for (int a = 0; a < 6; a++) {
        one += !stays(a, -1);
        for (int b = 0; b < 6; b++)
            two += !stays(a, b);
    }
    assert_int_equal(one, 4); /* (2, 2.5, .5), (.8, 1, .5), (2, -.5, 2.5), (1.2, 1.8, .5) */
    open_population(&p, IMAGES, 3, IMAGES, 6);
    fill_jumps(&p, 12);
    for (int r = 0; r < 3; r++) {
        const bsr_logit_task task = {.ber = rates[r], .model = BSR_MODEL_POISSON};
        bsr_logit_answer got;
        double l = rates[r] * 12, none = exp(-l);
        double want = none * (l * one / 6.0 + l * l / 2 * two / 36.0);
        run_tasks(&got, &p, NULL, &task, 1);
        near_to(got.critical[0], want, l * chance(0.25) + l * l * l, "critical");
        near_to(1 - got.correct[0], got.critical[0], 1e-6, "accuracy");
    }
    close_population(&p);
}

/* The same flips as bits of three elements of two, the higher ones protected: the second, fourth
 * and sixth never come. */
static void test_predict_logit_model__protected_bits(void **state)
{
    population p;
    bsr_logit_answer got;
    const bsr_logit_task task = {.ber = 1e-3, .model = BSR_MODEL_POISSON};
    open_population(&p, IMAGES, 3, IMAGES, 6);
    fill_jumps(&p, 12);
    p.space.n_variants = 2;
    p.m.protected_bits = 1;
    run_tasks(&got, &p, NULL, &task, 1);
    int one = !stays(0, -1) + !stays(2, -1) + !stays(4, -1);
    double l = 6e-3;
    assert_int_equal(one, 2);
    near_to(got.critical[0], exp(-l) * l * one / 3.0, l * chance(0.25) + l * l, "critical");
    close_population(&p);
}

/* Very many flips are as good as normal: 150 and 1200 of them, of equal size up and down. */
static void test_predict_logit_model__many_flips(void **state)
{
    for (int many = 0; many < 2; many++) {
        population p;
        bsr_rng rng = bsr_rng_make(13, 0);
        double rate = 1e-3;
        const bsr_logit_task tasks[2] = {{.ber = rate, .model = BSR_MODEL_POISSON},
                                         {.ber = rate, .model = BSR_MODEL_NORMAL}};
        bsr_logit_answer got[2];
        open_population(&p, IMAGES, 3, IMAGES, MOST_JUMPS);
        p.bits = (many ? 1200 : 150) / rate;
        fill_logits(&p, 14);
        for (size_t i = 0; i < IMAGES; i++) {
            bsr_space_moments *s = p.donors[i].spaces;
            float *j = p.donors[i].jumps;
            for (int r = 0; r < MOST_JUMPS; r += 2, j += 6)
                for (int a = 0; a < 3; a++) {
                    j[a] = (float)(box_muller(&rng) / sqrt(p.bits * rate));
                    j[3 + a] = -j[a];
                    for (int b = 0; b <= a; b++)
                        s->covariance[a * (a + 1) / 2 + b] +=
                            2 * p.bits / MOST_JUMPS * (double)j[a] * (double)j[b];
                }
        }
        must(bsr_assign_donors(model_of(&p)));
        run_tasks(got, &p, NULL, tasks, 2);
        assert_true(got[1].critical[0] > 0.2 && got[1].critical[0] < 0.8);
        /* 109 and 16 draws of a donor, and 32: differences of two. */
        double error = chance(0.2) * (1 + (many ? sqrt(2) : 1));
        near_to(got[0].correct[0], got[1].correct[0], error, "accuracy");
        near_to(got[0].critical[0], got[1].critical[0], error, "critical");
        close_population(&p);
    }
}

static void test_predict_logit_model__same_bits_however_run(void **state)
{
    population p;
    bsr_logit_answer got[4], alone;
    const bsr_logit_task tasks[4] = {{.ber = 1e-3, .model = BSR_MODEL_POISSON},
                                     {.ber = 1e-3, .model = BSR_MODEL_NORMAL},
                                     {.ber = 2e-2, .model = BSR_MODEL_POISSON},
                                     {.ber = 1e-3, .model = BSR_MODEL_LOGITS}};
    open_population(&p, IMAGES, 3, IMAGES, 6);
    fill_jumps(&p, 500);
    run_tasks(got, &p, NULL, tasks, 4);
    bsr_pool_free(p.pool);
    must(bsr_pool_new(&p.pool, 1));
    for (int t = 0; t < 4; t++) {
        run_tasks(&alone, &p, NULL, tasks + t, 1);
        assert_memory_equal(alone.correct, got[t].correct, sizeof alone.correct);
        assert_memory_equal(alone.critical, got[t].critical, sizeof alone.critical);
        assert_memory_equal(alone.square, got[t].square, sizeof alone.square);
    }
    close_population(&p);
}

/* By hand: values 1..8 have the mean 4.5 and the sum of squares 42 about it; 42 * 7 / 8 = 36.75;
 * Student's t of 7 degrees of freedom is 2.364624 for 95 % (published tables). */
static void test_predict_logit_model__jackknife_by_hand(void **state)
{
    double values[BSR_VARIANTS] = {20, 1, 2, 3, 4, 5, 6, 7, 8};
    bsr_share s = bsr_jackknife_share(values, 0.95, INFINITY);
    near_to(s.value, 20, 0, "value");
    near_to(s.lo, 20 - 2.364624 * sqrt(36.75), 1e-5, "lo");
    near_to(s.hi, 20 + 2.364624 * sqrt(36.75), 1e-5, "hi");
    s = bsr_jackknife_share(values, 0.95, 25);
    near_to(s.hi, 25, 0, "hi");
    values[0] = 5;
    near_to(bsr_jackknife_share(values, 0.95, 25).lo, 0, 0, "lo");
}

/* Functions 0, 1 and their sum, and one without variance. */
static void test_predict_logit_model__root_of_a_singular_covariance(void **state)
{
    const double c[10] = {4, 2, 10, 6, 12, 18, 0, 0, 0, 0};
    const float want[10] = {2, 1, 3, 3, 3, 0, 0, 0, 0, 0};
    float root[10];
    bsr_covariance_root(root, c, 4);
    for (int i = 0; i < 10; i++)
        near_to((double)root[i], (double)want[i], 1e-6, "root");
}

static void test_predict_logit_model__no_memory(void **state)
{
    population p;
    bsr_status status = BSR_ENOMEM;
    const bsr_logit_task task = {.ber = 1e-3, .model = BSR_MODEL_POISSON};
    open_population(&p, IMAGES, 3, 3, 6);
    must(bsr_assign_donors(model_of(&p)));
    for (long n = 1; status == BSR_ENOMEM; n++) {
        bsr_logit_sampler *s;
        bsr_logit_answer got;
        bsr_alloc_fail_after(n);
        status = bsr_logit_sampler_new(&s, model_of(&p), p.pool, NULL);
        assert_true((status == BSR_OK) == (s != NULL));
        if (status == BSR_OK)
            status = bsr_logit_sampler_run(&got, s, &task, 1);
        assert_true(status == BSR_ENOMEM || bsr_alloc_fail_pending());
        bsr_logit_sampler_free(s);
    }
    bsr_alloc_fail_after(0);
    assert_int_equal(status, BSR_OK);
    close_population(&p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_predict_logit_model__two_classes_in_closed_form),
        cmocka_unit_test(test_predict_logit_model__several_classes_against_drawing),
        cmocka_unit_test(test_predict_logit_model__equal_noise),
        cmocka_unit_test(test_predict_logit_model__few_flips),
        cmocka_unit_test(test_predict_logit_model__protected_bits),
        cmocka_unit_test(test_predict_logit_model__many_flips),
        cmocka_unit_test(test_predict_logit_model__same_bits_however_run),
        cmocka_unit_test(test_predict_logit_model__jackknife_by_hand),
        cmocka_unit_test(test_predict_logit_model__root_of_a_singular_covariance),
        cmocka_unit_test(test_predict_logit_model__no_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
