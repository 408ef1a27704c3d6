/* Sweeps and injected patterns. Networks: the demo network, and one whose two convolutions share
 * their weights. */
#include "sweep_fixture.h"

#include "base/threads.h"
#include <sqlite3.h>

#include "campaign/sweep_memory.h"

#define DEMO   "models/fashion_resnet.onnx"
#define SHARED "tests/engine/data/shared_weight.onnx"

static bsr_sweep_result *sweep_of(const fixture *x, const bsr_run_options *o, const char *ber,
                                  int runs, const char *targets)
{
    bsr_sweep_result *r;
    bsr_sweep_options s = BSR_SWEEP_OPTIONS_INIT;
    s.ber = ber;
    s.runs = runs;
    s.targets = targets;
    must(bsr_sweep(&r, x->model, x->data, o, &s));
    return r;
}

static void assert_share(bsr_share s, double value)
{
    assert_true(s.value == value && s.lo == value && s.hi == value);
}

static void test_campaign_sweep__rate_0_is_the_golden_network(void **state)
{
    fixture x;
    bsr_run_options o = BSR_RUN_OPTIONS_INIT;
    bsr_eval_result *eval;
    open_fixture(&x, DEMO, 110);
    must(bsr_eval(&eval, x.model, x.data, &o));
    bsr_sweep_result *r = sweep_of(&x, &o, "0", 2, "weight,bias,activation,input");
    assert_string_equal(r->target, "weight,bias,activation,input");
    assert_int_equal(r->golden_correct, eval->correct);
    assert_int_equal(r->top5_correct, eval->top5);
    const bsr_sweep_point *p = r->points;
    assert_int_equal(p->runs, 2);
    assert_share(p->accuracy, eval->accuracy);
    assert_share(p->critical, 0);
    assert_share(p->due, 0);
    assert_true(p->rmse == 0 && p->rmse_runs.max == 0 && p->flips.max == 0);
    bsr_sweep_result_free(r);
    bsr_eval_result_free(eval);
    close_fixture(&x);
}

static void test_campaign_sweep__rate_1_flips_every_bit(void **state)
{
    fixture x;
    bsr_layer_info l;
    bsr_run_options o = BSR_RUN_OPTIONS_INIT;
    open_fixture(&x, DEMO, 3);
    double bits = (double)weight_bits(x.model);
    bsr_sweep_result *r = sweep_of(&x, &o, "1", 1, "weight");
    assert_true(r->points->bits == bits && r->points->flips.mean == bits);
    bsr_sweep_result_free(r);

    double inputs = 0; /* each tensor once, though two layers may read it */
    const char *seen[64];
    for (int i = 0; i < x.info.layers; i++) {
        int known = 0;
        must(bsr_model_layer(x.model, i, &l));
        for (int k = 0; k < i; k++)
            known |= strcmp(seen[k], l.input) == 0;
        seen[i] = l.input;
        inputs += known ? 0 : (double)l.inputs * l.input_bits;
    }
    /* The image is a layer's input: the second target adds nothing. */
    r = sweep_of(&x, &o, "1", 1, "activation,input");
    assert_true(r->points->bits == 3 * inputs && r->points->flips.mean == 3 * inputs);
    bsr_sweep_result_free(r);
    o.format = "int8";
    r = sweep_of(&x, &o, "1", 1, "weight,activation");
    assert_true(r->points->flips.mean == bits / 4 + 3 * inputs / 4);
    assert_string_equal(r->format, "int8");
    bsr_sweep_result_free(r);
    close_fixture(&x);
}

