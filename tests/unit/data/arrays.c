/* The kinds idx, npy and npz. */
#include "unit/data/temp_files.h"

#include "data/data_spec.h"
#include "data/zip.h"
#include "unit/data/fixtures.h"

static bsr_status open_spec(bsr_source *s, const char *kind, const char *x, const char *y)
{
    char spec[600];
    const char *name;
    bsr_want want = {1, 2, 3, 0, NULL};
    snprintf(spec, sizeof spec, "%s:%s%s%s", kind, x, y ? "," : "", y ? y : "");
    return bsr_spec_open(s, &name, spec, NULL, &want);
}

static bsr_status open_npy(bsr_source *s, const void *x, size_t x_n, const void *y, size_t y_n)
{
    return open_spec(s, "npy", temp_put("x.npy", x, x_n), temp_put("y.npy", y, y_n));
}

#define OPEN_NPY(s, x, y) open_npy(s, x, sizeof(x), y, sizeof(y))

/* Two images of 1x2x3 bytes, 0 20 40 ... 220, with these labels. */
static void assert_bytes(bsr_source *s, int64_t label0, int64_t label1)
{
    static const unsigned char want[] = {0, 20, 40, 60, 80, 100, 120, 140, 160, 180, 200, 220};
    unsigned char got[12];
    assert_int_equal(s->count, 2);
    assert_int_equal(s->channels * 100 + s->height * 10 + s->width, 123);
    assert_false(s->is_float);
    assert_int_equal(s->load(s, 0, got), BSR_OK);
    assert_int_equal(s->load(s, 1, got + 6), BSR_OK);
    assert_memory_equal(got, want, 12);
    assert_int_equal(s->labels[0], label0);
    assert_int_equal(s->labels[1], label1);
    bsr_source_close(s);
}

static void test_data_arrays__npy(void **state)
{
    bsr_source s;
    assert_int_equal(OPEN_NPY(&s, npy_x_c, npy_y_i64), BSR_OK);
    assert_bytes(&s, 1, 0);
    assert_int_equal(OPEN_NPY(&s, npy_x_c, npy_y_i32), BSR_OK);
    assert_bytes(&s, 7, -2);
    assert_int_equal(OPEN_NPY(&s, npy_x_fortran, npy_y_u8), BSR_OK);
    assert_bytes(&s, 255, 3);

    float got[6];
    assert_int_equal(OPEN_NPY(&s, npy_x_float, npy_y_i64), BSR_OK);
    assert_true(s.is_float);
    assert_int_equal(s.load(&s, 1, got), BSR_OK);
    for (int k = 0; k < 6; k++)
        assert_true(got[k] == (float)(6 + k) / 8 - 0.5f);
    bsr_source_close(&s);
}

/* The header of version 1 with another dictionary and `bytes` of data. */
static size_t make_npy(unsigned char *out, const char *dictionary, size_t bytes)
{
    size_t n = strlen(dictionary);
    memcpy(out, "\x93NUMPY\1\0", 8);
    out[8] = (unsigned char)n;
    out[9] = 0;
    memcpy(out + 10, dictionary, n);
    memset(out + 10 + n, 0, bytes);
    return 10 + n + bytes;
}

