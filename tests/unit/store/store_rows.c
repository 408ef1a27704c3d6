/* What is put comes back, and is in the database as docs/design/store.md says. */
#include "unit/store/fixtures.h"

#include <math.h>

#include "store/store_private.h"

static const char *path;
static bsr_store *store;

/* Each test runs on a planned run in a file. */
static int setup(void **state)
{
    if (temp_setup(state) != 0)
        return -1;
    path = temp_path("run.db");
    return bsr_store_create(&store, path) == BSR_OK && bsr_store_commit_plan(store) == BSR_OK ? 0
                                                                                              : -1;
}

static int teardown(void **state)
{
    bsr_store_close(store);
    return temp_teardown(state);
}

/* Where callbacks put what they saw: text, and a step at which to stop. */
typedef struct seen {
    char text[1000];
    int rows, stop_after;
} seen;

static bsr_status end_row(seen *s)
{
    return ++s->rows == s->stop_after ? BSR_ECANCELLED : BSR_OK;
}

#define ADD(s, ...)                                                                                \
    snprintf((s)->text + strlen((s)->text), sizeof(s)->text - strlen((s)->text), __VA_ARGS__)

static bsr_status see_setting(void *ctx, const char *name, const char *value)
{
    ADD((seen *)ctx, "%s=%s;", name, value);
    return end_row(ctx);
}

static void test_store_rows__facts(void **state)
{
    char *value = (char *)1;
    assert_fails(bsr_store_get_fact(store, "a", &value), BSR_ENOTFOUND, "/run.db' has no fact 'a'");
    assert_null(value);
    assert_int_equal(bsr_store_put_fact(store, "a", "1"), BSR_OK);
    assert_int_equal(bsr_store_put_fact(store, "a'; DROP TABLE fact; --", "x"), BSR_OK);
    assert_int_equal(bsr_store_put_fact(store, "a", "zwei \xc3\xa9 '\""), BSR_OK);
    assert_int_equal(bsr_store_get_fact(store, "a", &value), BSR_OK);
    assert_string_equal(value, "zwei \xc3\xa9 '\"");
    bsr_free(value);
    assert_string_equal(direct_sql(path, "SELECT count(*) FROM fact"), "2");
    assert_fails(bsr_store_put_fact(store, "b", NULL), BSR_EINVAL,
                 "/run.db' cannot take the row: NOT NULL constraint failed: fact.value");
}

static void test_store_rows__settings_in_order(void **state)
{
    seen s = {.stop_after = 0};
    assert_int_equal(bsr_store_add_setting(store, "z", "1"), BSR_OK);
    assert_int_equal(bsr_store_add_setting(store, "a", "2"), BSR_OK);
    assert_int_equal(bsr_store_add_setting(store, "z", ""), BSR_OK);
    assert_int_equal(bsr_store_settings(store, see_setting, &s), BSR_OK);
    assert_string_equal(s.text, "z=1;a=2;z=;");
    s = (seen){.stop_after = 2};
    assert_int_equal(bsr_store_settings(store, see_setting, &s), BSR_ECANCELLED);
    assert_string_equal(s.text, "z=1;a=2;");
}

static bsr_status see_layer(void *ctx, const bsr_layer_row *r)
{
    seen *s = ctx;
    ADD(s, "%d,%d,%s,%s,%s", (int)r->id, (int)r->index, r->name, r->op, r->format);
    const int64_t numbers[] = {r->place,    r->width,       r->outer, r->inner,
                               r->channels, r->per_channel, r->sites, r->population,
                               r->first,    r->pixels,      r->taps,  r->cin};
    for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++)
        ADD(s, ",%lld", (long long)numbers[i]);
    for (size_t i = 0; i < r->n_chosen; i++)
        ADD(s, "%s%d", i ? " " : ",chosen ", r->chosen[i]);
    for (size_t i = 0; i < r->n_variants; i++)
        ADD(s, "%s%d", i ? " " : ",variants ", r->variants[i]);
    for (size_t i = 0; i < r->windows_bytes; i++)
        ADD(s, "%s%02x", i ? "" : ",windows ", ((const unsigned char *)r->windows)[i]);
    assert_int_equal(r->windows == NULL, r->windows_bytes == 0);
    ADD(s, ";");
    return end_row(s);
}

