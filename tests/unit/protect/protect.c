#include "unit/campaign/run_fixture.h"

#include <math.h>

#include "bitseer/protect.h"

#define FAULTS 36

static const bsr_run_options defaults = BSR_RUN_OPTIONS_INIT;
static const bsr_protect_options nothing = BSR_PROTECT_OPTIONS_INIT;

#define assert_near(x, y) assert_true(fabs((x) - (y)) <= 1e-12)

static void assert_range(const bsr_vf_range *r, double low, double high)
{
    assert_near(r->low.value, low);
    assert_near(r->high.value, high);
}

static void assert_exact(bsr_share s, double value)
{
    assert_near(s.value, value);
    assert_near(s.lo, value);
    assert_near(s.hi, value);
}

/* Critical images of each fault: of the Conv's 6 sites (faults 0..11) site 0 has 10 by the upper
 * bit, site 1 has 1 by the lower and 5 by the upper; of the Gemm's 12 (from 12 on) site 0 has 4 by
 * the upper. 20 of 360 in all. */
static int critical_of(int fault)
{
    return fault == 1 ? 10 : fault == 2 ? 1 : fault == 3 ? 5 : fault == 13 ? 4 : 0;
}

/* A run of make_spaces with codes of `width` bits; has: the faults that were answered, NULL: all.
 */
static const char *put(const char *name, const bsr_run_options *o, int by_site, int width,
                       const int *has, size_t n, int complete)
{
    bsr_record r;
    bsr_fault_row rows[FAULTS];
    fill_record(&r, o, by_site);
    make_spaces(&r.spaces, width);
    design_record(&r, o, by_site);
    r.complete = complete;
    for (size_t i = 0; i < n; i++) {
        int fault = has ? has[i] : (int)i;
        rows[i] = (bsr_fault_row){.fault = fault, .pairs = IMAGES, .critical = critical_of(fault)};
    }
    remove(temp_path(name));
    return put_run(name, &r, rows, n);
}

static const char *put_all(int width)
{
    return put("a", &defaults, 0, width, NULL, FAULTS, 1);
}

static bsr_protection *protect(const char *path, const bsr_protect_options *o)
{
    bsr_protection *p;
    bsr_status status = bsr_protect(&p, path, o);
    if (status != BSR_OK)
        fail_msg("%s", bsr_error_message());
    return p;
}

/* R. W. Hamming, Bell System Technical Journal 29, 1950: 2^r >= m + r + 1; one more for double
 * errors. The well-known (39,32) and (13,8) codes. */
static void test_protect__word_bits(void **state)
{
    static const struct {
        int m, bits;
    } secded[] = {{0, 0},  {1, 3},  {2, 4},  {4, 4},  {5, 5},  {8, 5},  {11, 5}, {12, 6},
                  {16, 6}, {26, 6}, {27, 7}, {32, 7}, {57, 7}, {58, 8}, {64, 8}};
    for (size_t i = 0; i < sizeof secded / sizeof *secded; i++)
        assert_int_equal(bsr_protect_word_bits(BSR_PROTECT_SECDED, secded[i].m), secded[i].bits);
    assert_int_equal(bsr_protect_word_bits(BSR_PROTECT_PARITY, 8), 1);
    assert_int_equal(bsr_protect_word_bits(BSR_PROTECT_PARITY, 0), 0);
    assert_int_equal(bsr_protect_word_bits(BSR_PROTECT_TMR, 8), 16);
    assert_int_equal(bsr_protect_word_bits(BSR_PROTECT_NONE, 8), 0);
    assert_string_equal(bsr_protect_name(BSR_PROTECT_SECDED), "secded");
    assert_null(bsr_protect_name(BSR_PROTECT_METHODS));
}

static void assert_same_share(bsr_share a, bsr_share b)
{
    assert_true(a.value == b.value && a.lo == b.lo && a.hi == b.hi);
}

