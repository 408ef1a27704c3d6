/* The views for people: fault numbers taken apart, checked by hand. */
#include "unit/store/fixtures.h"

/* Two layers: the first has 2 sites of 2 variants; the second, of numbers 4 to 15, has the channels
 * 1 and 3 of 4, with outer = 1 and inner = 2 two sites each, and the variants of bits 7, 31 and
 * one without a bit. */
static void make_layers(const char *path, const char *transient_images, const bsr_fault_row *rows,
                        size_t n)
{
    static const int32_t channels1[] = {0, 1}, variants1[] = {0, 5}, channels2[] = {1, 3},
                         variants2[] = {7, 31, -1};
    const bsr_layer_row layers[] = {
        {.id = 0,
         .index = 2,
         .name = "conv1",
         .op = "Conv",
         .format = "fp32",
         .outer = 1,
         .inner = 1,
         .channels = 2,
         .per_channel = 1,
         .sites = 2,
         .population = 4,
         .first = 0,
         .chosen = channels1,
         .n_chosen = 2,
         .variants = variants1,
         .n_variants = 2},
        {.id = 1,
         .index = 3,
         .name = "fc",
         .op = "Gemm",
         .format = "int8",
         .outer = 1,
         .inner = 2,
         .channels = 4,
         .per_channel = 2,
         .sites = 4,
         .population = 12,
         .first = 4,
         .chosen = channels2,
         .n_chosen = 2,
         .variants = variants2,
         .n_variants = 3},
    };
    bsr_store *store;
    assert_int_equal(bsr_store_create(&store, path), BSR_OK);
    assert_int_equal(bsr_store_put_layer(store, &layers[0]), BSR_OK);
    assert_int_equal(bsr_store_put_layer(store, &layers[1]), BSR_OK);
    if (transient_images)
        assert_int_equal(
            bsr_store_put_fact(store, BSR_STORE_FACT_TRANSIENT_IMAGES, transient_images), BSR_OK);
    const bsr_listed_row listed[] = {{0, 1, 40, 41, -1, 8}, {1, 0, 50, 51, -1, 16}};
    assert_int_equal(bsr_store_put_listed(store, listed, 2), BSR_OK);
    assert_int_equal(bsr_store_put_answers(store, &(bsr_answers){.faults = rows, .n_faults = n}),
                     BSR_OK);
    assert_int_equal(bsr_store_commit_plan(store), BSR_OK);
    bsr_store_close(store);
}

#define OUTCOMES                                                                                   \
    "SELECT group_concat(concat, ' | ') FROM (SELECT fault || ' ' || layer || ' ' || number ||"    \
    " ' ' || name || ' ' || site || ' ' || channel || ' ' || element || ' ' || variant || ' ' ||"  \
    " ifnull(bit, '-') || ' ' || ifnull(image, '-') || ' ' || critical AS concat FROM outcome)"

static void test_store_views__permanent(void **state)
{
    const char *path = temp_path("run.db");
    const bsr_fault_row rows[] = {
        {.fault = 0, .critical = 9}, {.fault = 3}, {.fault = 4}, {.fault = 12}, {.fault = 15}};
    make_layers(path, NULL, rows, 5);
    /* 12 = 4 + 2 * 3 + 2: site 2, the first of channel 3, (0 * 4 + 3) * 2 + 0 = element 6. */
    assert_string_equal(direct_sql(path, OUTCOMES), "0 0 2 conv1 0 0 0 0 0 - 9 | "
                                                    "3 0 2 conv1 1 1 1 1 5 - 0 | "
                                                    "4 1 3 fc 0 1 2 0 7 - 0 | "
                                                    "12 1 3 fc 2 3 6 2 - - 0 | "
                                                    "15 1 3 fc 3 3 7 2 - - 0");
}

static void test_store_views__transient(void **state)
{
    const char *path = temp_path("run.db");
    const bsr_fault_row rows[] = {{.fault = 31}, {.fault = 49}, {.fault = 159}};
    make_layers(path, "10", rows, 3);
    /* Ten images: fault 3 on image 1; fault 4 on image 9; fault 15 on image 9. */
    assert_string_equal(direct_sql(path, OUTCOMES), "31 0 2 conv1 1 1 1 1 5 1 0 | "
                                                    "49 1 3 fc 0 1 2 0 7 9 0 | "
                                                    "159 1 3 fc 3 3 7 2 - 9 0");
}

static void test_store_views__listed(void **state)
{
    static const char *const sql =
        "SELECT group_concat(concat, ' | ') FROM (SELECT fault || ' ' || layer || ' ' || number ||"
        " ' ' || name || ' ' || element || ' ' || pixel || ' ' || flip || ' ' || ifnull(image, '-')"
        " || ' ' || critical AS concat FROM listed_outcome)";
    const char *path = temp_path("run.db");
    const bsr_fault_row rows[] = {{.fault = 0, .critical = 1}, {.fault = 1, .critical = 2}};
    make_layers(path, NULL, rows, 2);
    assert_string_equal(direct_sql(path, sql), "0 1 3 fc 40 41 8 - 1 | 1 0 2 conv1 50 51 16 - 2");

    const bsr_fault_row transient[] = {{.fault = 2}, {.fault = 4}};
    path = temp_path("transient.db");
    make_layers(path, "3", transient, 2);
    assert_string_equal(direct_sql(path, sql), "2 1 3 fc 40 41 8 2 0 | 4 0 2 conv1 50 51 16 1 0");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_store_views__permanent, temp_setup, temp_teardown),
        cmocka_unit_test_setup_teardown(test_store_views__transient, temp_setup, temp_teardown),
        cmocka_unit_test_setup_teardown(test_store_views__listed, temp_setup, temp_teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