static void test_store_rows__layers(void **state)
{
    static const int32_t chosen[] = {0, 7, 2147483647}, variants[] = {31, -1, -2147483647 - 1};
    const bsr_layer_row rows[2] = {
        {1,         5,  "conv 'x'", "Conv", "fp32",   2, 32,       3, 9,  16, 27, 81,
         INT64_MAX, 12, chosen,     3,      variants, 3, "\0\377", 2, 13, 14, 15},
        {0,         4, "",   "Gemm", "int8", 0, 8,    0, 0, 0, 0, 0,
         INT64_MIN, 0, NULL, 0,      chosen, 1, NULL, 0, 0, 0, 0},
    };
    assert_int_equal(bsr_store_put_layer(store, &rows[0]), BSR_OK);
    assert_int_equal(bsr_store_put_layer(store, &rows[1]), BSR_OK);
    seen s = {.rows = 0};
    assert_int_equal(bsr_store_layers(store, see_layer, &s), BSR_OK);
    assert_string_equal(s.text,
                        "0,4,,Gemm,int8,0,8,0,0,0,0,0,-9223372036854775808,0,0,0,0,variants 0;"
                        "1,5,conv 'x',Conv,fp32,2,32,3,9,16,27,81,9223372036854775807,12,13,14,15,"
                        "chosen 0 7 2147483647,variants 31 -1 -2147483648,windows 00ff;");
    assert_string_equal(direct_sql(path, "SELECT chosen FROM layer WHERE number = 5"),
                        "[0,7,2147483647]");
    assert_string_equal(direct_sql(path, "SELECT chosen FROM layer WHERE number = 4"), "[]");
}

/* People may edit; what cannot be read is damage, with the place. */
static void test_store_rows__broken_array(void **state)
{
    static const char *const broken[] = {
        "",    "[",    "[1",   "[1,]",  "[1 2]",        "1",
        "[a]", "[1]x", "[[]]", "[1.5]", "[2147483648]", "[99999999999999999999]"};
    bsr_layer_row row = {.name = "", .op = "", .format = ""};
    assert_int_equal(bsr_store_put_layer(store, &row), BSR_OK);
    for (size_t i = 0; i < sizeof broken / sizeof *broken; i++) {
        char sql[100];
        snprintf(sql, sizeof sql, "UPDATE layer SET variants = '%s'", broken[i]);
        direct_sql(path, sql);
        seen s = {.rows = 0};
        assert_fails(bsr_store_layers(store, see_layer, &s), BSR_EFORMAT,
                     "/run.db' is damaged: a layer.variants is not an array of whole numbers");
        assert_int_equal(s.rows, 0);
    }
    direct_sql(path, "UPDATE layer SET variants = '[ 1, -2]'");
    seen s = {.rows = 0};
    assert_int_equal(bsr_store_layers(store, see_layer, &s), BSR_OK);
    assert_non_null(strstr(s.text, "variants 1 -2;"));
}

static bsr_status see_stratum(void *ctx, const bsr_stratum_row *r)
{
    ADD((seen *)ctx, "%d %d %d %d %d %g;", (int)r->id, (int)r->layer, (int)r->variant,
        (int)r->population, (int)r->planned, r->p);
    return end_row(ctx);
}

static bsr_status see_listed(void *ctx, const bsr_listed_row *r)
{
    ADD((seen *)ctx, "%d %d %d %d %d %d;", (int)r->fault, (int)r->layer, (int)r->element,
        (int)r->pixel, (int)r->keep, (int)r->flip);
    return end_row(ctx);
}

