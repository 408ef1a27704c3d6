/* Files that are no run, or not any more: EFORMAT, never a crash, and never a change of the file.
 */
#include "unit/store/fixtures.h"

static void *bytes;
static size_t n_bytes;

static void read_back(const char *path, const void *want, size_t n)
{
    void *data;
    size_t got;
    assert_int_equal(bsr_file_read(&data, &got, path, 1 << 30), BSR_OK);
    assert_int_equal(got, n);
    assert_memory_equal(data, want, n);
    bsr_free(data);
}

static void refuse(const void *data, size_t n, const char *message)
{
    bsr_store *store = (bsr_store *)1;
    const char *path = temp_put("run.db", data, n);
    for (int write = 0; write < 2; write++) {
        assert_fails(bsr_store_open(&store, path, write), BSR_EFORMAT, message);
        assert_null(store);
        assert_alone(path);
        read_back(path, data, n);
    }
}

static void test_store_damage__not_a_database(void **state)
{
    char text[500];
    memset(text, 'a', sizeof text);
    refuse("", 0, "/run.db' is not a bitseer run: it has only 0 bytes");
    refuse(text, 99, "/run.db' is not a bitseer run: it has only 99 bytes");
    refuse(text, sizeof text, "/run.db' is not a bitseer run: no SQLite database");
    memcpy(text, "SQLite format 3", 16);
    refuse(text, sizeof text,
           "/run.db' is not a bitseer run: its application id is 0x61616161, expected 0x42736572");
    memcpy(text + 68, "Bser", 4);
    refuse(text, sizeof text, "/run.db' is not a bitseer run: file is not a database");

    bsr_store *store;
    assert_fails(bsr_store_open(&store, temp_folder, 0), BSR_EFORMAT,
                 "' is not a bitseer run: not a file");
    assert_fails(bsr_store_open(&store, "/dev/zero", 0), BSR_EFORMAT,
                 "'/dev/zero' is not a bitseer run: not a file");
}

static void test_store_damage__foreign_database(void **state)
{
    const char *path = temp_path("other.db");
    void *data;
    size_t n;
    direct_sql(path, "CREATE TABLE fact(name, value); INSERT INTO fact VALUES(1, 2)");
    assert_int_equal(bsr_file_read(&data, &n, path, 1 << 20), BSR_OK);
    refuse(data, n, "/run.db' is not a bitseer run: its application id is 0x00000000");
    bsr_free(data);

    /* With our id, but other tables. */
    direct_sql(path, "PRAGMA application_id = 0x42736572; PRAGMA user_version = 1");
    bsr_store *store;
    uint64_t count_;
    assert_int_equal(bsr_store_open(&store, path, 0), BSR_OK);
    assert_fails(bsr_store_count_answers(store, &count_), BSR_EFORMAT,
                 "/other.db' is damaged or not a bitseer run: no such table: fault");
    assert_int_equal(count_, 0);
    bsr_store_close(store);
}

/* A run with something in every table, in `bytes`. */
static int make_bytes(void **state)
{
    static int32_t many[3000];
    if (temp_setup(state) != 0)
        return -1;
    for (int i = 0; i < 3000; i++)
        many[i] = i * 1000;
    const char *path = temp_path("good.db");
    bsr_store *store;
    int64_t id;
    const bsr_layer_row layer = {.name = "conv1",
                                 .op = "Conv",
                                 .format = "fp32",
                                 .chosen = many,
                                 .n_chosen = 3000,
                                 .variants = many,
                                 .n_variants = 32,
                                 .windows = many,
                                 .windows_bytes = sizeof many};
    const bsr_session_row session = {"2026-01-01", "0.1.0", "ref", "cpu", 1, 1, 1, 1, 1, 1, 1};
    const bsr_chip_row chip = {.ber = 0.5, .sse = 0.25};
    const bsr_value_row value = {1, 2, 3, 0.5};
    const bsr_stratum_row stratum = {1, 2, 3, 4, 5, 0.5};
    const bsr_listed_row listed = {1, 2, 3, 4, 5, 6};
    if (bsr_store_create(&store, path) || bsr_store_put_fact(store, "a", "b") ||
        bsr_store_add_setting(store, "c", "d") || bsr_store_put_layer(store, &layer) ||
        bsr_store_put_stratum(store, &stratum) || bsr_store_put_listed(store, &listed, 1) ||
        bsr_store_commit_plan(store) || put_batch(store, 0, 1500) ||
        bsr_store_put_chips(store, &chip, 1) || bsr_store_put_values(store, &value, 1) ||
        bsr_store_add_session(store, &session, &id))
        return -1;
    bsr_fault_row row = {.fault = 5000, .critical_images = many, .critical_bytes = sizeof many};
    if (bsr_store_put_answers(store, &(bsr_answers){.faults = &row, .n_faults = 1}))
        return -1;
    bsr_store_close(store);
    return bsr_file_read(&bytes, &n_bytes, path, 1 << 20) == BSR_OK ? 0 : -1;
}

static int drop_bytes(void **state)
{
    bsr_free(bytes);
    bytes = NULL;
    return temp_teardown(state);
}

/* Callbacks that touch all they are given. */
static volatile size_t touched;