/* Protecting nothing gives the run's own numbers, and everything by codes 0, for every design. */
static void test_protect__nothing_and_all(void **state)
{
    static const int ten[] = {1, 3, 8, 9, 14, 15, 20, 27, 30, 33};
    static const int sites[] = {2, 3, 10, 11, 12, 13, 24, 25};
    /* n of each of the four (layer, bit) strata at this margin: all but few. */
    static const struct {
        const char *plan;
        int by_site;
        const int *has;
        size_t n;
    } runs[] = {{"exhaustive", 0, NULL, FAULTS},
                {"random:10", 0, ten, 10},
                {"layer-wise", 0, ten, 10},
                {"data-unaware", 0, ten, 10},
                {"sites:2", 1, sites, 8}};
    for (size_t i = 0; i < sizeof runs / sizeof *runs; i++)
        for (int complete = 0; complete < 2; complete++) {
            bsr_run_options o = defaults;
            bsr_protect_options all = nothing;
            o.plan = runs[i].plan;
            const char *path = put("a", &o, runs[i].by_site, 32, runs[i].has, runs[i].n, complete);
            bsr_result *r;
            bsr_protection *p = protect(path, NULL);
            assert_int_equal(bsr_run_result(&r, path, NULL), BSR_OK);
            assert_same_share(p->before, r->mvf);
            assert_same_share(p->after.low, r->mvf);
            assert_same_share(p->after.high, r->mvf);
            for (int l = 0; l < 2; l++) {
                assert_same_share(p->layers[l].before, r->layers[l].vf);
                assert_same_share(p->layers[l].after.low, r->layers[l].vf);
            }
            assert_int_equal(p->complete, complete);
            assert_true(complete || (p->after.low.lo == 0 && p->after.high.hi == 1));
            assert_int_equal(p->added_bits, 0);
            assert_true(isnan(p->check_hi));
            bsr_protection_free(p);
            all.by = "secded";
            p = protect(path, &all);
            assert_exact(p->after.low, 0);
            assert_exact(p->after.high, 0);
            assert_int_equal(p->stored_bits, 18 * 32);
            assert_int_equal(p->added_bits, 18 * 7);
            assert_true(p->check_lo == 0 && p->check_hi == 0);
            bsr_protection_free(p);
            bsr_result_free(r);
        }
}

static void test_protect__bits(void **state)
{
    const char *path = put_all(8);
    bsr_protect_options o = nothing;
    o.by = "secded";
    o.bits = "7";
    bsr_protection *p = protect(path, &o);
    assert_exact(p->before, 20. / 360);
    assert_exact(p->after.low, 1. / 360);
    assert_exact(p->after.high, 1. / 360);
    assert_exact(p->layers[0].after.high, 1. / 120);
    assert_exact(p->layers[1].after.high, 0);
    assert_int_equal(p->layers[1].words, 12);
    assert_int_equal(p->layers[1].bits, 0x80);
    assert_int_equal(p->stored_bits, 144);
    assert_int_equal(p->added_bits, 54);
    bsr_protection_free(p);

    /* The same as the one most critical bit; three of eight bits need five. */
    o.bits = NULL;
    o.top_bits = 1;
    p = protect(path, &o);
    assert_int_equal(p->layers[0].bits, 0x80);
    bsr_protection_free(p);

    /* Nothing is known of 0 in place of a code of the file. */
    o = nothing;
    o.by = "parity";
    o.bits = "1:8";
    p = protect(path, &o);
    assert_range(&p->after, 1. / 360, 181. / 360);
    assert_int_equal(p->added_bits, 18);
    assert_true(p->check_lo == 0 && p->check_hi == 1);
    bsr_protection_free(p);

    /* One channel of one layer, whole words. */
    o = nothing;
    o.by = "tmr";
    o.layers = "conv1";
    o.channels = "0";
    p = protect(path, &o);
    assert_range(&p->after, 4. / 360, 4. / 360);
    assert_int_equal(p->layers[0].words, 3);
    assert_int_equal(p->layers[0].channels[0], 1);
    assert_int_equal(p->layers[0].channels[1], 0);
    assert_int_equal(p->layers[1].words, 0);
    assert_int_equal(p->added_bits, 3 * 16);
    bsr_protection_free(p);
}

