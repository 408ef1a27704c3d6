#include "unit/data/temp_files.h"

#include <limits.h>
#include <math.h>

#include "bitseer/dataset.h"
#include "unit/data/fixtures.h"

/* Records of CIFAR-10 whose byte k is 7 k modulo 256. */
static const char *put_cifar(const char *name, const char *labels)
{
    static unsigned char file[16 * 3073];
    size_t n = strlen(labels);
    for (size_t r = 0; r < n; r++) {
        file[r * 3073] = (unsigned char)(labels[r] - '0');
        for (size_t k = 0; k < 3072; k++)
            file[r * 3073 + 1 + k] = (unsigned char)(7 * k);
    }
    return temp_put(name, file, n * 3073);
}

static const char *spec(const char *kind, const char *path)
{
    static char text[400];
    snprintf(text, sizeof text, "%s:%s", kind, path);
    return text;
}

static bsr_dataset_options imagenet_options(const char *data)
{
    bsr_dataset_options o = BSR_DATASET_OPTIONS_INIT;
    o.data = data;
    memcpy(o.mean, (const double[]){0.485, 0.456, 0.406}, sizeof o.mean);
    memcpy(o.std, (const double[]){0.229, 0.224, 0.225}, sizeof o.std);
    o.mean_count = o.std_count = 3;
    return o;
}

/* Values and digests: ((p / 255.0 - mean) / std).astype(np.float32) with NumPy 1.24 in float64,
 * hashlib. */
static void test_data_dataset__values(void **state)
{
    static const struct {
        int at;
        float value;
    } want[] = {{0, -0x1.0f177ap+1f},    {1, -0x1.ff7efp+0f},     {1023, 0x1.12b55ep+1f},
                {1024, -0x1.04924ap+1f}, {2048, -0x1.cdf012p+0f}, {3071, 0x1.4488cep+1f}};
    static float image[3072];
    char hex[65];
    bsr_dataset *ds;
    bsr_dataset_options o = imagenet_options(spec("cifar10", put_cifar("a.bin", "3")));
    assert_int_equal(bsr_dataset_open(&ds, &o, 3, 32, 32), BSR_OK);
    assert_int_equal(bsr_dataset_count(ds), 1);
    assert_int_equal(bsr_dataset_channels(ds), 3);
    assert_int_equal(bsr_dataset_height(ds), 32);
    assert_int_equal(bsr_dataset_width(ds), 32);
    assert_int_equal(bsr_dataset_label(ds, 0), 3);
    assert_int_equal(bsr_dataset_image(ds, 0, image), BSR_OK);
    for (size_t i = 0; i < sizeof want / sizeof *want; i++)
        assert_true(image[want[i].at] == want[i].value);
    assert_int_equal(bsr_dataset_sha256(ds, hex), BSR_OK);
    assert_string_equal(hex, "132f431c58f4d935d3dbe978dbef2b9a4f19c8cdd1cebf8438f2b85650670a33");
    assert_fails(bsr_dataset_image(ds, 1, image), BSR_EINVAL, "image 1, the dataset has 1");
    bsr_dataset_free(ds);
    bsr_dataset_free(NULL);
}

static void test_data_dataset__bgr(void **state)
{
    char hex[65];
    bsr_dataset *ds;
    bsr_dataset_options o = imagenet_options(spec("cifar10", put_cifar("a.bin", "3")));
    o.order = BSR_ORDER_BGR;
    o.class_offset = 1;
    assert_int_equal(bsr_dataset_open(&ds, &o, 3, 32, 32), BSR_OK);
    assert_int_equal(bsr_dataset_label(ds, 0), 4);
    assert_int_equal(bsr_dataset_sha256(ds, hex), BSR_OK);
    assert_string_equal(hex, "e0b189d14fd629836935ceb7a5b4a8bd05798000f6efb70e4fe38ccd8dbc081e");
    bsr_dataset_free(ds);
}

/* Float arrays: as they are, or (x - mean) / std without a division by 255. Element k is k/8 - 0.5.
 * Values: ((x.astype(np.float64) - 0.485) / 0.229).astype(np.float32) with NumPy 1.24; in float32
 * arithmetic all but the first and the fifth are others. */
static void test_data_dataset__floats(void **state)
{
    static const float want[] = {-0x1.06b51ap+0f, -0x1.ebe0b2p-2f, 0x1.0c4c04p-4f,
                                 0x1.39035ap-1f,  0x1.283e9ap+0f,  0x1.b3fb88p+0f};
    char data[600];
    float image[6];
    bsr_dataset *ds;
    snprintf(data, sizeof data, "npy:%s,%s", temp_put("x.npy", npy_x_float, sizeof npy_x_float),
             temp_put("y.npy", npy_y_i64, sizeof npy_y_i64));
    bsr_dataset_options o = BSR_DATASET_OPTIONS_INIT;
    o.data = data;
    assert_int_equal(bsr_dataset_open(&ds, &o, 1, 2, 3), BSR_OK);
    assert_int_equal(bsr_dataset_image(ds, 0, image), BSR_OK);
    for (int k = 0; k < 6; k++)
        assert_true(image[k] == (float)k / 8 - 0.5f);
    bsr_dataset_free(ds);
    o.mean[0] = 0.485;
    o.std[0] = 0.229;
    o.mean_count = o.std_count = 1;
    assert_int_equal(bsr_dataset_open(&ds, &o, 1, 2, 3), BSR_OK);
    assert_int_equal(bsr_dataset_image(ds, 1, image), BSR_OK);
    for (int k = 0; k < 6; k++)
        assert_true(image[k] == want[k]);
    bsr_dataset_free(ds);
}

