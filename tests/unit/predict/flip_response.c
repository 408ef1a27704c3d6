/* Single flips, exactly, against first order. */
#define _POSIX_C_SOURCE 200809L
#include "predict/flip_response.h"

#include "predict_fixture.h"

enum { CLASSES = 4, IMAGES = 24 };

/* What the flips kept do, exactly, all of them one by one through whole inferences: the mean square
 * of a logit per unit of BER, added over the images. */
static double by_enumeration(bench *x, const bsr_image_moments *moments)
{
    const bsr_plan *plan = x->s.plan;
    bsr_forward *forward;
    double sum = 0;
    float z[CLASSES];
    must(bsr_forward_new(&forward, plan, 1));
    for (size_t i = 0; i < IMAGES; i++) {
        bsr_golden *golden;
        must(bsr_golden_new(&golden, plan, x->s.pool, x->data, x->s.model->nhwc, moments[i].image,
                            1));
        char *input = bsr_alloc_aligned(1, plan->ptens[plan->input].image_bytes);
        bsr_model_info info = bsr_model_get_info(x->model);
        float *planes =
            bsr_alloc_array((size_t)info.channels, (size_t)info.height * (size_t)info.width * 4);
        assert_true(input && planes);
        must(bsr_dataset_image(x->data, moments[i].image, planes));
        bsr_input_layout(plan, planes, x->s.model->nhwc, input);
        for (int s = 0; s < x->map.n; s++) {
            const bsr_space *space = x->map.spaces[s];
            size_t rows = x->map.first_jump[s + 1] - x->map.first_jump[s];
            for (size_t j = 0; j < rows; j++) {
                bsr_site site = x->map.jump_sites[s][j / (size_t)space->n_variants].site;
                uint32_t code = bsr_space_code(space, golden, 0, site) ^
                                (uint32_t)1 << space->variants[j % (size_t)space->n_variants];
                bsr_stored_fault fault = {.place = space->place,
                                          .where = space->where,
                                          .element = site.element,
                                          .pixel = -1,
                                          .bits = bsr_space_bits(space, site, code)};
                must(bsr_forward_faulty(forward, input, &fault, z));
                for (int k = 0; k < CLASSES; k++)
                    sum += x->map.bits[s] / (double)rows *
                           pow((double)(z[k] - golden->logits[k]), 2) / CLASSES;
            }
        }
        bsr_free(input);
        bsr_free(planes);
        bsr_golden_free(golden);
    }
    bsr_forward_free(forward);
    return sum;
}

typedef struct sums {
    double first, exact, enumerated;
} sums;

static sums respond(const char *op, int convolution, const char *targets, const char *format,
                    int threads, int enumerate)
{
    bench x;
    bsr_flip_response r;
    bsr_image_moments *moments;
    size_t images[IMAGES];
    sums sum = {0};
    bsr_run_options o = BSR_RUN_OPTIONS_INIT;
    o.format = format;
    o.threads = threads;
    x = (bench){.model = small_model(CLASSES, convolution, op)};
    open_noise(&x, IMAGES);
    open_map(&x, targets, &o);
    for (size_t i = 0; i < IMAGES; i++)
        images[i] = i;
    const bsr_error_map *const map = &x.map;
    bsr_moments_job job = moments_job(&x, &map, images, IMAGES);
    must(bsr_flip_response_new(&r, &x.map, &x.followed, IMAGES, threads, 9));
    job.finish = bsr_flip_response_add;
    job.finish_ctx = &r;
    must(bsr_image_moments_new(&moments, &job));
    for (size_t i = 0; i < IMAGES; i++) {
        sum.first += r.first[i];
        sum.exact += r.exact[i];
    }
    if (enumerate)
        sum.enumerated = by_enumeration(&x, moments);
    bsr_image_moments_free(moments, IMAGES);
    bsr_flip_response_clear(&r);
    close_bench(&x);
    return sum;
}

/* 24 images x 40 flips, half of them drawn in proportion to what they do: no draw is worth more
 * than twice the mean, the standard error is below 3.3 %. */
static void test_predict_flip_response__linear_networks_answer_as_first_order(void **state)
{
    sums a = respond(NULL, 0, "weight,bias", "q2.12", 2, 0);
    near_to(a.exact, a.first, 0.1 * a.first, "linear");
    a = respond(NULL, 1, "input", "q1.10", 2, 0);
    near_to(a.exact, a.first, 0.1 * a.first, "linear, image");
}

/* Behind a Relu flips wake what derivatives take for dead. */
static void test_predict_flip_response__relu_against_every_flip(void **state)
{
    sums a = respond("Relu", 1, "input", "q3.4", 2, 1);
    near_to(a.exact, a.enumerated, 0.12 * a.enumerated, "all flips");
    assert_true(fabs(a.enumerated / a.first - 1) > 0.02);
}

static void test_predict_flip_response__same_bits_for_any_threads(void **state)
{
    sums a = respond("Relu", 1, "weight,activation", "int8", 1, 0);
    sums b = respond("Relu", 1, "weight,activation", "int8", 2, 0);
    assert_true(a.first == b.first && a.exact == b.exact);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_predict_flip_response__linear_networks_answer_as_first_order),
        cmocka_unit_test(test_predict_flip_response__relu_against_every_flip),
        cmocka_unit_test(test_predict_flip_response__same_bits_for_any_threads),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
