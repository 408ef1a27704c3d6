/* Who has a database file open: one writer among all processes, any number of readers. */
#ifndef BSR_STORE_FILE_HOLD_H
#define BSR_STORE_FILE_HOLD_H

#include <stddef.h>

#include "bitseer/status.h"

typedef struct bsr_hold bsr_hold;

typedef enum bsr_hold_mode {
    BSR_HOLD_READ,
    BSR_HOLD_WRITE,  /* take the writer's lock */
    BSR_HOLD_CREATE, /* make the file, then as WRITE */
} bsr_hold_mode;

/* Takes hold of a file, before SQLite opens it; released after SQLite closed it. ELIMIT: another
 * writer has it; ENOTFOUND: no such file or folder; EINVAL: CREATE and the file exists; EFORMAT:
 * not a file but a folder or device; EIO; ENOMEM. Thread-safe. */
bsr_status bsr_hold_open(bsr_hold **out, const char *path, bsr_hold_mode mode);

/* `mode` as for bsr_hold_open. NULL is fine. */
void bsr_hold_release(bsr_hold *hold, bsr_hold_mode mode);

/* The first n bytes of the file; returns how many there are. */
size_t bsr_hold_peek(const bsr_hold *hold, void *data, size_t n);

#endif
