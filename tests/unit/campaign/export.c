#include "unit/campaign/run_fixture.h"

#include <math.h>

#define COUNT_OF(a) (sizeof(a) / sizeof *(a))

#define HEAD                                                                                       \
    "layer,name,op,element,pixel,channel,bit,keep,flip,image,pairs,masked,benign,critical,due,"    \
    "sdc,"                                                                                         \
    "top5,correct,rmse\n"

/* Where faults 0, 3, 22 and 35 are: tests/unit/campaign/run_fixture.h and a pencil. */
static const unsigned char three[] = {0x0d, 0x00};
static const bsr_fault_row rows[] = {
    {.fault = 0, .pairs = 10, .masked = 10, .correct = 9},
    /* sqrt(80 / 10 pairs / 4 classes) */
    {3, 10, 4, 3, 0, 3, 2, 6, 80, three, 2},
    {22, 10, 0, 3, 10, 0, 10, 0, 0, three, 2},
    {.fault = 35, .pairs = 10, .sse = 10, .correct = 10},
};

static const char csv[] =
    HEAD "0,conv1,Conv,0,,0,0,0xff,0x01,,10,10,0,0,0,0,0,9,0\n"
         "0,conv1,Conv,1,,0,7,0xff,0x80,,10,4,3,3,0,3,2,6,1.4142135623730951\n"
         "2,\"fc, \"\"last\"\"\",Gemm,4,,1,0,0xff,0x01,,10,0,7,3,10,0,10,0,\n"
         "2,\"fc, \"\"last\"\"\",Gemm,11,,2,7,0xff,0x80,,10,0,10,0,0,0,0,10,0.5\n";

static const char *put_known(void)
{
    bsr_record r;
    bsr_run_options o = BSR_RUN_OPTIONS_INIT;
    make_record(&r, &o, 0);
    return put_run("run", &r, rows, COUNT_OF(rows));
}

static void clean(void)
{
    remove(temp_path("run"));
    remove(temp_path("out"));
}

static void assert_exports(const char *path, bsr_export_form form, const char *expected)
{
    const char *to = temp_path("out");
    assert_int_equal(bsr_run_export(path, form, to), BSR_OK);
    char *text = read_text(to);
    assert_string_equal(text, expected);
    bsr_free(text);
}

static void test_campaign_export__csv(void **state)
{
    const char *path = put_known();
    assert_exports(path, BSR_EXPORT_CSV, csv);
    /* SQLite by itself finds the same. */
    assert_string_equal(direct_sql(path, "SELECT sum(critical) || ' ' || count(*) FROM fault"),
                        "6 4");
    clean();
}

static void test_campaign_export__json(void **state)
{
    const char *path = put_known();
    const char *to = temp_path("out");
    assert_int_equal(bsr_run_export(path, BSR_EXPORT_JSON, to), BSR_OK);
    char *text = read_text(to);
    const char *second = "[\n{\"layer\": 0, \"name\": \"conv1\", \"op\": \"Conv\", \"element\": 0, "
                         "\"pixel\": null, \"channel\": 0, \"bit\": 0, \"keep\": \"0xff\", "
                         "\"flip\": \"0x01\", \"image\": null, \"pairs\": 10, \"masked\": 10, "
                         "\"benign\": 0, \"critical\": 0, \"due\": 0, \"sdc\": 0, \"top5\": 0, "
                         "\"correct\": 9, \"rmse\": 0},\n{\"layer\": 0, ";
    assert_memory_equal(text, second, strlen(second));
    assert_non_null(strstr(text, "\"name\": \"fc, \\\"last\\\"\""));
    assert_non_null(strstr(text, "\"correct\": 0, \"rmse\": null},\n"));
    assert_string_equal(strstr(text, "\"rmse\": 0.5"), "\"rmse\": 0.5}\n]\n");
    bsr_free(text);
    clean();
}

