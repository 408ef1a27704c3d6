#define _DEFAULT_SOURCE   /* flock */
#define _FILE_OFFSET_BITS 64
#include "store/file_hold.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <sqlite3.h>

#include "base/alloc.h"
#include "base/error.h"

/* The writer's lock is a flock, which SQLite's own locks (POSIX record locks) do not meet, on a
 * descriptor of ours: it ends with the process, however that ends.
 *
 * Closing any descriptor of a file takes away the record locks that this process has on it, those
 * of SQLite. So a process has one descriptor for each file, shared by all stores of it and closed
 * after the last of them. */
struct bsr_hold {
    bsr_hold *next;
    dev_t device;
    ino_t inode;
    int fd;
    int stores;
    int locked; /* one of them is the writer */
};

/* Guarded by the mutex. SQLite's, because it needs no initialisation and no pthread.h. */
static bsr_hold *holds;

static sqlite3_mutex *holds_mutex(void)
{
    return sqlite3_mutex_alloc(SQLITE_MUTEX_STATIC_APP1);
}

static bsr_status fail_errno(const char *verb, const char *path, int err)
{
    bsr_status status = err == ENOENT || err == ENOTDIR ? BSR_ENOTFOUND : BSR_EIO;
    return bsr_fail(status, "cannot %s '%s': %s", verb, path, strerror(err));
}

static void drop(bsr_hold *hold)
{
    if (--hold->stores > 0)
        return;
    bsr_hold **at = &holds;
    while (*at != hold)
        at = &(*at)->next;
    *at = hold->next;
    close(hold->fd);
    bsr_free(hold);
}

/* A hold of a file that this process does not have open. */
static bsr_status add(bsr_hold **out, const char *path, int flags)
{
    bsr_hold *hold = bsr_calloc_array(1, sizeof *hold);
    if (!hold)
        return BSR_ENOMEM;
    hold->fd = open(path, flags | O_CLOEXEC, 0666);
    if (hold->fd < 0 && (errno == EACCES || errno == EROFS) && !(flags & O_CREAT))
        hold->fd = open(path, O_RDONLY | O_CLOEXEC);
    struct stat st;
    if (hold->fd < 0 || fstat(hold->fd, &st) != 0) {
        int err = errno;
        if (hold->fd >= 0)
            close(hold->fd);
        bsr_free(hold);
        if (err == EEXIST && flags & O_CREAT)
            return bsr_fail(BSR_EINVAL, "'%s' exists already", path);
        return fail_errno(flags & O_CREAT ? "create" : "open", path, err);
    }
    hold->device = st.st_dev;
    hold->inode = st.st_ino;
    hold->stores = 1;
    hold->next = holds;
    holds = hold;
    *out = hold;
    return BSR_OK;
}

/* The hold of an existing file. */
static bsr_status find_or_add(bsr_hold **out, const char *path)
{
    struct stat st;
    if (stat(path, &st) != 0)
        return fail_errno("open", path, errno);
    if (!S_ISREG(st.st_mode))
        return bsr_fail(BSR_EFORMAT, "'%s' is not a bitseer run: not a file", path);
    for (bsr_hold *hold = holds; hold; hold = hold->next)
        if (hold->device == st.st_dev && hold->inode == st.st_ino) {
            hold->stores++;
            *out = hold;
            return BSR_OK;
        }
    return add(out, path, O_RDWR);
}

static bsr_status take_lock(bsr_hold *hold, const char *path)
{
    int code;
    if (hold->locked)
        return bsr_fail(BSR_ELIMIT, "'%s' is being written by this process", path);
    do
        code = flock(hold->fd, LOCK_EX | LOCK_NB);
    while (code != 0 && errno == EINTR);
    if (code != 0 && errno == EWOULDBLOCK)
        return bsr_fail(BSR_ELIMIT, "'%s' is being written by another process", path);
    if (code != 0)
        return fail_errno("lock", path, errno);
    hold->locked = 1;
    return BSR_OK;
}

bsr_status bsr_hold_open(bsr_hold **out, const char *path, bsr_hold_mode mode)
{
    bsr_hold *hold = NULL;
    *out = NULL;
    sqlite3_mutex_enter(holds_mutex());
    bsr_status status = mode == BSR_HOLD_CREATE ? add(&hold, path, O_RDWR | O_CREAT | O_EXCL)
                                                : find_or_add(&hold, path);
    if (status == BSR_OK && mode != BSR_HOLD_READ) {
        status = take_lock(hold, path);
        if (status != BSR_OK) {
            if (mode == BSR_HOLD_CREATE)
                unlink(path);
            drop(hold);
        }
    }
    sqlite3_mutex_leave(holds_mutex());
    if (status == BSR_OK)
        *out = hold;
    return status;
}

void bsr_hold_release(bsr_hold *hold, bsr_hold_mode mode)
{
    if (!hold)
        return;
    sqlite3_mutex_enter(holds_mutex());
    if (mode != BSR_HOLD_READ) {
        flock(hold->fd, LOCK_UN);
        hold->locked = 0;
    }
    drop(hold);
    sqlite3_mutex_leave(holds_mutex());
}

size_t bsr_hold_peek(const bsr_hold *hold, void *data, size_t n)
{
    ssize_t got = pread(hold->fd, data, n, 0);
    return got < 0 ? 0 : (size_t)got;
}
