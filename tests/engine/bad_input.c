/* What the public API says to bad models, data and selections. Files of tests/fuzz/corpus/onnx are
 * described in make_onnx_corpus.py; the others are made here by changing one small network. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "bitseer/run.h"
#include "support/npy_data.h"

#define CORPUS "tests/fuzz/corpus/onnx/"
#define SMALL  "tests/engine/data/grouped.onnx"

enum { MAX_FILE = 4096, IMAGES = 3, PIXELS = 3 * 8 * 8 };

/* Asserts the status and the whole message, both named on failure. A '*' is any text: sizes that
 * are the engine's own business. */
static void expect(bsr_status got, bsr_status status, const char *message)
{
    const char *text = bsr_error_message(), *star = strchr(message, '*');
    if (got != status)
        print_error("%s: %s\n", bsr_status_name(got), text);
    assert_int_equal(got, status);
    size_t before = star ? (size_t)(star - message) : 0, behind = star ? strlen(star + 1) : 0;
    int same = strncmp(text, message, before) == 0 && strlen(text) >= before + behind &&
               strcmp(text + strlen(text) - behind, message + strlen(message) - behind) == 0;
    if (!star || !same)
        assert_string_equal(text, message);
}

static void test_bad_model__files(void **state)
{
    static const struct {
        const char *path;
        bsr_status status;
        const char *message; /* behind "'PATH': " */
    } files[] = {
        {CORPUS "bad_empty.onnx", BSR_EFORMAT, "not an ONNX model: no ir_version"},
        {CORPUS "bad_garbage.onnx", BSR_EFORMAT,
         "invalid ONNX: byte 0: ModelProto field 'domain' has wire type 5, expected 2"},
        {CORPUS "bad_truncated.onnx", BSR_EFORMAT,
         "invalid ONNX: byte 85: ModelProto field 'opset_import' has 4 bytes, 1 remain"},
        {CORPUS "bad_cycle.onnx", BSR_EFORMAT,
         "node 'second' (Relu) is on a cycle through its input 'a'"},
        {CORPUS "bad_dangling.onnx", BSR_EFORMAT,
         "node 'a' (Add): input 1 'ghost' dangles: no node, graph input or initialiser gives it"},
        {CORPUS "bad_huge.onnx", BSR_ELIMIT,
         "tensor 'w' of shape 1099511627776x1099511627776 has more than 2147483648 elements"},
        {CORPUS "bad_opset18.onnx", BSR_EUNSUPPORTED, "opset is 18, expected 7 to 17"},
        {CORPUS "bad_domain.onnx", BSR_EUNSUPPORTED,
         "node 'fc' (FusedConv): operator domain 'com.microsoft'"},
        {CORPUS "bad_external_missing.onnx", BSR_ENOTFOUND,
         "tensor 'w': external file '" CORPUS "no_such_file.bin': No such file or directory"},
        {CORPUS "bad_external_up.onnx", BSR_EFORMAT,
         "tensor 'w': external file '../../../etc/hostname' is not inside the model's folder"},
    };
    for (size_t i = 0; i < sizeof files / sizeof *files; i++) {
        char message[512];
        bsr_model *model = (bsr_model *)1;
        snprintf(message, sizeof message, "'%s': %s", files[i].path, files[i].message);
        bsr_status status = bsr_model_load(&model, files[i].path, NULL);
        expect(status, files[i].status, message);
        assert_null(model);
    }
}

static void test_bad_model__no_file(void **state)
{
    bsr_model *model;
    expect(bsr_model_load(&model, "no/such.onnx", NULL), BSR_ENOTFOUND,
           "cannot read 'no/such.onnx': No such file or directory");
    assert_null(model);
}

static void test_bad_model__external_data_in_memory(void **state)
{
    unsigned char bytes[MAX_FILE];
    FILE *f = fopen(CORPUS "external.onnx", "rb");
    assert_non_null(f);
    size_t n = fread(bytes, 1, sizeof bytes, f);
    fclose(f);
    bsr_model *model;
    expect(bsr_model_load_bytes(&model, bytes, n, NULL), BSR_EUNSUPPORTED,
           "tensor 'w' is in the external file 'external.bin', which needs the model's folder");
}

/* The small network with the bytes `from` replaced by as many bytes `to`, the first time. */
static bsr_status load_changed(bsr_model **model, const char *from, const char *to, size_t n)
{
    static unsigned char bytes[MAX_FILE];
    FILE *f = fopen(SMALL, "rb");
    assert_non_null(f);
    size_t size = fread(bytes, 1, sizeof bytes, f), at = 0;
    fclose(f);
    while (at + n <= size && memcmp(bytes + at, from, n) != 0)
        at++;
    assert_true(at + n <= size);
    memcpy(bytes + at, to, n);
    return bsr_model_load_bytes(model, bytes, size, NULL);
}

