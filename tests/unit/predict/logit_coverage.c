/* Do the intervals of predictions cover the truth as often as they say? Populations of images whose
 * disturbances are known exactly, of which few are looked at as bsr_predict does.
 * BSR_COVERAGE_PRINT=1 prints the figures of docs/theory/statistical-models.md. */
#include "logit_fixture.h"

#include "predict/departure.h"

enum { CLASSES = 4, IMAGES = 2000, NORMALS = 1 << 16, REPLICATES = 200 };

static float normals[NORMALS]; /* drawn once */

static void draw_normals(void)
{
    bsr_rng rng = bsr_rng_make(21, 0);
    for (int i = 0; i < NORMALS; i++)
        normals[i] = (float)box_muller(&rng);
}

/* What a disturbance of an image is: golden logits times keep, and mean + root N. */
typedef struct effect {
    float keep, mean[CLASSES], root[CLASSES][CLASSES];
} effect;

typedef struct simulation {
    population p;
    effect *of; /* [IMAGES] */
    bsr_rng rng;
} simulation;

static float draw(simulation *s)
{
    return normals[bsr_rng_u32(&s->rng) % NORMALS];
}

/* A classifier of some 91 %: logits of unit spread, that of the label 2.8 more. Noise differs by
 * `spread` (a logarithm) from image to image and goes with the power `along` of the logits' size.
 */
static void draw_population(simulation *s, double noise, double spread, double along)
{
    for (size_t i = 0; i < IMAGES; i++) {
        float *z = logits_at(&s->p, i), square = 0;
        effect *t = &s->of[i];
        s->p.m.label[i] = (int)bsr_rng_below(&s->rng, CLASSES);
        for (int k = 0; k < CLASSES; k++) {
            z[k] = draw(s) + (k == s->p.m.label[i] ? 2.8f : 0);
            square += z[k] * z[k];
        }
        float size =
            (float)(noise * pow((double)square / 8, along / 2) * exp(spread * (double)draw(s)));
        t->keep = 1;
        for (int a = 0; a < CLASSES; a++) {
            t->mean[a] = 0.3f * size * (draw(s) - 0.3f * z[a]);
            for (int b = 0; b < CLASSES; b++)
                t->root[a][b] = size * ((a == b ? 0.8f : 0) + 0.3f * draw(s));
        }
    }
}

static void disturb(float *out, const effect *t, const float *z, const float *n)
{
    for (int a = 0; a < CLASSES; a++) {
        out[a] = t->keep * z[a] + t->mean[a];
        for (int b = 0; b < CLASSES; b++)
            out[a] += t->root[a][b] * n[b];
    }
}

/* Accuracy over all images by 32 draws each, and RMSE. */
static void true_values(simulation *s, double *accuracy, double *rmse)
{
    enum { DRAWS = 32 };
    size_t right = 0;
    double square = 0;
    for (size_t i = 0; i < IMAGES; i++) {
        const effect *t = &s->of[i];
        const float *z = logits_at(&s->p, i);
        for (int d = 0; d < DRAWS; d++) {
            float y[CLASSES];
            disturb(y, t, z, normals + bsr_rng_u32(&s->rng) % (NORMALS - CLASSES));
            right += bsr_top1(y, CLASSES) == s->p.m.label[i];
        }
        for (int a = 0; a < CLASSES; a++) {
            double mean = (double)(t->mean[a] + (t->keep - 1) * z[a]);
            square += mean * mean;
            for (int b = 0; b < CLASSES; b++)
                square += (double)t->root[a][b] * (double)t->root[a][b];
        }
    }
    *accuracy = (double)right / IMAGES / DRAWS;
    *rmse = sqrt(square / IMAGES / CLASSES);
}

/* What the walk backwards would find of an image, at this rate. */
static void fill_donor(simulation *s, bsr_image_moments *d, double ber)
{
    const effect *t = &s->of[d->image];
    bsr_space_moments *m = d->spaces;
    *m = (bsr_space_moments){.variance = 0};
    bsr_followed_classes(d->order, &s->p.m.followed, logits_at(&s->p, d->image));
    for (int a = 0; a < CLASSES; a++) {
        m->mean[a] = (double)t->mean[a] / ber;
        for (int b = 0; b <= a; b++)
            for (int k = 0; k < CLASSES; k++)
                m->covariance[a * (a + 1) / 2 + b] +=
                    (double)t->root[a][k] * (double)t->root[b][k] / (ber * (1 - ber));
    }
}

static void choose_donors(simulation *s, double ber)
{
    size_t images[64], n = s->p.m.n_donors;
    forget_donors(&s->p);
    must(bsr_rank_images(model_of(&s->p)));
    bsr_choose_donors(images, n, &s->p.m);
    for (size_t d = 0; d < n; d++) {
        s->p.donors[d].image = images[d];
        fill_donor(s, &s->p.donors[d], ber);
    }
    must(bsr_assign_donors(&s->p.m));
}

static bsr_share rmse_share(const bsr_logit_answer *a)
{
    double rmse[BSR_VARIANTS];
    for (int v = 0; v < BSR_VARIANTS; v++)
        rmse[v] = sqrt(a->square[v]);
    return bsr_jackknife_share(rmse, 0.95, INFINITY);
}

/* Times that an interval covered. */
typedef struct count {
    int covered, below, above;
    double half, error;
} count;

static void add_interval(count *c, bsr_share s, double is)
{
    c->covered += is >= s.lo && is <= s.hi;
    c->below += is < s.lo;
    c->above += is > s.hi;
    c->half += (s.hi - s.lo) / 2 / REPLICATES;
    c->error += (s.value - is) / REPLICATES;
}