static void test_campaign_export__odd_names(void **state)
{
    static const struct {
        const char *name, *csv, *json;
    } cases[] = {
        {"a\tb\n", "\"a\tb\n\"", "\"a\\u0009b\\u000a\""},
        {"\xc3\xa9\xff\xe0\x80z", "\xc3\xa9\xff\xe0\x80z", "\"\xc3\xa9???z\""},
        {"\xf0\x9f\x98\x80\\", "\xf0\x9f\x98\x80\\", "\"\xf0\x9f\x98\x80\\\\\""},
        {"\xed\xa0\x80\xf4\x90\x80\x80", "\xed\xa0\x80\xf4\x90\x80\x80", "\"???????\""},
        {"", "", "\"\""},
    };
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        bsr_record r;
        bsr_run_options o = BSR_RUN_OPTIONS_INIT;
        char expected[300];
        make_record(&r, &o, 0);
        bsr_free(r.spaces.spaces[0].name);
        r.spaces.spaces[0].name = bsr_strdup(cases[i].name);
        const char *path = put_run("run", &r, rows, 1);
        snprintf(expected, sizeof expected, "%s0,%s,Conv,0,,0,0,0xff,0x01,,10,10,0,0,0,0,0,9,0\n",
                 HEAD, cases[i].csv);
        assert_exports(path, BSR_EXPORT_CSV, expected);
        assert_int_equal(bsr_run_export(path, BSR_EXPORT_JSON, temp_path("out")), BSR_OK);
        char *text = read_text(temp_path("out"));
        snprintf(expected, sizeof expected, "\"name\": %s, \"op\"", cases[i].json);
        assert_non_null(strstr(text, expected));
        bsr_free(text);
        clean();
    }
}

static void test_campaign_export__faults(void **state)
{
    const char *path = put_known();
    const char *to = temp_path("out");
    assert_int_equal(bsr_run_export(path, BSR_EXPORT_FAULTS, to), BSR_OK);
    char *text = read_text(to);
    const char *expected = "bitseer faults 1\ntarget weight\nformat\n0 0 - ff 1\n0 1 - ff 80\n"
                           "2 4 - ff 1\n2 11 - ff 80\nsha256 ";
    assert_memory_equal(text, expected, strlen(expected));
    bsr_free(text);

    bsr_fault_list list;
    bsr_spaces all;
    bsr_run_options o = BSR_RUN_OPTIONS_INIT;
    make_spaces(&all, 8);
    assert_int_equal(bsr_fault_list_read(&list, to, &all, &o), BSR_OK);
    assert_int_equal(list.n, 4);
    bsr_fault_list_clear(&list);
    bsr_spaces_clear(&all);
    clean();
}

static void test_campaign_export__transient(void **state)
{
    static const unsigned char one = 1;
    /* Fault 3 in image 7. */
    const bsr_fault_row row = {37, 1, 0, 1, 0, 1, 0, 0, 16, &one, 1};
    bsr_record r;
    bsr_run_options o = BSR_RUN_OPTIONS_INIT;
    o.transient = 1;
    make_record(&r, &o, 0);
    const char *path = put_run("run", &r, &row, 1);
    assert_exports(path, BSR_EXPORT_CSV,
                   HEAD "0,conv1,Conv,1,,0,7,0xff,0x80,7,1,0,0,1,0,1,0,0,2\n");
    assert_fails(bsr_run_export(path, BSR_EXPORT_FAULTS, temp_path("list")), BSR_EINVAL,
                 "holds transient faults");
    assert_false(file_exists(temp_path("list")));
    clean();
}

static void test_campaign_export__rays(void **state)
{
    const bsr_fault_row row = {3, 10, -1, 3, -1, -1, -1, -1, NAN, three, 2};
    bsr_record r;
    bsr_run_options o = BSR_RUN_OPTIONS_INIT;
    make_record(&r, &o, 1);
    const char *path = put_run("run", &r, &row, 1);
    assert_exports(path, BSR_EXPORT_CSV, HEAD "0,conv1,Conv,1,,0,7,0xff,0x80,,10,,,3,,,,,\n");
    clean();
}