/* 3 x 3 x 3 x 3 weights that two convolutions read, 3 x 3 of a Gemm if the head has one. */
static void test_campaign_sweep__shared_weights_are_hit_once(void **state)
{
    fixture x;
    bsr_layer_info l;
    bsr_run_options o = BSR_RUN_OPTIONS_INIT;
    open_fixture(&x, SHARED, 2);
    uint64_t bits = 0;
    for (int i = 1; i < x.info.layers; i++) { /* all but the first of the two */
        must(bsr_model_layer(x.model, i, &l));
        bits += (uint64_t)l.weights * 32;
    }
    assert_true(bits >= 81 * 32);
    bsr_sweep_result *r = sweep_of(&x, &o, "1", 1, "weight");
    assert_true(r->points->flips.mean == (double)bits && r->points->bits == (double)bits);
    bsr_sweep_result_free(r);
    close_fixture(&x);
}

static int stop_at_once(void *ctx, const bsr_progress *p)
{
    return 1;
}

static void run_sql(const char *path, const char *sql)
{
    sqlite3 *db;
    assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
    if (sqlite3_exec(db, sql, NULL, NULL, NULL) != SQLITE_OK)
        fail_msg("%s: %s", sql, sqlite3_errmsg(db));
    assert_int_equal(sqlite3_close(db), SQLITE_OK);
}

/* 1 and 2 threads, one point by itself, and a run that lost rows or was stopped, resumed. */
static void test_campaign_sweep__rows_depend_on_nothing_else(void **state)
{
    static chip_list one, two, resumed, part;
    const char *path = in_folder("sweep.db");
    const char *targets = "weight,activation", *rates = "1e-5,1e-4,1e-3";
    fixture x;
    open_fixture(&x, DEMO, 130);
    bsr_run_options o = BSR_RUN_OPTIONS_INIT;
    o.store = path;
    o.threads = 1;
    bsr_sweep_result_free(sweep_of(&x, &o, rates, 3, targets));
    read_chips(&one, path);
    remove_store(path);
    assert_int_equal(one.n, 9);
    o.threads = 2;
    o.max_memory = (size_t)1 << 18; /* images are read again for each chip */
    bsr_sweep_result_free(sweep_of(&x, &o, rates, 3, targets));
    read_chips(&two, path);
    remove_store(path);
    assert_same_chips(&two, &one);

    bsr_sweep_result_free(sweep_of(&x, &o, "1e-4", 3, targets));
    read_chips(&part, path);
    remove_store(path);
    for (size_t i = 0; i < 3; i++)
        part.rows[i].point = 1;
    assert_memory_equal(part.rows, one.rows + 3, 3 * sizeof *one.rows);

    bsr_sweep_result *r;
    bsr_sweep_options s = {BSR_SWEEP_OPTIONS_VERSION, rates, 3, targets};
    o.progress = stop_at_once;
    assert_int_equal(bsr_sweep(&r, x.model, x.data, &o, &s), BSR_ECANCELLED);
    assert_string_equal(bsr_error_message(), "stopped by the caller");
    assert_null(r);
    o.progress = NULL;
    o.resume = 1;
    bsr_sweep_result_free(sweep_of(&x, &o, rates, 3, targets));
    read_chips(&resumed, path);
    assert_same_chips(&resumed, &one);
    run_sql(path, "DELETE FROM chip WHERE point = 2 OR run = 1");
    must(bsr_run_sweep(&r, path));
    assert_int_equal(r->n_points, 3);
    assert_int_equal(r->points[0].runs, 2);
    assert_int_equal(r->points[2].runs, 0);
    assert_true(isnan(r->points[2].accuracy.value) && r->points[2].accuracy.hi == 1);
    bsr_sweep_result_free(r);
    bsr_sweep_result_free(sweep_of(&x, &o, rates, 3, targets));
    read_chips(&resumed, path);
    assert_same_chips(&resumed, &one);

    s.runs = 4;
    assert_int_equal(bsr_sweep(&r, x.model, x.data, &o, &s), BSR_EINVAL);
    assert_non_null(strstr(bsr_error_message(), "another run: its spec is 'sweep target="));
    remove_store(path);
    close_fixture(&x);
}

