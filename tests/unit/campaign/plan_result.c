#include "unit/campaign/run_fixture.h"

#include <math.h>

/* models/README.md: convolutions without bias, 3x3 but for the stem's image and the shortcuts, and
 * a linear layer with 48 inputs and 10 classes. */
static const struct {
    const char *name;
    uint64_t weights;
} layers[] = {
    {"/stem/", 16 * 1 * 9},          {"/block1/conv1/", 16 * 16 * 9},
    {"/block1/conv2/", 16 * 16 * 9}, {"/block2/conv1/", 32 * 16 * 9},
    {"/block2/conv2/", 32 * 32 * 9}, {"/block2/shortcut/", 32 * 16},
    {"/block3/conv1/", 48 * 32 * 9}, {"/block3/conv2/", 48 * 48 * 9},
    {"/block3/shortcut/", 48 * 32},  {"/fc/", 48 * 10},
};
#define LAYERS (int)(sizeof layers / sizeof *layers)

static bsr_model *model;

static uint64_t weights_of(const char *name)
{
    for (int i = 0; i < LAYERS; i++)
        if (strncmp(name, layers[i].name, strlen(layers[i].name)) == 0)
            return layers[i].weights;
    fail_msg("layer '%s' is not in the table", name);
    return 0;
}

/* R. Leveugle et al., Statistical Fault Injection: Quantified Error and Confidence, DATE 2009,
 * equation 4, rounded up so that the margin is kept; 95 %: t = 1.959964. */
static uint64_t leveugle(uint64_t N, double e, double p)
{
    double t = 1.959963984540054;
    return (uint64_t)ceil((double)N / (1 + e * e * ((double)N - 1) / (t * t * p * (1 - p))));
}

static bsr_plan_result *make_plan(const char *text)
{
    bsr_run_options o = BSR_RUN_OPTIONS_INIT;
    bsr_plan_result *p;
    o.plan = text;
    if (bsr_make_plan(&p, model, &o) != BSR_OK)
        fail_msg("%s", bsr_error_message());
    return p;
}

static void assert_layers(const bsr_plan_result *p)
{
    uint64_t n = 0, population = 0;
    assert_int_equal(p->n_layers, LAYERS);
    for (int i = 0; i < LAYERS; i++) {
        const bsr_plan_layer *l = &p->layers[i];
        assert_int_equal(l->index, i);
        assert_int_equal(l->sites, weights_of(l->name));
        assert_int_equal(l->population, 32 * l->sites);
        assert_string_equal(l->op, strstr(l->name, "fc") ? "Gemm" : "Conv");
        n += l->n;
        population += l->population;
    }
    assert_int_equal(p->n, n);
    assert_int_equal(p->population, population);
    assert_string_equal(p->target, "weight");
    assert_string_equal(p->fault, "bitflip");
}

static void test_campaign_plan_result__layer_wise(void **state)
{
    bsr_plan_result *p = make_plan("layer-wise");
    assert_layers(p);
    assert_int_equal(p->n_strata, LAYERS);
    for (int i = 0; i < LAYERS; i++) {
        assert_int_equal(p->layers[i].n, leveugle(p->layers[i].population, 0.01, 0.5));
        assert_int_equal(p->strata[i].n, p->layers[i].n);
        assert_int_equal(p->strata[i].layer, i);
        assert_int_equal(p->strata[i].bit, -1);
    }
    assert_true(p->margin == 0.01 && p->confidence == 0.95);
    assert_true(fabs(p->t - 1.959963984540054) < 1e-9);
    assert_string_equal(p->plan, "layer-wise");
    assert_string_equal(p->method, "direct");
    assert_int_equal(p->sites, 0);
    bsr_plan_result_free(p);
}

static void test_campaign_plan_result__network_wise(void **state)
{
    bsr_plan_result *p = make_plan("network-wise");
    assert_layers(p);
    assert_int_equal(p->n_strata, 1);
    assert_int_equal(p->strata[0].layer, -1);
    assert_int_equal(p->n, leveugle(p->population, 0.01, 0.5));
    /* Each layer gets about its share of what is drawn: within five standard deviations. */
    for (int i = 0; i < LAYERS; i++) {
        double share = (double)p->layers[i].population / (double)p->population;
        double expected = share * (double)p->n, sd = sqrt(expected * (1 - share));
        assert_true(fabs((double)p->layers[i].n - expected) < 5 * sd);
    }
    bsr_plan_result_free(p);
}

static void test_campaign_plan_result__by_bit(void **state)
{
    bsr_plan_result *p = make_plan("data-unaware");
    assert_layers(p);
    assert_int_equal(p->n_strata, 32 * LAYERS);
    for (int i = 0; i < p->n_strata; i++) {
        const bsr_plan_stratum *s = &p->strata[i];
        assert_int_equal(s->layer, i / 32);
        assert_int_equal(s->bit, i % 32);
        assert_int_equal(s->population, p->layers[s->layer].sites);
        assert_int_equal(s->n, leveugle(s->population, 0.01, 0.5));
        assert_true(s->p == 0.5);
    }
    bsr_plan_result_free(p);
}

static void test_campaign_plan_result__counted(void **state)
{
    bsr_plan_result *p = make_plan("random:1000");
    assert_layers(p);
    assert_int_equal(p->n, 1000);
    assert_string_equal(p->plan, "random:1000");
    bsr_plan_result_free(p);
    p = make_plan("exhaustive");
    assert_layers(p);
    assert_int_equal(p->n, p->population);
    assert_int_equal(p->layers[3].n, p->layers[3].population);
    bsr_plan_result_free(p);
    p = make_plan(NULL);
    assert_layers(p);
    assert_int_equal(p->n, 1000);
    bsr_plan_result_free(p);
}

