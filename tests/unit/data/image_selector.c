#include "unit/data/temp_files.h"

#include "data/image_selector.h"

static const int64_t labels[] = {2, 0, 1, 2, 2, 0, 1, 0, 1, 2};
#define COUNT (sizeof labels / sizeof *labels)

static void assert_selects(const char *spec, size_t n, const size_t *want)
{
    size_t *got, got_n;
    assert_int_equal(bsr_select_images(&got, &got_n, spec, labels, COUNT), BSR_OK);
    assert_int_equal(got_n, n);
    assert_memory_equal(got, want, n * sizeof *want);
    bsr_free(got);
}

static void test_data_image_selector__forms(void **state)
{
    assert_selects("", 10, (const size_t[]){0, 1, 2, 3, 4, 5, 6, 7, 8, 9});
    assert_selects("3", 3, (const size_t[]){0, 1, 2});
    assert_selects("10", 10, (const size_t[]){0, 1, 2, 3, 4, 5, 6, 7, 8, 9});
    assert_selects("4:7", 3, (const size_t[]){4, 5, 6});
    assert_selects("9:10", 1, (const size_t[]){9});
    assert_selects("1/class", 3, (const size_t[]){0, 1, 2});
    assert_selects("2/class", 6, (const size_t[]){0, 1, 2, 3, 5, 6});
    assert_selects("3/class", 9, (const size_t[]){0, 1, 2, 3, 4, 5, 6, 7, 8});
}

static void test_data_image_selector__errors(void **state)
{
    static const struct {
        const char *spec, *message;
    } cases[] = {
        {"0", "images '0' selects no image"},
        {"3:3", "images '3:3' selects no image"},
        {"4:3", "images '4:3' selects no image"},
        {"0/class", "images '0/class' selects no image"},
        {"11", "images '11' ends at 11, the data has 10 images"},
        {"5:12", "images '5:12' ends at 12, the data has 10 images"},
        {"4/class", "images '4/class' asks for 4 images per class, the data has 3 of class 0"},
        {"all", "images 'all' is none of N, A:B and N/class"},
        {"-1", "images '-1' is none of N, A:B and N/class"},
        {"3:", "images '3:' is none of N, A:B and N/class"},
        {":3", "images ':3' is none of N, A:B and N/class"},
        {"3/classes", "images '3/classes' is none of N, A:B and N/class"},
        {"1:2:3", "images '1:2:3' is none of N, A:B and N/class"},
        {" 3", "images ' 3' is none of N, A:B and N/class"},
        {"99999999999999999999", "images '99999999999999999999' is none of N, A:B and N/class"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        size_t *got, n;
        assert_int_equal(bsr_select_images(&got, &n, cases[i].spec, labels, COUNT), BSR_EINVAL);
        assert_string_equal(bsr_error_message(), cases[i].message);
        assert_null(got);
    }
    size_t *got, n;
    assert_fails(bsr_select_images(&got, &n, "", labels, 0), BSR_EINVAL, "the data has no images");
}

static bsr_status select_and_free(const char *spec)
{
    size_t *got, n;
    bsr_status status = bsr_select_images(&got, &n, spec, labels, COUNT);
    bsr_free(got);
    return status;
}

static void test_data_image_selector__no_memory(void **state)
{
    assert_survives_no_memory(select_and_free("2"));
    assert_survives_no_memory(select_and_free("2/class"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_data_image_selector__forms),
        cmocka_unit_test(test_data_image_selector__errors),
        cmocka_unit_test(test_data_image_selector__no_memory),
    };
    return cmocka_run_group_tests(tests, temp_setup, temp_teardown);
}
