#include "unit/campaign/run_fixture.h"

#include <math.h>

#include "stats/paired.h"

#define FAULTS 36

#define assert_near(x, y, tolerance) assert_true(fabs((x) - (y)) <= (tolerance))
#define BYTES                        2

/* Which images are critical: bits of one number for each fault. */
typedef struct answers {
    uint16_t images[FAULTS];
} answers;

static answers scattered(uint32_t seed, uint32_t of_8)
{
    answers a = {{0}};
    for (int f = 0; f < FAULTS; f++)
        for (int i = 0; i < IMAGES; i++) {
            seed = seed * 1664525u + 1013904223u;
            if (seed >> 29 < of_8)
                a.images[f] |= (uint16_t)(1u << i);
        }
    return a;
}

static int ones(unsigned x)
{
    int n = 0;
    for (; x; x &= x - 1)
        n++;
    return n;
}

/* Rows of the faults that `has` names (NULL: all), numbered 0, 1, ... where `renumber`. */
static size_t make_rows(bsr_fault_row rows[FAULTS], unsigned char bitmaps[FAULTS][BYTES],
                        const answers *a, const int *has, size_t n, int renumber)
{
    for (size_t i = 0; i < n; i++) {
        int f = has ? has[i] : (int)i;
        bitmaps[i][0] = (unsigned char)a->images[f];
        bitmaps[i][1] = (unsigned char)(a->images[f] >> 8);
        rows[i] = (bsr_fault_row){
            .fault = renumber ? (int64_t)i : f, .pairs = IMAGES, .critical = ones(a->images[f])};
        if (rows[i].critical) {
            rows[i].critical_images = bitmaps[i];
            rows[i].critical_bytes = BYTES;
        }
    }
    return n;
}

static bsr_fault_row rows[FAULTS];
static unsigned char bitmaps[FAULTS][BYTES];

/* A run of make_spaces over the faults in `has`. */
static const char *put_answers(const char *name, const answers *a, const bsr_run_options *o,
                               int by_site, const int *has, size_t n)
{
    bsr_record r;
    make_record(&r, o, by_site);
    n = make_rows(rows, bitmaps, a, has, n, 0);
    return put_run(name, &r, rows, n);
}

static const bsr_run_options defaults = BSR_RUN_OPTIONS_INIT;

/* The same faults as a list; their numbers are places in it. */
static const char *put_listed(const char *name, const answers *a, const int *has, size_t n)
{
    bsr_record r;
    bsr_spaces all;
    make_spaces(&all, 8);
    bsr_fault_model_parse(&all.model, "bitflip");
    fill_record(&r, &defaults, 0);
    make_spaces(&r.spaces, 8);
    r.list.faults = bsr_calloc_array(n, sizeof *r.list.faults);
    for (r.list.n = 0; r.list.n < n; r.list.n++) {
        uint64_t site;
        int variant;
        const bsr_space *s = bsr_space_of(&all, (uint64_t)has[r.list.n], &site, &variant);
        bsr_change c = bsr_space_change(&all, s, site, variant);
        c.keep &= 0xff;
        r.list.faults[r.list.n] = (bsr_listed){s->id, bsr_space_site(s, site).element, -1, c};
    }
    bsr_spaces_clear(&all);
    bsr_fault_list_apply(&r.list, &r.spaces);
    assert_int_equal(bsr_design_init(&r.design, &r.spaces, &defaults, 0, IMAGES), BSR_OK);
    n = make_rows(rows, bitmaps, a, has, n, 1);
    return put_run(name, &r, rows, n);
}

static void clean(void)
{
    remove(temp_path("a"));
    remove(temp_path("b"));
}

/* Two-sided exact p-value by the definition: twice the lower tail of binomial (b + c, 1/2). */
static double binomial_p(uint64_t b, uint64_t c)
{
    uint64_t n = b + c, low = b < c ? b : c;
    long double term = powl(0.5L, (long double)n), sum = 0;
    for (uint64_t k = 0; k <= low; k++) {
        sum += term;
        term = term * (long double)(n - k) / (long double)(k + 1);
    }
    return sum < 0.5L && b != c ? (double)(2 * sum) : 1;
}

