/* Whole networks through the public API: logits of the first images against those that another
 * runtime computed, and accuracy on all images of the file. Prints one line for each network; the
 * reference is PyTorch 1.13 for the demo network and ONNX Runtime 1.30 for the pretrained ones. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bitseer/run.h"
#include "exec/golden.h"
#include "exec/model_state.h"
#include "rng/philox.h"
#include "support/interp.h"
#include "support/zoo.h"

/* What a network must reach. */
typedef struct expectation {
    const char *name;
    int images, correct; /* top-1 of the other runtime on the whole file */
    int slack;           /* images by which ours may differ */
    double within;       /* share of logits within one quantisation step; 0: a float network */
    int same_top1;       /* on the images whose logits are known */
} expectation;

/* Float networks differ by the order of additions only, quantised ones by ties that fall to the
 * other side. In MobileNetV2 few ties of the first layers grow over 53 layers until one logit in
 * twenty is off by more than a step; ONNX Runtime with its graph optimisations switched off differs
 * from these reference logits by more. Its classes must agree all the same. */
static const expectation expectations[] = {
    {"fashion_resnet", 10000, 9224, 0, 0, 1},
    {"cifar10_resnet20_akamaster_bn", 1000, 915, 2, 0, 1},
    {"cifar10_resnet20_akamaster_folded", 1000, 915, 2, 0, 1},
    {"cifar10_resnet20_akamaster_folded_rawexport", 1000, 915, 2, 0, 1},
    {"cifar10_resnet20_akamaster_int8_qdq", 1000, 915, 5, .995, 0},
    {"cifar10_resnet8_mlperftiny_float", 1000, 881, 2, 0, 1},
    {"cifar10_resnet8_mlperftiny_int8_qdq", 1000, 877, 5, .995, 0},
    {"cifar10_resnet8_mlperftiny_int8_qop", 1000, 877, 5, .995, 0},
    {"cifar10_cnvW1A1_bnnpynq", 1000, 800, 2, 0, 1},
    {"mnist_cntk_opset8", 10000, 9891, 2, 0, 1},
    {"tf2_mobilenet_v2_1.0_224_int8_float", 200, 177, 2, 0, 1},
    {"tf2_mobilenet_v2_1.0_224_int8_qdq", 200, 177, 5, .94, 1},
};

static int failures;

static int require(int ok, const char *name, const char *what)
{
    if (!ok) {
        printf("FAILED %s: %s\n", name, what);
        failures++;
    }
    return ok;
}

/* Reads the reference logits; a .npy file's header ends where its floats begin. Returns how many
 * floats there are. */
static size_t read_reference(float **out, const zoo_network *net)
{
    char path[4096], file[256];
    snprintf(file, sizeof file, "%s.logits.f32", net->name);
    int demo = net == zoo_networks;
    FILE *f =
        fopen(demo ? "models/fashion_resnet.logits.npy" : zoo_path(path, "logits", file), "rb");
    if (!f)
        return 0;
    long header = 0;
    unsigned char magic[10];
    if (demo && fread(magic, 1, 10, f) == 10)
        header = 10 + magic[8] + 256 * magic[9];
    long size = fseek(f, 0, SEEK_END) == 0 ? ftell(f) - header : 0;
    size_t n = size > 0 ? (size_t)size / sizeof(float) : 0;
    *out = malloc((n + 1) * sizeof(float));
    if (!*out || fseek(f, header, SEEK_SET) != 0 || fread(*out, sizeof(float), n, f) != n)
        n = 0;
    fclose(f);
    return n;
}

/* What one code of the logits is worth: the scale of the DequantizeLinear that makes them, perhaps
 * through Flatten. ResNet-20 ends with a Gemm that gives floats: there, what 8 bits over the range
 * of the reference logits would give. */
static double output_step(const bsr_model *model, const float *want, size_t n)
{
    const bsr_graph *g = model->graph;
    const bsr_node *last = &g->nodes[g->values[g->outputs[0]].producer];
    if (strcmp(last->op_type, "Flatten") == 0)
        last = &g->nodes[g->values[last->in[0]].producer];
    if (strcmp(last->op_type, "DequantizeLinear") == 0)
        return *(const float *)g->values[last->in[1]].constant->data;
    double lo = want[0], hi = want[0];
    for (size_t i = 1; i < n; i++) {
        lo = fmin(lo, (double)want[i]);
        hi = fmax(hi, (double)want[i]);
    }
    return (hi - lo) / 255;
}

typedef struct agreement {
    double worst, largest; /* greatest difference and greatest reference logit */
    double within;         /* share within `step` */
    int other_top1;        /* images with another class */
} agreement;

static agreement compare(const float *got, const float *want, size_t n, int classes, double step)
{
    agreement a = {0};
    size_t near = 0;
    for (size_t i = 0; i < n; i++) {
        double d = fabs((double)got[i] - (double)want[i]);
        /* Not fmax, which would drop a NaN. */
        a.worst = d <= a.worst ? a.worst : d;
        a.largest = fmax(a.largest, fabs((double)want[i]));
        near += d <= step * 1.0001;
    }
    a.within = (double)near / (double)n;
    for (size_t i = 0; i + (size_t)classes <= n; i += (size_t)classes)
        a.other_top1 += bsr_top1(got + i, classes) != bsr_top1(want + i, classes);
    return a;
}