static void test_bad_model__unknown_operator(void **state)
{
    bsr_model *model;
    expect(load_changed(&model, "Flatten", "Flatton", 7), BSR_EUNSUPPORTED,
           "node 'n17' (Flatton): operator 'Flatton' is not supported");
    assert_null(model);
}

/* dims of the first weight, 6x3x1x1 as two tag-value bytes each, become 6x2x1x1, 3x6x1x1, and 6x3x1
 * with the fourth tag turned into that of a field which does not exist. */
static void test_bad_model__wrong_shapes(void **state)
{
    bsr_model *model;
    expect(load_changed(&model, "\x08\x06\x08\x03\x08\x01\x08\x01",
                        "\x08\x06\x08\x02\x08\x01\x08\x01", 8),
           BSR_EFORMAT, "tensor 'c1': raw_data has 72 bytes, float32 of shape 6x2x1x1 needs 48");
    expect(load_changed(&model, "\x08\x06\x08\x03\x08\x01\x08\x01",
                        "\x08\x03\x08\x06\x08\x01\x08\x01", 8),
           BSR_EFORMAT,
           "node 'n2' (Conv): weights take 6 channels per group, input has 3 in 1 groups");
    expect(load_changed(&model, "\x08\x06\x08\x03\x08\x01\x08\x01",
                        "\x08\x06\x08\x03\x08\x01\x78\x01", 8),
           BSR_EFORMAT, "node 'n2' (Conv): weights have 3 dimensions, input has 4");
}

typedef struct bench {
    npy_data files;
    bsr_model *model;
    bsr_dataset *data;
} bench;

static bsr_status open_data(bench *b, const char *images)
{
    bsr_dataset_options d = BSR_DATASET_OPTIONS_INIT;
    d.data = b->files.spec;
    d.images = images;
    return bsr_dataset_open(&b->data, &d, 3, 8, 8);
}

static int set_up(void **state)
{
    static bench b;
    static float x[IMAGES * PIXELS];
    const int32_t labels[IMAGES] = {0, 4, 5}; /* the network has 5 classes */
    npy_data_write(&b.files, x, labels, IMAGES, 3, 8, 8);
    *state = &b;
    return bsr_model_load(&b.model, SMALL, NULL) || open_data(&b, "2");
}

static int tear_down(void **state)
{
    bench *b = *state;
    npy_data_remove(&b->files);
    bsr_dataset_free(b->data);
    bsr_model_free(b->model);
    return 0;
}

static void test_bad_data__size(void **state)
{
    bench *b = *state;
    bsr_dataset *data;
    bsr_dataset_options d = BSR_DATASET_OPTIONS_INIT;
    d.data = b->files.spec;
    expect(bsr_dataset_open(&data, &d, 3, 32, 32), BSR_EINVAL,
           "npy: images are 3x8x8, the network takes 3x32x32");
    assert_null(data);
    /* Opened for another network. */
    bsr_model *other;
    bsr_eval_result *r;
    assert_int_equal(bsr_model_load(&other, "tests/engine/data/attention.onnx", NULL), BSR_OK);
    expect(bsr_eval(&r, other, b->data, NULL), BSR_EINVAL,
           "images are 3x8x8, the network wants 3x4x4");
    assert_null(r);
    bsr_model_free(other);
}

static void test_bad_data__label_out_of_range(void **state)
{
    bench *b = *state, all = {.files = b->files};
    bsr_result *r;
    assert_int_equal(open_data(&all, "3"), BSR_OK);
    expect(bsr_inject(&r, b->model, all.data, NULL), BSR_EINVAL,
           "image 2 has label 5, the network has classes 0 to 4");
    assert_null(r);
    bsr_dataset_free(all.data);
}

static void test_bad_data__no_images(void **state)
{
    bench *b = *state, none = {.files = b->files};
    expect(open_data(&none, "0"), BSR_EINVAL, "images '0' selects no image");
    expect(open_data(&none, "2:2"), BSR_EINVAL, "images '2:2' selects no image");
    expect(open_data(&none, "4"), BSR_EINVAL, "images '4' ends at 4, the data has 3 images");
}