static void touch(const void *data, size_t n)
{
    for (size_t i = 0; i < n; i++)
        touched += ((const unsigned char *)data)[i];
}

static bsr_status touch_setting(void *ctx, const char *name, const char *value)
{
    touched += strlen(name) + strlen(value);
    return BSR_OK;
}

static bsr_status touch_layer(void *ctx, const bsr_layer_row *r)
{
    touched += strlen(r->name) + strlen(r->op) + strlen(r->format);
    touch(r->chosen, r->n_chosen * sizeof *r->chosen);
    touch(r->variants, r->n_variants * sizeof *r->variants);
    touch(r->windows, r->windows_bytes);
    return BSR_OK;
}

static bsr_status touch_fault(void *ctx, const bsr_fault_row *r)
{
    touch(r, sizeof *r);
    touch(r->critical_images, r->critical_bytes);
    return BSR_OK;
}

static bsr_status touch_session(void *ctx, const bsr_session_row *r)
{
    touched += strlen(r->started) + strlen(r->version) + strlen(r->cpu) + strlen(r->cpu_brand);
    return BSR_OK;
}

#define TOUCH_ROW(noun)                                                                            \
    static bsr_status touch_##noun(void *ctx, const bsr_##noun##_row *r)                           \
    {                                                                                              \
        touch(r, sizeof *r);                                                                       \
        return BSR_OK;                                                                             \
    }
TOUCH_ROW(stratum)
TOUCH_ROW(listed)
TOUCH_ROW(masking)
TOUCH_ROW(chip)

static void allow(bsr_status status, int *failures)
{
    if (status != BSR_OK && status != BSR_EFORMAT && status != BSR_ENOTFOUND &&
        status != BSR_EUNSUPPORTED)
        fail_msg("%s: %s", bsr_status_name(status), bsr_error_message());
    *failures += status != BSR_OK;
}

/* Opens, reads everything; returns how many calls failed. */
static int read_all(const char *path, int write)
{
    bsr_store *store;
    char *text = NULL;
    double value;
    uint64_t n;
    int failures = 0;
    allow(bsr_store_open(&store, path, write), &failures);
    if (!store)
        return 1;
    allow(bsr_store_get_fact(store, "a", &text), &failures);
    bsr_free(text);
    allow(bsr_store_settings(store, touch_setting, NULL), &failures);
    allow(bsr_store_layers(store, touch_layer, NULL), &failures);
    allow(bsr_store_strata(store, touch_stratum, NULL), &failures);
    allow(bsr_store_listed(store, touch_listed, NULL), &failures);
    allow(bsr_store_faults(store, 0, INT64_MAX, touch_fault, NULL), &failures);
    allow(bsr_store_count_answers(store, &n), &failures);
    allow(bsr_store_maskings(store, touch_masking, NULL), &failures);
    allow(bsr_store_chips(store, touch_chip, NULL), &failures);
    allow(bsr_store_value(store, 1, 2, 3, &value), &failures);
    allow(bsr_store_sessions(store, touch_session, NULL), &failures);
    if (write)
        allow(put_batch(store, 0, 1500), &failures);
    bsr_store_close(store);
    return failures;
}

static void test_store_damage__truncated(void **state)
{
    assert_int_equal(read_all(temp_put("run.db", bytes, n_bytes), 0), 0);
    assert_true(n_bytes > 10 * 4096);
    for (size_t n = 0; n < n_bytes; n += n < 200 ? 1 : 1111) {
        const char *path = temp_put("run.db", bytes, n);
        assert_true(read_all(path, 0) > 0);
        assert_non_null(strstr(bsr_error_message(), "/run.db' is "));
        read_back(path, bytes, n);
    }
}

/* Bytes overwritten at random places, by a generator that is the same everywhere. */
static void test_store_damage__overwritten(void **state)
{
    uint64_t x = 88172645463325252U; /* xorshift64 of Marsaglia, with his seed */
    unsigned char *bad = malloc(n_bytes);
    int failed = 0;
    for (int round = 0; round < 600; round++) {
        memcpy(bad, bytes, n_bytes);
        /* A third of them in the headers: of the file, of pages, of the first cells. */
        for (int i = 0; i < 1 + round % 6; i++) {
            x ^= x << 13, x ^= x >> 7, x ^= x << 17;
            size_t page = x % (n_bytes / 4096), at = (x >> 20) % (round % 3 ? 4096 : 110);
            bad[page * 4096 + at] = (unsigned char)(x >> 40);
        }
        const char *path = temp_put("run.db", bad, n_bytes);
        int failures = read_all(path, 0);
        failed += failures > 0;
        read_back(path, bad, n_bytes);
        if (round % 4 == 0)
            read_all(path, 1);
        unlink(path);
        unlink(temp_path("run.db-wal"));
        unlink(temp_path("run.db-shm"));
    }
    free(bad);
    assert_true(failed > 100);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_store_damage__not_a_database, temp_setup,
                                        temp_teardown),
        cmocka_unit_test_setup_teardown(test_store_damage__foreign_database, temp_setup,
                                        temp_teardown),
        cmocka_unit_test_setup_teardown(test_store_damage__truncated, make_bytes, drop_bytes),
        cmocka_unit_test_setup_teardown(test_store_damage__overwritten, make_bytes, drop_bytes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