static void run_network(const expectation *e)
{
    const zoo_network *net = zoo_find(e->name);
    if (!zoo_exists(net)) {
        printf("%-45s skipped: not there\n", e->name);
        return;
    }
    bsr_model *model;
    bsr_dataset *data;
    bsr_eval_result *r;
    float *want = NULL;
    zoo_open(net, NULL, &model, &data);
    zoo_check(bsr_eval(&r, model, data, NULL), e->name);
    size_t n = read_reference(&want, net);
    size_t images = strstr(e->name, "224") ? 10 : 100;
    if (require(n == images * (size_t)r->classes, e->name, "reference logits are missing or cut")) {
        double step = output_step(model, want, n);
        agreement a = compare(r->logits, want, n, r->classes, step);
        printf("%-45s %3zu images: max |diff| %.2e of %.1f", e->name, images, a.worst, a.largest);
        if (e->within > 0)
            printf(", %.2f %% within one step of %.3g", 100 * a.within, step);
        printf("; %d other top-1; correct %llu of %llu (reference %d)\n", a.other_top1,
               (unsigned long long)r->correct, (unsigned long long)r->images, e->correct);
        require(e->within > 0 ? a.within >= e->within : a.worst <= 1e-4 * a.largest, e->name,
                "logits differ");
        require(!e->same_top1 || !a.other_top1, e->name, "top-1 differs");
    }
    require(r->images == (uint64_t)e->images &&
                llabs((long long)r->correct - e->correct) <= e->slack,
            e->name, "number of correct images");
    fflush(stdout);
    free(want);
    bsr_eval_result_free(r);
    bsr_dataset_free(data);
    bsr_model_free(model);
}

/* No images belong to this network: engine against reference interpreter on random ones. Its file
 * leaves height and width open. */
static void run_open_size(const char *name)
{
    enum { H = 48, W = 192, IMAGES = 3, N = 3 * H * W };
    char path[4096], file[256];
    if (!zoo_exists(zoo_find(name))) {
        printf("%-45s skipped: not there\n", name);
        return;
    }
    bsr_model *model;
    bsr_model_options o = BSR_MODEL_OPTIONS_INIT;
    o.input_shape[0] = 3;
    o.input_shape[1] = H;
    o.input_shape[2] = W;
    snprintf(file, sizeof file, "%s.onnx", name);
    zoo_check(bsr_model_load(&model, zoo_path(path, "models", file), &o), name);
    /* Images through the public API: a float array file of IMAGES pictures. */
    static float x[IMAGES][N];
    bsr_rng rng = bsr_rng_make(3, 0);
    for (int i = 0; i < IMAGES; i++)
        for (int k = 0; k < N; k++)
            x[i][k] = (float)(2 * bsr_rng_uniform(&rng) - 1);
    bsr_forward *f;
    interp *p;
    bsr_tensor *t;
    double worst = 0, largest = 0;
    int classes = bsr_plan_classes(model->plan);
    float *got = calloc((size_t)classes, sizeof *got);
    if (!got)
        zoo_check(BSR_ENOMEM, name);
    zoo_check(bsr_forward_new(&f, model->plan, 1), name);
    zoo_check(interp_new(&p, model->graph), name);
    zoo_check(bsr_tensor_new(&t, BSR_F32, 4, (int64_t[]){1, 3, H, W}), name);
    char *input = malloc(N * sizeof(float));
    if (!input)
        zoo_check(BSR_ENOMEM, name);
    for (int i = 0; i < IMAGES; i++) {
        bsr_input_layout(model->plan, x[i], model->nhwc, input);
        const char *in = input;
        zoo_check(bsr_forward_run(f, 1, &in, NULL, &got), name);
        memcpy(t->data, x[i], sizeof x[i]);
        zoo_check(interp_run(p, (const bsr_tensor *const[]){t}), name);
        agreement a = compare(got, interp_output(p, 0)->data, (size_t)classes, classes, 0);
        worst = a.worst <= worst ? worst : a.worst;
        largest = fmax(largest, a.largest);
    }
    printf("%-45s %3d random images: max |diff| %.2e of %.1f (reference interpreter)\n", name,
           IMAGES, worst, largest);
    require(worst <= 1e-5 * largest, name, "logits differ");
    free(input);
    free(got);
    bsr_tensor_free(t);
    interp_free(p);
    bsr_forward_free(f);
    bsr_model_free(model);
}

int main(void)
{
    size_t there = 0;
    for (size_t i = 0; i < sizeof expectations / sizeof *expectations; i++) {
        there += (size_t)zoo_exists(zoo_find(expectations[i].name));
        run_network(&expectations[i]);
    }
    run_open_size("ch_ppocr_mobile_v2.0_cls_infer");
    if (!there) {
        printf("skipped: neither Debian's dataset-fashion-mnist nor BITSEER_DATA is there\n");
        return 77;
    }
    printf("%zu networks, %d failures\n", there, failures);
    return failures > 0;
}
