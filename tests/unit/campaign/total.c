/* Both targets together, of runs made by hand. */
#include "unit/campaign/run_fixture.h"

#include <math.h>

static char weight_path[256], operand_path[256];

/* Weights of the layer of make_operand_space: 2 channels of 4, bit 3: 8 faults. */
static void make_weights(bsr_spaces *all)
{
    const int bits[] = {3};
    *all = (bsr_spaces){.spaces = bsr_calloc_array(1, sizeof *all->spaces)};
    bsr_space s = {.place = BSR_FAULT_WEIGHT, .width = 8, .outer = 1, .inner = 4, .channels = 2};
    add_space(all, s, "conv", "Conv", bits, 1);
}

/* Of the first n faults in 10 images each, `critical` are critical for each. */
static void put(bsr_record *r, char path[256], const char *name, int n, int critical)
{
    bsr_fault_row rows[20] = {{0}};
    for (int i = 0; i < n; i++)
        rows[i] = (bsr_fault_row){
            .fault = i, .pairs = IMAGES, .critical = critical, .sdc = critical, .sse = NAN};
    strcpy(path, put_run(name, r, rows, (size_t)n));
}

typedef void (*change)(bsr_record *r);

/* A layer of 12 inputs (by the record of operands, that of weights does not know) and 8 weights.
 * All of 8 faults of weights are critical in 1 image of 10, all of 20 of operands in 2. */
static void make_runs(change weight, change operand)
{
    bsr_record r;
    bsr_run_options o = BSR_RUN_OPTIONS_INIT;
    o.plan = "exhaustive";
    fill_record(&r, &o, 0);
    make_weights(&r.spaces);
    design_record(&r, &o, 0);
    if (weight)
        weight(&r);
    put(&r, weight_path, "weight", 8, 1);
    fill_record(&r, &o, 0);
    make_operand_space(&r.spaces);
    strcpy(r.target, "operand");
    r.layer_inputs = bsr_strdup("12,7");
    design_record(&r, &o, 0);
    if (operand)
        operand(&r);
    put(&r, operand_path, "operand", 20, 2);
}

static void remove_runs(void)
{
    remove(weight_path);
    remove(operand_path);
}

static void test_campaign_total__all_of_both(void **state)
{
    bsr_total_result *t;
    make_runs(NULL, NULL);
    assert_int_equal(bsr_total(&t, weight_path, operand_path, 0), BSR_OK);
    assert_int_equal(t->n_layers, 1);
    const bsr_total_layer *l = t->layers;
    assert_int_equal(l->index, 0);
    assert_string_equal(l->name, "conv");
    assert_string_equal(l->op, "Conv");
    assert_int_equal(l->inputs, 12);
    assert_int_equal(l->weights, 8);
    assert_true(l->weight.value == 0.1 && l->operand.value == 0.2);
    /* (12 * 0.2 + 8 * 0.1) / 20 */
    assert_true(fabs(l->both.value - 0.16) < 1e-15);
    assert_true(l->both.lo == l->both.value && l->both.hi == l->both.value);
    assert_true(t->mvf.value == l->both.value && t->mvf.lo == t->mvf.hi);
    assert_true(t->confidence == 0.95);
    assert_string_equal(t->fault, "bitflip");
    assert_string_equal(t->weight.path, weight_path);
    assert_string_equal(t->operand.method, "direct");
    assert_int_equal(t->operand.images, IMAGES);
    bsr_total_free(t);
    assert_fails(bsr_total(&t, weight_path, operand_path, 1.5), BSR_EINVAL, "confidence is 1.5");
    assert_null(t);
    remove_runs();
}

/* Weights by a sample of 4 faults, whose interval is [a, b] around 0.1: that of both has the halves
 * 8/20 (0.1 - a) and 8/20 (b - 0.1), as operands are exact. */
static void put_sample(void)
{
    bsr_record r;
    bsr_run_options o = BSR_RUN_OPTIONS_INIT;
    o.plan = "random:4";
    fill_record(&r, &o, 0);
    make_weights(&r.spaces);
    design_record(&r, &o, 0);
    put(&r, weight_path, "weight", 4, 1);
}

