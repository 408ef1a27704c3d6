/* A temporary folder for the tests that read files. Include it first. */
#ifndef BSR_TESTS_DATA_TEMP_FILES_H
#define BSR_TESTS_DATA_TEMP_FILES_H

#ifndef _GNU_SOURCE
#define _GNU_SOURCE /* mkdtemp, nftw */
#endif

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <sys/stat.h>
#include <unistd.h>

#include <ftw.h>

#include <cmocka.h>

#include "base/alloc.h"

static char temp_folder[64];

static int temp_setup(void **state)
{
    strcpy(temp_folder, "/tmp/bsr_data_XXXXXX");
    return mkdtemp(temp_folder) ? 0 : -1;
}

static int temp_remove(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
    return remove(path);
}

static int temp_teardown(void **state)
{
    return nftw(temp_folder, temp_remove, 8, FTW_DEPTH | FTW_PHYS);
}

/* FOLDER/name, in one of four static buffers in turn. */
static inline const char *temp_path(const char *name)
{
    static char paths[4][256];
    static int turn;
    char *path = paths[turn++ % 4];
    snprintf(path, sizeof paths[0], "%s/%s", temp_folder, name);
    return path;
}

static inline const char *temp_put(const char *name, const void *data, size_t n)
{
    const char *path = temp_path(name);
    FILE *f = fopen(path, "wb");
    assert_non_null(f);
    assert_int_equal(fwrite(data, 1, n, f), n);
    assert_int_equal(fclose(f), 0);
    return path;
}

static inline void temp_mkdir(const char *name)
{
    assert_int_equal(mkdir(temp_path(name), 0777), 0);
}

/* Asserts the code and that the message holds each of the texts. */
#define assert_fails(call, code, ...)                                                              \
    do {                                                                                           \
        const char *const texts_[] = {__VA_ARGS__};                                                \
        assert_int_equal(call, code);                                                              \
        for (size_t i_ = 0; i_ < sizeof texts_ / sizeof *texts_; i_++)                             \
            if (!strstr(bsr_error_message(), texts_[i_]))                                          \
                fail_msg("'%s' is not in '%s'", texts_[i_], bsr_error_message());                  \
    } while (0)

/* Runs `call`, which must free what it makes, with the n-th allocation failing for each n: it must
 * return BSR_ENOMEM until n is beyond its last allocation. */
#define assert_survives_no_memory(call)                                                            \
    do {                                                                                           \
        long n_ = 0;                                                                               \
        int pending_;                                                                              \
        do {                                                                                       \
            bsr_alloc_fail_after(++n_);                                                            \
            bsr_status status_ = call;                                                             \
            pending_ = bsr_alloc_fail_pending();                                                   \
            bsr_alloc_fail_after(0);                                                               \
            assert_int_equal(status_, pending_ ? BSR_OK : BSR_ENOMEM);                             \
        } while (!pending_ && n_ < 10000);                                                         \
        assert_true(pending_);                                                                     \
        assert_true(n_ > 1);                                                                       \
    } while (0)

#endif