static void test_data_arrays__npy_headers(void **state)
{
    static const struct {
        const char *dictionary;
        size_t bytes;
        bsr_status status;
        const char *message;
    } cases[] = {
        {"{\"shape\":(2,2,3),\"fortran_order\":False,\"descr\":\"|u1\"}", 12, BSR_OK, ""},
        {"{'descr': '|u1', 'fortran_order': False, 'shape': (2, 2, 3), }", 11, BSR_EFORMAT,
         "x.npy': 11 bytes behind the header, the shape asks for 12"},
        {"{'descr': '>f4', 'fortran_order': False, 'shape': (2, 2, 3), }", 48, BSR_EUNSUPPORTED,
         "x.npy': element type '>f4' is not read, only uint8 '|u1', int32 '<i4', int64 '<i8' and "
         "float32 '<f4'"},
        {"{'descr': '<i4', 'fortran_order': False, 'shape': (2, 2, 3), }", 48, BSR_EUNSUPPORTED,
         "x.npy': images are uint8 or float32, not int32"},
        {"{'descr': '|u1', 'fortran_order': False, 'shape': (12,), }", 12, BSR_EINVAL,
         "x.npy': 1 dimensions, images are [N,C,H,W] or [N,H,W]"},
        {"{'descr': '|u1', 'fortran_order': False, 'shape': (2147483647, 2147483647, 4), }", 0,
         BSR_ELIMIT, "x.npy': the shape asks for more than 2147483648 bytes"},
        {"{'descr': '|u1', 'fortran_order': False, 'shape': (99999999999999, 1, 1), }", 0,
         BSR_EFORMAT, "x.npy': bad .npy header"},
        {"{'descr': '|u1', 'fortran_order': False, 'shape': (1,1,1,1,1,1,1,1,1), }", 1, BSR_EFORMAT,
         "bad .npy header"},
        {"{'descr': '|u1', 'fortran_order': None, 'shape': (2, 2, 3), }", 12, BSR_EFORMAT,
         "bad .npy header"},
        {"{'descr': '|u1', 'fortran_order': False, }", 12, BSR_EFORMAT, "bad .npy header"},
        {"{'descr': '|u1', 'fortran_order': False, 'shape': (2, 2, -3), }", 12, BSR_EFORMAT,
         "bad .npy header"},
        {"{'descr': [('a', '<f4')], 'fortran_order': False, 'shape': (1,), }", 4, BSR_EFORMAT,
         "bad .npy header"},
        {"{'descr': '|u1", 0, BSR_EFORMAT, "bad .npy header"},
        {"", 0, BSR_EFORMAT, "bad .npy header"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        unsigned char file[256];
        bsr_source s;
        size_t n = make_npy(file, cases[i].dictionary, cases[i].bytes);
        assert_fails(open_npy(&s, file, n, npy_y_i64, sizeof npy_y_i64), cases[i].status,
                     cases[i].status == BSR_OK ? "" : cases[i].message);
        if (cases[i].status == BSR_OK)
            bsr_source_close(&s);
    }
}

static void test_data_arrays__npy_errors(void **state)
{
    unsigned char file[sizeof npy_x_c];
    bsr_source s;
    for (size_t n = 0; n < sizeof npy_x_c; n++)
        assert_fails(open_npy(&s, npy_x_c, n, npy_y_u8, sizeof npy_y_u8), BSR_EFORMAT, "x.npy': ");
    memcpy(file, npy_x_c, sizeof file);
    file[6] = 4;
    assert_fails(OPEN_NPY(&s, file, npy_y_u8), BSR_EUNSUPPORTED, "version 4, only 1 to 3");
    assert_fails(OPEN_NPY(&s, npy_x_c, npy_x_c), BSR_EINVAL, "y.npy': 4 dimensions, labels have 1");
    size_t n = make_npy(file, "{'descr': '<f4', 'fortran_order': False, 'shape': (2,), }", 8);
    assert_fails(open_npy(&s, npy_x_c, sizeof npy_x_c, file, n), BSR_EUNSUPPORTED,
                 "y.npy': labels are uint8, int32 or int64, not float32");
    n = make_npy(file, "{'descr': '|u1', 'fortran_order': False, 'shape': (3,), }", 3);
    assert_fails(open_npy(&s, npy_x_c, sizeof npy_x_c, file, n), BSR_EINVAL,
                 "y.npy': 3 labels for 2 images");
    assert_fails(open_spec(&s, "npy", temp_path("x.npy"), temp_path("none")), BSR_ENOTFOUND,
                 "none': No such file");
}

static bsr_status open_npz(bsr_source *s, const void *data, size_t n)
{
    return open_spec(s, "npz", temp_put("a.npz", data, n), NULL);
}

static void test_data_arrays__npz(void **state)
{
    bsr_source s;
    assert_int_equal(open_npz(&s, npz_stored, sizeof npz_stored), BSR_OK);
    assert_bytes(&s, 1, 0);
    assert_int_equal(open_npz(&s, npz_deflated, sizeof npz_deflated), BSR_OK);
    assert_bytes(&s, 1, 0);
    unsigned char *out;
    size_t n;
    assert_fails(bsr_zip_extract(&out, &n, npz_stored, sizeof npz_stored, "z.npy", 1000, "a.npz"),
                 BSR_ENOTFOUND, "a.npz: has no member 'z.npy' among its 2");
    assert_fails(bsr_zip_extract(&out, &n, npz_stored, sizeof npz_stored, "x.npy", 100, "a.npz"),
                 BSR_ELIMIT, "a.npz: member 'x.npy': 140 bytes, at most 100 are read");
    assert_null(out);
}

/* No file that is cut off is accepted, and no change of one byte does harm or goes unnoticed in
 * the stored bytes, which the CRC guards. */
static void test_data_arrays__npz_damaged(void **state)
{
    static unsigned char file[sizeof npz_stored];
    unsigned char *out;
    size_t n;
    for (size_t k = 0; k < sizeof npz_deflated; k++)
        assert_fails(bsr_zip_extract(&out, &n, npz_deflated, k, "x.npy", 1000, "a"), BSR_EFORMAT,
                     "a: no zip file (its end record is missing)");
    for (size_t k = 0; k < sizeof npz_stored; k++)
        for (int bit = 0; bit < 8; bit++) {
            memcpy(file, npz_stored, sizeof file);
            file[k] ^= (unsigned char)(1 << bit);
            bsr_status status = bsr_zip_extract(&out, &n, file, sizeof file, "x.npy", 1000, "a");
            if (status == BSR_OK) {
                assert_int_equal(n, sizeof npy_x_c);
                assert_memory_equal(out, npy_x_c, n);
            }
            bsr_free(out);
        }
}

static void test_data_arrays__idx(void **state)
{
    static const unsigned char labels[] = {0, 0, 8, 1, 0, 0, 0, 2, 9, 4};
    unsigned char images4[20 + 12] = {0, 0, 8, 4, 0, 0, 0, 2, 0, 0, 0, 1, 0, 0, 0, 2, 0, 0, 0, 3};
    for (int k = 0; k < 12; k++)
        images4[20 + k] = (unsigned char)(20 * k);
    const char *y = temp_put("y", labels, sizeof labels);
    bsr_source s;
    assert_int_equal(open_spec(&s, "idx", temp_put("x.gz", idx_images_gz, sizeof idx_images_gz), y),
                     BSR_OK);
    assert_bytes(&s, 9, 4);
    assert_int_equal(open_spec(&s, "idx", temp_put("x", images4, sizeof images4), y), BSR_OK);
    assert_bytes(&s, 9, 4);

    /* Two gzip members, one behind the other, are one file: the second adds an image too many. */
    unsigned char twice[2 * sizeof idx_images_gz];
    memcpy(twice, idx_images_gz, sizeof idx_images_gz);
    memcpy(twice + sizeof idx_images_gz, idx_images_gz, sizeof idx_images_gz);
    assert_fails(open_spec(&s, "idx", temp_put("x.gz", twice, sizeof twice), y), BSR_EFORMAT,
                 "x.gz' has 40 bytes behind its header, expected 12");
}

static void test_data_arrays__idx_errors(void **state)
{
#define IDX(...) (const unsigned char[]){__VA_ARGS__}, sizeof((const unsigned char[]){__VA_ARGS__})
    const struct {
        const unsigned char *data;
        size_t n;
        bsr_status status;
        const char *message;
    } cases[] = {
        {IDX(1, 2, 3, 4, 5), BSR_EFORMAT, "x' is no IDX file"},
        {IDX(0, 0, 8), BSR_EFORMAT, "x' is no IDX file"},
        {IDX(0, 0, 13, 1, 0, 0, 0, 0), BSR_EUNSUPPORTED, "elements of type 0x0d"},
        {IDX(0, 0, 8, 5, 0, 0, 0, 0), BSR_EFORMAT, "x' has 5 dimensions, expected 1 to 4"},
        {IDX(0, 0, 8, 3, 0, 0, 0, 1, 0), BSR_EFORMAT, "x' has 9 bytes, its header alone has 16"},
        {IDX(0, 0, 8, 1, 0, 0, 0, 1, 7), BSR_EFORMAT, "1 dimensions, images have 3 or 4"},
        {IDX(0, 0, 8, 3, 0, 0, 0, 1, 0, 0, 0, 1, 0, 0, 0, 1), BSR_EFORMAT,
         "x' has 0 bytes behind its header, expected 1"},
        {IDX(0, 0, 8, 3, 0, 0, 0, 1, 0, 0, 0, 1, 0, 0, 0, 1, 5), BSR_EFORMAT,
         "y' has 2 labels for the 1 images of '"},
        {IDX(0, 0, 8, 3, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0, 0, 0, 1), BSR_ELIMIT,
         "x' claims more than 2147483648 elements"},
    };
    static const unsigned char labels[] = {0, 0, 8, 1, 0, 0, 0, 2, 9, 4};
    char y[256];
    strcpy(y, temp_put("y", labels, sizeof labels));
    bsr_source s;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const char *x = temp_put("x", cases[i].data, cases[i].n);
        assert_fails(open_spec(&s, "idx", x, y), cases[i].status, "idx: '", cases[i].message);
    }
    for (size_t n = 2; n < sizeof idx_images_gz; n++)
        assert_fails(open_spec(&s, "idx", temp_put("x", idx_images_gz, n), y), BSR_EFORMAT,
                     "x': the compressed data end too early");
    unsigned char damaged[sizeof idx_images_gz];
    memcpy(damaged, idx_images_gz, sizeof damaged);
    damaged[sizeof damaged - 5] ^= 1; /* the CRC-32 */
    assert_fails(open_spec(&s, "idx", temp_put("x", damaged, sizeof damaged), y), BSR_EFORMAT,
                 "x': damaged compressed data (incorrect data check)");
}