/* What lanes say about single faults, over images. */
static void expect_row(const bsr_chip_row *row, const bsr_lane_result *results, size_t n)
{
    int64_t critical = 0, due = 0, sdc = 0, top5 = 0;
    double sse = 0;
    for (size_t i = 0; i < n; i++) {
        critical += results[i].critical;
        due += results[i].due;
        sdc += results[i].critical && !results[i].due;
        top5 += results[i].top5;
        sse += results[i].due ? 0 : results[i].sse;
    }
    assert_int_equal(row->critical, critical);
    assert_int_equal(row->due, due);
    assert_int_equal(row->sdc, sdc);
    assert_int_equal(row->top5, top5);
    assert_true(row->sse == sse);
}

/* The first error of a pattern and how many bits flip. */
static uint64_t first_error(const bsr_space *sp, double p, uint64_t stream, bsr_site_errors *first)
{
    bsr_pattern walk;
    bsr_site_errors e;
    uint64_t n = 0;
    bsr_pattern_init(&walk, sp, p, p, 0, stream);
    while (bsr_pattern_next(&walk, &e)) {
        *first = n ? *first : e;
        n += (uint64_t)__builtin_popcount(e.if0);
    }
    return n;
}

enum { LANE_IMAGES = 20 };

/* A session of one target with golden run and lanes. */
static void open_session(bsr_session *s, bsr_sweep_memory *m, const fixture *x, bsr_run_options o,
                         bsr_target target)
{
    o.target = target;
    must(bsr_session_init(s, x->model, x->data, &o, &target, 1));
    must(bsr_session_lanes(s));
    must(bsr_golden_new(&s->golden, s->plan, s->pool, s->data, 0, 0, LANE_IMAGES));
    must(bsr_memory_init(m, s, &target, 1));
}

/* Runs 0 to 59 at one flip in the mean: those with exactly one are single faults. */
static void single_weight_faults(const char *format)
{
    static chip_list chips;
    enum { RUNS = 60 };
    const char *path = in_folder("single.db");
    fixture x;
    bsr_session s;
    bsr_sweep_memory m;
    bsr_run_options o = BSR_RUN_OPTIONS_INIT;
    int singles = 0;
    char ber[32];
    o.format = format;
    open_fixture(&x, DEMO, LANE_IMAGES);
    open_session(&s, &m, &x, o, BSR_TARGET_WEIGHT);
    snprintf(ber, sizeof ber, "%.17g", 1 / (double)m.constant_bits);
    o.store = path;
    bsr_sweep_result_free(sweep_of(&x, &o, ber, RUNS, "weight"));
    read_chips(&chips, path);
    remove_store(path);
    for (uint64_t run = 0; run < RUNS; run++) {
        uint64_t n = 0;
        bsr_site_errors e = {0};
        const bsr_space *hit = NULL;
        for (int i = 0; i < m.sets[0].n; i++) {
            const bsr_space *sp = &m.sets[0].spaces[i];
            bsr_site_errors first;
            uint64_t stream = bsr_pattern_stream(BSR_TARGET_WEIGHT, run, sp->index, -1);
            uint64_t more = first_error(sp, strtod(ber, NULL), stream, &first);
            if (more) {
                hit = sp;
                e = first;
            }
            n += more;
        }
        assert_int_equal(chips.rows[run].weight_flips, n);
        if (n != 1)
            continue;
        bsr_lane_job jobs[LANE_IMAGES];
        bsr_lane_result results[LANE_IMAGES];
        bsr_change change = {UINT32_MAX, e.if0};
        for (int i = 0; i < LANE_IMAGES; i++)
            jobs[i] = bsr_space_job(hit, s.golden, i, bsr_space_site(hit, e.site), change);
        must(bsr_lanes_run(s.lanes[0], s.golden, jobs, LANE_IMAGES, results, NULL));
        expect_row(&chips.rows[run], results, LANE_IMAGES);
        singles++;
    }
    assert_true(singles > 10); /* of Poisson's 22 */
    bsr_memory_clear(&m);
    bsr_session_clear(&s);
    close_fixture(&x);
}