static void test_campaign_export__listed(void **state)
{
    const bsr_fault_row row = {.fault = 1, .pairs = 10, .correct = 1};
    bsr_record r;
    bsr_run_options o = BSR_RUN_OPTIONS_INIT;
    fill_record(&r, &o, 0);
    make_spaces(&r.spaces, 8);
    r.list.n = 2;
    r.list.faults = bsr_calloc_array(2, sizeof *r.list.faults);
    r.list.faults[0] = (bsr_listed){0, 5, -1, {0xf0, 0x0a}};
    r.list.faults[1] = (bsr_listed){1, 7, -1, {0x7f, 0x80}};
    bsr_fault_list_apply(&r.list, &r.spaces);
    assert_int_equal(bsr_design_init(&r.design, &r.spaces, &o, 0, IMAGES), BSR_OK);
    const char *path = put_run("run", &r, &row, 1);
    assert_exports(path, BSR_EXPORT_CSV,
                   HEAD "2,\"fc, \"\"last\"\"\",Gemm,7,,1,,0x7f,0x80,,10,0,10,"
                        "0,0,0,0,1,0\n");
    clean();
}

/* Codes that were drawn from the run's seed come back. */
static void test_campaign_export__random_codes(void **state)
{
    bsr_record r;
    bsr_run_options o = BSR_RUN_OPTIONS_INIT;
    o.fault = "random";
    fill_record(&r, &o, 0);
    make_spaces(&r.spaces, 32);
    for (int i = 0; i < 2; i++) {
        r.spaces.spaces[i].n_variants = 1;
        r.spaces.spaces[i].variants[0] = -1;
    }
    r.spaces.sites = r.spaces.population = 0;
    for (int i = 0; i < 2; i++)
        assert_int_equal(bsr_space_finish(&r.spaces, &r.spaces.spaces[i]), BSR_OK);
    r.seed = 77;
    design_record(&r, &o, 0);
    bsr_fault_model with_seed = {.kind = BSR_FAULT_RANDOM, .seed = 77};
    bsr_change change = bsr_fault_change(&with_seed, 32, -1, 0, 3);
    const bsr_fault_row row = {.fault = 3, .pairs = 10, .correct = 9};
    const char *path = put_run("run", &r, &row, 1);
    char expected[300];
    snprintf(expected, sizeof expected,
             HEAD "0,conv1,Conv,3,,1,,0x00000000,0x%08x,,10,0,10,0,0,0,0,9,0\n",
             (unsigned)change.flip);
    assert_exports(path, BSR_EXPORT_CSV, expected);
    clean();
}

static void test_campaign_export__patterns(void **state)
{
    const bsr_chip_row chips[] = {{0, 0, 1e-5, 1e-5, 3, 4, 10, 9, 1, 0, 1, 0, 40},
                                  {0, 1, 1e-5, 1e-5, 5, 0, 10, 2, 8, 10, 0, 8, 0}};
    bsr_record r;
    bsr_store *store;
    bsr_run_options o = BSR_RUN_OPTIONS_INIT;
    const char *path = temp_path("run");
    fill_record(&r, &o, 0);
    strcpy(r.command, "sweep");
    assert_int_equal(bsr_store_create(&store, path), BSR_OK);
    assert_int_equal(bsr_record_write(store, &r), BSR_OK);
    assert_int_equal(bsr_store_put_chips(store, chips, 2), BSR_OK);
    bsr_store_close(store);
    bsr_record_clear(&r);
    assert_exports(path, BSR_EXPORT_CSV,
                   "point,run,ber,weight_flips,activation_flips,images,correct,critical,due,sdc,"
                   "top5,rmse\n"
                   "0,0,1e-05,3,4,10,9,1,0,1,0,1\n"
                   "0,1,1e-05,5,0,10,2,8,10,0,8,\n");
    assert_exports(path, BSR_EXPORT_JSON,
                   "[\n{\"point\": 0, \"run\": 0, \"ber\": 1e-05, \"weight_flips\": 3, "
                   "\"activation_flips\": 4, \"images\": 10, \"correct\": 9, \"critical\": 1, "
                   "\"due\": 0, \"sdc\": 1, \"top5\": 0, \"rmse\": 1},\n"
                   "{\"point\": 0, \"run\": 1, \"ber\": 1e-05, \"weight_flips\": 5, "
                   "\"activation_flips\": 0, \"images\": 10, \"correct\": 2, \"critical\": 8, "
                   "\"due\": 10, \"sdc\": 0, \"top5\": 8, \"rmse\": null}\n]\n");
    assert_fails(bsr_run_export(path, BSR_EXPORT_FAULTS, temp_path("out")), BSR_EINVAL,
                 "holds error patterns");
    clean();
}

