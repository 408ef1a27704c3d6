/* Decoding and scaling; tests/data/pillow_check.py compares many more pictures. */
#include "unit/data/temp_files.h"

#include "data/picture.h"
#include "unit/data/fixtures.h"

#define DECODE(p, bytes) bsr_picture_decode(p, bytes, sizeof(bytes), "'a'")

static void assert_picture(const bsr_picture *p, int width, int height, int channels,
                           const unsigned char *want)
{
    assert_int_equal(p->width, width);
    assert_int_equal(p->height, height);
    assert_int_equal(p->channels, channels);
    assert_memory_equal(p->pixels, want, (size_t)(width * height * channels));
}

static void test_data_picture__png(void **state)
{
    static const unsigned char rgb[] = {255, 0,  0,  0,   255, 0,   0, 0, 255,
                                        10,  20, 30, 255, 255, 255, 1, 2, 3};
    static const unsigned char luma[] = {76, 150, 29, 18, 255, 2}; /* Pillow's convert("L") */
    static const unsigned char again[] = {76, 76, 76, 150, 150, 150, 29, 29, 29,
                                          18, 18, 18, 255, 255, 255, 2,  2,  2};
    bsr_picture p;
    assert_int_equal(DECODE(&p, png_rgb), BSR_OK);
    assert_picture(&p, 3, 2, 3, rgb);
    assert_int_equal(bsr_picture_convert(&p, 3), BSR_OK);
    assert_picture(&p, 3, 2, 3, rgb);
    assert_int_equal(bsr_picture_convert(&p, 1), BSR_OK);
    assert_picture(&p, 3, 2, 1, luma);
    assert_int_equal(bsr_picture_convert(&p, 3), BSR_OK);
    assert_picture(&p, 3, 2, 3, again);
    bsr_picture_free(&p);
}

static void test_data_picture__jpeg(void **state)
{
    /* np.array(Image.open(...)) */
    static const unsigned char want[] = {
        0,   11,  20,  30,  41,  50,  60,  70,  20,  30,  40,  49,  60,  70,  79,  90,
        41,  51,  61,  70,  81,  91,  101, 111, 60,  70,  80,  89,  101, 110, 120, 130,
        80,  91,  100, 110, 121, 130, 140, 150, 99,  110, 119, 129, 140, 150, 159, 169,
        121, 131, 141, 150, 161, 171, 180, 191, 140, 150, 160, 169, 181, 190, 200, 210};
    bsr_picture p;
    assert_int_equal(DECODE(&p, jpeg_gray), BSR_OK);
    assert_picture(&p, 8, 8, 1, want);
    bsr_picture_free(&p);
}

static void test_data_picture__refused(void **state)
{
    bsr_picture p;
    assert_fails(DECODE(&p, jpeg_cmyk), BSR_EUNSUPPORTED, "'a': CMYK JPEG");
    assert_fails(DECODE(&p, png_gray16), BSR_EUNSUPPORTED, "'a': 16-bit gray PNG");
    assert_fails(bsr_picture_decode(&p, (const unsigned char *)"GIF89a", 6, "'a'"),
                 BSR_EUNSUPPORTED, "'a': neither JPEG nor PNG");
    /* A JPEG that claims to be 65000x65000: bytes 5 to 8 of its SOF0 segment. */
    unsigned char huge[sizeof jpeg_gray];
    memcpy(huge, jpeg_gray, sizeof huge);
    for (size_t i = 0; i + 9 < sizeof huge; i++)
        if (huge[i] == 0xff && huge[i + 1] == 0xc0)
            memcpy(huge + i + 5, "\xfd\xe8\xfd\xe8", 4);
    assert_fails(DECODE(&p, huge), BSR_ELIMIT,
                 "'a': picture of 65000x65000 pixels, expected 1 to 67108864 in all");
    assert_null(p.pixels);
}

/* Every cut is refused, even of the end marker alone. */
static void test_data_picture__truncated(void **state)
{
    bsr_picture p;
    for (size_t n = 8; n < sizeof png_rgb; n++) {
        assert_fails(bsr_picture_decode(&p, png_rgb, n, "'a'"), BSR_EFORMAT, "'a': ");
        assert_null(p.pixels);
    }
    for (size_t n = 3; n < sizeof jpeg_gray; n++) {
        assert_fails(bsr_picture_decode(&p, jpeg_gray, n, "'a'"), BSR_EFORMAT, "'a': ");
        assert_null(p.pixels);
    }
    assert_fails(bsr_picture_decode(&p, jpeg_gray, sizeof jpeg_gray - 4, "'a'"), BSR_EFORMAT,
                 "'a': Premature end of JPEG file");
}

