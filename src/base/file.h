/* Whole files in and out. */
#ifndef BSR_BASE_FILE_H
#define BSR_BASE_FILE_H

#include <stddef.h>

#include "bitseer/status.h"

/* Reads all of `path` (a file or a pipe) into *data with a 0 byte behind its *n bytes, so that
 * text can be scanned as a string. Caller frees *data with bsr_free; NULL on failure. ENOTFOUND:
 * no such file or folder; EIO; ELIMIT: more than max_bytes; ENOMEM. Messages name the path. */
bsr_status bsr_file_read(void **data, size_t *n, const char *path, size_t max_bytes);

/* Replaces `path` by a file of these n bytes: either the old or the new content is there at any
 * moment, after a crash too. A temporary file beside it is written, synced, renamed, and removed on
 * failure. The new file gets the default permissions. A device or pipe is written to directly.
 * ENOTFOUND: no such folder; EIO; ENOMEM. */
bsr_status bsr_file_write_atomic(const char *path, const void *data, size_t n);

/* The same in pieces. path NULL is standard output, to which the pieces go as they come. Caller
 * owns *out until bsr_file_commit or bsr_file_discard. */
typedef struct bsr_file_writer bsr_file_writer;
bsr_status bsr_file_begin(bsr_file_writer **out, const char *path);

/* Adds n bytes. After a failure only bsr_file_discard makes sense. */
bsr_status bsr_file_put(bsr_file_writer *writer, const void *data, size_t n);

/* Puts the file in its place, or removes what was written (NULL is fine); frees the writer in any
 * case. */
bsr_status bsr_file_commit(bsr_file_writer *writer);
void bsr_file_discard(bsr_file_writer *writer);

#endif