static void test_campaign_total__intervals_add_in_squares(void **state)
{
    bsr_total_result *t;
    bsr_result *r;
    make_runs(NULL, NULL);
    remove(weight_path);
    put_sample();
    assert_int_equal(bsr_run_result(&r, weight_path, NULL), BSR_OK);
    bsr_share w = r->layers[0].vf;
    bsr_result_free(r);
    assert_true(w.value == 0.1 && w.lo < 0.1 && w.hi > 0.1);
    assert_int_equal(bsr_total(&t, weight_path, operand_path, 0), BSR_OK);
    const bsr_share *both = &t->layers[0].both;
    assert_true(fabs(both->lo - (0.16 - 0.4 * (0.1 - w.lo))) < 1e-15);
    assert_true(fabs(both->hi - (0.16 + 0.4 * (w.hi - 0.1))) < 1e-15);
    double width = t->mvf.hi - t->mvf.lo;
    bsr_total_free(t);
    assert_int_equal(bsr_total(&t, weight_path, operand_path, 0.5), BSR_OK);
    assert_true(t->confidence == 0.5);
    assert_true(t->mvf.hi - t->mvf.lo < width);
    bsr_total_free(t);
    remove_runs();
}

static void stop(bsr_record *r)
{
    r->complete = 0;
}

static void test_campaign_total__before_the_end_anything_is_possible(void **state)
{
    bsr_total_result *t;
    make_runs(NULL, stop);
    assert_int_equal(bsr_total(&t, weight_path, operand_path, 0), BSR_OK);
    assert_int_equal(t->operand.complete, 0);
    assert_true(t->mvf.lo == 0 && t->mvf.hi == 1);
    bsr_total_free(t);
    remove_runs();
}

static void other_model(bsr_record *r)
{
    r->model_sha256[0] = 'b';
}

static void other_fault(bsr_record *r)
{
    bsr_free(r->fault);
    r->fault = bsr_strdup("stuck0");
}

static void other_bit(bsr_record *r)
{
    r->spaces.spaces[0].variants[0] = 4;
}

static void other_layer(bsr_record *r)
{
    r->spaces.spaces[0].index = 1;
}

static void activation(bsr_record *r)
{
    strcpy(r->target, "activation");
}

static void bias(bsr_record *r)
{
    strcpy(r->target, "bias");
}

static void pattern(bsr_record *r)
{
    bsr_free(r->fault);
    r->fault = bsr_strdup("ber:0.1");
}

static void sweep(bsr_record *r)
{
    strcpy(r->command, "sweep");
}

static void no_inputs(bsr_record *r)
{
    bsr_free(r->layer_inputs);
    r->layer_inputs = NULL;
}

static void test_campaign_total__what_does_not_belong_together(void **state)
{
    static const struct {
        change weight, operand;
        bsr_status status;
        const char *message;
    } cases[] = {
        {NULL, other_model, BSR_EINVAL, "' have no total: the model (SHA-256) is 'aaa"},
        {NULL, other_fault, BSR_EINVAL, "' have no total: the fault is 'bitflip' and 'stuck0'"},
        {other_bit, NULL, BSR_EINVAL, "layer 0 ('conv'): '"},
        {other_layer, NULL, BSR_EINVAL,
         "weights of layer 1 ('conv'), operands of layer 0 ('conv')"},
        {NULL, activation, BSR_EINVAL,
         "operand' has target activation, whose tensors are not layers; use target operand"},
        {bias, NULL, BSR_EINVAL, "weight' has target bias, expected weight"},
        {pattern, NULL, BSR_EINVAL, "weight' holds error patterns, not single faults"},
        {NULL, sweep, BSR_EINVAL, "operand' holds a sweep, not an injection or analysis"},
        {NULL, no_inputs, BSR_EUNSUPPORTED,
         "do not say how large the input of layer 0 ('conv') is: they are of an earlier version"},
    };
    bsr_total_result *t;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        make_runs(cases[i].weight, cases[i].operand);
        assert_fails(bsr_total(&t, weight_path, operand_path, 0), cases[i].status,
                     cases[i].message);
        assert_null(t);
        remove_runs();
    }
    make_runs(NULL, NULL);
    assert_fails(bsr_total(&t, operand_path, operand_path, 0), BSR_EINVAL,
                 "operand' has target operand, expected weight");
    assert_fails(bsr_total(&t, weight_path, "/none", 0), BSR_ENOTFOUND, "/none");
    remove_runs();
}

static bsr_status total_once(void)
{
    bsr_total_result *t;
    bsr_status status = bsr_total(&t, weight_path, operand_path, 0);
    bsr_total_free(t);
    return status;
}

static void test_campaign_total__every_allocation_may_fail(void **state)
{
    make_runs(NULL, NULL);
    assert_survives_no_memory(total_once());
    remove_runs();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_campaign_total__all_of_both),
        cmocka_unit_test(test_campaign_total__intervals_add_in_squares),
        cmocka_unit_test(test_campaign_total__before_the_end_anything_is_possible),
        cmocka_unit_test(test_campaign_total__what_does_not_belong_together),
        cmocka_unit_test(test_campaign_total__every_allocation_may_fail),
    };
    return cmocka_run_group_tests(tests, temp_setup, temp_teardown);
}