/* In float32 a word read as 0 is at most as bad as the other sign (the upper bit, 31): 10, 5 and 4
 * images of sites 0, 1 and (Gemm) 0. */
static void test_protect__parity_by_sign(void **state)
{
    const char *path = put_all(32);
    bsr_protect_options o = nothing;
    o.by = "parity";
    o.bits = "0";
    bsr_protection *p = protect(path, &o);
    assert_range(&p->after, 19. / 360, 38. / 360);
    assert_true(p->check_lo == 0);
    assert_near(p->check_hi, 19. / 180);
    bsr_protection_free(p);
    o.bits = NULL;
    p = protect(path, &o);
    assert_range(&p->after, 0, 38. / 360);
    bsr_protection_free(p);

    /* Drawn bit by bit: the sign's stratum stands for the others; faults 1 (10) and 9 (0) of the
     * Conv's sign are known, 13 (4) and 15, 27 of the Gemm's; of bit 0 all are 0. */
    static const int some[] = {0, 1, 8, 9, 12, 13, 14, 15, 26, 27};
    bsr_run_options run = defaults;
    run.plan = "data-unaware";
    path = put("a", &run, 0, 32, some, 10, 1);
    p = protect(path, &o);
    assert_range(&p->after, 0, (6 * (10. / 20) + 12 * (4. / 30)) / 18);
    bsr_protection_free(p);

    /* Drawn from all alike, the sign of a site is not there: 5 faults of bit 0 are open, of which
     * 50 pairs; the sign's own are at most what they are, 14. */
    run.plan = "random:10";
    path = put("a", &run, 0, 32, some, 10, 1);
    p = protect(path, &o);
    assert_range(&p->after, 0, 64. / 100);
    bsr_protection_free(p);
}

/* Removing a bit is analysing the others, up to the share of the faults that they are. */
static void test_protect__bits_of_fewer(void **state)
{
    static const int sites[] = {2, 3, 10, 11, 12, 13, 24, 25}, lower[] = {1, 5, 6, 12};
    bsr_run_options o = defaults;
    bsr_protect_options secded = nothing;
    o.plan = "sites:2";
    const char *path = put("a", &o, 1, 8, sites, 8, 1);
    secded.by = "secded";
    secded.bits = "7";
    bsr_protection *p = protect(path, &secded);

    bsr_record r;
    bsr_fault_row rows[4];
    const int bit[] = {0};
    fill_record(&r, &o, 1);
    r.spaces = (bsr_spaces){.spaces = bsr_calloc_array(2, sizeof *r.spaces.spaces)};
    bsr_space conv = {.place = BSR_FAULT_WEIGHT, .width = 8, .outer = 1, .channels = 2, .inner = 3};
    bsr_space fc = {.index = 2, .place = BSR_FAULT_WEIGHT, .width = 8, .outer = 4, .inner = 1};
    fc.channels = 3;
    add_space(&r.spaces, conv, "conv1", "Conv", bit, 1);
    add_space(&r.spaces, fc, "fc", "Gemm", bit, 1);
    design_record(&r, &o, 1);
    for (int i = 0; i < 4; i++)
        rows[i] = (bsr_fault_row){
            .fault = lower[i], .pairs = IMAGES, .critical = critical_of(2 * lower[i])};
    remove(temp_path("b"));
    const char *fewer = put_run("b", &r, rows, 4);
    bsr_result *result;
    assert_int_equal(bsr_run_result(&result, fewer, NULL), BSR_OK);
    assert_true(result->mvf.value > 0 && result->mvf.hi < 1);
    assert_near(p->after.high.value, result->mvf.value / 2);
    assert_near(p->after.high.lo, result->mvf.lo / 2);
    assert_near(p->after.high.hi, result->mvf.hi / 2);
    bsr_result_free(result);
    bsr_protection_free(p);
}

static void assert_step(const bsr_protect_step *s, int layer, bsr_protect_by by, uint32_t bits,
                        int64_t added, double mvf)
{
    assert_int_equal(s->layer, layer);
    assert_int_equal(s->by, by);
    assert_int_equal(s->bits, bits);
    assert_int_equal(s->added_bits, added);
    assert_near(s->mvf.high.value, mvf);
}

