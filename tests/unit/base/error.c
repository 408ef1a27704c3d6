#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>
#include <pthread.h>

#include "base/error.h"

static void test_base_error__message(void **state)
{
    assert_string_equal(bsr_error_message(), "");
    assert_int_equal(bsr_fail(BSR_EINVAL, "layer %d: %s", 3, "no"), BSR_EINVAL);
    assert_string_equal(bsr_error_message(), "layer 3: no");
    assert_int_equal(bsr_fail(BSR_EIO, "%s again", bsr_error_message()), BSR_EIO);
    assert_string_equal(bsr_error_message(), "layer 3: no again");
}

static void test_base_error__prefix(void **state)
{
    bsr_fail(BSR_EFORMAT, "byte 7");
    assert_int_equal(bsr_fail_prefix(BSR_EFORMAT, "file '%s'", "a"), BSR_EFORMAT);
    assert_string_equal(bsr_error_message(), "file 'a': byte 7");
    bsr_fail(BSR_EFORMAT, "twice");
    bsr_fail_prefix(BSR_EFORMAT, "%s", bsr_error_message());
    assert_string_equal(bsr_error_message(), "twice: twice");
}

/* Tensor names come from files. UTF-8 bytes stay. */
static void test_base_error__one_line(void **state)
{
    bsr_fail(BSR_EINVAL, "a\nb\r\x1b[2Jc\x7f \xc3\xa9");
    assert_string_equal(bsr_error_message(), "a?b??[2Jc? \xc3\xa9");
    bsr_fail_prefix(BSR_EINVAL, "x\ty");
    assert_string_equal(bsr_error_message(), "x?y: a?b??[2Jc? \xc3\xa9");
}

static void test_base_error__is_cut(void **state)
{
    char text[2001];
    memset(text, 'm', 2000);
    text[2000] = 0;
    bsr_fail(BSR_EINVAL, "%s", text);
    assert_int_equal(strlen(bsr_error_message()), 511);
    bsr_fail_prefix(BSR_EINVAL, "%.3s", "abc");
    assert_int_equal(strlen(bsr_error_message()), 511);
    assert_int_equal(strncmp(bsr_error_message(), "abc: mmm", 8), 0);
    bsr_fail_prefix(BSR_EINVAL, "%s", text);
    assert_int_equal(strlen(bsr_error_message()), 511);
    assert_int_equal(bsr_error_message()[510], 'm');
}

static void *fail_elsewhere(void *message)
{
    *(int *)message = bsr_error_message()[0] == 0;
    bsr_fail(BSR_EIO, "another thread's");
    return NULL;
}

static void test_base_error__per_thread(void **state)
{
    pthread_t thread;
    int was_empty = 0;
    bsr_fail(BSR_EINVAL, "mine");
    assert_int_equal(pthread_create(&thread, NULL, fail_elsewhere, &was_empty), 0);
    assert_int_equal(pthread_join(thread, NULL), 0);
    assert_true(was_empty);
    assert_string_equal(bsr_error_message(), "mine");
}

static bsr_status tries(bsr_status first, int *reached)
{
    BSR_TRY(first);
    *reached = 1;
    return BSR_OK;
}

static void test_base_error__try(void **state)
{
    int reached = 0;
    assert_int_equal(tries(BSR_EIO, &reached), BSR_EIO);
    assert_false(reached);
    assert_int_equal(tries(BSR_OK, &reached), BSR_OK);
    assert_true(reached);
}

/* The values are part of the interface: bitseer/status.h pins them. */
static void test_base_error__status_names(void **state)
{
    static const char *const names[] = {"OK",        "ENOMEM",  "EINVAL",
                                        "EIO",       "EFORMAT", "EUNSUPPORTED",
                                        "ENOTFOUND", "ELIMIT",  "ECANCELLED"};
    for (int i = 0; i < 9; i++)
        assert_string_equal(bsr_status_name((bsr_status)-i), names[i]);
    assert_string_equal(bsr_status_name((bsr_status)-9), "?");
    assert_string_equal(bsr_status_name((bsr_status)1), "?");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_base_error__message),      cmocka_unit_test(test_base_error__prefix),
        cmocka_unit_test(test_base_error__one_line),     cmocka_unit_test(test_base_error__is_cut),
        cmocka_unit_test(test_base_error__per_thread),   cmocka_unit_test(test_base_error__try),
        cmocka_unit_test(test_base_error__status_names),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
