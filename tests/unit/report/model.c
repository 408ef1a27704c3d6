#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/alloc.h"
#include "bitseer/result.h"

static bsr_model *model;

static int load(void **state)
{
    return bsr_model_load(&model, "models/fashion_resnet.onnx", NULL) == BSR_OK ? 0 : -1;
}

static int unload(void **state)
{
    bsr_model_free(model);
    return 0;
}

/* Sums by hand from the weights' shapes: 9 * (16 + 2 * 256 + 512 + 1024 + 1536 + 2304) + 512 + 1536
 * + 480 = 55664, times 32 bits; the multiplications are those of models/README.md. */
static void test_report_model__text(void **state)
{
    char *text;
    assert_int_equal(bsr_model_text(&text, model), BSR_OK);
    assert_non_null(strstr(text, "models/fashion_resnet.onnx: ONNX opset 13, "));
    assert_non_null(strstr(text, " 2211872 MACs per image\n"));
    assert_non_null(strstr(text, "input 'image' channels x height x width 1 x 28 x 28, "
                                 "output 'logits' with 10 classes\n"));
    assert_non_null(strstr(text, "\nweight      55664            1781248\n"));
    assert_non_null(strstr(text, "\nbias           10                320\n"));
    assert_non_null(strstr(text, "\ninput         784              25088\n"));
    for (const char *p = text; *p; p += strcspn(p, "\n") + 1)
        assert_true(strcspn(p, "\n") <= 100);
    bsr_text_free(text);
}

static void test_report_model__json(void **state)
{
    char *text;
    assert_int_equal(bsr_model_json(&text, model), BSR_OK);
    assert_non_null(strstr(text, "\"macs\": 2211872.0,"));
    assert_non_null(strstr(text, "\"layout\": \"NCHW\""));
    assert_non_null(strstr(text, "\"bias\": null,"));
    assert_non_null(strstr(text, "      \"target\": \"weight\",\n      \"sites\": 55664,\n      "
                                 "\"faults\": 1781248\n"));
    bsr_text_free(text);
}

typedef bsr_status (*writer)(char **, const bsr_model *);

static void test_report_model__allocation_fails(void **state)
{
    static const writer writers[] = {bsr_model_text, bsr_model_json};
    for (int i = 0; i < 2; i++)
        for (long n = 1, pending = 0; !pending; n++) {
            char *text;
            bsr_alloc_fail_after(n);
            bsr_status status = writers[i](&text, model);
            pending = bsr_alloc_fail_pending();
            if (pending)
                assert_int_equal(status, BSR_OK);
            assert_true(status == BSR_OK || status == BSR_ENOMEM);
            assert_true((status == BSR_OK) == (text != NULL));
            bsr_text_free(text);
        }
    bsr_alloc_fail_after(0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_report_model__text),
        cmocka_unit_test(test_report_model__json),
        cmocka_unit_test(test_report_model__allocation_fails),
    };
    return cmocka_run_group_tests(tests, load, unload);
}