/* Image.fromarray(...).resize((w, h), Image.BILINEAR). */
static void test_data_picture__resize(void **state)
{
    static const unsigned char smaller[] = {117, 94};
    static const unsigned char mixed[] = {15, 75, 135, 65, 91, 114, 165, 124, 72, 215, 140, 51};
    bsr_picture p;
    assert_int_equal(DECODE(&p, png_gray), BSR_OK);
    assert_int_equal(bsr_picture_resize(&p, 2, 1), BSR_OK);
    assert_picture(&p, 2, 1, 1, smaller);
    bsr_picture_free(&p);
    assert_int_equal(DECODE(&p, png_gray), BSR_OK);
    assert_int_equal(bsr_picture_resize(&p, 3, 4), BSR_OK);
    assert_picture(&p, 3, 4, 1, mixed);
    bsr_picture_free(&p);
}

/* torchvision: the longer side is int(size * long / short). */
static void test_data_picture__resize_short(void **state)
{
    static const int cases[][5] = {/* width, height, size, new width, new height */
                                   {500, 375, 256, 341, 256}, {375, 500, 256, 256, 341},
                                   {300, 300, 256, 256, 256}, {256, 999, 256, 256, 999},
                                   {3, 200, 40, 40, 2666},    {7, 5, 32, 44, 32}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        bsr_picture p;
        assert_int_equal(bsr_picture_new(&p, (size_t)cases[i][0], (size_t)cases[i][1], 1), BSR_OK);
        memset(p.pixels, 77, (size_t)cases[i][0] * (size_t)cases[i][1]);
        assert_int_equal(bsr_picture_resize_short(&p, cases[i][2]), BSR_OK);
        assert_int_equal(p.width, cases[i][3]);
        assert_int_equal(p.height, cases[i][4]);
        assert_int_equal(p.pixels[0], 77); /* a constant stays one */
        bsr_picture_free(&p);
    }
    bsr_picture p;
    assert_int_equal(bsr_picture_new(&p, 1, 65000, 1), BSR_OK);
    assert_fails(bsr_picture_resize_short(&p, 256), BSR_ELIMIT,
                 "1x65000 pixels scaled to a shorter side of 256: more than 67108864");
    bsr_picture_free(&p);
}

/* The offset is Python's round(surplus / 2): 0, 0 (0.5), 1, 2 (1.5), 2, 2 (2.5), 3. */
static void test_data_picture__crop(void **state)
{
    static const unsigned char offsets[] = {0, 0, 1, 2, 2, 2, 3};
    for (int surplus = 0; surplus < 7; surplus++) {
        bsr_picture p;
        unsigned char out[2];
        assert_int_equal(bsr_picture_new(&p, 1 + (size_t)surplus, 1, 1), BSR_OK);
        for (int x = 0; x <= surplus; x++)
            p.pixels[x] = (unsigned char)x;
        assert_int_equal(bsr_picture_crop(&p, 1, 1, out), BSR_OK);
        assert_int_equal(out[0], offsets[surplus]);
        assert_fails(bsr_picture_crop(&p, 2, 1, out), BSR_EINVAL,
                     "pixels (height x width), the network takes 2x1");
        bsr_picture_free(&p);
    }
}

static bsr_status decode_and_scale(const unsigned char *data, size_t n)
{
    bsr_picture p;
    bsr_status status = bsr_picture_decode(&p, data, n, "'a'");
    if (status == BSR_OK)
        status = bsr_picture_convert(&p, 1);
    if (status == BSR_OK)
        status = bsr_picture_resize(&p, 5, 5);
    bsr_picture_free(&p);
    return status;
}

static void test_data_picture__no_memory(void **state)
{
    assert_survives_no_memory(decode_and_scale(png_rgb, sizeof png_rgb));
    assert_survives_no_memory(decode_and_scale(jpeg_gray, sizeof jpeg_gray));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_data_picture__png),
        cmocka_unit_test(test_data_picture__jpeg),
        cmocka_unit_test(test_data_picture__refused),
        cmocka_unit_test(test_data_picture__truncated),
        cmocka_unit_test(test_data_picture__resize),
        cmocka_unit_test(test_data_picture__resize_short),
        cmocka_unit_test(test_data_picture__crop),
        cmocka_unit_test(test_data_picture__no_memory),
    };
    return cmocka_run_group_tests(tests, temp_setup, temp_teardown);
}
