#include "unit/data/temp_files.h"

#include "bitseer/dataset.h"
#include "unit/data/fixtures.h"

static bsr_status open_folder(bsr_dataset **ds, const char *name, const char *labels, int channels,
                              int height, int width, int resize)
{
    char data[300];
    bsr_dataset_options o = BSR_DATASET_OPTIONS_INIT;
    snprintf(data, sizeof data, "folder:%s", temp_path(name));
    o.data = data;
    o.labels_file = labels;
    o.resize = resize;
    return bsr_dataset_open(ds, &o, channels, height, width);
}

/* Labels are the classes in byte order: capitals before small letters, 10 before 9. */
static void test_data_folder__classes(void **state)
{
    bsr_dataset *ds;
    temp_mkdir("c");
    temp_mkdir("c/b");
    temp_mkdir("c/Z");
    temp_mkdir("c/9");
    temp_mkdir("c/10");
    temp_mkdir("c/.hidden");
    temp_put("c/b/2.PNG", png_rgb, sizeof png_rgb);
    temp_put("c/b/1.png", png_gray, sizeof png_gray);
    temp_put("c/b/notes.txt", "x", 1);
    temp_put("c/b/.x.png", "x", 1);
    temp_put("c/10/a.Jpeg", jpeg_gray, sizeof jpeg_gray);
    temp_put("c/Z/a.jpg", jpeg_gray, sizeof jpeg_gray);
    temp_put("c/readme.png", "x", 1);
    assert_int_equal(open_folder(&ds, "c", NULL, 3, 2, 2, 2), BSR_OK);
    assert_int_equal(bsr_dataset_count(ds), 4);
    static const int want[] = {0, 2, 3, 3};
    for (size_t i = 0; i < 4; i++)
        assert_int_equal(bsr_dataset_label(ds, i), want[i]);
    bsr_dataset_free(ds);

    /* 3x2 pixels, the shorter side scaled to 2 (nothing), cut to 2x2 from column round(0.5) = 0. */
    float image[12];
    assert_int_equal(open_folder(&ds, "c", NULL, 3, 2, 2, 2), BSR_OK);
    assert_int_equal(bsr_dataset_image(ds, 3, image), BSR_OK);
    static const int planes[] = {255, 0, 10, 255, 0, 255, 20, 255, 0, 0, 30, 255};
    for (int k = 0; k < 12; k++)
        assert_true(image[k] == (float)planes[k] / 255.0f);
    bsr_dataset_free(ds);
}

static void test_data_folder__listed(void **state)
{
    static const char list[] = "sub dir/b c.png 7\r\n\na.jpg\t 3";
    bsr_dataset *ds;
    temp_mkdir("l");
    temp_mkdir("l/sub dir");
    temp_put("l/sub dir/b c.png", png_gray, sizeof png_gray);
    temp_put("l/a.jpg", jpeg_gray, sizeof jpeg_gray);
    temp_put("l/not_listed.png", "x", 1);
    const char *labels = temp_put("labels.txt", list, strlen(list));
    assert_int_equal(open_folder(&ds, "l", labels, 1, 8, 8, 0), BSR_OK);
    assert_int_equal(bsr_dataset_count(ds), 2);
    assert_int_equal(bsr_dataset_label(ds, 0), 3);
    assert_int_equal(bsr_dataset_label(ds, 1), 7);
    /* The JPEG has the network's size and is taken as it is. */
    float image[64];
    assert_int_equal(bsr_dataset_image(ds, 0, image), BSR_OK);
    assert_true(image[1] == 11.0f / 255.0f && image[63] == 210.0f / 255.0f);
    bsr_dataset_free(ds);
}

static void test_data_folder__card(void **state)
{
    static const char card[] = "data: folder:pictures\nlabels: list.txt\ncrop: 8\n";
    bsr_dataset *ds;
    temp_mkdir("k");
    temp_mkdir("k/pictures");
    temp_put("k/pictures/a.jpg", jpeg_gray, sizeof jpeg_gray);
    temp_put("k/list.txt", "a.jpg 5\n", 8);
    bsr_dataset_options o = BSR_DATASET_OPTIONS_INIT;
    o.data = temp_put("k/card.yaml", card, strlen(card));
    assert_int_equal(bsr_dataset_open(&ds, &o, 1, 8, 8), BSR_OK);
    assert_int_equal(bsr_dataset_label(ds, 0), 5);
    bsr_dataset_free(ds);
    assert_fails(bsr_dataset_open(&ds, &o, 1, 9, 9), BSR_EINVAL,
                 "crop is 8, the network takes images of 9x9");
}

