/* Errors of a neuron by hand, and the search over them against looking at every one. */
#include "unit/data/temp_files.h"

#include <math.h>

#include "fault/neuron.h"
#include "rng/philox.h"

enum { TAPS = 2, CIN = 40 };

/* A layer of two taps and one output channel over the pixels of a record; output pixel p reads
 * pixels p - 1 (padding for p = 0) and p. */
typedef struct fixture {
    bsr_plan plan;
    bsr_pten ptens[2];
    bsr_source source;
    bsr_pixmap map;
    int64_t offset[TAPS * 2];
    bsr_step step;
    bsr_layer layer;
    bsr_weights weights;
    bsr_golden golden;
    bsr_spaces spaces;
    bsr_space space;
    int chosen[1];
    unsigned char windows[2];
    int32_t w_zero[1];
    union {
        float f[2 * CIN];
        unsigned char u8[2 * CIN];
    } x;
    union {
        float f[TAPS * CIN];
        unsigned char u8[TAPS * CIN];
    } w;
} fixture;

static void make(fixture *f, bsr_dtype type, int cin, const int *variants, int n)
{
    size_t e = bsr_dtype_size(type);
    *f = (fixture){.windows = {2, 3}};
    f->ptens[0] = (bsr_pten){.dtype = type, .esize = e, .pixels = 2, .channels = cin};
    f->ptens[1] = (bsr_pten){.pixels = 2, .channels = 1};
    for (int p = 0; p < 2; p++)
        for (int t = 0; t < TAPS; t++)
            f->offset[t * 2 + p] = (int64_t)((size_t)((p + t + 1) % 2 * cin) * e);
    f->map = (bsr_pixmap){.taps = TAPS, .n_out = 2, .n_in = 2, .offset = f->offset};
    f->source = (bsr_source){.map = &f->map};
    /* Weights [C][taps], as a Conv has them. */
    f->weights = (bsr_weights){.groups = 1,
                               .taps = TAPS,
                               .cin = cin,
                               .cout = 1,
                               .stride_m = TAPS * cin,
                               .stride_c = TAPS,
                               .stride_t = 1,
                               .data = &f->w,
                               .dtype = type,
                               .w_zero = f->w_zero};
    f->step = (bsr_step){.n_sources = 1, .sources = &f->source, .out = 1, .weights = &f->weights};
    f->layer = (bsr_layer){.weights = &f->weights};
    f->plan = (bsr_plan){
        .ptens = f->ptens, .steps = &f->step, .layers = &f->layer, .n_steps = 1, .n_layers = 1};
    f->golden = (bsr_golden){.plan = &f->plan, .images = 1, .records = (char *)&f->x};
    f->space = (bsr_space){.place = BSR_FAULT_OPERAND_INPUT,
                           .width = (int)e * 8,
                           .dtype = type,
                           .esize = e,
                           .outer = 1,
                           .inner = TAPS * cin,
                           .channels = 1,
                           .n_chosen = 1,
                           .chosen = f->chosen,
                           .n_variants = n,
                           .pixels = 2,
                           .taps = TAPS,
                           .cin = cin,
                           .windows = f->windows};
    memcpy(f->space.variants, variants, (size_t)n * sizeof *variants);
    f->spaces = (bsr_spaces){.n = 1, .spaces = &f->space};
    assert_int_equal(bsr_space_finish(&f->spaces, &f->space), BSR_OK);
}

static void clear(fixture *f)
{
    bsr_free(f->space.window_at);
}

static bsr_neuron_list *fill(fixture *f, int pixel, const float screened[2])
{
    bsr_neuron_list *l;
    bsr_neuron n = {.space = &f->space, .pixel = pixel};
    assert_int_equal(bsr_neuron_list_new(&l, &f->spaces), BSR_OK);
    bsr_neuron_list_fill(l, &f->spaces, &f->golden, &n, screened);
    return l;
}

/* Error k of a side: its size and the variants of its faults. */
static void assert_error(const bsr_neuron_side *s, size_t k, float size, int n, const int *variants)
{
    assert_true(bsr_neuron_size(s, k) == size);
    assert_int_equal(s->first[k + 1] - s->first[k], n);
    for (int i = 0; i < n; i++) {
        int found = 0;
        for (int j = 0; j < n; j++)
            found += bsr_neuron_variant(s, s->first[k] + (size_t)j) == variants[i];
        assert_true(found);
    }
}

static const int four_bits[] = {22, 23, 30, 31};

/* Pixel 0 has one tap in the picture, which reads pixel 0: x = 1 and 0 by w = 0.5 and -2. Flips of
 * 1: bit 22 gives 1.5, 23 gives 0.5, 30 infinity, 31 -1. Flips of 0: 2^-127, 2^-126, 2, -0. */
