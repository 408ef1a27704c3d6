#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/file.h"
#include "base/sha256.h"
#include "bitseer/result.h"

static const char path[] = "/tmp/bsr_report_write_test";

/* SHA-256 of what NumPy's numpy.save writes for numpy.array([[0, 1.5, -2], [3, 1e-40, inf]],
 * "float32"). */
static void test_report_write__npy(void **state)
{
    static const float x[] = {0, 1.5f, -2, 3, 1e-40f, 1.0f / 0.0f};
    void *data;
    size_t n;
    char hex[65];
    bsr_sha256 h;
    assert_int_equal(bsr_write_npy(path, x, 2, 3), BSR_OK);
    assert_int_equal(bsr_file_read(&data, &n, path, 1000), BSR_OK);
    bsr_sha256_init(&h);
    bsr_sha256_update(&h, data, n);
    bsr_sha256_final(&h, hex);
    assert_string_equal(hex, "7ca65055779b59e6b44c9768a0413806fcfebd62419e40d61deccd6cb7a80f18");
    bsr_free(data);
    unlink(path);
}

static void test_report_write__npy_errors(void **state)
{
    static const float x[1] = {0};
    assert_int_equal(bsr_write_npy("/no/such/folder/x", x, 1, 1), BSR_ENOTFOUND);
    assert_string_equal(bsr_error_message(),
                        "cannot write '/no/such/folder/x': No such file or directory");
    assert_int_equal(bsr_write_npy(path, x, (size_t)1 << 40, (size_t)1 << 40), BSR_ELIMIT);
    assert_string_equal(bsr_error_message(), "'/tmp/bsr_report_write_test': an array of "
                                             "1099511627776 x 1099511627776 is too large");
    bsr_alloc_fail_after(1);
    assert_int_equal(bsr_write_npy(path, x, 1, 1), BSR_ENOMEM);
    bsr_alloc_fail_after(0);
    assert_int_not_equal(access(path, F_OK), 0);
}

static void test_report_write__text(void **state)
{
    void *data;
    size_t n;
    assert_int_equal(bsr_write_text(path, "{}\n"), BSR_OK);
    assert_int_equal(bsr_file_read(&data, &n, path, 1000), BSR_OK);
    assert_string_equal(data, "{}\n");
    bsr_free(data);
    unlink(path);
    assert_int_equal(bsr_write_text("/dev/full", "{}"), BSR_EIO);
    assert_string_equal(bsr_error_message(), "cannot write '/dev/full': No space left on device");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_report_write__npy),
        cmocka_unit_test(test_report_write__npy_errors),
        cmocka_unit_test(test_report_write__text),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
