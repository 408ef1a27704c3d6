#define _POSIX_C_SOURCE   200809L
#define _FILE_OFFSET_BITS 64
#include "base/file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/error.h"

static bsr_status fail_errno(const char *verb, const char *path, int err)
{
    bsr_status status = err == ENOENT || err == ENOTDIR ? BSR_ENOTFOUND : BSR_EIO;
    return bsr_fail(status, "cannot %s '%s': %s", verb, path, strerror(err));
}

/* Reads to the end of fd. `guess` is the size that fstat reported, 0 for a pipe. */
static bsr_status read_all(char **data, size_t *n, int fd, size_t guess, const char *path,
                           size_t max_bytes)
{
    /* Two spare bytes: the final 0, and one more so that the end of a file of the reported size
     * is seen without growing. */
    size_t cap = guess + 2;
    *data = bsr_alloc_array(cap, 1);
    if (!*data)
        return BSR_ENOMEM;
    for (;;) {
        if (*n + 2 > cap)
            BSR_TRY(bsr_grow(data, &cap, *n + 65536, 1));
        ssize_t got = read(fd, *data + *n, cap - *n - 1);
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            return fail_errno("read", path, errno);
        if (got == 0)
            break;
        *n += (size_t)got;
        if (*n > max_bytes)
            return bsr_fail(BSR_ELIMIT, "'%s' has more than %zu bytes", path, max_bytes);
    }
    (*data)[*n] = 0;
    return BSR_OK;
}

bsr_status bsr_file_read(void **data, size_t *n, const char *path, size_t max_bytes)
{
    *data = NULL;
    *n = 0;
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return fail_errno("read", path, errno);
    struct stat st;
    char *bytes = NULL;
    size_t count = 0;
    bsr_status status = BSR_OK;
    if (fstat(fd, &st) != 0)
        status = fail_errno("read", path, errno);
    else if (st.st_size > 0 && (unsigned long long)st.st_size > max_bytes && S_ISREG(st.st_mode))
        status = bsr_fail(BSR_ELIMIT, "'%s' has %lld bytes, at most %zu are read", path,
                          (long long)st.st_size, max_bytes);
    else
        status = read_all(&bytes, &count, fd, S_ISREG(st.st_mode) ? (size_t)st.st_size : 0, path,
                          max_bytes);
    close(fd);
    if (status != BSR_OK) {
        bsr_free(bytes);
        return status;
    }
    *data = bytes;
    *n = count;
    return BSR_OK;
}

/* Returns 0 or an errno value. */
static int write_all(int fd, const char *data, size_t n)
{
    while (n) {
        ssize_t put = write(fd, data, n);
        if (put < 0 && errno == EINTR)
            continue;
        if (put < 0)
            return errno;
        data += put;
        n -= (size_t)put;
    }
    return 0;
}

/* Writes, syncs where there is something to sync, and closes fd. Returns 0 or an errno value. */
static int write_and_close(int fd, const void *data, size_t n, int sync)
{
    int err = write_all(fd, data, n);
    if (!err && sync && fsync(fd) != 0)
        err = errno;
    if (close(fd) != 0 && !err)
        err = errno;
    return err;
}

/* Makes the rename itself survive a crash. Some file systems refuse to sync a folder; the data are
 * safe by then, so that is no error. */
static void sync_folder(char *path)
{
    char *slash = strrchr(path, '/');
    if (slash)
        slash[slash == path] = 0;
    int fd = open(slash ? path : ".", O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return;
    (void)fsync(fd);
    close(fd);
}

static bsr_status write_direct(const char *path, const void *data, size_t n)
{
    int fd = open(path, O_WRONLY | O_CLOEXEC);
    int err = fd < 0 ? errno : write_and_close(fd, data, n, 0);
    return err ? fail_errno("write", path, err) : BSR_OK;
}

bsr_status bsr_file_write_atomic(const char *path, const void *data, size_t n)
{
    static _Atomic unsigned serial;
    struct stat st;
    /* A rename would put a file in the place of /dev/stdout. */
    if (stat(path, &st) == 0 && !S_ISREG(st.st_mode))
        return write_direct(path, data, n);

    size_t room = strlen(path) + 48;
    char *temp = bsr_alloc_array(room, 1);
    if (!temp)
        return BSR_ENOMEM;
    snprintf(temp, room, "%s.%ld-%u.tmp", path, (long)getpid(), atomic_fetch_add(&serial, 1));

    bsr_status status = BSR_OK;
    int fd = open(temp, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
    if (fd < 0) {
        status = fail_errno("write", path, errno);
    } else {
        int err = write_and_close(fd, data, n, 1);
        if (!err && rename(temp, path) != 0)
            err = errno;
        if (err) {
            unlink(temp);
            status = fail_errno("write", path, err);
        } else {
            sync_folder(temp);
        }
    }
    bsr_free(temp);
    return status;
}