/* One wrong option at a time. */
static void test_bad_run__options(void **state)
{
    static const struct {
        bsr_target target;
        const char *layers, *tensors, *channels, *bits, *cpu;
        double confidence;
        int threads;
        size_t max_memory;
        bsr_status status;
        const char *message;
    } runs[] = {
        {BSR_TARGET_WEIGHT, "5", NULL, NULL, NULL, NULL, .95, 1, 1 << 24, BSR_ENOTFOUND,
         "layer 5 does not exist, there are 5 (0 to 4)"},
        {BSR_TARGET_WEIGHT, "n22", NULL, NULL, NULL, NULL, .95, 1, 1 << 24, BSR_ENOTFOUND,
         "layer 'n22' does not exist, did you mean 'n2'?"},
        {BSR_TARGET_WEIGHT, NULL, NULL, "6", NULL, NULL, .95, 1, 1 << 24, BSR_ENOTFOUND,
         "'n2': channel 6 does not exist, there are 6 (0 to 5)"},
        {BSR_TARGET_WEIGHT, NULL, NULL, NULL, "32", NULL, .95, 1, 1 << 24, BSR_ENOTFOUND,
         "'n2' (float32): bit 32 does not exist, there are 32 (0 to 31)"},
        {BSR_TARGET_ACTIVATION, NULL, "ghost*", NULL, NULL, NULL, .95, 1, 1 << 24, BSR_ENOTFOUND,
         "no tensor matches 'ghost*'"},
        {BSR_TARGET_WEIGHT, NULL, NULL, NULL, NULL, NULL, .95, 1, 1000, BSR_ELIMIT,
         "one image needs * bytes of golden activations, 1000 allowed"},
        {BSR_TARGET_WEIGHT, NULL, NULL, NULL, NULL, NULL, 1.0, 1, 1 << 24, BSR_EINVAL,
         "confidence is 1, expected a value between 0 and 1"},
        {BSR_TARGET_WEIGHT, NULL, NULL, NULL, NULL, NULL, .95, -1, 1 << 24, BSR_EINVAL,
         "threads is -1, expected 0 (all processors) to 1024"},
        {BSR_TARGET_WEIGHT, NULL, NULL, NULL, NULL, "sse2", .95, 1, 1 << 24, BSR_EINVAL,
         "kernel set 'sse2' does not exist: ref, avx2, avx512"},
    };
    bench *b = *state;
    for (size_t i = 0; i < sizeof runs / sizeof *runs; i++) {
        bsr_run_options o = BSR_RUN_OPTIONS_INIT;
        bsr_result *r;
        o.target = runs[i].target;
        o.layers = runs[i].layers;
        o.tensors = runs[i].tensors;
        o.channels = runs[i].channels;
        o.bits = runs[i].bits;
        o.cpu = runs[i].cpu;
        o.confidence = runs[i].confidence;
        o.threads = runs[i].threads;
        o.max_memory = runs[i].max_memory;
        o.plan = "random:1";
        expect(bsr_inject(&r, b->model, b->data, &o), runs[i].status, runs[i].message);
        assert_null(r);
        o.plan = "sites:1";
        expect(bsr_analyze(&r, b->model, b->data, &o), runs[i].status, runs[i].message);
        assert_null(r);
    }
}

static int stop(void *ctx, const bsr_progress *progress)
{
    (void)progress;
    ++*(int *)ctx;
    return 1;
}

static void test_bad_run__cancelled(void **state)
{
    bench *b = *state;
    bsr_run_options o = BSR_RUN_OPTIONS_INIT;
    bsr_result *r;
    int calls = 0;
    o.plan = "random:4";
    o.progress = stop;
    o.progress_ctx = &calls;
    expect(bsr_inject(&r, b->model, b->data, &o), BSR_ECANCELLED, "stopped by the caller");
    assert_null(r);
    o.plan = "sites:4";
    expect(bsr_analyze(&r, b->model, b->data, &o), BSR_ECANCELLED, "stopped by the caller");
    assert_null(r);
    assert_int_equal(calls, 2);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_bad_model__files),
        cmocka_unit_test(test_bad_model__no_file),
        cmocka_unit_test(test_bad_model__external_data_in_memory),
        cmocka_unit_test(test_bad_model__unknown_operator),
        cmocka_unit_test(test_bad_model__wrong_shapes),
        cmocka_unit_test(test_bad_data__size),
        cmocka_unit_test(test_bad_data__label_out_of_range),
        cmocka_unit_test(test_bad_data__no_images),
        cmocka_unit_test(test_bad_run__options),
        cmocka_unit_test(test_bad_run__cancelled),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