static void test_campaign_sweep__one_flipped_weight_bit_is_a_single_fault(void **state)
{
    single_weight_faults(NULL);
    single_weight_faults("int8/channel");
}

/* Activations at a rate where an image has a flip now and then: runs in which no image has two are
 * single faults, each in its own image. */
static void single_activation_faults(const char *format)
{
    static chip_list chips;
    enum { RUNS = 40 };
    const char *path = in_folder("single.db");
    fixture x;
    bsr_session s;
    bsr_sweep_memory m;
    bsr_run_options o = BSR_RUN_OPTIONS_INIT;
    int singles = 0;
    char ber[32];
    o.format = format;
    open_fixture(&x, DEMO, LANE_IMAGES);
    open_session(&s, &m, &x, o, BSR_TARGET_ACTIVATION);
    snprintf(ber, sizeof ber, "%.17g", 0.1 / (double)m.tensor_bits);
    o.store = path;
    bsr_sweep_result_free(sweep_of(&x, &o, ber, RUNS, "activation"));
    read_chips(&chips, path);
    remove_store(path);
    for (uint64_t run = 0; run < RUNS; run++) {
        bsr_lane_job jobs[LANE_IMAGES];
        bsr_lane_result results[LANE_IMAGES];
        uint64_t n = 0, most = 0;
        for (int image = 0; image < LANE_IMAGES; image++) {
            uint64_t here = 0;
            for (int i = 0; i < m.sets[0].n; i++) {
                const bsr_space *sp = &m.sets[0].spaces[i];
                bsr_site_errors e = {0};
                uint64_t stream = bsr_pattern_stream(BSR_TARGET_ACTIVATION, run, sp->index, image);
                uint64_t more = first_error(sp, strtod(ber, NULL), stream, &e);
                here += more;
                if (more == 1 && here == 1)
                    jobs[n] = bsr_space_job(sp, s.golden, image, bsr_space_site(sp, e.site),
                                            (bsr_change){UINT32_MAX, e.if0});
            }
            n += here;
            most = here > most ? here : most;
            if (most > 1)
                break;
        }
        if (most != 1)
            continue;
        assert_int_equal(chips.rows[run].activation_flips, n);
        must(bsr_lanes_run(s.lanes[0], s.golden, jobs, n, results, NULL));
        expect_row(&chips.rows[run], results, n);
        singles++;
    }
    assert_true(singles > 10);
    bsr_memory_clear(&m);
    bsr_session_clear(&s);
    close_fixture(&x);
}

static void test_campaign_sweep__one_flipped_activation_bit_is_a_single_fault(void **state)
{
    single_activation_faults(NULL);
    single_activation_faults("uint8");
}

/* Flips of zeros and of ones alone are counted in the file's weights. */
static void test_campaign_sweep__ber01_tells_zeros_from_ones(void **state)
{
    static chip_list chips;
    const char *path = in_folder("patterns.db");
    fixture x;
    bsr_run_options o = BSR_RUN_OPTIONS_INIT;
    bsr_result *r;
    open_fixture(&x, DEMO, 2);
    uint64_t ones = 0, bits = weight_bits(x.model);
    for (int i = 0; i < x.info.layers; i++) {
        const bsr_graph *g = x.model->graph;
        const bsr_tensor *t = g->values[x.model->plan->layers[i].weights->value].constant;
        for (int64_t k = 0; k < bsr_count(t->rank, t->dims); k++)
            ones += (uint64_t)__builtin_popcount(((const uint32_t *)t->data)[k]);
    }
    o.store = path;
    o.plan = "random:1";
    for (int k = 0; k < 2; k++) {
        o.fault = k ? "ber01:1,0" : "ber01:0,1";
        must(bsr_inject(&r, x.model, x.data, &o));
        assert_share(r->mvf, r->layers->vf.value); /* there is but one such pattern */
        bsr_result_free(r);
        read_chips(&chips, path);
        assert_int_equal(chips.rows[0].weight_flips, k ? bits - ones : ones);
        assert_true(chips.rows[0].ber == 1 - k && chips.rows[0].ber01 == k);
        remove_store(path);
    }
    close_fixture(&x);
}

