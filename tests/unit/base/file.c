#define _GNU_SOURCE
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <dirent.h>
#include <errno.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/alloc.h"
#include "base/file.h"

static char folder[64];

static const char *in_folder(const char *name)
{
    static char path[128];
    snprintf(path, sizeof path, "%s/%s", folder, name);
    return path;
}

static int make_folder(void **state)
{
    strcpy(folder, "/tmp/bsr_file_XXXXXX");
    return mkdtemp(folder) ? 0 : -1;
}

static int count_files(void)
{
    int n = 0;
    DIR *d = opendir(folder);
    for (struct dirent *e; (e = readdir(d)) != NULL;)
        n += e->d_name[0] != '.';
    closedir(d);
    return n;
}

static int remove_folder(void **state)
{
    unlink(in_folder("a"));
    return rmdir(folder);
}

static void assert_content(const char *path, const char *content)
{
    void *data;
    size_t n;
    assert_int_equal(bsr_file_read(&data, &n, path, 1000), BSR_OK);
    assert_int_equal(n, strlen(content));
    assert_string_equal(data, content); /* the 0 behind the end included */
    bsr_free(data);
}

static void assert_message(const char *text, const char *path)
{
    char want[300];
    snprintf(want, sizeof want, text, path);
    assert_string_equal(bsr_error_message(), want);
}

static void test_base_file__round_trip(void **state)
{
    const char *path = in_folder("a");
    assert_int_equal(bsr_file_write_atomic(path, "old", 3), BSR_OK);
    assert_content(path, "old");
    assert_int_equal(bsr_file_write_atomic(path, "longer", 6), BSR_OK);
    assert_content(path, "longer");
    assert_int_equal(bsr_file_write_atomic(path, "", 0), BSR_OK);
    assert_content(path, "");
    assert_int_equal(count_files(), 1);
}

/* A new file has the permissions that the process's mask leaves, as one made by a shell. */
static void test_base_file__permissions(void **state)
{
    struct stat st;
    mode_t old = umask(027);
    unlink(in_folder("a"));
    assert_int_equal(bsr_file_write_atomic(in_folder("a"), "x", 1), BSR_OK);
    umask(old);
    assert_int_equal(stat(in_folder("a"), &st), 0);
    assert_int_equal(st.st_mode & 0777, 0640);
}

static void test_base_file__limit(void **state)
{
    void *data;
    size_t n;
    const char *path = in_folder("a");
    assert_int_equal(bsr_file_write_atomic(path, "12345", 5), BSR_OK);
    assert_int_equal(bsr_file_read(&data, &n, path, 5), BSR_OK);
    bsr_free(data);
    assert_int_equal(bsr_file_read(&data, &n, path, 4), BSR_ELIMIT);
    assert_message("'%s' has 5 bytes, at most 4 are read", path);
    assert_null(data);
    assert_int_equal(bsr_file_read(&data, &n, "/dev/zero", 1000), BSR_ELIMIT);
    assert_string_equal(bsr_error_message(), "'/dev/zero' has more than 1000 bytes");
}

/* A size that fstat does not know: /proc says 0 for all its files. */
static void test_base_file__size_unknown(void **state)
{
    void *data;
    size_t n;
    assert_int_equal(bsr_file_read(&data, &n, "/proc/self/status", 1 << 20), BSR_OK);
    assert_true(n > 100 && strlen(data) == n);
    assert_non_null(strstr(data, "\nPid:"));
    bsr_free(data);
}

static void test_base_file__missing(void **state)
{
    void *data;
    size_t n;
    assert_int_equal(bsr_file_read(&data, &n, "/nonexistent/a", 10), BSR_ENOTFOUND);
    assert_string_equal(bsr_error_message(),
                        "cannot read '/nonexistent/a': No such file or directory");
    assert_int_equal(bsr_file_read(&data, &n, folder, 10), BSR_EIO);
    assert_message("cannot read '%s': Is a directory", folder);
    assert_int_equal(bsr_file_write_atomic("/nonexistent/a", "x", 1), BSR_ENOTFOUND);
    assert_string_equal(bsr_error_message(),
                        "cannot write '/nonexistent/a': No such file or directory");
    assert_int_equal(bsr_file_write_atomic(folder, "x", 1), BSR_EIO);
    assert_message("cannot write '%s': Is a directory", folder);
}

static void test_base_file__unwritable_folder(void **state)
{
    assert_int_equal(bsr_file_write_atomic(in_folder("a"), "old", 3), BSR_OK);
    assert_int_equal(chmod(folder, 0555), 0);
    /* Permissions do not bind root. */
    int root = geteuid() == 0;
    if (root)
        assert_int_equal(seteuid(65534), 0);
    bsr_status status = bsr_file_write_atomic(in_folder("a"), "new", 3);
    if (root)
        assert_int_equal(seteuid(0), 0);
    assert_int_equal(chmod(folder, 0755), 0);
    assert_int_equal(status, BSR_EIO);
    assert_message("cannot write '%s': Permission denied", in_folder("a"));
    assert_content(in_folder("a"), "old");
}