/* Two copies of bit 31 cost 12 bits in the Conv and save 15 of 360, 24 in the Gemm and save 4. */
static void test_protect__plan(void **state)
{
    const char *path = put_all(32);
    const uint32_t top = (uint32_t)1 << 31;
    bsr_protect_options o = nothing;
    o.target_vf = 5. / 360;
    bsr_protection *p = protect(path, &o);
    assert_int_equal(p->n_steps, 1);
    assert_step(&p->steps[0], 0, BSR_PROTECT_TMR, top, 12, 5. / 360);
    assert_true(p->planned && p->reached);
    assert_int_equal(p->added_bits, 12);
    assert_range(&p->after, 5. / 360, 5. / 360);
    bsr_protection_free(p);

    o.target_vf = 0;
    p = protect(path, &o);
    assert_int_equal(p->n_steps, 3);
    assert_step(&p->steps[1], 1, BSR_PROTECT_TMR, top, 36, 1. / 360);
    assert_int_equal(p->steps[2].bits, top | 1);
    assert_step(&p->steps[2], 0, BSR_PROTECT_TMR, top | 1, 48, 0);
    assert_true(p->reached);
    bsr_protection_free(p);

    /* 2.5 % of 576 bits are 14. */
    o = nothing;
    o.budget = "2.5%";
    p = protect(path, &o);
    assert_int_equal(p->budget, 14);
    assert_int_equal(p->n_steps, 1);
    assert_int_equal(p->added_bits, 12);
    bsr_protection_free(p);

    o.budget = "1000";
    o.layers = "2";
    o.by = "secded";
    p = protect(path, &o);
    assert_int_equal(p->n_steps, 1);
    assert_step(&p->steps[0], 1, BSR_PROTECT_SECDED, top, 36, 16. / 360);
    bsr_protection_free(p);

    o = nothing;
    o.target_vf = 0;
    o.layers = "2";
    p = protect(path, &o);
    assert_true(p->planned && !p->reached);
    bsr_protection_free(p);
}

/* Two weights, 1 and -0.5, of one channel in float32, bits 0 and 31, with bounds of every image:
 * errors of the first are harmless from -0.9 to 1.5 and critical from -3 and 3 on, of the second
 * all are harmless. */
static const char *put_bounds(const int criticals[4], int with_values)
{
    static const int bits[] = {0, 31};
    bsr_record r;
    bsr_fault_row rows[4];
    fill_record(&r, &defaults, 1);
    r.spaces = (bsr_spaces){.spaces = bsr_calloc_array(1, sizeof *r.spaces.spaces)};
    bsr_space s = {.place = BSR_FAULT_WEIGHT, .width = 32, .outer = 1, .channels = 1, .inner = 2};
    add_space(&r.spaces, s, "fc", "Gemm", bits, 2);
    design_record(&r, &defaults, 1);
    for (int i = 0; i < 4; i++)
        rows[i] = (bsr_fault_row){.fault = i, .pairs = IMAGES, .critical = criticals[i]};
    remove(temp_path("a"));
    const char *path = put_run("a", &r, rows, 4);
    bsr_bounds known[2][IMAGES];
    for (int i = 0; i < IMAGES; i++) {
        known[0][i] = (bsr_bounds){-3, -0.9f, 1.5f, 3, 1};
        known[1][i] = (bsr_bounds){-INFINITY, -100, 100, INFINITY, -0.5f};
    }
    const bsr_bounds_row bounds[] = {{0, known[0], sizeof known[0]},
                                     {1, known[1], sizeof known[1]}};
    const bsr_value_row values[] = {{0, 0, -1, 1}, {0, 1, -1, -0.5}};
    bsr_store *store;
    assert_int_equal(bsr_store_open(&store, path, 1), BSR_OK);
    assert_int_equal(bsr_store_put_answers(store, &(bsr_answers){.bounds = bounds, .n_bounds = 2}),
                     BSR_OK);
    if (with_values)
        assert_int_equal(bsr_store_put_values(store, values, 2), BSR_OK);
    bsr_store_close(store);
    return path;
}