static void test_data_dataset__selection(void **state)
{
    static const int want[] = {1, 0, 0, 1};
    bsr_dataset *ds;
    bsr_dataset_options o = BSR_DATASET_OPTIONS_INIT;
    o.data = spec("cifar10", put_cifar("a.bin", "1001101"));
    o.images = "2/class";
    assert_int_equal(bsr_dataset_open(&ds, &o, 3, 32, 32), BSR_OK);
    assert_int_equal(bsr_dataset_count(ds), 4);
    for (size_t i = 0; i < 4; i++)
        assert_int_equal(bsr_dataset_label(ds, i), want[i]);
    assert_int_equal(bsr_dataset_check_labels(ds, 2), BSR_OK);
    assert_fails(bsr_dataset_check_labels(ds, 1), BSR_EINVAL,
                 "image 0 has label 1, the network has classes 0 to 0");
    bsr_dataset_free(ds);
    o.class_offset = -1;
    assert_int_equal(bsr_dataset_open(&ds, &o, 3, 32, 32), BSR_OK);
    assert_fails(bsr_dataset_check_labels(ds, 2), BSR_EINVAL, "image 1 has label -1");
    bsr_dataset_free(ds);
}

static void test_data_dataset__card(void **state)
{
    static const char card[] = "data: cifar10:a.bin\nmean: [0.5]\nimages: 3\nclass_offset: 2\n";
    float image[3072];
    bsr_dataset *ds;
    temp_mkdir("sub");
    put_cifar("sub/a.bin", "10011");
    bsr_dataset_options o = BSR_DATASET_OPTIONS_INIT;
    o.data = temp_put("sub/card.yaml", card, strlen(card));
    assert_int_equal(bsr_dataset_open(&ds, &o, 3, 32, 32), BSR_OK);
    assert_int_equal(bsr_dataset_count(ds), 3);
    assert_int_equal(bsr_dataset_label(ds, 0), 3);
    assert_int_equal(bsr_dataset_image(ds, 0, image), BSR_OK);
    assert_true(image[0] == -0.5f);
    bsr_dataset_free(ds);
    o.mean[0] = 0.25;
    o.mean_count = 1;
    o.images = "";
    o.class_offset = 0;
    assert_int_equal(bsr_dataset_open(&ds, &o, 3, 32, 32), BSR_OK);
    assert_int_equal(bsr_dataset_count(ds), 5);
    assert_int_equal(bsr_dataset_label(ds, 0), 1);
    assert_int_equal(bsr_dataset_image(ds, 0, image), BSR_OK);
    assert_true(image[0] == -0.25f);
    bsr_dataset_free(ds);
    o.data = temp_put("sub/b.yml", "data: card.yaml\n", 16);
    assert_fails(bsr_dataset_open(&ds, &o, 3, 32, 32), BSR_EINVAL,
                 "data 'card.yaml' is none of cifar10:FILE");
    o.data = temp_path("none.yaml");
    assert_fails(bsr_dataset_open(&ds, &o, 3, 32, 32), BSR_ENOTFOUND, "none.yaml': No such file");
}

typedef struct bad_case {
    void (*change)(bsr_dataset_options *o);
    int channels, height, width;
    const char *message;
} bad_case;

#define CHANGE(name, statement)                                                                    \
    static void name(bsr_dataset_options *o)                                                       \
    {                                                                                              \
        statement;                                                                                 \
    }
CHANGE(nothing, (void)o)
CHANGE(old_version, o->version = 0)
CHANGE(no_data, o->data = NULL)
CHANGE(two_means, o->mean_count = 2)
CHANGE(nan_mean, o->mean[1] = NAN)
CHANGE(zero_std, o->std[2] = 0.0)
CHANGE(four_stds, o->std_count = 4)
CHANGE(bad_order, o->order = (bsr_channel_order)3)
CHANGE(gray_bgr, (o->order = BSR_ORDER_BGR, o->mean_count = o->std_count = 1))
CHANGE(with_resize, o->resize = 40)
CHANGE(with_labels, o->labels_file = "x")
CHANGE(with_crop, o->crop = 28)
CHANGE(negative_resize, o->resize = -1)
CHANGE(too_many, o->images = "4")