/* The demo network with one weight changed and in two other formats of 16 bits. */
static void test_campaign_sweep__networks_of_one_shape_see_the_same_errors(void **state)
{
    static chip_list chips[2];
    const char *path = in_folder("same.db");
    fixture x, y = {0};
    bsr_run_options o = BSR_RUN_OPTIONS_INIT;
    open_fixture(&x, DEMO, 2);
    must(bsr_model_load(&y.model, DEMO, NULL));
    const bsr_weights *w = y.model->plan->layers[0].weights;
    ((float *)(uintptr_t)w->data)[5] += 1;
    y.data = x.data;
    o.store = path;
    for (int k = 0; k < 2; k++) {
        bsr_sweep_result_free(sweep_of(k ? &y : &x, &o, "1e-4,1e-3", 4, "weight,activation"));
        read_chips(&chips[k], path);
        remove_store(path);
    }
    for (size_t i = 0; i < chips[0].n; i++) {
        assert_int_equal(chips[0].rows[i].weight_flips, chips[1].rows[i].weight_flips);
        assert_int_equal(chips[0].rows[i].activation_flips, chips[1].rows[i].activation_flips);
    }
    for (int k = 0; k < 2; k++) {
        o.format = k ? "q5.10" : "int16";
        bsr_sweep_result_free(sweep_of(&x, &o, "1e-3", 4, "weight"));
        read_chips(&chips[k], path);
        remove_store(path);
    }
    for (size_t i = 0; i < chips[0].n; i++)
        assert_int_equal(chips[0].rows[i].weight_flips, chips[1].rows[i].weight_flips);
    bsr_model_free(y.model);
    close_fixture(&x);
}

/* Student's t for 4 degrees of freedom and 95 %: 2.776445 (any table). */
static void test_campaign_sweep__intervals_and_patterns(void **state)
{
    static chip_list chips;
    const char *path = in_folder("five.db");
    fixture x;
    bsr_run_options o = BSR_RUN_OPTIONS_INIT;
    bsr_result *inject;
    open_fixture(&x, DEMO, 100);
    o.store = path;
    o.format = "int8";
    bsr_sweep_result *r = sweep_of(&x, &o, "1e-3", 5, "weight");
    read_chips(&chips, path);
    remove_store(path);
    double sum = 0, squares = 0, sse = 0, left = 0;
    for (int i = 0; i < 5; i++) {
        sum += (double)chips.rows[i].critical / 100;
        sse += chips.rows[i].sse;
        left += (double)(100 - chips.rows[i].due);
    }
    for (int i = 0; i < 5; i++)
        squares += pow((double)chips.rows[i].critical / 100 - sum / 5, 2);
    assert_true(squares > 0);
    double half = 2.776445 * sqrt(squares / 4 / 5);
    const bsr_sweep_point *p = r->points;
    assert_float_equal(p->critical.value, sum / 5, 1e-6);
    /* Student's interval, which a skewed sample may widen. */
    assert_true(p->critical.lo <= fmax(sum / 5 - half, 0) + 1e-6);
    assert_true(p->critical.hi >= fmin(sum / 5 + half, 1) - 1e-6);
    assert_true(p->critical.hi - p->critical.lo < 1.5 * 2 * half);
    assert_true(fabs(p->rmse - sqrt(sse / left / 10)) < 1e-12 * p->rmse);

    o.store = NULL;
    o.fault = "ber:1e-3";
    o.plan = "random:5";
    must(bsr_inject(&inject, x.model, x.data, &o));
    const bsr_layer_result *l = inject->layers;
    assert_int_equal(inject->n_layers, 1);
    assert_string_equal(l->name, "all selected");
    assert_string_equal(inject->sampling, "random");
    assert_string_equal(inject->fault, "ber:1e-3");
    assert_int_equal(inject->complete, 1);
    assert_int_equal(inject->planned, 5);
    assert_int_equal(l->faults, 5);
    assert_int_equal(l->population, weight_bits(x.model) / 4);
    assert_int_equal(l->sites, weight_bits(x.model) / 32);
    assert_int_equal(l->outcomes.pairs, 500);
    /* The same chips as the sweep's. */
    assert_float_equal((double)l->outcomes.critical, sum * 100, 1e-6);
    assert_int_equal(l->outcomes.critical + l->outcomes.benign, 500);
    assert_float_equal(l->vf.value, sum / 5, 1e-6);
    assert_true(l->vf.lo < l->vf.value && l->vf.hi > l->vf.value);
    assert_true(isnan(l->metrics[BSR_METRIC_MASKED].value));
    bsr_result_free(inject);
    bsr_sweep_result_free(r);
    close_fixture(&x);
}

