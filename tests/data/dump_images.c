/* Writes what a network would see: the label of each image as a line of text, or (with "values")
 * its float32 values. For the comparison with Pillow in pillow_check.py.
 * Usage: dump_images labels|values DATA C H W RESIZE [LABELS_FILE] */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bitseer/dataset.h"

static int dump(const bsr_dataset *ds, int values)
{
    size_t n = (size_t)bsr_dataset_channels(ds) * (size_t)bsr_dataset_height(ds) *
               (size_t)bsr_dataset_width(ds);
    float *image = malloc(n * sizeof *image);
    int ok = image != NULL;
    for (size_t i = 0; ok && i < bsr_dataset_count(ds); i++) {
        if (!values)
            printf("%d\n", bsr_dataset_label(ds, i));
        else
            ok = bsr_dataset_image(ds, i, image) == BSR_OK &&
                 fwrite(image, sizeof *image, n, stdout) == n;
    }
    free(image);
    return ok;
}

int main(int argc, char **argv)
{
    if (argc < 7) {
        fprintf(stderr, "usage: dump_images labels|values DATA C H W RESIZE [LABELS_FILE]\n");
        return 2;
    }
    bsr_dataset_options options = BSR_DATASET_OPTIONS_INIT;
    options.data = argv[2];
    options.resize = atoi(argv[6]);
    options.labels_file = argv[7];
    bsr_dataset *ds;
    if (bsr_dataset_open(&ds, &options, atoi(argv[3]), atoi(argv[4]), atoi(argv[5])) != BSR_OK) {
        fprintf(stderr, "%s\n", bsr_error_message());
        return 1;
    }
    int ok = dump(ds, strcmp(argv[1], "values") == 0);
    bsr_dataset_free(ds);
    return !ok;
}