static void test_store_rows__strata_and_lists(void **state)
{
    const bsr_stratum_row strata[] = {
        {1, -1, -1, 10, 5, 0.25}, {0, 3, 4, 7, 7, 0}, {1, 0, -1, 9, 6, NAN}};
    for (int i = 0; i < 3; i++)
        assert_int_equal(bsr_store_put_stratum(store, &strata[i]), BSR_OK);
    seen s = {.rows = 0};
    assert_int_equal(bsr_store_strata(store, see_stratum, &s), BSR_OK);
    assert_string_equal(s.text, "0 3 4 7 7 0;1 0 -1 9 6 nan;");

    const bsr_listed_row list[] = {{1, 2, 3, 4, 5, 6}, {0, 0, 9, -1, -1, 128}};
    assert_int_equal(bsr_store_put_listed(store, list, 2), BSR_OK);
    s = (seen){.rows = 0};
    assert_int_equal(bsr_store_listed(store, see_listed, &s), BSR_OK);
    assert_string_equal(s.text, "0 0 9 -1 -1 128;1 2 3 4 5 6;");
}

static bsr_status see_fault(void *ctx, const bsr_fault_row *r)
{
    seen *s = ctx;
    ADD(s, "%lld: %d %d %d %d %d %d %d %g", (long long)r->fault, (int)r->pairs, (int)r->masked,
        (int)r->critical, (int)r->due, (int)r->sdc, (int)r->top5, (int)r->correct, r->sse);
    assert_int_equal(r->critical_images == NULL, r->critical_bytes == 0);
    for (size_t i = 0; i < r->critical_bytes; i++)
        ADD(s, " %02x", ((const unsigned char *)r->critical_images)[i]);
    ADD(s, ";");
    return end_row(s);
}

static void test_store_rows__faults(void **state)
{
    const bsr_fault_row rows[] = {
        {(int64_t)1 << 62, 100, 1, 2, 3, 4, 5, 6, 0.1, "\1\0\200", 3},
        {7, 1, 0, 0, 0, 0, 0, 1, INFINITY, NULL, 0},
        {5, 100, -1, -1, -1, -1, -1, -1, NAN, "x", 0},
        {6, 100, 100, 0, 0, 0, 0, 91, 0, NULL, 0},
    };
    assert_int_equal(bsr_store_put_answers(store, &(bsr_answers){.faults = rows, .n_faults = 4}),
                     BSR_OK);
    assert_int_equal(count(store), 4);
    seen s = {.rows = 0};
    assert_int_equal(bsr_store_faults(store, 0, INT64_MAX, see_fault, &s), BSR_OK);
    assert_string_equal(s.text, "5: 100 -1 -1 -1 -1 -1 -1 nan;6: 100 100 0 0 0 0 91 0;"
                                "7: 1 0 0 0 0 0 1 inf;"
                                "4611686018427387904: 100 1 2 3 4 5 6 0.1 01 00 80;");
    s = (seen){.rows = 0};
    assert_int_equal(bsr_store_faults(store, 6, 7, see_fault, &s), BSR_OK);
    assert_string_equal(s.text, "6: 100 100 0 0 0 0 91 0;");
    s = (seen){.stop_after = 1};
    assert_int_equal(bsr_store_faults(store, 6, 8, see_fault, &s), BSR_ECANCELLED);
    assert_int_equal(s.rows, 1);

    assert_string_equal(direct_sql(path, "SELECT typeof(masked) || typeof(sse) ||"
                                         " typeof(critical_images) FROM fault WHERE fault = 5"),
                        "nullnullnull");
    assert_string_equal(direct_sql(path, "SELECT sse = 0.1 FROM fault WHERE critical = 2"), "1");

    /* An answer again replaces. */
    bsr_fault_row again = {7, 2, 0, 0, 0, 0, 0, 1, 4, NULL, 0};
    assert_int_equal(bsr_store_put_answers(store, &(bsr_answers){.faults = &again, .n_faults = 1}),
                     BSR_OK);
    s = (seen){.rows = 0};
    assert_int_equal(bsr_store_faults(store, 7, 8, see_fault, &s), BSR_OK);
    assert_string_equal(s.text, "7: 2 0 0 0 0 0 1 4;");
}

