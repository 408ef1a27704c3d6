#include "unit/data/temp_files.h"

#include "data/data_spec.h"

static bsr_status open_spec(bsr_source *s, const char *kind, const char *path, int c, int h, int w)
{
    char spec[600];
    const char *name;
    bsr_want want = {c, h, w, 0, NULL};
    snprintf(spec, sizeof spec, "%s:%s", kind, path);
    return bsr_spec_open(s, &name, spec, NULL, &want);
}

/* Byte k of record r's planes. */
static unsigned char pixel(size_t r, size_t k)
{
    return (unsigned char)(31 * r + 7 * k + k / 1024);
}

/* n records with these label bytes. */
static size_t make_records(unsigned char *out, size_t n, const char *labels, size_t label_bytes)
{
    unsigned char *p = out;
    for (size_t r = 0; r < n; r++) {
        memcpy(p, labels + r * label_bytes, label_bytes);
        p += label_bytes;
        for (size_t k = 0; k < 3072; k++)
            *p++ = pixel(r, k);
    }
    return (size_t)(p - out);
}

static void assert_image(const bsr_source *s, size_t i, size_t r)
{
    unsigned char image[3072];
    assert_int_equal(s->load(s, i, image), BSR_OK);
    for (size_t k = 0; k < 3072; k++)
        assert_int_equal(image[k], pixel(r, k));
}

static void test_data_records__cifar10(void **state)
{
    unsigned char file[3 * 3073];
    char paths[520];
    size_t n = make_records(file, 3, "\x09\x00\x04", 1);
    const char *a = temp_put("a.bin", file, n), *b = temp_put("b.bin", file, 3073);
    snprintf(paths, sizeof paths, "%s,%s", a, b);
    bsr_source s;
    assert_int_equal(open_spec(&s, "cifar10", paths, 3, 32, 32), BSR_OK);
    assert_int_equal(s.count, 4);
    assert_int_equal(s.channels * 10000 + s.height * 100 + s.width, 33232);
    assert_false(s.is_float);
    const int64_t labels[] = {9, 0, 4, 9};
    assert_memory_equal(s.labels, labels, sizeof labels);
    assert_image(&s, 2, 2);
    assert_image(&s, 3, 0);
    bsr_source_close(&s);
}

static void test_data_records__cifar100(void **state)
{
    unsigned char file[2 * 3074];
    size_t n = make_records(file, 2, "\x13\x63\x00\x05", 2); /* coarse 19, fine 99; 0, 5 */
    bsr_source s;
    assert_int_equal(open_spec(&s, "cifar100", temp_put("c.bin", file, n), 3, 32, 32), BSR_OK);
    assert_int_equal(s.count, 2);
    assert_int_equal(s.labels[0], 99);
    assert_int_equal(s.labels[1], 5);
    assert_image(&s, 1, 1);
    bsr_source_close(&s);
}

static void test_data_records__planes16(void **state)
{
    /* Labels 0x01fe = 510 and 3; 2x1x3 bytes each. */
    static const unsigned char file[] = {0xfe, 0x01, 1, 2, 3, 4, 5, 6, 3, 0, 7, 8, 9, 10, 11, 12};
    unsigned char image[6];
    bsr_source s;
    assert_int_equal(open_spec(&s, "planes16", temp_put("p,1.bin", file, sizeof file), 2, 1, 3),
                     BSR_OK);
    assert_int_equal(s.count, 2);
    assert_int_equal(s.labels[0], 510);
    assert_int_equal(s.labels[1], 3);
    assert_int_equal(s.load(&s, 1, image), BSR_OK);
    assert_memory_equal(image, file + 10, 6);
    bsr_source_close(&s);
}

static void test_data_records__errors(void **state)
{
    static unsigned char zeros[10000];
    unsigned char file[2 * 3074];
    bsr_source s;
    const char *path = temp_put("x.bin", zeros, sizeof zeros);
    assert_fails(open_spec(&s, "cifar10", path, 3, 32, 32), BSR_EFORMAT, "cifar10: '",
                 "x.bin' has 10000 bytes, not a multiple of 3073");
    assert_fails(open_spec(&s, "planes16", path, 3, 8, 8), BSR_EFORMAT, "planes16: '",
                 "x.bin' has 10000 bytes, not a multiple of 194");
    path = temp_put("x.bin", zeros, 0);
    assert_fails(open_spec(&s, "cifar100", path, 3, 32, 32), BSR_EFORMAT, "cifar100: '",
                 "x.bin' is empty");
    path = temp_put("x.bin", file, make_records(file, 2, "\x09\x0a", 1));
    assert_fails(open_spec(&s, "cifar10", path, 3, 32, 32), BSR_EFORMAT, "cifar10: record 1 of '",
                 "starts with byte 10: no label");
    path = temp_put("x.bin", file, make_records(file, 2, "\x01\x01\x14\x01", 2));
    assert_fails(open_spec(&s, "cifar100", path, 3, 32, 32), BSR_EFORMAT, "cifar100: record 1 of '",
                 "starts with byte 20: no label");
    assert_fails(open_spec(&s, "cifar10", temp_path("none"), 3, 32, 32), BSR_ENOTFOUND,
                 "cannot read '", "/none': No such file or directory");
}

static void test_data_records__specs(void **state)
{
    static const char known[] = "is none of cifar10:FILE[,FILE...], cifar100:FILE[,FILE...], "
                                "planes16:FILE, idx:IMAGES,LABELS, npy:X,Y, npz:FILE, folder:DIR, "
                                "and CARD.yaml";
    static const struct {
        const char *spec, *message;
    } cases[] = {
        {"cifar:x", known},
        {"cifar10", known},
        {"", known},
        {"idx:a", "idx: 1 paths, expected idx:IMAGES,LABELS"},
        {"npy:a,b,c", "npy: 3 paths, expected npy:X,Y"},
        {"cifar10:a,,b", "cifar10: a path is empty, expected cifar10:FILE[,FILE...]"},
        {"npz:", "npz: a path is empty, expected npz:FILE"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        bsr_source s;
        const char *name;
        bsr_want want = {3, 32, 32, 0, NULL};
        assert_fails(bsr_spec_open(&s, &name, cases[i].spec, NULL, &want), BSR_EINVAL,
                     cases[i].message);
    }
    assert_true(bsr_spec_is_card("a/b.yaml") && bsr_spec_is_card("x:b.yml"));
    assert_false(bsr_spec_is_card("npz:b.yaml") || bsr_spec_is_card("a.yaml.gz"));
}

static bsr_status open_and_close(const char *paths)
{
    bsr_source s;
    bsr_status status = open_spec(&s, "cifar10", paths, 3, 32, 32);
    if (status == BSR_OK)
        bsr_source_close(&s);
    return status;
}

static void test_data_records__no_memory(void **state)
{
    unsigned char file[3073];
    char paths[520];
    const char *a = temp_put("a.bin", file, make_records(file, 1, "\x01", 1));
    snprintf(paths, sizeof paths, "%s,%s", a, a);
    assert_survives_no_memory(open_and_close(paths));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_data_records__cifar10),
        cmocka_unit_test(test_data_records__cifar100),
        cmocka_unit_test(test_data_records__planes16),
        cmocka_unit_test(test_data_records__errors),
        cmocka_unit_test(test_data_records__specs),
        cmocka_unit_test(test_data_records__no_memory),
    };
    return cmocka_run_group_tests(tests, temp_setup, temp_teardown);
}