/* A device is written to, not replaced. */
static void test_base_file__disk_full(void **state)
{
    struct stat st;
    assert_int_equal(bsr_file_write_atomic("/dev/full", "x", 1), BSR_EIO);
    assert_string_equal(bsr_error_message(), "cannot write '/dev/full': No space left on device");
    assert_int_equal(stat("/dev/full", &st), 0);
    assert_true(S_ISCHR(st.st_mode));
    assert_int_equal(bsr_file_write_atomic("/dev/null", "x", 1), BSR_OK);
}

/* A write that breaks off in the middle leaves the old content and no temporary file. */
static void test_base_file__interrupted(void **state)
{
    static char big[8192];
    struct rlimit old, small;
    assert_int_equal(bsr_file_write_atomic(in_folder("a"), "old", 3), BSR_OK);
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &old), 0);
    small = old;
    small.rlim_cur = 4096;
    signal(SIGXFSZ, SIG_IGN);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &small), 0);
    bsr_status status = bsr_file_write_atomic(in_folder("a"), big, sizeof big);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &old), 0);
    assert_int_equal(status, BSR_EIO);
    assert_message("cannot write '%s': File too large", in_folder("a"));
    assert_content(in_folder("a"), "old");
    assert_int_equal(count_files(), 1);
}

static void test_base_file__no_memory(void **state)
{
    void *data;
    size_t n;
    assert_int_equal(bsr_file_write_atomic(in_folder("a"), "old", 3), BSR_OK);
    bsr_alloc_fail_after(1);
    assert_int_equal(bsr_file_read(&data, &n, in_folder("a"), 10), BSR_ENOMEM);
    assert_null(data);
    bsr_alloc_fail_after(2); /* the growing for a size that fstat does not know */
    assert_int_equal(bsr_file_read(&data, &n, "/proc/self/status", 1 << 20), BSR_ENOMEM);
    assert_null(data);
    bsr_alloc_fail_after(1);
    assert_int_equal(bsr_file_write_atomic(in_folder("a"), "new", 3), BSR_ENOMEM);
    assert_content(in_folder("a"), "old");
}

static void test_base_file__in_pieces(void **state)
{
    enum { PIECE = 1000, PIECES = 200, MORE = 100000 };
    static char expected[PIECE * PIECES + MORE];
    bsr_file_writer *w;
    void *data;
    size_t n;
    for (size_t i = 0; i < sizeof expected; i++)
        expected[i] = (char)(i * 7 + i / 1000);
    assert_int_equal(bsr_file_write_atomic(in_folder("a"), "old", 3), BSR_OK);
    assert_int_equal(bsr_file_begin(&w, in_folder("a")), BSR_OK);
    for (int i = 0; i < PIECES; i++)
        assert_int_equal(bsr_file_put(w, expected + (size_t)i * PIECE, PIECE), BSR_OK);
    assert_int_equal(bsr_file_put(w, expected + PIECES * PIECE, MORE), BSR_OK);
    assert_content(in_folder("a"), "old");
    assert_int_equal(bsr_file_commit(w), BSR_OK);
    assert_int_equal(bsr_file_read(&data, &n, in_folder("a"), 1 << 20), BSR_OK);
    assert_int_equal(n, sizeof expected);
    assert_memory_equal(data, expected, n);
    bsr_free(data);

    /* Given up: the old file stays, alone. */
    assert_int_equal(bsr_file_write_atomic(in_folder("a"), "old", 3), BSR_OK);
    assert_int_equal(bsr_file_begin(&w, in_folder("a")), BSR_OK);
    assert_int_equal(bsr_file_put(w, expected, sizeof expected), BSR_OK);
    bsr_file_discard(w);
    bsr_file_discard(NULL);
    assert_content(in_folder("a"), "old");
    assert_int_equal(count_files(), 1);

    /* A device that fills up says so no later than at the end. */
    assert_int_equal(bsr_file_begin(&w, "/dev/full"), BSR_OK);
    assert_int_equal(bsr_file_put(w, "x", 1), BSR_OK);
    assert_int_equal(bsr_file_commit(w), BSR_EIO);
    assert_string_equal(bsr_error_message(), "cannot write '/dev/full': No space left on device");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_base_file__round_trip),
        cmocka_unit_test(test_base_file__permissions),
        cmocka_unit_test(test_base_file__limit),
        cmocka_unit_test(test_base_file__size_unknown),
        cmocka_unit_test(test_base_file__missing),
        cmocka_unit_test(test_base_file__unwritable_folder),
        cmocka_unit_test(test_base_file__disk_full),
        cmocka_unit_test(test_base_file__interrupted),
        cmocka_unit_test(test_base_file__in_pieces),
        cmocka_unit_test(test_base_file__no_memory),
    };
    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