/* Counts pair by pair over the faults of one layer (from..to) or all. */
static void assert_row(const bsr_compared_layer *row, const answers *a, const answers *b,
                       const int *has, size_t n, int from, int to)
{
    uint64_t faults = 0, in_a = 0, in_b = 0, only_a = 0, only_b = 0;
    for (size_t i = 0; i < n; i++) {
        int f = has ? has[i] : (int)i;
        if (f < from || f >= to)
            continue;
        faults++;
        for (int image = 0; image < IMAGES; image++) {
            int x = a->images[f] >> image & 1, y = b->images[f] >> image & 1;
            in_a += (uint64_t)x;
            in_b += (uint64_t)y;
            only_a += x && !y;
            only_b += y && !x;
        }
    }
    assert_int_equal(row->faults, faults);
    assert_int_equal(row->pairs, faults * IMAGES);
    assert_int_equal(row->critical_a, in_a);
    assert_int_equal(row->critical_b, in_b);
    assert_int_equal(row->only_a, only_a);
    assert_int_equal(row->only_b, only_b);
}

/* The plain mean: of everything, or of one stratum. */
static void assert_mean(const bsr_compared_layer *row)
{
    assert_near(row->difference.value,
                ((double)row->critical_b - (double)row->critical_a) / (double)row->pairs, 1e-12);
}

static void assert_counts(const bsr_comparison *c, const answers *a, const answers *b,
                          const int *has, size_t n)
{
    assert_int_equal(c->images, IMAGES);
    assert_int_equal(c->n_layers, 2);
    assert_int_equal(c->layers[1].index, 2);
    assert_string_equal(c->layers[0].name_a, "conv1");
    assert_string_equal(c->layers[1].name_b, "fc, \"last\"");
    assert_string_equal(c->total.name_a, "all");
    assert_row(&c->layers[0], a, b, has, n, 0, 12);
    assert_row(&c->layers[1], a, b, has, n, 12, FAULTS);
    assert_row(&c->total, a, b, has, n, 0, FAULTS);
    assert_mean(&c->layers[0]);
    assert_mean(&c->layers[1]);
    assert_near(c->p_value, binomial_p(c->total.only_a, c->total.only_b), 1e-9);
}

static void assert_census(bsr_share s)
{
    assert_near(s.lo, s.value, 1e-12);
    assert_near(s.hi, s.value, 1e-12);
}

static void test_campaign_compare__exhaustive(void **state)
{
    answers a = scattered(1, 3), b = scattered(2, 2);
    const char *path_a = put_answers("a", &a, &defaults, 0, NULL, FAULTS);
    const char *path_b = put_answers("b", &b, &defaults, 0, NULL, FAULTS);
    bsr_comparison *c;
    assert_int_equal(bsr_compare(&c, path_a, path_b, 0.9), BSR_OK);
    assert_counts(c, &a, &b, NULL, FAULTS);
    assert_mean(&c->total);
    assert_census(c->total.difference);
    assert_census(c->layers[0].difference);
    assert_string_equal(c->path_a, path_a);
    assert_string_equal(c->path_b, path_b);
    assert_true(c->confidence == 0.9);
    assert_int_equal(c->left_out_a + c->left_out_b, 0);
    bsr_comparison_free(c);

    /* A run against itself. */
    assert_int_equal(bsr_compare(&c, path_a, path_a, 0.95), BSR_OK);
    assert_true(c->total.difference.value == 0);
    assert_int_equal(c->total.only_a + c->total.only_b, 0);
    assert_true(c->p_value == 1);
    bsr_comparison_free(c);
    clean();
}

/* Faults that a run of plan random:10 might have answered. */
static const int ten[] = {1, 3, 8, 9, 14, 15, 20, 27, 30, 33};

/* A sample in both: wide intervals that hold the exact difference's neighbourhood, and are equal to
 * the estimate over the faults as one stratum. */
static void assert_sampled(const bsr_comparison *c, const answers *a, const answers *b)
{
    bsr_stratum s;
    bsr_difference d;
    assert_counts(c, a, b, ten, 10);
    assert_mean(&c->total);
    assert_int_equal(bsr_paired_init(&s, FAULTS, IMAGES), BSR_OK);
    for (int i = 0; i < 10; i++)
        assert_int_equal(bsr_paired_add(&s, (uint64_t)ones(b->images[ten[i]]),
                                        (uint64_t)ones(a->images[ten[i]])),
                         BSR_OK);
    assert_int_equal(bsr_paired(&d, &s, 1, 0.95), BSR_OK);
    assert_near(c->total.difference.lo, d.ci.lo, 1e-12);
    assert_near(c->total.difference.hi, d.ci.hi, 1e-12);
    assert_true(d.ci.lo < c->total.difference.value && c->total.difference.value < d.ci.hi);
}