static void test_campaign_plan_result__rays(void **state)
{
    bsr_run_options o = BSR_RUN_OPTIONS_INIT;
    bsr_plan_result *p;
    o.method = "ray";
    o.plan = "sites:200";
    assert_int_equal(bsr_make_plan(&p, model, &o), BSR_OK);
    assert_layers(p);
    /* All 144 of the stem. */
    assert_int_equal(p->sites, 9 * 200 + 144);
    assert_int_equal(p->n, 32 * (9 * 200 + 144));
    assert_int_equal(p->strata[0].population, p->layers[0].population);
    assert_string_equal(p->method, "ray");
    bsr_plan_result_free(p);
}

/* Formats change the width: 8 faults a weight. Nothing is run, so no ranges are needed. */
static void test_campaign_plan_result__formats(void **state)
{
    bsr_run_options o = BSR_RUN_OPTIONS_INIT;
    bsr_plan_result *p;
    o.format = "int8";
    o.plan = "exhaustive";
    assert_int_equal(bsr_make_plan(&p, model, &o), BSR_OK);
    assert_int_equal(p->population, 8 * 55664);
    bsr_plan_result_free(p);
    o.target = BSR_TARGET_ACTIVATION;
    o.fault = "zero";
    assert_int_equal(bsr_make_plan(&p, model, &o), BSR_OK);
    assert_string_equal(p->target, "activation");
    assert_string_equal(p->fault, "zero");
    assert_int_equal(p->layers[0].sites, p->layers[0].population);
    bsr_plan_result_free(p);
}

static void test_campaign_plan_result__list(void **state)
{
    bsr_run_options o = BSR_RUN_OPTIONS_INIT;
    bsr_plan_result *p;
    /* Checksum by Python's hashlib. */
    const char *list = "bitseer faults 1\ntarget weight\nformat\n0 0 - ffffffff 1\n"
                       "0 143 - ffffffff 80000000\n9 479 - 0 0\nsha256 "
                       "414a8d44a5f8ec8607f8dbf5cd194416de20a05d8febe7722a155a16980d1e23\n";
    o.faults = temp_put("list", list, strlen(list));
    assert_int_equal(bsr_make_plan(&p, model, &o), BSR_OK);
    assert_string_equal(p->plan, "list");
    assert_int_equal(p->n, 3);
    assert_int_equal(p->population, 3);
    assert_int_equal(p->layers[0].n, 2);
    assert_int_equal(p->layers[5].n, 0);
    assert_int_equal(p->layers[9].n, 1);
    bsr_plan_result_free(p);
    o.layers = "0";
    assert_fails(bsr_make_plan(&p, model, &o), BSR_EINVAL, "line 6: layer 9 does not exist");
}

static void test_campaign_plan_result__refuses(void **state)
{
    static const struct {
        const char *plan, *method, *fault;
        int transient;
        bsr_status status;
        const char *message;
    } cases[] = {
        {"some", NULL, NULL, 0, BSR_EINVAL, "plan 'some'"},
        {NULL, "guess", NULL, 0, BSR_EINVAL, "method 'guess', expected direct or ray"},
        {NULL, "ray", NULL, 1, BSR_EINVAL, "no transient faults"},
        {"random:5", "ray", NULL, 0, BSR_EINVAL, "plan random draws single faults"},
        {NULL, NULL, "ber:0.1", 0, BSR_EINVAL, "fault model 'ber:0.1'"},
        {NULL, NULL, "flip", 0, BSR_EINVAL, "fault model 'flip'"},
        {"random:99999999", NULL, NULL, 0, BSR_EINVAL, "but the population has 1781248 faults"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        bsr_run_options o = BSR_RUN_OPTIONS_INIT;
        bsr_plan_result *p;
        o.plan = cases[i].plan;
        o.method = cases[i].method;
        o.fault = cases[i].fault;
        o.transient = cases[i].transient;
        assert_fails(bsr_make_plan(&p, model, &o), cases[i].status, cases[i].message);
        assert_null(p);
    }
}

static bsr_status plan_once(void)
{
    bsr_run_options o = BSR_RUN_OPTIONS_INIT;
    bsr_plan_result *p;
    o.plan = "random:20";
    o.threads = 1;
    bsr_status status = bsr_make_plan(&p, model, &o);
    bsr_plan_result_free(p);
    return status;
}

static void test_campaign_plan_result__no_memory(void **state)
{
    assert_survives_no_memory(plan_once());
}

static int setup(void **state)
{
    return temp_setup(state) || bsr_model_load(&model, "models/fashion_resnet.onnx", NULL);
}

static int teardown(void **state)
{
    bsr_model_free(model);
    return temp_teardown(state);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_campaign_plan_result__layer_wise),
        cmocka_unit_test(test_campaign_plan_result__network_wise),
        cmocka_unit_test(test_campaign_plan_result__by_bit),
        cmocka_unit_test(test_campaign_plan_result__counted),
        cmocka_unit_test(test_campaign_plan_result__rays),
        cmocka_unit_test(test_campaign_plan_result__formats),
        cmocka_unit_test(test_campaign_plan_result__list),
        cmocka_unit_test(test_campaign_plan_result__refuses),
        cmocka_unit_test(test_campaign_plan_result__no_memory),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