/* Two channels of one layer, the exponent's bits. */
static void test_campaign_sweep__selections_of_inject(void **state)
{
    static chip_list chips;
    const char *path = in_folder("selected.db");
    fixture x;
    bsr_layer_info layer;
    bsr_result *r, *again;
    bsr_run_options o = BSR_RUN_OPTIONS_INIT;
    open_fixture(&x, DEMO, 2);
    must(bsr_model_layer(x.model, 1, &layer));
    o.store = path;
    o.layers = "1";
    o.channels = "0,2";
    o.bits = "23:31";
    o.fault = "ber:1";
    o.plan = "random:2";
    must(bsr_inject(&r, x.model, x.data, &o));
    uint64_t sites = (uint64_t)(layer.weights / layer.channels * 2);
    assert_int_equal(r->layers->sites, sites);
    assert_int_equal(r->layers->population, 8 * sites);
    read_chips(&chips, path);
    assert_int_equal(chips.n, 2);
    assert_int_equal(chips.rows[1].weight_flips, 8 * sites);
    o.resume = 1; /* nothing is left to do */
    must(bsr_inject(&again, x.model, x.data, &o));
    assert_true(again->mvf.value == r->mvf.value && again->rmse.value == r->rmse.value);
    bsr_result_free(again);
    bsr_result_free(r);
    remove_store(path);
    close_fixture(&x);
}