static void one_and_zero(fixture *f)
{
    make(f, BSR_F32, 2, four_bits, 4);
    f->x.f[0] = 1;
    f->x.f[1] = 0;
    f->x.f[2] = f->x.f[3] = 77; /* pixel 1 is not read */
    f->w.f[0 * TAPS + 1] = 0.5f;
    f->w.f[1 * TAPS + 1] = -2;
    f->w.f[0 * TAPS] = f->w.f[1 * TAPS] = 55; /* of the tap in the padding */
}

static void test_fault_neuron__errors_by_hand(void **state)
{
    fixture f;
    one_and_zero(&f);
    assert_int_equal(bsr_neuron_operands(&f.space, 0), 2);
    assert_int_equal(bsr_neuron_operands(&f.space, 1), 4);
    bsr_neuron_list *l = fill(&f, 0, NULL);
    assert_false(l->direct);
    assert_int_equal(l->faults, 8);
    assert_int_equal(l->side[0].n, 5);
    assert_error(&l->side[0], 0, 4, 1, (int[]){2});
    assert_error(&l->side[0], 1, 1, 1, (int[]){3});
    assert_error(&l->side[0], 2, 0.25f, 1, (int[]){1});
    assert_error(&l->side[0], 3, 0x1p-125f, 1, (int[]){1});
    assert_error(&l->side[0], 4, 0x1p-126f, 1, (int[]){0});
    assert_int_equal(l->side[1].n, 1);
    assert_error(&l->side[1], 0, 0.25f, 1, (int[]){0});
    for (int v = 0; v < 4; v++) {
        assert_int_equal(l->all[v], 2);
        assert_int_equal(l->special[BSR_NEURON_PLUS_INF][v], v == 2);
        assert_int_equal(l->special[BSR_NEURON_MINUS_INF][v], 0);
        assert_int_equal(l->special[BSR_NEURON_NAN][v], 0);
    }
    bsr_neuron_list_free(l);
    clear(&f);
}

static void test_fault_neuron__infinity_by_0_is_nan(void **state)
{
    fixture f;
    one_and_zero(&f);
    f.w.f[1] = 0;
    bsr_neuron_list *l = fill(&f, 0, NULL);
    assert_int_equal(l->special[BSR_NEURON_NAN][2], 1);
    assert_int_equal(l->special[BSR_NEURON_PLUS_INF][2], 0);
    assert_int_equal(l->side[1].n, 0); /* 0.5 * 0 */
    bsr_neuron_list_free(l);
    clear(&f);
}

static void test_fault_neuron__equal_errors_are_one(void **state)
{
    fixture f;
    one_and_zero(&f);
    f.x.f[1] = 1; /* -2 * 0.5 = -1 at bit 22, +1 at 23, -infinity, +4 */
    bsr_neuron_list *l = fill(&f, 0, NULL);
    assert_int_equal(l->side[0].n, 2);
    assert_error(&l->side[0], 0, 1, 2, (int[]){0, 3});
    assert_error(&l->side[0], 1, 0.25f, 1, (int[]){1});
    assert_int_equal(l->side[1].n, 3);
    assert_error(&l->side[1], 0, 4, 1, (int[]){3});
    assert_error(&l->side[1], 1, 1, 1, (int[]){1});
    assert_error(&l->side[1], 2, 0.25f, 1, (int[]){0});
    assert_int_equal(l->special[BSR_NEURON_PLUS_INF][2], 1);
    assert_int_equal(l->special[BSR_NEURON_MINUS_INF][2], 1);
    bsr_neuron_list_free(l);
    clear(&f);
}

static void test_fault_neuron__what_is_screened_is_not_listed(void **state)
{
    fixture f;
    one_and_zero(&f);
    bsr_neuron_search s;
    bsr_neuron_result r;
    bsr_neuron_list *l = fill(&f, 0, (float[]){0.25f, 0.25f});
    assert_int_equal(l->side[0].n, 2);
    assert_error(&l->side[0], 1, 1, 1, (int[]){3});
    assert_int_equal(l->side[1].n, 0);
    assert_int_equal(l->faults, 8);
    /* Everything listed is critical: the bound is the one from outside. */
    float error[BSR_NEURON_QUESTIONS];
    int which[BSR_NEURON_QUESTIONS];
    bsr_neuron_search_init(&s, l, 0);
    for (int n; (n = bsr_neuron_ask(&s, error, which)) > 0;)
        for (int i = 0; i < n; i++)
            bsr_neuron_tell(&s, which[i], 1);
    bsr_neuron_read(&s, &r);
    assert_true(r.nearest_critical[0] == 1 && r.farthest_harmless[0] == 0.25f);
    assert_true(r.nearest_critical[1] == INFINITY && r.farthest_harmless[1] == 0.25f);
    assert_int_equal(r.critical[2], 2); /* -4 and infinity */
    assert_int_equal(r.critical[3], 1);
    bsr_neuron_list_free(l);
    clear(&f);
}