static void test_campaign_compare__samples_and_lists(void **state)
{
    answers a = scattered(5, 3), b = scattered(7, 4);
    bsr_run_options o = defaults;
    bsr_comparison *c;
    o.plan = "random:10";
    const char *path_a = put_answers("a", &a, &o, 0, ten, 10);
    const char *path_b = put_answers("b", &b, &o, 0, ten, 10);
    assert_int_equal(bsr_compare(&c, path_a, path_b, 0.95), BSR_OK);
    assert_sampled(c, &a, &b);
    bsr_comparison_free(c);

    /* b as a list of what a drew is the same sample, though its numbers differ. */
    remove(path_b);
    path_b = put_listed("b", &b, ten, 10);
    assert_int_equal(bsr_compare(&c, path_a, path_b, 0.95), BSR_OK);
    assert_sampled(c, &a, &b);
    assert_int_equal(c->left_out_a + c->left_out_b, 0);
    bsr_comparison_free(c);
    assert_int_equal(bsr_compare(&c, path_b, path_a, 0.95), BSR_OK);
    assert_counts(c, &b, &a, ten, 10);
    bsr_comparison_free(c);

    /* A list that leaves some out stands for itself. */
    remove(path_a);
    path_a = put_answers("a", &a, &defaults, 0, NULL, FAULTS);
    assert_int_equal(bsr_compare(&c, path_a, path_b, 0.95), BSR_OK);
    assert_counts(c, &a, &b, ten, 10);
    assert_census(c->total.difference);
    assert_int_equal(c->left_out_a, 26);
    assert_int_equal(c->left_out_b, 0);
    bsr_comparison_free(c);
    clean();
}

static void test_campaign_compare__partly_shared(void **state)
{
    answers a = scattered(11, 3), b = scattered(13, 4);
    const int in_a[] = {0, 1, 2, 12, 13, 30}, in_b[] = {1, 2, 3, 13, 35}, both[] = {1, 2, 13};
    bsr_run_options o = defaults;
    bsr_comparison *c;
    o.plan = "random:6";
    const char *path_a = put_answers("a", &a, &o, 0, in_a, 6);
    o.plan = "random:5";
    const char *path_b = put_answers("b", &b, &o, 0, in_b, 5);
    assert_int_equal(bsr_compare(&c, path_a, path_b, 0.95), BSR_OK);
    assert_counts(c, &a, &b, both, 3);
    assert_int_equal(c->left_out_a, 3);
    assert_int_equal(c->left_out_b, 2);
    bsr_comparison_free(c);
    remove(path_b);
    path_b = put_answers("b", &b, &o, 0, (const int[]){3, 4}, 2);
    assert_fails(bsr_compare(&c, path_a, path_b, 0.95), BSR_EINVAL, "have no fault in common");
    assert_null(c);
    clean();
}

/* Units of a run by rays are sites: 3 of the 6 and of the 12, with both their faults. */
static void test_campaign_compare__rays(void **state)
{
    const int has[] = {0, 1, 4, 5, 6, 7, 12, 13, 22, 23, 34, 35};
    answers a = scattered(17, 3), b = scattered(19, 3);
    bsr_run_options o = defaults;
    bsr_comparison *c;
    o.plan = "sites:3";
    const char *path_a = put_answers("a", &a, &o, 1, has, 12);
    const char *path_b = put_listed("b", &b, has, 12);
    assert_int_equal(bsr_compare(&c, path_a, path_b, 0.95), BSR_OK);
    assert_counts(c, &a, &b, has, 12);
    assert_near(c->total.difference.value,
                (6 * c->layers[0].difference.value + 12 * c->layers[1].difference.value) / 18,
                1e-12);
    bsr_stratum s[2];
    bsr_difference d;
    for (int l = 0; l < 2; l++) {
        assert_int_equal(bsr_paired_init(&s[l], l ? 12 : 6, 2 * IMAGES), BSR_OK);
        for (int i = 6 * l; i < 6 * l + 6; i += 2)
            assert_int_equal(
                bsr_paired_add(&s[l],
                               (uint64_t)(ones(b.images[has[i]]) + ones(b.images[has[i + 1]])),
                               (uint64_t)(ones(a.images[has[i]]) + ones(a.images[has[i + 1]]))),
                BSR_OK);
        assert_int_equal(bsr_paired(&d, &s[l], 1, 0.95), BSR_OK);
        assert_near(c->layers[l].difference.lo, d.ci.lo, 1e-12);
        assert_near(c->layers[l].difference.hi, d.ci.hi, 1e-12);
    }
    assert_int_equal(bsr_paired(&d, s, 2, 0.95), BSR_OK);
    assert_near(c->total.difference.lo, d.ci.lo, 1e-12);
    bsr_comparison_free(c);
    clean();
}