static void test_data_dataset__bad_options(void **state)
{
    static const bad_case cases[] = {
        {old_version, 3, 32, 32, "dataset options have version 0, expected 1"},
        {no_data, 3, 32, 32, "no data given"},
        {two_means, 3, 32, 32, "mean has 2 values, the network has 3 channels"},
        {nothing, 1, 28, 28, "mean has 3 values, the network has 1 channels"},
        {nan_mean, 3, 32, 32, "mean[1] is nan, expected a finite value"},
        {zero_std, 3, 32, 32, "std[2] is 0, expected a finite value above 0"},
        {four_stds, 3, 32, 32, "mean has 3 values and std 4, expected 0 to 3"},
        {bad_order, 3, 32, 32, "order is 3, expected one of bsr_channel_order"},
        {gray_bgr, 1, 32, 32, "order is BGR, but the network has 1 channels"},
        {with_resize, 3, 32, 32, "cifar10 does not take resize, only folder does"},
        {with_labels, 3, 32, 32, "cifar10 does not take a labels file, only folder does"},
        {with_crop, 3, 32, 32, "crop is 28, the network takes images of 32x32"},
        {negative_resize, 3, 32, 32, "resize is -1, expected 0 to 65535"},
        {too_many, 3, 32, 32, "images '4' ends at 4, the data has 3 images"},
        {nothing, 3, 28, 28, "cifar10: images are 3x32x32, the network takes 3x28x28"},
        {nothing, 0, 32, 32, "the network takes images of 0x32x32, which cannot be"},
        {nothing, 3, INT_MAX, INT_MAX, "2147483647x2147483647, which cannot be"},
    };
    bsr_dataset_options good = imagenet_options(spec("cifar10", put_cifar("a.bin", "012")));
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        bsr_dataset_options o = good;
        bsr_dataset *ds;
        cases[i].change(&o);
        assert_fails(bsr_dataset_open(&ds, &o, cases[i].channels, cases[i].height, cases[i].width),
                     BSR_EINVAL, cases[i].message);
        assert_null(ds);
    }
}

static void test_data_dataset__label_range(void **state)
{
    static const unsigned char far[] = {0x93,
                                        'N',
                                        'U',
                                        'M',
                                        'P',
                                        'Y',
                                        1,
                                        0,
                                        57,
                                        0,
                                        '{',
                                        '\'',
                                        'd',
                                        'e',
                                        's',
                                        'c',
                                        'r',
                                        '\'',
                                        ':',
                                        '\'',
                                        '<',
                                        'i',
                                        '8',
                                        '\'',
                                        ',',
                                        '\'',
                                        'f',
                                        'o',
                                        'r',
                                        't',
                                        'r',
                                        'a',
                                        'n',
                                        '_',
                                        'o',
                                        'r',
                                        'd',
                                        'e',
                                        'r',
                                        '\'',
                                        ':',
                                        'F',
                                        'a',
                                        'l',
                                        's',
                                        'e',
                                        ',',
                                        '\'',
                                        's',
                                        'h',
                                        'a',
                                        'p',
                                        'e',
                                        '\'',
                                        ':',
                                        '(',
                                        '2',
                                        ',',
                                        ')',
                                        '}',
                                        ' ',
                                        ' ',
                                        ' ',
                                        ' ',
                                        ' ',
                                        ' ',
                                        ' ',
                                        /* 1 and 2^31 */ 1,
                                        0,
                                        0,
                                        0,
                                        0,
                                        0,
                                        0,
                                        0,
                                        0,
                                        0,
                                        0,
                                        0x80,
                                        0,
                                        0,
                                        0,
                                        0};
    char data[600];
    bsr_dataset *ds;
    snprintf(data, sizeof data, "npy:%s,%s", temp_put("x.npy", npy_x_c, sizeof npy_x_c),
             temp_put("y.npy", far, sizeof far));
    bsr_dataset_options o = BSR_DATASET_OPTIONS_INIT;
    o.data = data;
    assert_fails(bsr_dataset_open(&ds, &o, 1, 2, 3), BSR_EFORMAT,
                 "image 1: label 2147483648 is out of range");
}

static bsr_status open_and_free(const char *data)
{
    bsr_dataset *ds;
    char hex[65];
    bsr_dataset_options o = imagenet_options(data);
    bsr_status status = bsr_dataset_open(&ds, &o, 3, 32, 32);
    if (status == BSR_OK)
        status = bsr_dataset_sha256(ds, hex);
    bsr_dataset_free(ds);
    return status;
}

static void test_data_dataset__no_memory(void **state)
{
    static const char card[] = "data: cifar10:a.bin\nimages: 1/class\norder: BGR\n";
    put_cifar("a.bin", "012");
    char path[256];
    strcpy(path, temp_put("card.yaml", card, strlen(card)));
    assert_survives_no_memory(open_and_free(path));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_data_dataset__values),
        cmocka_unit_test(test_data_dataset__bgr),
        cmocka_unit_test(test_data_dataset__floats),
        cmocka_unit_test(test_data_dataset__selection),
        cmocka_unit_test(test_data_dataset__card),
        cmocka_unit_test(test_data_dataset__bad_options),
        cmocka_unit_test(test_data_dataset__label_range),
        cmocka_unit_test(test_data_dataset__no_memory),
    };
    return cmocka_run_group_tests(tests, temp_setup, temp_teardown);
}