static void test_fault_neuron__a_golden_infinity_has_no_line(void **state)
{
    fixture f;
    one_and_zero(&f);
    f.x.f[0] = INFINITY;
    bsr_neuron_list *l = fill(&f, 0, NULL);
    assert_true(l->direct);
    assert_int_equal(l->side[0].n + l->side[1].n, 0);
    bsr_neuron_list_free(l);
    clear(&f);
}

/* (w' - w) x: 0.5 becomes 0.75, 1, 2^127 and -0.5 by x = 3; with the padding, its weight by 0.
 */
static void test_fault_neuron__faulty_weights(void **state)
{
    fixture f;
    float errors[16];
    int finite;
    make(&f, BSR_F32, 1, four_bits, 4);
    f.space.place = BSR_FAULT_OPERAND_WEIGHT;
    f.x.f[0] = 3;
    f.w.f[0] = 1;
    f.w.f[1] = 0.5f;
    bsr_neuron n = {.space = &f.space};
    assert_int_equal(bsr_neuron_errors(&f.spaces, &f.golden, &n, 0, errors, &finite), 1);
    assert_true(finite);
    assert_true(errors[0] == 0.75f && errors[1] == 1.5f && errors[3] == -3);
    assert_true(errors[2] == INFINITY); /* 3 * 2^127 */
    assert_int_equal(bsr_neuron_errors(&f.spaces, &f.golden, &n, 1, errors, &finite), 2);
    assert_true(errors[0] == 0 && errors[1] == 0 && errors[3] == 0);
    assert_true(isnan(errors[2])); /* 1 becomes infinite, by 0 */
    assert_true(errors[4] == 0.75f);
    clear(&f);
}

/* uint8 x = 200 less a zero point is multiplied by 7 - 10: bit 7 takes 128 away, bit 0 adds 1. */
static void test_fault_neuron__codes(void **state)
{
    static const int bits[] = {0, 7};
    fixture f;
    make(&f, BSR_U8, 1, bits, 2);
    f.x.u8[0] = 200;
    f.w.u8[1] = 7;
    f.w_zero[0] = 10;
    f.weights.x_zero = 100;
    bsr_neuron_list *l = fill(&f, 0, NULL);
    assert_error(&l->side[0], 0, 3, 1, (int[]){0});
    assert_error(&l->side[1], 0, 384, 1, (int[]){1});
    bsr_neuron n = {.space = &f.space};
    bsr_lane_job job = bsr_neuron_job(&f.golden, &n, -3);
    assert_int_equal(job.fault.place, BSR_FAULT_SUM);
    assert_int_equal((int32_t)job.fault.bits, -3);
    /* A faulty weight: (w' - w) (x - 100). */
    f.space.place = BSR_FAULT_OPERAND_WEIGHT;
    bsr_neuron_list_fill(l, &f.spaces, &f.golden, &n, NULL);
    assert_error(&l->side[0], 0, 100, 1, (int[]){0});   /* 7 to 6 */
    assert_error(&l->side[1], 0, 12800, 1, (int[]){1}); /* 7 to 135 */
    bsr_neuron_list_free(l);
    clear(&f);
}

/* Two taps, 40 channels, all 32 bits of random inputs and weights. */
static void random_field(fixture *f, bsr_rng *rng)
{
    int all[32];
    for (int i = 0; i < 32; i++)
        all[i] = i;
    make(f, BSR_F32, CIN, all, 32);
    for (int i = 0; i < 2 * CIN; i++) {
        f->x.f[i] = bsr_rng_below(rng, 3) ? (float)(4 * bsr_rng_uniform(rng)) : 0;
        f->w.f[i] = (float)(bsr_rng_uniform(rng) - 0.5);
    }
}

/* Critical faults of each bit when errors of at least limit[side] are critical. */
static void count(const bsr_neuron_list *l, const double limit[2], uint32_t critical[32])
{
    memset(critical, 0, 32 * sizeof *critical);
    for (uint64_t i = 0; i < l->faults; i++) {
        float e = l->errors[i];
        critical[i % 32] += isnan(e) || isinf(e) || (e != 0 && fabs((double)e) >= limit[e > 0]);
    }
}

/* Runs the search; returns what it asked. */
static int run(bsr_neuron_search *s, const bsr_neuron_list *l, const double limit[2],
               double tolerance)
{
    float error[BSR_NEURON_QUESTIONS];
    int which[BSR_NEURON_QUESTIONS], asked = 0;
    bsr_neuron_search_init(s, l, tolerance);
    for (int n; (n = bsr_neuron_ask(s, error, which)) > 0; asked += n)
        for (int i = 0; i < n; i++)
            bsr_neuron_tell(s, which[i],
                            !isfinite(error[i]) || fabs((double)error[i]) >= limit[error[i] > 0]);
    return asked;
}