static bsr_status see_masking(void *ctx, const bsr_masking_row *r)
{
    ADD((seen *)ctx, "%d %d %lld;", (int)r->layer, (int)r->at, (long long)r->pairs);
    return end_row(ctx);
}

static void test_store_rows__maskings_add_up(void **state)
{
    const bsr_masking_row first[] = {{1, 2, 10}, {0, 5, 1}},
                          second[] = {{1, 2, 7}, {1, 2, 3}, {0, 0, 1}};
    assert_int_equal(
        bsr_store_put_answers(store, &(bsr_answers){.maskings = first, .n_maskings = 2}), BSR_OK);
    assert_int_equal(
        bsr_store_put_answers(store, &(bsr_answers){.maskings = second, .n_maskings = 3}), BSR_OK);
    seen s = {.rows = 0};
    assert_int_equal(bsr_store_maskings(store, see_masking, &s), BSR_OK);
    assert_string_equal(s.text, "0 0 1;0 5 1;1 2 20;");
}

static bsr_status see_chip(void *ctx, const bsr_chip_row *r)
{
    ADD((seen *)ctx, "%d %d %g %g %d %d %d %d %d %d %d %d %g;", (int)r->point, (int)r->run, r->ber,
        r->ber01, (int)r->weight_flips, (int)r->activation_flips, (int)r->images, (int)r->correct,
        (int)r->critical, (int)r->due, (int)r->sdc, (int)r->top5, r->sse);
    return end_row(ctx);
}

static void test_store_rows__chips(void **state)
{
    const bsr_chip_row rows[] = {{1, 0, 1e-3, 2e-3, 1, 2, 3, 4, 5, 6, 7, 8, NAN},
                                 {0, 1, 1e-300, 0, 10, 0, 0, 0, 0, 0, 0, 0, -INFINITY},
                                 {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0}};
    assert_int_equal(bsr_store_put_chips(store, rows, 3), BSR_OK);
    seen s = {.rows = 0};
    assert_int_equal(bsr_store_chips(store, see_chip, &s), BSR_OK);
    assert_string_equal(s.text, "0 0 0 0 0 0 0 0 0 0 0 0 0;0 1 1e-300 0 10 0 0 0 0 0 0 0 -inf;"
                                "1 0 0.001 0.002 1 2 3 4 5 6 7 8 nan;");
}

static bsr_status see_score(void *ctx, const bsr_score_row *r)
{
    ADD((seen *)ctx, "%d %d %g %d %d %d %d %d;", (int)r->layer, (int)r->channel, r->vf,
        (int)r->targets, (int)r->skipped, (int)r->single, (int)r->simulations, (int)r->evaluations);
    return end_row(ctx);
}

static void test_store_rows__scores(void **state)
{
    const bsr_score_row rows[] = {{1, 0, 0.25, 1, 2, 3, 4, 5},
                                  {0, 7, NAN, 9, 8, 7, 6, 5},
                                  {0, 3, 0, 0, 0, 0, 0, 0},
                                  {1, 0, 0.5, 1, 1, 1, 1, 1}}; /* in place of the first */
    seen s = {.rows = 0};
    assert_int_equal(bsr_store_scores(store, see_score, &s), BSR_OK);
    assert_string_equal(s.text, "");
    assert_int_equal(bsr_store_put_scores(store, rows, 4), BSR_OK);
    assert_int_equal(bsr_store_scores(store, see_score, &s), BSR_OK);
    assert_string_equal(s.text, "0 3 0 0 0 0 0 0;0 7 nan 9 8 7 6 5;1 0 0.5 1 1 1 1 1;");
}

