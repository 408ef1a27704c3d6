#include "unit/campaign/run_fixture.h"

#include <math.h>

static const char *put_half(int complete)
{
    /* Of 36 faults 2, in layer 0: fault 0 critical in 2 images of 10, fault 3 in none. */
    static const unsigned char two[] = {0x81, 0};
    const bsr_fault_row rows[] = {{0, 10, 1, 2, 0, 2, 0, 5, 1, two, 2},
                                  {.fault = 3, .pairs = 10, .masked = 4, .correct = 10}};
    bsr_record r;
    bsr_run_options o = BSR_RUN_OPTIONS_INIT;
    o.plan = "random:2";
    make_record(&r, &o, 0);
    r.complete = complete;
    return put_run("run", &r, rows, 2);
}

static const char *put_sweep(void)
{
    bsr_record r;
    bsr_run_options o = BSR_RUN_OPTIONS_INIT;
    fill_record(&r, &o, 0);
    strcpy(r.command, "sweep");
    return put_run("run", &r, NULL, 0);
}

static void test_campaign_show__kind(void **state)
{
    char command[16];
    int complete;
    const char *path = put_half(1);
    assert_int_equal(bsr_run_kind(path, command, &complete), BSR_OK);
    assert_string_equal(command, "inject");
    assert_int_equal(complete, 1);
    remove(path);
    path = put_half(0);
    assert_int_equal(bsr_run_kind(path, command, &complete), BSR_OK);
    assert_int_equal(complete, 0);
    remove(path);
    path = put_sweep();
    assert_int_equal(bsr_run_kind(path, command, &complete), BSR_OK);
    assert_string_equal(command, "sweep");
    remove(path);

    assert_fails(bsr_run_kind(temp_path("none"), command, &complete), BSR_ENOTFOUND, "none");
    make_run(temp_path("bare"));
    assert_fails(bsr_run_kind(temp_path("bare"), command, &complete), BSR_EFORMAT,
                 "bare' has no fact 'command': not a whole run");
}

typedef struct seen {
    char text[100];
    int most;
} seen;

static bsr_status note(void *ctx, const char *name, const char *value)
{
    seen *s = ctx;
    size_t n = strlen(s->text);
    snprintf(s->text + n, sizeof s->text - n, "%s=%s;", name, value);
    return --s->most ? BSR_OK : BSR_ECANCELLED;
}

static void test_campaign_show__settings(void **state)
{
    const char *path = put_half(1);
    seen s = {.most = -1};
    assert_int_equal(bsr_run_settings(path, note, &s), BSR_OK);
    assert_string_equal(s.text, "model=m.onnx;seed=3;");
    s = (seen){.most = 1};
    assert_int_equal(bsr_run_settings(path, note, &s), BSR_ECANCELLED);
    assert_string_equal(s.text, "model=m.onnx;");
    assert_int_equal(bsr_run_settings(temp_path("none"), note, &s), BSR_ENOTFOUND);
    remove(path);
}

static void test_campaign_show__result(void **state)
{
    bsr_result *r;
    const char *path = put_half(1);
    assert_int_equal(bsr_run_result(&r, path, NULL), BSR_OK);
    assert_string_equal(r->command, "inject");
    assert_int_equal(r->total.pairs, 20);
    assert_int_equal(r->total.critical, 2);
    assert_int_equal(r->total.masked, 5);
    assert_int_equal(r->planned, 2);
    assert_true(fabs(r->mvf.value - 0.1) < 1e-12);
    assert_true(r->confidence == 0.95);
    assert_int_equal(r->layers[0].n_channels, 0);
    double width = r->mvf.hi - r->mvf.lo;
    bsr_result_free(r);

    bsr_run_options o = BSR_RUN_OPTIONS_INIT;
    o.confidence = 0.5;
    o.per_channel = 1;
    assert_int_equal(bsr_run_result(&r, path, &o), BSR_OK);
    assert_true(r->confidence == 0.5);
    assert_true(r->mvf.hi - r->mvf.lo < width);
    assert_int_equal(r->layers[0].n_channels, 2);
    bsr_result_free(r);

    o.version = 1;
    assert_fails(bsr_run_result(&r, path, &o), BSR_EINVAL, "run options have version 1");
    remove(path);
    path = put_sweep();
    assert_fails(bsr_run_result(&r, path, NULL), BSR_EINVAL, "run' holds a sweep");
    assert_null(r);
    direct_sql(path, "DELETE FROM fact WHERE name = 'classes'");
    assert_fails(bsr_run_result(&r, path, NULL), BSR_EFORMAT, "run': ", "no fact 'classes'");
    remove(path);
}

static bsr_status show_once(const char *path)
{
    bsr_result *r;
    char command[16];
    int complete;
    bsr_status status = bsr_run_kind(path, command, &complete);
    if (status == BSR_OK)
        status = bsr_run_result(&r, path, NULL);
    if (status == BSR_OK)
        bsr_result_free(r);
    return status;
}

static void test_campaign_show__no_memory(void **state)
{
    const char *path = put_half(1);
    assert_survives_no_memory(show_once(path));
    remove(path);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_campaign_show__kind),
        cmocka_unit_test(test_campaign_show__settings),
        cmocka_unit_test(test_campaign_show__result),
        cmocka_unit_test(test_campaign_show__no_memory),
    };
    return cmocka_run_group_tests(tests, temp_setup, temp_teardown);
}
