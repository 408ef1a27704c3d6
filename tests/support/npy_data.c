#define _POSIX_C_SOURCE 200809L /* mkdtemp */
#include "support/npy_data.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static void give_up(const char *path)
{
    perror(path);
    exit(1);
}

/* Version 1.0 of the format: magic, version, header length, a Python dictionary padded with blanks
 * to a multiple of 64 bytes, the elements. */
static void write_array(const char *folder, const char *name, const char *descr, const char *shape,
                        const void *data, size_t bytes)
{
    char path[300], header[118 + 1];
    snprintf(path, sizeof path, "%s/%s", folder, name);
    int n = snprintf(header, sizeof header,
                     "{'descr': '%s', 'fortran_order': False, 'shape': (%s), }", descr, shape);
    memset(header + n, ' ', sizeof header - 1 - (size_t)n);
    header[117] = '\n';
    FILE *f = fopen(path, "wb");
    if (!f || fwrite("\x93NUMPY\x01\x00\x76\x00", 1, 10, f) != 10 ||
        fwrite(header, 1, 118, f) != 118 || fwrite(data, 1, bytes, f) != bytes || fclose(f) != 0)
        give_up(path);
}

void npy_data_write(npy_data *d, const float *x, const int32_t *labels, int n, int c, int h, int w)
{
    const char *tmp = getenv("TMPDIR");
    char shape[64];
    snprintf(d->folder, sizeof d->folder, "%.200s/bitseer-XXXXXX", tmp ? tmp : "/tmp");
    if (!mkdtemp(d->folder))
        give_up(d->folder);
    snprintf(shape, sizeof shape, "%d, %d, %d, %d", n, c, h, w);
    write_array(d->folder, "x.npy", "<f4", shape, x, (size_t)(n * c * h * w) * sizeof *x);
    snprintf(shape, sizeof shape, "%d,", n);
    write_array(d->folder, "y.npy", "<i4", shape, labels, (size_t)n * sizeof *labels);
    snprintf(d->spec, sizeof d->spec, "npy:%s/x.npy,%s/y.npy", d->folder, d->folder);
}

void npy_data_remove(npy_data *d)
{
    char path[300];
    snprintf(path, sizeof path, "%s/x.npy", d->folder);
    remove(path);
    snprintf(path, sizeof path, "%s/y.npy", d->folder);
    remove(path);
    rmdir(d->folder);
}