static bsr_status open_and_close(const char *kind, const char *x, const char *y)
{
    bsr_source s;
    bsr_status status = open_spec(&s, kind, x, y);
    if (status == BSR_OK)
        bsr_source_close(&s);
    return status;
}

static void test_data_arrays__no_memory(void **state)
{
    static const unsigned char labels[] = {0, 0, 8, 1, 0, 0, 0, 2, 9, 4};
    char x[256], y[256];
    strcpy(x, temp_put("x.gz", idx_images_gz, sizeof idx_images_gz));
    strcpy(y, temp_put("y", labels, sizeof labels));
    assert_survives_no_memory(open_and_close("idx", x, y));
    strcpy(x, temp_put("a.npz", npz_deflated, sizeof npz_deflated));
    assert_survives_no_memory(open_and_close("npz", x, NULL));
    strcpy(x, temp_put("x.npy", npy_x_c, sizeof npy_x_c));
    strcpy(y, temp_put("y.npy", npy_y_i64, sizeof npy_y_i64));
    assert_survives_no_memory(open_and_close("npy", x, y));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_data_arrays__npy),
        cmocka_unit_test(test_data_arrays__npy_headers),
        cmocka_unit_test(test_data_arrays__npy_errors),
        cmocka_unit_test(test_data_arrays__npz),
        cmocka_unit_test(test_data_arrays__npz_damaged),
        cmocka_unit_test(test_data_arrays__idx),
        cmocka_unit_test(test_data_arrays__idx_errors),
        cmocka_unit_test(test_data_arrays__no_memory),
    };
    return cmocka_run_group_tests(tests, temp_setup, temp_teardown);
}