/* Layers whose sites have different numbers of faults weigh by faults. */
static void test_campaign_compare__mixed_sites(void **state)
{
    answers a = scattered(23, 3), b = scattered(29, 3);
    bsr_comparison *c;
    const answers *which[] = {&a, &b};
    const char *paths[2];
    for (int k = 0; k < 2; k++) {
        bsr_record r;
        fill_record(&r, &defaults, 1);
        make_spaces(&r.spaces, 8);
        bsr_space *last = &r.spaces.spaces[1];
        last->n_variants = 1;
        r.spaces.sites = 6;
        r.spaces.population = 12;
        assert_int_equal(bsr_space_finish(&r.spaces, last), BSR_OK);
        design_record(&r, &defaults, 1);
        paths[k] =
            put_run(k ? "b" : "a", &r, rows, make_rows(rows, bitmaps, which[k], NULL, 24, 0));
    }
    assert_int_equal(bsr_compare(&c, paths[0], paths[1], 0.95), BSR_OK);
    assert_counts(c, &a, &b, NULL, 24);
    assert_mean(&c->total);
    assert_census(c->total.difference);
    bsr_comparison_free(c);
    clean();
}

/* Strata of a by-bit plan: the mean of the two bits' differences, whatever their samples. */
static void test_campaign_compare__by_bit(void **state)
{
    const int has[] = {0, 2, 4, 1, 3, 12, 14, 13, 15, 17, 19};
    answers a = scattered(31, 3), b = scattered(37, 3);
    bsr_run_options o = defaults;
    bsr_comparison *c;
    o.plan = "data-unaware";
    const char *path_a = put_answers("a", &a, &o, 0, has, 11);
    const char *path_b = put_answers("b", &b, &o, 0, has, 11);
    assert_int_equal(bsr_compare(&c, path_a, path_b, 0.95), BSR_OK);
    double mean[2] = {0};
    for (int i = 0; i < 5; i++)
        mean[has[i] % 2] +=
            (ones(b.images[has[i]]) - ones(a.images[has[i]])) / 10. / (has[i] % 2 ? 2 : 3);
    assert_near(c->layers[0].difference.value, (mean[0] + mean[1]) / 2, 1e-12);
    bsr_comparison_free(c);
    clean();
}

/* Codes of other widths have no fault in common. */
static void test_campaign_compare__widths(void **state)
{
    answers a = scattered(41, 3);
    bsr_comparison *c;
    bsr_record r;
    const char *path_a = put_answers("a", &a, &defaults, 0, NULL, FAULTS);
    fill_record(&r, &defaults, 0);
    make_spaces(&r.spaces, 32);
    design_record(&r, &defaults, 0);
    const char *path_b = put_run("b", &r, rows, make_rows(rows, bitmaps, &a, NULL, FAULTS, 0));
    assert_int_equal(bsr_compare(&c, path_a, path_b, 0.95), BSR_EINVAL);
    assert_non_null(strstr(bsr_error_message(), "cannot be compared: codes have "));
    assert_null(c);
    clean();
}

static const char *put_other(const char *name, void (*change)(bsr_record *))
{
    answers a = scattered(43, 3);
    bsr_record r;
    make_record(&r, &defaults, 0);
    change(&r);
    return put_run(name, &r, rows, make_rows(rows, bitmaps, &a, NULL, FAULTS, 0));
}

static void not_complete(bsr_record *r)
{
    r->complete = 0;
}
static void other_target(bsr_record *r)
{
    strcpy(r->target, "bias");
}
static void other_data(bsr_record *r)
{
    r->data_sha256[3] = 'e';
}
static void a_pattern(bsr_record *r)
{
    bsr_free(r->fault);
    r->fault = bsr_strdup("ber:0.5");
}
static void transient(bsr_record *r)
{
    r->transient = 1;
}