static void test_campaign_export__empty(void **state)
{
    bsr_record r;
    bsr_run_options o = BSR_RUN_OPTIONS_INIT;
    make_record(&r, &o, 0);
    const char *path = put_run("run", &r, NULL, 0);
    assert_exports(path, BSR_EXPORT_CSV, HEAD);
    assert_exports(path, BSR_EXPORT_JSON, "[]\n");
    assert_fails(bsr_run_export(path, BSR_EXPORT_FAULTS, temp_path("list")), BSR_EINVAL,
                 "has no answer yet");
    clean();
}

static void test_campaign_export__failures(void **state)
{
    const char *path = put_known();
    assert_fails(bsr_run_export(temp_path("none"), BSR_EXPORT_CSV, NULL), BSR_ENOTFOUND, "none");
    assert_fails(bsr_run_export(path, BSR_EXPORT_CSV, temp_path("none/out")), BSR_ENOTFOUND,
                 "none/out");
    assert_fails(bsr_run_export(path, BSR_EXPORT_CSV, "/dev/full"), BSR_EIO, "/dev/full");
    assert_fails(bsr_run_export(path, (bsr_export_form)3, NULL), BSR_EINVAL, "export form 3");
    /* A fault beyond the population: what was there stays, and nothing lies about. */
    assert_int_equal(bsr_run_export(path, BSR_EXPORT_CSV, temp_path("out")), BSR_OK);
    direct_sql(path, "INSERT INTO fault SELECT 36, pairs, masked, critical, due, sdc, top5, "
                     "correct, sse, critical_images FROM fault WHERE fault = 0");
    assert_fails(bsr_run_export(path, BSR_EXPORT_CSV, temp_path("out")), BSR_EFORMAT,
                 "fault 36 of the database is impossible");
    char *text = read_text(temp_path("out"));
    assert_string_equal(text, csv);
    bsr_free(text);
    assert_int_equal(count_files(), 2);
    clean();
}

static void test_campaign_export__no_memory(void **state)
{
    const char *path = put_known();
    for (int form = BSR_EXPORT_CSV; form <= BSR_EXPORT_FAULTS; form++)
        assert_survives_no_memory(bsr_run_export(path, (bsr_export_form)form, temp_path("out")));
    clean();
    assert_int_equal(count_files(), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_campaign_export__csv),
        cmocka_unit_test(test_campaign_export__json),
        cmocka_unit_test(test_campaign_export__odd_names),
        cmocka_unit_test(test_campaign_export__faults),
        cmocka_unit_test(test_campaign_export__transient),
        cmocka_unit_test(test_campaign_export__rays),
        cmocka_unit_test(test_campaign_export__listed),
        cmocka_unit_test(test_campaign_export__random_codes),
        cmocka_unit_test(test_campaign_export__patterns),
        cmocka_unit_test(test_campaign_export__empty),
        cmocka_unit_test(test_campaign_export__failures),
        cmocka_unit_test(test_campaign_export__no_memory),
    };
    return cmocka_run_group_tests(tests, temp_setup, temp_teardown);
}
