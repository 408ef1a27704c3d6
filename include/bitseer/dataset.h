/* Labelled images, read from files and turned into the values a network takes. */
#ifndef BITSEER_DATASET_H
#define BITSEER_DATASET_H

#include <limits.h>
#include <stddef.h>

#include "bitseer/status.h"

#ifdef __cplusplus
extern "C" {
#endif

/* The selected images and their labels, held in memory: one byte per channel value (four for
 * float arrays), 2^31 bytes at most. Immutable once open, so every getter may be called from any
 * number of threads at once. */
typedef struct bsr_dataset bsr_dataset;

/* The order of the network's first three input channels. Files are always read as R,G,B. */
typedef enum bsr_channel_order {
    BSR_ORDER_DEFAULT = 0, /* the card's, else RGB */
    BSR_ORDER_RGB = 1,
    BSR_ORDER_BGR = 2, /* needs 3 channels; planes and their mean and std are swapped */
} bsr_channel_order;

#define BSR_DATASET_OPTIONS_VERSION 1

/* Value of `class_offset` that means "not given". */
#define BSR_CLASS_OFFSET_DEFAULT INT_MIN

/* How to read the data. Start from BSR_DATASET_OPTIONS_INIT. Strings are borrowed for the call.
 *
 * data: KIND:PATH, or the path of a data card (*.yaml, *.yml), see below. Kinds:
 *   cifar10:FILE[,FILE...]   binary CIFAR-10: label byte, then 32x32 planes R,G,B
 *   cifar100:FILE[,FILE...]  binary CIFAR-100: coarse byte, fine byte (the label), then the planes
 *   planes16:FILE            records of a 2-byte little-endian label and C*H*W bytes in planes,
 *                            with the C, H and W of the network
 *   idx:IMAGES,LABELS        IDX of unsigned bytes, [N][H][W] or [N][C][H][W], and [N]; either
 *                            file may be compressed with gzip
 *   npy:X,Y                  NumPy arrays X [N,C,H,W] or [N,H,W] (uint8, float32) and Y [N]
 *                            (uint8, int32, int64); C or Fortran order, little-endian
 *   npz:FILE                 the same two arrays as members x and y of a .npz
 *   folder:DIR               JPEG and PNG files (*.jpg, *.jpeg, *.png in any case) in class
 *                            sub-folders, whose names in byte order are the labels 0, 1, ...; or
 *                            any files below DIR that `labels_file` lists. In byte order of names.
 * A path that is one of several cannot hold a comma.
 *
 * Values: a byte p becomes (float)((p / 255.0 - mean) / std), computed in double and rounded to
 * float32 once at the end, as the usual preprocessing does: the first rounding of a quantised
 * network has ties, so that the last bit decides. A float32 array is taken to hold input values
 * already: x becomes (float)((x - mean) / std), which is x itself unless mean or std is given.
 *
 * Sizes: every kind but `folder` must hold images of the network's size. `folder` converts
 * between gray and RGB as Pillow's convert("L") and convert("RGB") do (an alpha channel is
 * dropped, an EXIF rotation is not applied), and when `resize` is given or the size differs,
 * scales the shorter side to `resize` with Pillow's antialiased bilinear filter (the longer one to
 * floor(resize * long / short)) and cuts out the centre, as torchvision's Resize and CenterCrop.
 *
 * A data card is a YAML mapping with the keys data (required; not another card), mean, std, images,
 * order (RGB or BGR), labels, class_offset, resize, crop. Its relative paths start at the card's
 * folder. What the options give overrides the card. 64 KiB at most, no aliases. */
typedef struct bsr_dataset_options {
    int version;        /* BSR_DATASET_OPTIONS_VERSION */
    const char *data;   /* required */
    double mean[3];     /* in the order R,G,B, on the scale 0..1 for bytes; finite */
    int mean_count;     /* 0: not given (mean 0); 1: for all channels; 3: one per channel */
    double std[3];      /* finite and > 0 */
    int std_count;      /* as mean_count; not given is std 1 */
    const char *images; /* "N": the first N; "A:B": A up to but without B, from 0; "N/class":
                           the first N of each class, in file order; "": all; NULL: not given */
    bsr_channel_order order;
    const char *labels_file; /* folder only: lines `NAME LABEL`, NAME relative to DIR; or NULL */
    int class_offset;        /* added to each label, e.g. 1 for a network with a background class */
    int resize;              /* folder only: pixels; 0: not given, which is the larger of the
                                network's height and width * 256/224, rounded */
    int crop;                /* 0: not given; otherwise the network's height and width must be this
                                (a card can so state what it was made for) */
} bsr_dataset_options;

#define BSR_DATASET_OPTIONS_INIT                                                                   \
    {                                                                                              \
        BSR_DATASET_OPTIONS_VERSION, NULL, {0, 0, 0}, 0, {1, 1, 1}, 0, NULL, BSR_ORDER_DEFAULT,    \
            NULL, BSR_CLASS_OFFSET_DEFAULT, 0, 0                                                   \
    }

/* Reads and decodes the selected images. channels, height and width are the network's input.
 * Single-threaded; besides the images it holds the whole data file while it runs (2^31 bytes at
 * most after decompression), or one decoded picture for `folder`. Caller owns *out, which is NULL
 * on failure.
 * EINVAL: an option, a selector that selects nothing or beyond the end, images of another size or
 * channel count than the network's. ENOTFOUND: a missing file. EFORMAT: a damaged file (truncated
 * JPEGs are). EUNSUPPORTED: CMYK JPEG, 16-bit gray PNG, array types not listed above. ELIMIT: more
 * than 2^31 bytes, or a picture of more than 2^26 pixels. EIO, ENOMEM. */
BSR_PUBLIC BSR_NODISCARD bsr_status bsr_dataset_open(bsr_dataset **out,
                                                     const bsr_dataset_options *options,
                                                     int channels, int height, int width);
BSR_PUBLIC void bsr_dataset_free(bsr_dataset *dataset);

/* Number of selected images, at least 1. */
BSR_PUBLIC size_t bsr_dataset_count(const bsr_dataset *dataset);
BSR_PUBLIC int bsr_dataset_channels(const bsr_dataset *dataset);
BSR_PUBLIC int bsr_dataset_height(const bsr_dataset *dataset);
BSR_PUBLIC int bsr_dataset_width(const bsr_dataset *dataset);

/* Label of image i, class_offset added. i must be below the count. */
BSR_PUBLIC int bsr_dataset_label(const bsr_dataset *dataset, size_t i);

/* EINVAL, naming the first image whose label is outside 0..classes-1. */
BSR_PUBLIC BSR_NODISCARD bsr_status bsr_dataset_check_labels(const bsr_dataset *dataset,
                                                             int classes);

/* Writes image i as channels * height * width values in planes (ONNX's C,H,W), the channels in the
 * network's order. Costs one table look-up per value. EINVAL: i is not below the count. */
BSR_PUBLIC BSR_NODISCARD bsr_status bsr_dataset_image(const bsr_dataset *dataset, size_t i,
                                                      float *out);

/* SHA-256 in lower-case hexadecimal with a final 0, for provenance: over, for each image in turn,
 * its values as little-endian float32, then its label as little-endian int32. Depends on what the
 * network sees only, not on where it came from. Hashes everything at each call. ENOMEM. */
BSR_PUBLIC BSR_NODISCARD bsr_status bsr_dataset_sha256(const bsr_dataset *dataset, char hex[65]);

#ifdef __cplusplus
}
#endif
#endif
