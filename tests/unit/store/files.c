/* Creating, opening, closing; schema versions. */
#include "unit/store/fixtures.h"

static void test_store_files__create_and_close(void **state)
{
    const char *path = temp_path("run.db");
    char *value;
    bsr_store *store;
    make_run(path);
    assert_alone(path);
    assert_string_equal(direct_sql(path, "PRAGMA journal_mode"), "delete");
    assert_int_equal(bsr_store_open(&store, path, 0), BSR_OK);
    assert_int_equal(bsr_store_get_fact(store, "model", &value), BSR_OK);
    assert_string_equal(value, "m.onnx");
    bsr_free(value);
    bsr_store_close(store);
    bsr_store_close(NULL);
    assert_int_equal(count_files(), 1);
}

/* Names that SQLite would take for something else. */
static void test_store_files__odd_names(void **state)
{
    static const char *const names[] = {":memory:", "file:x?mode=memory", "a b%20'\"\xc3\xa9.db",
                                        "-"};
    char old[400];
    assert_non_null(getcwd(old, sizeof old));
    assert_int_equal(chdir(temp_folder), 0);
    for (int i = 0; i < 4; i++) {
        make_run(names[i]);
        assert_alone(names[i]);
        bsr_store *store;
        assert_int_equal(bsr_store_open(&store, names[i], 1), BSR_OK);
        bsr_store_close(store);
        assert_int_equal(count_files(), i + 1);
    }
    assert_int_equal(chdir(old), 0);
}

static void test_store_files__create_over(void **state)
{
    bsr_store *store = (bsr_store *)1;
    const char *path = temp_put("notes.txt", "my notes", 8);
    assert_fails(bsr_store_create(&store, path), BSR_EINVAL, "/notes.txt' exists already");
    assert_null(store);
    void *data;
    size_t n;
    assert_int_equal(bsr_file_read(&data, &n, path, 100), BSR_OK);
    assert_string_equal(data, "my notes");
    bsr_free(data);
    assert_fails(bsr_store_create(&store, temp_folder), BSR_EINVAL, "exists already");
    assert_int_equal(count_files(), 1);
}

static void test_store_files__create_nowhere(void **state)
{
    bsr_store *store;
    assert_fails(bsr_store_create(&store, temp_path("no/run.db")), BSR_ENOTFOUND, "cannot create '",
                 "/no/run.db': No such file or directory");
    assert_fails(bsr_store_create(&store, ""), BSR_ENOTFOUND, "cannot create ''");
    assert_fails(bsr_store_open(&store, temp_path("run.db"), 0), BSR_ENOTFOUND, "cannot open '",
                 "/run.db': No such file or directory");
    assert_fails(bsr_store_open(&store, temp_path("run.db"), 1), BSR_ENOTFOUND, "cannot open '");
    assert_int_equal(count_files(), 0);
}

/* Neither folder nor file may be written, which root may always: as another user in a child. */
static void test_store_files__no_permission(void **state)
{
    const char *path = temp_path("run.db"), *other = temp_path("other.db");
    make_run(path);
    assert_int_equal(chmod(path, 0444), 0);
    assert_int_equal(chmod(temp_folder, 0555), 0);
    pid_t child = fork();
    if (child == 0) {
        bsr_store *store;
        if (getuid() == 0 && (setgid(65534) != 0 || setuid(65534) != 0))
            _exit(77);
        if (bsr_store_create(&store, other) != BSR_EIO ||
            !strstr(bsr_error_message(), "cannot create '") ||
            !strstr(bsr_error_message(), "/other.db': Permission denied"))
            _exit(1);
        if (bsr_store_open(&store, path, 1) != BSR_EIO ||
            !strstr(bsr_error_message(), "/run.db' cannot be written: no permission"))
            _exit(2);
        /* Reading needs no permission to write, neither of the file nor of its folder. */
        if (bsr_store_open(&store, path, 0) != BSR_OK || count(store) != 0)
            _exit(3);
        bsr_store_close(store);
        _exit(0);
    }
    join_child(child);
    assert_int_equal(chmod(temp_folder, 0755), 0);
    assert_int_equal(count_files(), 1);
}