static const double limits[] = {0, 1e-40, 1e-6, 0.003, 0.1, 0.9, 2, 50, 1e10, 1e37, 1e39};
enum { LIMITS = sizeof limits / sizeof *limits };

static void test_fault_neuron__the_search_finds_every_boundary(void **state)
{
    bsr_rng rng = bsr_rng_make(4, 0);
    for (int trial = 0; trial < 20; trial++) {
        fixture f;
        random_field(&f, &rng);
        bsr_neuron_list *l = fill(&f, 1, NULL);
        assert_int_equal(l->faults, 2 * CIN * 32);
        for (int k = 0; k < LIMITS * LIMITS; k++) {
            const double limit[2] = {limits[k / LIMITS], limits[k % LIMITS]};
            uint32_t want[32];
            bsr_neuron_search s;
            bsr_neuron_result r;
            int n = run(&s, l, limit, 0);
            assert_true(n <= 3 + 2 * 21); /* 1, 8 halvings of exponents, 12 of positions */
            bsr_neuron_read(&s, &r);
            count(l, limit, want);
            assert_memory_equal(r.critical, want, sizeof want);
            for (int v = 0; v < 32; v++)
                assert_int_equal(r.undecided[v], 0);
            for (int side = 0; side < 2; side++) {
                assert_true((double)r.nearest_critical[side] >= limit[side]);
                assert_true(limit[side] == 0 || (double)r.farthest_harmless[side] < limit[side]);
            }
        }
        bsr_neuron_list_free(l);
        clear(&f);
    }
}

/* The usual case, values below 2 and only flips of the top exponent bit critical: three errors
 * decide a side, the largest and those on both ends of the empty stretch. */
static void test_fault_neuron__the_usual_case_is_cheap(void **state)
{
    static const double limit[2] = {1e3, 1e3};
    bsr_rng rng = bsr_rng_make(9, 0);
    fixture f;
    bsr_neuron_search s;
    random_field(&f, &rng);
    for (int i = 0; i < 2 * CIN; i++)
        f.x.f[i] /= 4;
    bsr_neuron_list *l = fill(&f, 1, NULL);
    assert_int_equal(run(&s, l, limit, 0), 2 * 3);
    bsr_neuron_list_free(l);
    clear(&f);
}

static void test_fault_neuron__a_tolerance_leaves_some_faults_undecided(void **state)
{
    static const double limit[2] = {0.003, 0.003};
    bsr_rng rng = bsr_rng_make(6, 0);
    fixture f;
    bsr_neuron_search s;
    bsr_neuron_result r;
    uint32_t truth[32];
    random_field(&f, &rng);
    bsr_neuron_list *l = fill(&f, 1, NULL);
    int all = run(&s, l, limit, 0), some = run(&s, l, limit, 0.02);
    assert_true(some < all);
    bsr_neuron_read(&s, &r);
    count(l, limit, truth);
    uint64_t undecided = 0;
    for (int v = 0; v < 32; v++) {
        undecided += r.undecided[v];
        assert_in_range(truth[v], r.critical[v], r.critical[v] + r.undecided[v]);
    }
    assert_true(undecided > 0 && undecided <= l->faults / 50);
    bsr_neuron_list_free(l);
    clear(&f);
}

static bsr_status new_list(const bsr_spaces *spaces)
{
    bsr_neuron_list *l;
    bsr_status status = bsr_neuron_list_new(&l, spaces);
    assert_true((status == BSR_OK) == (l != NULL));
    bsr_neuron_list_free(l);
    return status;
}

static void test_fault_neuron__every_allocation_may_fail(void **state)
{
    fixture f;
    one_and_zero(&f);
    assert_survives_no_memory(new_list(&f.spaces));
    clear(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_fault_neuron__errors_by_hand),
        cmocka_unit_test(test_fault_neuron__infinity_by_0_is_nan),
        cmocka_unit_test(test_fault_neuron__equal_errors_are_one),
        cmocka_unit_test(test_fault_neuron__what_is_screened_is_not_listed),
        cmocka_unit_test(test_fault_neuron__a_golden_infinity_has_no_line),
        cmocka_unit_test(test_fault_neuron__faulty_weights),
        cmocka_unit_test(test_fault_neuron__codes),
        cmocka_unit_test(test_fault_neuron__the_search_finds_every_boundary),
        cmocka_unit_test(test_fault_neuron__the_usual_case_is_cheap),
        cmocka_unit_test(test_fault_neuron__a_tolerance_leaves_some_faults_undecided),
        cmocka_unit_test(test_fault_neuron__every_allocation_may_fail),
    };
    return cmocka_run_group_tests(tests, temp_setup, temp_teardown);
}