/* least: percent; 90 where 95 is meant. */
static void judge(const char *what, const count *c, double least)
{
    double share = 100.0 * c->covered / REPLICATES;
    if (getenv("BSR_COVERAGE_PRINT"))
        print_message("%s: %.1f %% of %d, truth below %d, above %d; half-width %.4f, error %+.4f\n",
                      what, share, REPLICATES, c->below, c->above, c->half, c->error);
    if (share < least || share > 99.5)
        fail_msg("%s: covered in %.1f %% of %d", what, share, REPLICATES);
}

static void open_simulation(simulation *s, size_t donors)
{
    open_population(&s->p, IMAGES, CLASSES, donors, 0);
    s->of = bsr_alloc_array(IMAGES, sizeof *s->of);
    assert_non_null(s->of);
    s->rng = bsr_rng_make(22, 0);
    draw_normals();
}

static void close_simulation(simulation *s)
{
    bsr_free(s->of);
    close_population(&s->p);
}

/* 24 images with moments stand for 2000; in the last row noise goes with the size of the logits. */
static void test_predict_logit_coverage__images_with_moments(void **state)
{
    static const struct {
        double noise, spread, along;
    } rows[] = {{0.6, 0.2, 0}, {1.5, 0.2, 0}, {1.5, 0.5, 0}, {0.6, 0.2, 1}};
    const double ber = 1e-3;
    for (size_t row = 0; row < sizeof rows / sizeof *rows; row++) {
        simulation s;
        count accuracy = {0}, rmse = {0};
        open_simulation(&s, 24);
        for (int r = 0; r < REPLICATES; r++) {
            bsr_logit_answer got;
            double true_accuracy, true_rmse;
            const bsr_logit_task task = {.ber = ber, .model = BSR_MODEL_NORMAL};
            draw_population(&s, rows[row].noise, rows[row].spread, rows[row].along);
            true_values(&s, &true_accuracy, &true_rmse);
            choose_donors(&s, ber);
            s.p.m.seed = (uint64_t)r;
            run_tasks(&got, &s.p, NULL, &task, 1);
            add_interval(&accuracy, bsr_jackknife_share(got.correct, 0.95, 1), true_accuracy);
            add_interval(&rmse, rmse_share(&got), true_rmse);
        }
        judge("accuracy, images with moments", &accuracy, 90);
        judge("RMSE, images with moments", &rmse, 90);
        close_simulation(&s);
    }
}

/* Disturbed inferences as bsr_predict takes them: 256 of them over the images, of which each image
 * uses those of 8 near ones. They keep a share of the golden logits and add to it. */
static void add_trials(simulation *s, int replicate, count *accuracy)
{
    enum { N = 256, WINDOW = 8 };
    static bsr_trial trials[N];
    static bsr_trial_result results[N];
    const double ber = 1e-3;
    bsr_disturbed_job job = {.followed = s->p.m.followed, .trials = trials, .n = N, .share = 1};
    bsr_logit_answer answers[2];
    bsr_departure d;
    double true_accuracy, true_rmse;
    true_values(s, &true_accuracy, &true_rmse);
    choose_donors(s, ber);
    for (size_t i = 0; i < N; i++) {
        size_t image = s->p.m.order[(size_t)(fmod((double)i * 0.6180339887498949, 1) * IMAGES)];
        const float *z = logits_at(&s->p, image);
        trials[i] = (bsr_trial){image, i};
        results[i] = (bsr_trial_result){.finite = 1};
        disturb(results[i].logits, &s->of[image], z,
                normals + bsr_rng_u32(&s->rng) % (NORMALS - CLASSES));
        for (int k = 0; k < CLASSES; k++) {
            double by = (double)results[i].logits[k] - (double)z[k];
            results[i].square += by * by / CLASSES;
        }
    }
    s->p.m.seed = (uint64_t)replicate;
    const bsr_logit_task first_order = {.ber = ber, .model = BSR_MODEL_NORMAL};
    run_tasks(&answers[0], &s->p, NULL, &first_order, 1);
    must(bsr_departure_init(&d, model_of(&s->p), &job, NULL, results, N, WINDOW, 0, &answers[0]));
    const bsr_logit_task task = {.ber = ber,
                                 .model = BSR_MODEL_BITS,
                                 .trials = &d.near,
                                 .deltas = d.disturbed,
                                 .keep = d.keep};
    run_tasks(&answers[1], &s->p, NULL, &task, 1);
    bsr_departure_apply(&answers[1], &d, &answers[0], NULL);
    bsr_departure_clear(&d);
    add_interval(accuracy, bsr_jackknife_share(answers[1].correct, 0.95, 1), true_accuracy);
}

static void test_predict_logit_coverage__disturbed_inferences(void **state)
{
    static const struct {
        float keep;
        double noise;
    } rows[] = {{1, 1}, {0.6f, 1}, {0.3f, 2}, {0.1f, 0.5}};
    for (size_t row = 0; row < sizeof rows / sizeof *rows; row++) {
        simulation s;
        count accuracy = {0};
        open_simulation(&s, 24);
        for (int r = 0; r < REPLICATES; r++) {
            draw_population(&s, rows[row].noise, 0.3, 0);
            for (size_t i = 0; i < IMAGES; i++)
                s.of[i].keep = rows[row].keep;
            add_trials(&s, r, &accuracy);
        }
        judge("accuracy, disturbed inferences", &accuracy, 90);
        close_simulation(&s);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_predict_logit_coverage__images_with_moments),
        cmocka_unit_test(test_predict_logit_coverage__disturbed_inferences),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
