/* Options that say what is analysed, and opening it. */
#include <string.h>

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
    {"data", 0, OPT_STRING, FIELD(data.data), "KIND:PATH",
     "labelled images: cifar10:, cifar100:, planes16: or npz: FILE, idx: or npy: IMAGES,LABELS, "
     "folder: DIR, or a data card CARD.yaml, which may hold the options below too",
     0, 0, NULL, 1},
    {"mean", 0, OPT_FLOATS, FIELD(mean), "LIST",
     "means on the scale 0..1, one or R,G,B: value = (p/255 - mean) / std (default 0)", 0, 0, NULL,
     0},
    {"std", 0, OPT_FLOATS, FIELD(std), "LIST", "standard deviations (default 1)", 0, 0, NULL, 0},
    {"images", 0, OPT_STRING, FIELD(data.images), "SELECTION",
     "N (the first N), A:B (A up to but without B) or N/class (default all)", 0, 0, NULL, 0},
    {"labels", 0, OPT_STRING, FIELD(data.labels_file), "FILE",
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

bsr_status open_data(bsr_dataset **out, const settings *s, const bsr_model *model)
{
    bsr_dataset_options o = s->data;
    memcpy(o.mean, s->mean.v, sizeof o.mean);
    memcpy(o.std, s->std.v, sizeof o.std);
    o.mean_count = s->mean.count;
    o.std_count = s->std.count;
    o.order = (bsr_channel_order)(s->order + 1);
    bsr_model_info m = bsr_model_get_info(model);
    return bsr_dataset_open(out, &o, m.channels, m.height, m.width);
}

bsr_status open_inputs(bsr_model **model, bsr_dataset **data, const settings *s)
{
    *data = NULL;
    bsr_status status = bsr_model_load(model, s->model_path, &s->model);
    if (status == BSR_OK)
        status = open_data(data, s, *model);
    if (status == BSR_OK)
        status = bsr_dataset_check_labels(*data, bsr_model_get_info(*model).classes);
    if (status != BSR_OK) {
        bsr_dataset_free(*data);
        bsr_model_free(*model);
        *data = NULL;
        *model = NULL;
    }
    return status;
}

const char *data_spec(const settings *s)
{
    static char text[4096];
    snprintf(text, sizeof text, "%s%s%s", s->data.data, s->data.images ? " images=" : "",
             s->data.images ? s->data.images : "");
    return text;
}