static void test_protect__formats(void **state)
{
    static const int none[4];
    const char *path = put_bounds(none, 1);
    bsr_protect_options o = nothing;
    /* 1 is code 16 of q3.4: flips add 1/16, 1/8, 1/4, 1/2 (harmless), -1, 2 (not known), 4 and -8
     * (critical). -0.5 is code -8; its flips are harmless. */
    o.format = "q3.4";
    bsr_protection *p = protect(path, &o);
    assert_exact(p->before, 0);
    assert_range(&p->after, 20. / 160, 40. / 160);
    assert_int_equal(p->stored_bits, 64);
    assert_int_equal(p->added_bits, -48);
    bsr_protection_free(p);

    /* Bits 6 and 7 corrected; 0 in place of 1 is not known either. */
    o.by = "secded";
    o.bits = "6-7";
    p = protect(path, &o);
    assert_range(&p->after, 0, 20. / 160);
    assert_int_equal(p->added_bits, -48 + 2 * 4);
    bsr_protection_free(p);
    o.by = "parity";
    o.bits = NULL;
    p = protect(path, &o);
    assert_range(&p->after, 0, 80. / 160);
    assert_near(p->check_hi, 0.5);
    bsr_protection_free(p);

    /* The range comes from both weights: scale 1/127, 1 is code 127, -0.5 is -64 (63.5 to even).
     * Flips of 127: -1/127 to -32/127 (harmless), -64/127 = -0.504 (harmless), and -128/127 (not
     * known: below -0.9, above -3). */
    o = nothing;
    o.format = "int8";
    p = protect(path, &o);
    assert_range(&p->after, 0, 10. / 160);
    bsr_protection_free(p);
}

static void test_protect__clipping(void **state)
{
    /* Site 0: bit 0 makes 1 a little larger: 1 again. Bit 31 makes -1, read as -0.5: an error of
     * -1.5, not known, but no worse than -2, which is critical for 7. Site 1: bit 31 makes 0.5,
     * which is in the range. */
    static const int criticals[] = {2, 7, 0, 3};
    const char *path = put_bounds(criticals, 1);
    bsr_protect_options o = nothing;
    o.clip = 1;
    bsr_protection *p = protect(path, &o);
    assert_exact(p->before, 12. / 40);
    assert_range(&p->after, 3. / 40, 10. / 40);
    assert_int_equal(p->added_bits, 0);
    bsr_protection_free(p);
}

static void assert_refused(const char *path, const bsr_protect_options *o, const char *message)
{
    bsr_protection *p = (bsr_protection *)&p;
    assert_fails(bsr_protect(&p, path, o), BSR_EINVAL, message);
    assert_null(p);
}

static void test_protect__refuses(void **state)
{
    static const int none[4];
    const char *path = put_all(8);
    bsr_protect_options o = nothing;
    o.by = "ecc";
    assert_refused(path, &o, "protection 'ecc', expected parity, secded or tmr");
    o = nothing;
    o.bits = "3";
    assert_refused(path, &o, "what is selected needs a protection: parity, secded or tmr");
    o.by = "tmr";
    o.bits = "8";
    assert_refused(path, &o, "bit 8");
    o.bits = "3";
    o.top_bits = 2;
    assert_refused(path, &o, "bits and top bits exclude each other");
    o.bits = NULL;
    o.top_bits = 3;
    assert_refused(path, &o, "top bits is 3, '");
    o.top_bits = 33;
    assert_refused(path, &o, "top bits is 33, expected 1 to 32");
    o = nothing;
    o.by = "tmr";
    o.layers = "1";
    assert_refused(path, &o, "layers '1': '");
    o.layers = "fc2";
    assert_refused(path, &o, "fc2");
    o.layers = NULL;
    o.channels = "3";
    assert_refused(path, &o, "channel 3");
    o.target_vf = 0.1;
    assert_refused(path, &o, "a plan chooses bits of whole layers: no channels can be given");
    o = nothing;
    o.target_vf = 1.5;
    assert_refused(path, &o, "target VF is 1.5, expected 0 to 1");
    o.target_vf = 0.5;
    o.budget = "3";
    assert_refused(path, &o, "a target VF and a budget exclude each other");
    o = nothing;
    o.budget = "3kB";
    assert_refused(path, &o, "budget '3kB', expected bits or a percentage such as 12.5%");
    o = nothing;
    o.format = "int9000";
    assert_refused(path, &o, "int9000");
    o.format = "fp16";
    assert_refused(path, &o, "has no bounds of sites");
    o = nothing;
    o.clip = 1;
    assert_refused(path, &o, "has no bounds of sites");
    path = put_bounds(none, 0);
    assert_refused(path, &o, "has no fault-free value of element 0 of 'fc'");
    o = nothing;
    o.version = 9;
    assert_refused(path, &o, "protect options have version 9, expected 1");
}

