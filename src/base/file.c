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

#define WRITER_ROOM 65536

struct bsr_file_writer {
    int fd;
    char *path; /* as given */
    char *temp; /* NULL: written to directly */
    size_t n;   /* bytes that wait in room */
    char *room; /* [WRITER_ROOM] */
};

static void free_writer(bsr_file_writer *w)
{
    bsr_free(w->path);
    bsr_free(w->temp);
    bsr_free(w->room);
    bsr_free(w);
}

/* A name beside `path` that nobody uses. */
static bsr_status choose_temp(bsr_file_writer *w)
{
    static _Atomic unsigned serial;
    size_t room = strlen(w->path) + 48;
    w->temp = bsr_alloc_array(room, 1);
    if (!w->temp)
        return BSR_ENOMEM;
    snprintf(w->temp, room, "%s.%ld-%u.tmp", w->path, (long)getpid(), atomic_fetch_add(&serial, 1));
    return BSR_OK;
}

static bsr_status open_writer(bsr_file_writer *w, const char *path)
{
    struct stat st;
    w->path = bsr_strdup(path ? path : "standard output");
    w->room = bsr_alloc_array(WRITER_ROOM, 1);
    if (!w->path || !w->room)
        return BSR_ENOMEM;
    if (!path) {
        w->fd = STDOUT_FILENO;
        fflush(stdout); /* what the program wrote before comes before */
        return BSR_OK;
    }
    /* A rename would put a file in the place of /dev/stdout. */
    if (stat(path, &st) == 0 && !S_ISREG(st.st_mode)) {
        w->fd = open(path, O_WRONLY | O_CLOEXEC);
    } else {
        BSR_TRY(choose_temp(w));
        w->fd = open(w->temp, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
    }
    return w->fd < 0 ? fail_errno("write", path, errno) : BSR_OK;
}

bsr_status bsr_file_begin(bsr_file_writer **out, const char *path)
{
    *out = NULL;
    bsr_file_writer *w = bsr_calloc_array(1, sizeof *w);
    if (!w)
        return BSR_ENOMEM;
    bsr_status status = open_writer(w, path);
    if (status == BSR_OK)
        *out = w;
    else
        free_writer(w);
    return status;
}

static bsr_status write_waiting(bsr_file_writer *w)
{
    int err = write_all(w->fd, w->room, w->n);
    w->n = 0;
    return err ? fail_errno("write", w->path, err) : BSR_OK;
}

bsr_status bsr_file_put(bsr_file_writer *w, const void *data, size_t n)
{
    if (n > WRITER_ROOM - w->n)
        BSR_TRY(write_waiting(w));
    if (n > WRITER_ROOM) {
        int err = write_all(w->fd, data, n);
        return err ? fail_errno("write", w->path, err) : BSR_OK;
    }
    if (n)
        memcpy(w->room + w->n, data, n);
    w->n += n;
    return BSR_OK;
}

/* Ends with the descriptor closed, whatever happened. Returns 0 or an errno value. */
static int finish_file(bsr_file_writer *w)
{
    int err = write_all(w->fd, w->room, w->n);
    if (!err && w->temp && fsync(w->fd) != 0)
        err = errno;
    if (w->fd != STDOUT_FILENO && close(w->fd) != 0 && !err)
        err = errno;
    if (!err && w->temp && rename(w->temp, w->path) != 0)
        err = errno;
    return err;
}

bsr_status bsr_file_commit(bsr_file_writer *w)
{
    bsr_status status = BSR_OK;
    int err = finish_file(w);
    if (err) {
        if (w->temp)
            unlink(w->temp);
        status = fail_errno("write", w->path, err);
    } else if (w->temp) {
        sync_folder(w->temp);
    }
    free_writer(w);
    return status;
}

void bsr_file_discard(bsr_file_writer *w)
{
    if (!w)
        return;
    if (w->fd != STDOUT_FILENO)
        close(w->fd);
    if (w->temp)
        unlink(w->temp);
    free_writer(w);
}

bsr_status bsr_file_write_atomic(const char *path, const void *data, size_t n)
{
    bsr_file_writer *w;
    BSR_TRY(bsr_file_begin(&w, path));
    bsr_status status = bsr_file_put(w, data, n);
    if (status == BSR_OK)
        return bsr_file_commit(w);
    bsr_file_discard(w);
    return status;
}