static void test_store_rows__values(void **state)
{
    const bsr_value_row rows[] = {
        {0, 1, 2, 0.1}, {0, 1, 3, -INFINITY}, {0, 2, 2, NAN}, {1, 1, 2, -0.0}};
    double value;
    assert_int_equal(bsr_store_put_values(store, rows, 4), BSR_OK);
    const double want[] = {0.1, -INFINITY, NAN, 0.0};
    for (int i = 0; i < 4; i++) {
        assert_int_equal(
            bsr_store_value(store, rows[i].layer, rows[i].element, rows[i].pixel, &value), BSR_OK);
        assert_true(isnan(want[i]) ? isnan(value) : value == want[i]);
    }
    assert_false(signbit(value)); /* as store.h says */
    assert_int_equal(bsr_store_value(store, 9, 1, 2, &value), BSR_OK);
    assert_true(isnan(value));
}

static bsr_status see_session(void *ctx, const bsr_session_row *r)
{
    ADD((seen *)ctx, "%s %s %s %s %d %g %g %g %d %d %g;", r->started, r->version, r->cpu,
        r->cpu_brand, (int)r->threads, r->seconds, r->golden_seconds, r->forward_seconds,
        (int)r->evaluations, (int)r->injections, r->forward_equivalents);
    return end_row(ctx);
}

static void test_store_rows__sessions(void **state)
{
    bsr_session_row row = {"2026-01-02T03:04:05Z", "0.1.0", "avx2", "CPU", 2, 0, 0, 0, 0, 0, 0};
    int64_t first, second;
    assert_int_equal(bsr_store_add_session(store, &row, &first), BSR_OK);
    assert_int_equal(bsr_store_add_session(store, &row, &second), BSR_OK);
    assert_true(first != second);
    row.seconds = 1.5, row.golden_seconds = 0.25, row.forward_seconds = 1e-3;
    row.evaluations = 6, row.injections = 7, row.forward_equivalents = 8.5;
    assert_int_equal(bsr_store_update_session(store, first, &row), BSR_OK);
    seen s = {.rows = 0};
    assert_int_equal(bsr_store_sessions(store, see_session, &s), BSR_OK);
    assert_string_equal(s.text, "2026-01-02T03:04:05Z 0.1.0 avx2 CPU 2 1.5 0.25 0.001 6 7 8.5;"
                                "2026-01-02T03:04:05Z 0.1.0 avx2 CPU 2 0 0 0 0 0 0;");
    assert_fails(bsr_store_update_session(store, 99, &row), BSR_ENOTFOUND,
                 "/run.db' has no session 99");
    row.cpu = NULL;
    assert_fails(bsr_store_update_session(store, first, &row), BSR_EINVAL,
                 "NOT NULL constraint failed: session.cpu");
    assert_fails(bsr_store_add_session(store, &row, &first), BSR_EINVAL,
                 "NOT NULL constraint failed: session.cpu");
}

/* A batch whose last row cannot be taken leaves nothing behind, in a plan and after it. */
static void test_store_rows__all_or_nothing(void **state)
{
    bsr_store *plan;
    const char *plan_path = temp_path("plan.db");
    assert_int_equal(bsr_store_create(&plan, plan_path), BSR_OK);
    bsr_store *const stores[] = {plan, store};
    for (int i = 0; i < 2; i++) {
        assert_int_equal(put_batch(stores[i], 0, 10), BSR_OK);
        assert_int_equal(bsr_store_exec(stores[i], "CREATE UNIQUE INDEX extra ON masking(pairs)"),
                         BSR_OK);
        bsr_fault_row row = {.fault = 77};
        bsr_masking_row maskings[] = {{1, 2, 50}, {1, 1, 10}}; /* 10 is there */
        assert_fails(bsr_store_put_answers(stores[i], &(bsr_answers){.faults = &row,
                                                                     .n_faults = 1,
                                                                     .maskings = maskings,
                                                                     .n_maskings = 2}),
                     BSR_EINVAL, "cannot take the row: UNIQUE constraint failed: masking.pairs");
        assert_int_equal(assert_whole_batches(stores[i], 10), 1);
        assert_int_equal(put_batch(stores[i], 1, 10), BSR_OK);
    }
    assert_int_equal(bsr_store_commit_plan(plan), BSR_OK);
    assert_int_equal(bsr_store_commit_plan(plan), BSR_OK);
    assert_int_equal(assert_whole_batches(plan, 10), 2);
    bsr_store_close(plan);
}