static void test_data_folder__errors(void **state)
{
    bsr_dataset *ds;
    temp_mkdir("e");
    assert_fails(open_folder(&ds, "e", NULL, 3, 8, 8, 0), BSR_EINVAL, "folder: '",
                 "/e' has no class sub-folders and no labels file is given");
    assert_fails(open_folder(&ds, "none", NULL, 3, 8, 8, 0), BSR_ENOTFOUND, "folder: cannot read '",
                 "/none': No such file or directory");
    assert_fails(open_folder(&ds, "e", NULL, 4, 8, 8, 0), BSR_EINVAL,
                 "folder: pictures have 1 or 3 channels, the network takes 4");
    temp_mkdir("e/a");
    assert_fails(open_folder(&ds, "e", NULL, 3, 8, 8, 0), BSR_EINVAL, "the data has no images");
    temp_put("e/a/1.jpg", jpeg_gray, sizeof jpeg_gray - 20);
    assert_fails(open_folder(&ds, "e", NULL, 3, 8, 8, 0), BSR_EFORMAT,
                 "e/a/1.jpg': Premature end of JPEG file");
    temp_put("e/a/1.jpg", png_gray, sizeof png_gray);
    assert_fails(open_folder(&ds, "e", NULL, 3, 8, 8, 7), BSR_EINVAL,
                 "e/a/1.jpg': 7x14 pixels (height x width), the network takes 8x8");

    static const struct {
        const char *text, *message;
        bsr_status status;
    } lists[] = {
        {"a/1.jpg 0\nb.png\n", "labels.txt' line 2 is not NAME LABEL", BSR_EFORMAT},
        {" 5\n", "line 1 is not NAME LABEL", BSR_EFORMAT},
        {"a/1.jpg -1\n", "line 1 is not NAME LABEL", BSR_EFORMAT},
        {"a/1.jpg 1x\n", "line 1 is not NAME LABEL", BSR_EFORMAT},
        {"a/1.jpg 2147483648\n", "is not NAME LABEL", BSR_EFORMAT},
        {"a/1.jpg 0\nb 1\na/1.jpg 2\n", "labels.txt' lists 'a/1.jpg' twice", BSR_EFORMAT},
        {"\n", "the data has no images", BSR_EINVAL},
        {"gone.png 0\n", "e/gone.png': No such file or directory", BSR_ENOTFOUND},
    };
    for (size_t i = 0; i < sizeof lists / sizeof *lists; i++) {
        const char *labels = temp_put("labels.txt", lists[i].text, strlen(lists[i].text));
        assert_fails(open_folder(&ds, "e", labels, 3, 8, 8, 0), lists[i].status, lists[i].message);
        assert_null(ds);
    }
}

static bsr_status open_and_free(const char *name, const char *labels)
{
    bsr_dataset *ds;
    bsr_status status = open_folder(&ds, name, labels, 3, 3, 3, 4);
    bsr_dataset_free(ds);
    return status;
}

static void test_data_folder__no_memory(void **state)
{
    char labels[256];
    strcpy(labels, temp_put("labels.txt", "a/1.jpg 4\nb/2.png 3\n", 20));
    temp_mkdir("n");
    temp_mkdir("n/a");
    temp_mkdir("n/b");
    temp_put("n/a/1.jpg", jpeg_gray, sizeof jpeg_gray);
    temp_put("n/b/2.png", png_rgb, sizeof png_rgb);
    assert_survives_no_memory(open_and_free("n", NULL));
    assert_survives_no_memory(open_and_free("n", labels));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_data_folder__classes),   cmocka_unit_test(test_data_folder__listed),
        cmocka_unit_test(test_data_folder__card),      cmocka_unit_test(test_data_folder__errors),
        cmocka_unit_test(test_data_folder__no_memory),
    };
    return cmocka_run_group_tests(tests, temp_setup, temp_teardown);
}