static void test_protect__refuses_runs(void **state)
{
    bsr_protection *p;
    bsr_protect_options o = nothing;
    bsr_record r;
    bsr_run_options run = defaults;
    remove(temp_path("a"));
    assert_fails(bsr_protect(&p, temp_path("a"), NULL), BSR_ENOTFOUND, "");
    make_record(&r, &defaults, 0);
    strcpy(r.command, "sweep");
    assert_refused(put_run("a", &r, NULL, 0), &o, "holds a sweep, not an injection or analysis");
    remove(temp_path("a"));
    make_record(&r, &defaults, 0);
    strcpy(r.target, "operand-weight");
    assert_refused(put_run("a", &r, NULL, 0), &o, "which is nothing that is stored");
    remove(temp_path("a"));
    /* Faults of many bits: copies of whole words help, nothing else is known. */
    run.fault = "mbu:2";
    make_record(&r, &run, 0);
    const char *path = put_run("a", &r, NULL, 0);
    o.by = "secded";
    assert_refused(path, &o, "has fault 'mbu:2': parity, secded, bits and plans need bitflip");
    o.by = "tmr";
    p = protect(path, &o);
    assert_exact(p->after.high, 0);
    bsr_protection_free(p);
    remove(temp_path("a"));
    make_record(&r, &defaults, 0);
    static const bsr_fault_row wrong[] = {{.fault = 3, .pairs = IMAGES + 1}};
    path = put_run("a", &r, wrong, 1);
    assert_fails(bsr_protect(&p, path, NULL), BSR_EFORMAT, "fault 3 of the database is impossible");
}

static void test_protect__no_memory(void **state)
{
    static const int none[4];
    bsr_protect_options plan = nothing, format = nothing;
    plan.target_vf = 0;
    format.format = "q3.4";
    for (int i = 0; i < 2; i++) {
        const char *path = i ? put_bounds(none, 1) : put_all(32);
        for (long at = 1;; at++) {
            bsr_protection *p;
            bsr_alloc_fail_after(at);
            bsr_status status = bsr_protect(&p, path, i ? &format : &plan);
            int pending = bsr_alloc_fail_pending();
            bsr_alloc_fail_after(0);
            bsr_protection_free(p);
            if (pending) {
                assert_int_equal(status, BSR_OK);
                assert_true(at > 20);
                break;
            }
            assert_int_equal(status, BSR_ENOMEM);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_protect__word_bits),
        cmocka_unit_test(test_protect__nothing_and_all),
        cmocka_unit_test(test_protect__bits),
        cmocka_unit_test(test_protect__parity_by_sign),
        cmocka_unit_test(test_protect__bits_of_fewer),
        cmocka_unit_test(test_protect__plan),
        cmocka_unit_test(test_protect__formats),
        cmocka_unit_test(test_protect__clipping),
        cmocka_unit_test(test_protect__refuses),
        cmocka_unit_test(test_protect__refuses_runs),
        cmocka_unit_test(test_protect__no_memory),
    };
    return cmocka_run_group_tests(tests, temp_setup, temp_teardown);
}