static void test_campaign_compare__refuses(void **state)
{
    static const struct {
        void (*change)(bsr_record *);
        const char *message;
    } cases[] = {
        {other_target, "the target is 'weight' and 'bias'"},
        {other_data, "the data (SHA-256) is 'dddd"},
        {a_pattern, "holds error patterns, not single faults"},
        {transient, "the kind of faults is 'lasting' and 'transient'"},
    };
    answers a = scattered(43, 3);
    bsr_comparison *c;
    const char *path_a = put_answers("a", &a, &defaults, 0, NULL, FAULTS);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char path_b[256];
        strcpy(path_b, put_other("b", cases[i].change));
        assert_fails(bsr_compare(&c, temp_path("a"), path_b, 0.95), BSR_EINVAL, cases[i].message);
        remove(path_b);
    }
    assert_fails(bsr_compare(&c, temp_path("a"), temp_path("none"), 0.95), BSR_ENOTFOUND, "none");
    assert_fails(bsr_compare(&c, path_a, path_a, 1), BSR_EINVAL, "confidence is 1");
    direct_sql(temp_path("a"), "UPDATE fault SET critical = 9 - critical WHERE fault = 3");
    assert_fails(bsr_compare(&c, temp_path("a"), temp_path("a"), 0.95), BSR_EFORMAT,
                 "fault 3 of the database is impossible");
    clean();
}

/* What an interrupted run answered is no random part of its sample. */
static void test_campaign_compare__incomplete(void **state)
{
    bsr_comparison *c;
    const char *path = put_other("a", not_complete);
    assert_int_equal(bsr_compare(&c, path, path, 0.95), BSR_OK);
    assert_true(c->total.difference.value == 0);
    assert_true(c->total.difference.lo == -1 && c->layers[0].difference.hi == 1);
    bsr_comparison_free(c);
    clean();
}

static void test_campaign_compare__transient(void **state)
{
    static const unsigned char one = 1;
    bsr_run_options o = defaults;
    bsr_comparison *c;
    o.transient = 1;
    o.plan = "random:4";
    for (int k = 0; k < 2; k++) {
        bsr_record r;
        make_record(&r, &o, 0);
        /* Faults 0, 0, 12 and 35 in images 1, 2, 0 and 9. */
        const bsr_fault_row four[] = {{.fault = 1, .pairs = 1},
                                      {2, 1, 0, 1, 0, 0, 0, 0, 0, &one, 1},
                                      {.fault = 120, .pairs = 1},
                                      {.fault = 359,
                                       .pairs = 1,
                                       .critical = k,
                                       .critical_images = k ? &one : NULL,
                                       .critical_bytes = (size_t)k}};
        put_run(k ? "b" : "a", &r, four, 4);
    }
    assert_int_equal(bsr_compare(&c, temp_path("a"), temp_path("b"), 0.95), BSR_OK);
    assert_int_equal(c->total.faults, 4);
    assert_int_equal(c->total.pairs, 4);
    assert_int_equal(c->total.critical_a, 1);
    assert_int_equal(c->total.critical_b, 2);
    assert_int_equal(c->layers[1].only_b, 1);
    assert_near(c->total.difference.value, 0.25, 1e-12);
    bsr_comparison_free(c);
    clean();
}

static bsr_status compare_there(void)
{
    bsr_comparison *c;
    bsr_status status = bsr_compare(&c, temp_path("a"), temp_path("b"), 0.95);
    bsr_comparison_free(c);
    return status;
}

static void test_campaign_compare__no_memory(void **state)
{
    answers a = scattered(47, 3), b = scattered(53, 3);
    put_answers("a", &a, &defaults, 0, NULL, FAULTS);
    put_listed("b", &b, ten, 10);
    assert_survives_no_memory(compare_there());
    clean();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_campaign_compare__exhaustive),
        cmocka_unit_test(test_campaign_compare__samples_and_lists),
        cmocka_unit_test(test_campaign_compare__partly_shared),
        cmocka_unit_test(test_campaign_compare__rays),
        cmocka_unit_test(test_campaign_compare__mixed_sites),
        cmocka_unit_test(test_campaign_compare__by_bit),
        cmocka_unit_test(test_campaign_compare__widths),
        cmocka_unit_test(test_campaign_compare__refuses),
        cmocka_unit_test(test_campaign_compare__incomplete),
        cmocka_unit_test(test_campaign_compare__transient),
        cmocka_unit_test(test_campaign_compare__no_memory),
    };
    return cmocka_run_group_tests(tests, temp_setup, temp_teardown);
}
