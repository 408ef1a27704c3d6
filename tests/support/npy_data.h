/* Small data sets of float images, written as .npy files for the duration of a test. */
#ifndef TESTS_SUPPORT_NPY_DATA_H
#define TESTS_SUPPORT_NPY_DATA_H

#include <stdint.h>

typedef struct npy_data {
    char folder[256];
    char spec[600]; /* "npy:X,Y" for bsr_dataset_options.data */
} npy_data;

/* Writes x [n][c][h][w] and labels [n] below $TMPDIR or /tmp. Exits when it cannot. */
void npy_data_write(npy_data *d, const float *x, const int32_t *labels, int n, int c, int h, int w);

/* Removes the files and their folder. */
void npy_data_remove(npy_data *d);

#endif
