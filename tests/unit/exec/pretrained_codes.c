/* In pretrained int8 networks every layer stores codes, the last one behind Flatten too. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "bitseer/model.h"
#include "bitseer/status.h"

/* The last layer as the file has it; all layers and their weights, counted with Python's onnx. */
static const struct {
    const char *file, *layer, *weights, *bias, *input;
    int layers;
    long long count;
} networks[] = {
    {"cifar10_resnet20_akamaster_int8_qdq", "/linear/Gemm", "logits_wq", "logits_bq",
     "/GlobalAveragePool_output_0_q", 20, 268336},
    {"cifar10_resnet8_mlperftiny_int8_qdq", "gemm_108", "w_105", "w_105_b", "q_102", 10, 77360},
    {"tf2_mobilenet_v2_1.0_224_int8_qdq", "conv_588", "w_585", "w_585_b", "q_583", 53, 3471040},
};

static void test_exec_pretrained_codes__no_layer_stores_floats(void **state)
{
    for (size_t i = 0; i < sizeof networks / sizeof *networks; i++) {
        char path[4096];
        bsr_model *model;
        bsr_layer_info info;
        long long count = 0;
        snprintf(path, sizeof path, "%s/models/%s.onnx", getenv("BITSEER_DATA"), networks[i].file);
        if (bsr_model_load(&model, path, NULL) != BSR_OK)
            fail_msg("%s", bsr_error_message());
        assert_int_equal(bsr_model_get_info(model).layers, networks[i].layers);
        for (int k = 0; k < networks[i].layers; k++) {
            assert_int_equal(bsr_model_layer(model, k, &info), BSR_OK);
            assert_int_equal(info.weight_bits, 8);
            assert_int_equal(info.input_bits, 8);
            count += info.weights;
        }
        assert_int_equal(count, networks[i].count);
        assert_string_equal(info.name, networks[i].layer);
        assert_string_equal(info.weight_name, networks[i].weights);
        assert_string_equal(info.bias_name, networks[i].bias);
        assert_string_equal(info.input, networks[i].input);
        bsr_model_free(model);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_exec_pretrained_codes__no_layer_stores_floats),
    };
    if (!getenv("BITSEER_DATA")) {
        printf("skipped: BITSEER_DATA is not set\n");
        return 77;
    }
    return cmocka_run_group_tests(tests, NULL, NULL);
}