static void test_store_rows__in_memory(void **state)
{
    bsr_store *memory;
    bsr_session_row no_cpu = {.started = "", .version = "", .cpu_brand = ""};
    int64_t id;
    assert_int_equal(bsr_store_create(&memory, NULL), BSR_OK);
    assert_int_equal(put_batch(memory, 0, 10), BSR_OK);
    assert_int_equal(bsr_store_commit_plan(memory), BSR_OK);
    assert_int_equal(put_batch(memory, 1, 10), BSR_OK);
    assert_fails(bsr_store_add_session(memory, &no_cpu, &id), BSR_EINVAL,
                 "'(memory)' cannot take the row: NOT NULL constraint failed: session.cpu");
    assert_int_equal(assert_whole_batches(memory, 10), 2);
    bsr_store_close(memory);
}

static void test_store_rows__reader_cannot_write(void **state)
{
    bsr_store *reader;
    int64_t id;
    bsr_session_row row = {"", "", "", "", 0, 0, 0, 0, 0, 0, 0};
    assert_int_equal(bsr_store_open(&reader, path, 0), BSR_OK);
    assert_fails(bsr_store_put_fact(reader, "a", "b"), BSR_EINVAL,
                 "/run.db' is open for reading only");
    assert_int_equal(put_batch(reader, 0, 2), BSR_EINVAL);
    assert_int_equal(bsr_store_add_session(reader, &row, &id), BSR_EINVAL);
    assert_int_equal(bsr_store_update_session(reader, 1, &row), BSR_EINVAL);
    assert_int_equal(bsr_store_put_chips(reader, NULL, 0), BSR_EINVAL);
    bsr_store_close(reader);
}

/* Creates, puts one of everything, opens, reads; all that allocates. */
static bsr_status whole_life(void)
{
    static const int32_t chosen[] = {1, 2};
    bsr_layer_row layer = {.name = "", .op = "", .format = "", .chosen = chosen, .n_chosen = 2};
    char *value = NULL;
    seen s = {.rows = 0};
    bsr_store *mine = NULL;
    const char *file = temp_path("other.db");
    unlink(file);
    bsr_status status = bsr_store_create(&mine, file);
    if (status == BSR_OK)
        status = bsr_store_put_fact(mine, "a", "b");
    if (status == BSR_OK)
        status = bsr_store_put_layer(mine, &layer);
    if (status == BSR_OK)
        status = bsr_store_commit_plan(mine);
    bsr_store_close(mine);
    mine = NULL;
    if (status != BSR_OK)
        assert_false(file_exists(file));
    if (status == BSR_OK)
        status = bsr_store_open(&mine, file, 1);
    if (status == BSR_OK)
        status = bsr_store_get_fact(mine, "a", &value);
    if (status == BSR_OK)
        status = bsr_store_layers(mine, see_layer, &s);
    bsr_free(value);
    bsr_store_close(mine);
    return status;
}

static void test_store_rows__no_memory(void **state)
{
    assert_survives_no_memory(whole_life());
    assert_alone(temp_path("other.db"));
}

#define TEST(name) cmocka_unit_test_setup_teardown(test_store_rows__##name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(facts),
        TEST(settings_in_order),
        TEST(layers),
        TEST(broken_array),
        TEST(strata_and_lists),
        TEST(faults),
        TEST(maskings_add_up),
        TEST(chips),
        TEST(scores),
        TEST(values),
        TEST(sessions),
        TEST(all_or_nothing),
        TEST(in_memory),
        TEST(reader_cannot_write),
        TEST(no_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