static void test_campaign_sweep__errors(void **state)
{
    fixture x;
    bsr_sweep_result *sweep;
    bsr_result *inject;
    bsr_run_options o = BSR_RUN_OPTIONS_INIT;
    open_fixture(&x, DEMO, 2);
    static const struct {
        bsr_sweep_options o;
        const char *message;
    } sweeps[] = {
        {{0, "0", 1, NULL}, "sweep options have version 0, expected 1"},
        {{1, NULL, 1, NULL}, "no bit error rates are given"},
        {{1, "2", 1, NULL}, "bit error rate '2', expected a number in 0..1 or LO:HI/N"},
        {{1, "0", 0, NULL}, "runs is 0, expected 1 to 1048576"},
        {{1, "0", 1, "weight,weights"},
         "sweep targets 'weight,weights', expected weight, bias, activation or input with commas "
         "between"},
        {{1, "0", 1, "input,input"}, "sweep targets 'input,input': input is there twice"},
        {{1, "0", 1, ""},
         "sweep targets '', expected weight, bias, activation or input with commas between"},
    };
    for (size_t i = 0; i < sizeof sweeps / sizeof *sweeps; i++) {
        assert_int_equal(bsr_sweep(&sweep, x.model, x.data, &o, &sweeps[i].o), BSR_EINVAL);
        assert_string_equal(bsr_error_message(), sweeps[i].message);
        assert_null(sweep);
    }
    static const struct {
        bsr_target target;
        const char *plan, *method;
        int transient;
        const char *message;
    } injects[] = {
        {BSR_TARGET_NORM, NULL, NULL, 0,
         "error patterns go into weight, bias, activation or input, not norm"},
        {BSR_TARGET_WEIGHT, "layer-wise", NULL, 0,
         "fault 'ber:0.1' needs plan random:N, not layer-wise"},
        {BSR_TARGET_WEIGHT, "random:1048577", NULL, 0,
         "1048577 error patterns, expected 1 to 1048576"},
        {BSR_TARGET_WEIGHT, NULL, "ray", 0, "fault 'ber:0.1' needs method direct, not 'ray'"},
        {BSR_TARGET_WEIGHT, NULL, NULL, 1,
         "fault 'ber:0.1' draws patterns for all images: no transient faults and no fault lists"},
    };
    o.fault = "ber:0.1";
    for (size_t i = 0; i < sizeof injects / sizeof *injects; i++) {
        o.target = injects[i].target;
        o.plan = injects[i].plan;
        o.method = injects[i].method;
        o.transient = injects[i].transient;
        assert_int_equal(bsr_inject(&inject, x.model, x.data, &o), BSR_EINVAL);
        assert_string_equal(bsr_error_message(), injects[i].message);
        assert_null(inject);
    }
    close_fixture(&x);
}

static void test_campaign_sweep__allocation_failures(void **state)
{
    fixture x;
    bsr_run_options o = BSR_RUN_OPTIONS_INIT;
    bsr_sweep_options s = {BSR_SWEEP_OPTIONS_VERSION, "0.01,0.1", 2, "weight,activation"};
    bsr_sweep_result *r = NULL;
    bsr_result *inject = NULL;
    long n;
    o.threads = 1;
    o.format = "int8";
    open_fixture(&x, SHARED, 2);
    for (n = 1;; n++) {
        bsr_alloc_fail_after(n);
        bsr_status status = bsr_sweep(&r, x.model, x.data, &o, &s);
        if (bsr_alloc_fail_pending())
            break;
        assert_int_equal(status, BSR_ENOMEM);
        assert_null(r);
    }
    bsr_alloc_fail_after(0);
    assert_true(n > 50);
    bsr_sweep_result_free(r);
    o.fault = "ber:0.1";
    o.plan = "random:2";
    for (n = 1;; n++) {
        bsr_alloc_fail_after(n);
        bsr_status status = bsr_inject(&inject, x.model, x.data, &o);
        if (bsr_alloc_fail_pending())
            break;
        assert_int_equal(status, BSR_ENOMEM);
        assert_null(inject);
    }
    bsr_alloc_fail_after(0);
    assert_true(n > 50);
    bsr_result_free(inject);
    close_fixture(&x);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_campaign_sweep__rate_0_is_the_golden_network),
        cmocka_unit_test(test_campaign_sweep__rate_1_flips_every_bit),
        cmocka_unit_test(test_campaign_sweep__shared_weights_are_hit_once),
        cmocka_unit_test(test_campaign_sweep__rows_depend_on_nothing_else),
        cmocka_unit_test(test_campaign_sweep__one_flipped_weight_bit_is_a_single_fault),
        cmocka_unit_test(test_campaign_sweep__one_flipped_activation_bit_is_a_single_fault),
        cmocka_unit_test(test_campaign_sweep__ber01_tells_zeros_from_ones),
        cmocka_unit_test(test_campaign_sweep__networks_of_one_shape_see_the_same_errors),
        cmocka_unit_test(test_campaign_sweep__intervals_and_patterns),
        cmocka_unit_test(test_campaign_sweep__selections_of_inject),
        cmocka_unit_test(test_campaign_sweep__errors),
        cmocka_unit_test(test_campaign_sweep__allocation_failures),
    };
    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