/* A run without a plan leaves nothing, wherever the process has gone in between. */
static void test_store_files__abandoned(void **state)
{
    char old[400];
    bsr_store *store;
    assert_non_null(getcwd(old, sizeof old));
    assert_int_equal(chdir(temp_folder), 0);
    assert_int_equal(bsr_store_create(&store, "run.db"), BSR_OK);
    assert_int_equal(put_batch(store, 0, 1000), BSR_OK);
    assert_int_equal(chdir(old), 0);
    assert_true(count_files() > 0);
    bsr_store_close(store);
    assert_int_equal(count_files(), 0);
}

static bsr_status no_chip(void *ctx, const bsr_chip_row *row)
{
    ++*(int *)ctx;
    return BSR_OK;
}

/* A file of version 1: the schema before sweeps. */
static void make_version_1(const char *path)
{
    bsr_store *store;
    make_run(path);
    assert_int_equal(bsr_store_open(&store, path, 1), BSR_OK);
    assert_int_equal(put_batch(store, 0, 100), BSR_OK);
    bsr_store_close(store);
    direct_sql(
        path, "DROP TABLE chip; DROP TABLE pair; DROP TABLE bounds; DROP TABLE screening;"
              "DROP TABLE score; DROP TABLE prediction; DROP TABLE guard; PRAGMA user_version = 1");
}

static void test_store_files__migrate(void **state)
{
    const char *path = temp_path("run.db");
    bsr_store *store;
    int n = 0;
    make_version_1(path);

    /* Reading leaves the version; the table that is missing is empty. */
    assert_int_equal(bsr_store_open(&store, path, 0), BSR_OK);
    assert_int_equal(bsr_store_chips(store, no_chip, &n), BSR_OK);
    assert_int_equal(n, 0);
    assert_int_equal(assert_whole_batches(store, 100), 1);
    bsr_store_close(store);
    assert_string_equal(direct_sql(path, "PRAGMA user_version"), "1");

    const bsr_chip_row chip = {.point = 3};
    assert_int_equal(bsr_store_open(&store, path, 1), BSR_OK);
    assert_int_equal(assert_whole_batches(store, 100), 1);
    assert_int_equal(bsr_store_put_chips(store, &chip, 1), BSR_OK);
    bsr_store_close(store);
    assert_string_equal(direct_sql(path, "PRAGMA user_version"), "4");
    assert_int_equal(bsr_store_open(&store, path, 0), BSR_OK);
    assert_int_equal(bsr_store_chips(store, no_chip, &n), BSR_OK);
    assert_int_equal(n, 1);
    bsr_store_close(store);

    /* The schema is that of a new file. */
    const char *schema =
        "SELECT group_concat(sql) FROM (SELECT sql FROM sqlite_schema ORDER BY name)";
    char migrated[400];
    make_run(temp_path("new.db"));
    snprintf(migrated, sizeof migrated, "%s", direct_sql(path, schema));
    assert_string_equal(direct_sql(temp_path("new.db"), schema), migrated);
}

/* A migration that fails leaves the file at its version, rows intact. */
static void test_store_files__migration_fails(void **state)
{
    const char *path = temp_path("run.db");
    bsr_store *store;
    make_version_1(path);
    direct_sql(path, "CREATE VIEW chip AS SELECT 1");
    assert_fails(bsr_store_open(&store, path, 1), BSR_EFORMAT,
                 "/run.db' is damaged or not a bitseer run: ", "chip already exists");
    assert_string_equal(direct_sql(path, "PRAGMA user_version"), "1");
    assert_int_equal(bsr_store_open(&store, path, 0), BSR_OK);
    assert_int_equal(assert_whole_batches(store, 100), 1);
    bsr_store_close(store);
}

static void test_store_files__newer_version(void **state)
{
    const char *path = temp_path("run.db");
    bsr_store *store;
    make_run(path);
    direct_sql(path, "PRAGMA user_version = 4711");
    for (int write = 0; write < 2; write++)
        assert_fails(bsr_store_open(&store, path, write), BSR_EUNSUPPORTED,
                     "/run.db' has schema version 4711, this bitseer knows up to 4");
    assert_alone(path);
    assert_string_equal(direct_sql(path, "PRAGMA journal_mode"), "delete");
}

#define TEST(name)                                                                                 \
    cmocka_unit_test_setup_teardown(test_store_files__##name, temp_setup, temp_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(create_and_close), TEST(odd_names),       TEST(create_over),
        TEST(create_nowhere),   TEST(no_permission),   TEST(abandoned),
        TEST(migrate),          TEST(migration_fails), TEST(newer_version),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
