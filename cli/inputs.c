/* Options that say what is analysed. */
#include "cli.h"

#define FIELD(member) offsetof(settings, member)

const opt model_opts[] = {
    {"input-shape", 0, OPT_SHAPE, FIELD(model.input_shape), "C,H,W",
     "image size where the file leaves it open", 1, 65536, NULL, 0},
    {"fold-bn", 0, OPT_FLAG, FIELD(model.fold_batch_norm), "",
     "fold BatchNormalization into the convolution before it; faults then hit the folded weights",
     0, 0, NULL, 0},
    {NULL}};

const opt data_opts[] = {
    {"data", 0, OPT_SOURCE, FIELD(data.data), "KIND:PATH",
     "labelled images: cifar10:, cifar100:, planes16: or npz: FILE, idx: or npy: IMAGES,LABELS, "
     "folder: DIR, or a data card CARD.yaml, which may hold the options below too",
     0, 0, NULL, 1},
    {"mean", 0, OPT_FLOATS, FIELD(mean), "LIST",
     "means on the scale 0..1, one or R,G,B: value = (p/255 - mean) / std (default 0)", 0, 0, NULL,
     0},
    {"std", 0, OPT_FLOATS, FIELD(std), "LIST", "standard deviations (default 1)", 0, 0, NULL, 0},
    {"images", 0, OPT_STRING, FIELD(data.images), "SELECTION",
     "N (the first N), A:B (A up to but without B) or N/class (default all)", 0, 0, NULL, 0},
    {"labels", 0, OPT_PATH, FIELD(data.labels_file), "FILE",
     "folder: only: lines NAME LABEL, instead of class sub-folders", 0, 0, NULL, 0},
    {"class-offset", 0, OPT_INT, FIELD(data.class_offset), "N",
     "added to each label, 1 for a network with a background class (default 0)", -1000000, 1000000,
     NULL, 0},
    {"order", 0, OPT_CHOICE, FIELD(order), "ORDER", "channel order rgb or bgr (default rgb)", 0, 0,
     "rgb|bgr", 0},
    {"resize", 0, OPT_INT, FIELD(data.resize), "N",
     "folder: only: shorter side before the centre is cut out (default: network's size * 256/224)",
     1, 65536, NULL, 0},
    {"crop", 0, OPT_INT, FIELD(data.crop), "N",
     "height and width the network must have, as a check", 1, 65536, NULL, 0},
    {NULL}};
