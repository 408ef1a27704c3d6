#include "support/zoo.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define CIFAR    "cifar10:@cifar10/test_first1000.bin"
#define IMAGENET "planes16:@imagenet/imagenet200_224.bin"
#define MNIST    "idx:@mnist/t10k-images-idx3-ubyte.gz,@mnist/t10k-labels-idx1-ubyte.gz"
#define FASHION  "/usr/share/datasets/fashion-mnist/t10k-images-idx3-ubyte.gz"
#define BYTE     0.00392156862745098
#define IMAGENET_MEAN                                                                              \
    {                                                                                              \
        .485, .456, .406                                                                           \
    }
#define IMAGENET_STD                                                                               \
    {                                                                                              \
        .229, .224, .225                                                                           \
    }

const zoo_network zoo_networks[] = {
    {"fashion_resnet", "models/fashion-mnist.yaml", 0, 0, {0}, {0}, 0},
    {"cifar10_resnet20_akamaster_bn", CIFAR, 0, 0, IMAGENET_MEAN, IMAGENET_STD, 0},
    {"cifar10_resnet20_akamaster_folded", CIFAR, 0, 0, IMAGENET_MEAN, IMAGENET_STD, 0},
    {"cifar10_resnet20_akamaster_folded_rawexport", CIFAR, 0, 0, IMAGENET_MEAN, IMAGENET_STD, 0},
    {"cifar10_resnet20_akamaster_int8_qdq", CIFAR, 0, 0, IMAGENET_MEAN, IMAGENET_STD, 0},
    {"cifar10_resnet8_mlperftiny_float", CIFAR, 0, BYTE, {0}, {0}, 0},
    {"cifar10_resnet8_mlperftiny_int8_qdq", CIFAR, 0, BYTE, {0}, {0}, 0},
    {"cifar10_resnet8_mlperftiny_int8_qop", CIFAR, 0, BYTE, {0}, {0}, 0},
    {"cifar10_cnvW1A1_bnnpynq", CIFAR, .5, .5, {0}, {0}, 0},
    {"mnist_cntk_opset8", MNIST, 0, BYTE, {0}, {0}, 0},
    {"tf2_mobilenet_v2_1.0_224_int8_float", IMAGENET, .5, .5, {0}, {0}, 1},
    {"tf2_mobilenet_v2_1.0_224_int8_qdq", IMAGENET, .5, .5, {0}, {0}, 1},
    {"ch_ppocr_mobile_v2.0_cls_infer", NULL, 0, 0, {0}, {0}, 0},
    {NULL, NULL, 0, 0, {0}, {0}, 0},
};

static int is_demo(const zoo_network *net)
{
    return net == zoo_networks;
}

const zoo_network *zoo_find(const char *name)
{
    const zoo_network *net = zoo_networks;
    while (net->name && strcmp(net->name, name) != 0)
        net++;
    if (!net->name) {
        fprintf(stderr, "no network is called '%s'\n", name);
        exit(1);
    }
    return net;
}

const char *zoo_path(char out[4096], const char *sub, const char *name)
{
    snprintf(out, 4096, "%s/%s/%s", getenv("BITSEER_DATA"), sub, name);
    return out;
}

static const char *model_path(char out[4096], const zoo_network *net)
{
    char file[256];
    snprintf(file, sizeof file, "%s.onnx", net->name);
    if (!is_demo(net))
        return zoo_path(out, "models", file);
    snprintf(out, 4096, "models/%s", file);
    return out;
}

static int can_read(const char *path)
{
    FILE *f = fopen(path, "rb");
    if (f)
        fclose(f);
    return f != NULL;
}

int zoo_exists(const zoo_network *net)
{
    char path[4096];
    if (is_demo(net))
        return can_read(FASHION);
    return getenv("BITSEER_DATA") && can_read(model_path(path, net));
}

void zoo_check(bsr_status status, const char *what)
{
    if (status == BSR_OK)
        return;
    fprintf(stderr, "%s: %s: %s\n", what, bsr_status_name(status), bsr_error_message());
    exit(1);
}

/* The data specification with every '@' replaced. */
static void expand(char out[4096], const char *spec)
{
    size_t n = 0;
    for (; *spec && n < 4095; spec++)
        if (*spec == '@')
            n += (size_t)snprintf(out + n, 4096 - n, "%s/", getenv("BITSEER_DATA"));
        else
            out[n++] = *spec;
    out[n < 4095 ? n : 4095] = 0;
}

void zoo_open(const zoo_network *net, const char *images, bsr_model **model, bsr_dataset **data)
{
    char path[4096];
    zoo_check(bsr_model_load(model, model_path(path, net), NULL), net->name);
    if (!data || !net->data)
        return;
    bsr_dataset_options o = BSR_DATASET_OPTIONS_INIT;
    expand(path, net->data);
    o.data = path;
    o.images = images;
    if (net->std != 0 || net->rgb_std[0] != 0) {
        o.mean_count = o.std_count = net->std != 0 ? 1 : 3;
        for (int c = 0; c < o.std_count; c++) {
            o.mean[c] = net->std != 0 ? net->mean : net->rgb_mean[c];
            o.std[c] = net->std != 0 ? net->std : net->rgb_std[c];
        }
    }
    o.class_offset = net->class_offset;
    bsr_model_info info = bsr_model_get_info(*model);
    zoo_check(bsr_dataset_open(data, &o, info.channels, info.height, info.width), net->name);
}
