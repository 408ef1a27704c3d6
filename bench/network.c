#define _POSIX_C_SOURCE 199309L /* clock_gettime */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/alloc.h"
#include "bench.h"
#include "exec/golden.h"

static const struct {
    const char *name, *model, *kind, *data, *images;
    double mean[3], std[3];
    int class_offset, in_tree;
} networks[N_NETWORKS] = {
    [NET_RESNET20] = {"ResNet-20",
                      "models/cifar10_resnet20_akamaster_bn.onnx",
                      "cifar10",
                      "cifar10/test_first1000.bin",
                      "100",
                      {.485, .456, .406},
                      {.229, .224, .225},
                      0,
                      0},
    [NET_RESNET20_CLASSES] = {"ResNet-20",
                              "models/cifar10_resnet20_akamaster_bn.onnx",
                              "cifar10",
                              "cifar10/test_first1000.bin",
                              "10/class",
                              {.4914, .4822, .4465},
                              {.2023, .1994, .2010},
                              0,
                              0},
    [NET_RESNET20_INT8] = {"ResNet-20 int8",
                           "models/cifar10_resnet20_akamaster_int8_qdq.onnx",
                           "cifar10",
                           "cifar10/test_first1000.bin",
                           "100",
                           {.485, .456, .406},
                           {.229, .224, .225},
                           0,
                           0},
    [NET_MOBILENET] = {"MobileNetV2",
                       "models/tf2_mobilenet_v2_1.0_224_int8_float.onnx",
                       "planes16",
                       "imagenet/imagenet200_224.bin",
                       "8",
                       {.5, .5, .5},
                       {.5, .5, .5},
                       1,
                       0},
    [NET_DEMO] = {"demo network",
                  "models/fashion_resnet.onnx",
                  "",
                  "models/fashion-mnist.yaml",
                  "100",
                  {0},
                  {0},
                  0,
                  1},
};

const char *network_name(network_id id)
{
    return networks[id].name;
}

void must(bsr_status status)
{
    if (status == BSR_OK)
        return;
    fprintf(stderr, "bench: %s: %s\n", bsr_status_name(status), bsr_error_message());
    exit(1);
}

double seconds_now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

void add_sample(samples *s, double v)
{
    if (s->n < (int)(sizeof s->v / sizeof *s->v))
        s->v[s->n++] = v;
}

static int ascending(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

double median(const samples *s)
{
    samples sorted = *s;
    qsort(sorted.v, (size_t)s->n, sizeof *sorted.v, ascending);
    return (sorted.v[(s->n - 1) / 2] + sorted.v[s->n / 2]) / 2;
}

double least(const samples *s)
{
    double best = s->v[0];
    for (int i = 1; i < s->n; i++)
        best = s->v[i] < best ? s->v[i] : best;
    return best;
}

double greatest(const samples *s)
{
    double best = s->v[0];
    for (int i = 1; i < s->n; i++)
        best = s->v[i] > best ? s->v[i] : best;
    return best;
}

int network_open(network *net, network_id id, const bench_options *o, const char *images)
{
    int in_tree = networks[id].in_tree;
    if (!in_tree && !o->data)
        return 0;
    const char *root = in_tree ? "." : o->data;
    char data[4096];
    *net = (network){.name = networks[id].name};
    snprintf(net->path, sizeof net->path, "%s/%s", root, networks[id].model);
    snprintf(data, sizeof data, "%s%s%s/%s", networks[id].kind, *networks[id].kind ? ":" : "", root,
             networks[id].data);
    must(bsr_model_load(&net->model, net->path, NULL));
    bsr_model_info info = bsr_model_get_info(net->model);
    bsr_dataset_options options = BSR_DATASET_OPTIONS_INIT;
    options.data = data;
    options.images = images ? images : networks[id].images;
    if (!in_tree) {
        options.mean_count = options.std_count = 3;
        memcpy(options.mean, networks[id].mean, sizeof options.mean);
        memcpy(options.std, networks[id].std, sizeof options.std);
        options.class_offset = networks[id].class_offset;
    }
    must(bsr_dataset_open(&net->data, &options, info.channels, info.height, info.width));
    must(bsr_plan_new(&net->plan, net->model->graph, bsr_kernels_for(bsr_cpu_best()), NULL));
    net->batch = bsr_dataset_count(net->data);
    return 1;
}

void network_close(network *net)
{
    bsr_plan_free(net->plan);
    bsr_dataset_free(net->data);
    bsr_model_free(net->model);
}

static void *need(void *p)
{
    if (!p)
        must(BSR_ENOMEM);
    return p;
}

double forward_seconds(const network *net, bsr_pool *pool)
{
    size_t classes = (size_t)bsr_plan_classes(net->plan);
    float *logits = need(bsr_alloc_array(net->batch * classes, sizeof *logits));
    double start = seconds_now();
    must(bsr_infer_images(net->plan, pool, net->data, net->model->nhwc, 0, net->batch, NULL,
                          logits));
    double seconds = seconds_now() - start;
    bsr_free(logits);
    return seconds;
}

double prepare_seconds(const network *net)
{
    const bsr_pten *in = &net->plan->ptens[net->plan->input];
    float *planes =
        need(bsr_alloc_aligned((size_t)in->pixels * (size_t)in->channels, sizeof *planes));
    char *input = need(bsr_alloc_aligned(in->image_bytes, 1));
    double start = seconds_now();
    for (size_t i = 0; i < net->batch; i++) {
        must(bsr_dataset_image(net->data, i, planes));
        bsr_input_layout(net->plan, planes, net->model->nhwc, input);
    }
    double seconds = seconds_now() - start;
    bsr_free(planes);
    bsr_free(input);
    return seconds;
}
