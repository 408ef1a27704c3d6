/* Messages are put together by hand from the protobuf encoding document: a tag is
 * number << 3 | wire type; numbers are from onnx.proto. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "onnx/onnx.h"

typedef struct sample {
    const char *bytes;
    size_t n;
    const char *message; /* after "invalid ONNX: "; NULL: accepted */
} sample;

#define BYTES(s) s, sizeof(s) - 1

static const sample samples[] = {
    {BYTES(""), NULL},
    {BYTES("\x08\x07"), NULL},                                               /* ir_version = 7 */
    {BYTES("\x08\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01"), NULL},           /* ir_version = -1 */
    {BYTES("\x98\x06\x01\x9d\x06\1\2\3\4\x99\x06\1\2\3\4\5\6\7\x08"), NULL}, /* unknown field 99 */
    {BYTES("\x9a\x06\x02\xff\xff"), NULL},             /* the same, not looked into */
    {BYTES("\x3a\x06\x2a\x04\x0a\x02\x01\x02"), NULL}, /* dims, packed */
    {BYTES("\x3a\x06\x2a\x04\x08\x01\x08\x02"), NULL}, /* dims, one by one */
    {BYTES("\x42\x00\x42\x00"), NULL},                 /* repeated opset_import */

    {BYTES("\x08"), "byte 1: number is cut off"},
    {BYTES("\x08\x80"), "byte 1: number is cut off"},
    {BYTES("\x88"), "byte 0: number is cut off"},
    {BYTES("\x3a"), "byte 1: number is cut off"},
    {BYTES("\x08\x80\x80\x80\x80\x80\x80\x80\x80\x80\x80\x01"),
     "byte 1: number has more than 10 bytes"},
    {BYTES("\x88\x80\x80\x80\x80\x00\x01"), "byte 0: number has more than 5 bytes"},
    {BYTES("\xff\xff\xff\xff\x7f"), "byte 0: field number 4294967295 in ModelProto"},
    {BYTES("\x00\x00"), "byte 0: field number 0 in ModelProto"},
    {BYTES("\x0b"), "byte 0: ModelProto field 'ir_version' has wire type 3"},
    {BYTES("\x08\x07\x9c\x06"), "byte 2: ModelProto field 99 has wire type 4"},
    {BYTES("\x9e\x06"), "byte 0: ModelProto field 99 has wire type 6"},
    {BYTES("\x9f\x06"), "byte 0: ModelProto field 99 has wire type 7"},
    {BYTES("\x0a\x00"), "byte 0: ModelProto field 'ir_version' has wire type 2, expected 0"},
    {BYTES("\x38\x01"), "byte 0: ModelProto field 'graph' has wire type 0, expected 2"},
    {BYTES("\x3a\x05\x2a\x03\x0d\x01\x02"),
     "byte 4: TensorProto field 'dims' has 4 bytes, 2 remain"},
    {BYTES("\x3a\x02\x08\x01"), "byte 2: GraphProto field 'node' has wire type 0, expected 2"},
    {BYTES("\x3a\x05\x0a"), "byte 0: ModelProto field 'graph' has 5 bytes, 1 remain"},
    {BYTES("\x9d\x06\x01"), "byte 0: ModelProto field 99 has 4 bytes, 1 remain"},
    {BYTES("\x99\x06\1\2\3\4\5\6\7"), "byte 0: ModelProto field 99 has 8 bytes, 7 remain"},
    {BYTES("\x3a\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01"),
     "byte 0: ModelProto field 'graph' has 18446744073709551615 bytes, 0 remain"},
    /* The inner length leaves the graph but not the file; so does a number. */
    {BYTES("\x3a\x02\x0a\x04\x08\x07\x08\x07"),
     "byte 2: GraphProto field 'node' has 4 bytes, 0 remain"},
    {BYTES("\x3a\x02\x98\x86\x06\x01"), "byte 2: number is cut off"},
    {BYTES("\x3a\x00\x3a\x00"), "byte 2: ModelProto field 'graph' is there twice"},
    {BYTES("\x12\x03\x61\x00\x62"), "byte 0: ModelProto field 'producer_name' holds a zero byte"},
};

static void test_onnx_guard__samples(void **state)
{
    for (size_t i = 0; i < sizeof samples / sizeof *samples; i++) {
        /* An exact block, so that reading on is seen by a sanitizer. */
        unsigned char *copy = malloc(samples[i].n + !samples[i].n);
        char message[256] = "";
        assert_non_null(copy);
        memcpy(copy, samples[i].bytes, samples[i].n);
        bsr_status status = bsr_onnx_guard(copy, samples[i].n);
        free(copy);
        if (!samples[i].message) {
            assert_int_equal(status, BSR_OK);
            continue;
        }
        assert_int_equal(status, BSR_EFORMAT);
        snprintf(message, sizeof message, "invalid ONNX: %s", samples[i].message);
        assert_string_equal(bsr_error_message(), message);
    }
}

/* ModelProto.graph, GraphProto.node, NodeProto.attribute, AttributeProto.g, ... so that the
 * innermost message is the depth-th; returns the length. */
static size_t nest(unsigned char buf[256], int depth)
{
    static const unsigned char cycle[] = {0x32, 0x0a, 0x2a}; /* g, node, attribute */
    size_t n = 0;
    for (int level = depth; level > 1; level--) {
        memmove(buf + 2, buf, n);
        buf[0] = level == 2 ? 0x3a : cycle[(level - 2) % 3];
        buf[1] = (unsigned char)n;
        n += 2;
    }
    return n;
}

static void test_onnx_guard__depth(void **state)
{
    unsigned char buf[256];
    assert_int_equal(bsr_onnx_guard(buf, nest(buf, BSR_ONNX_MAX_DEPTH)), BSR_OK);
    assert_int_equal(bsr_onnx_guard(buf, nest(buf, BSR_ONNX_MAX_DEPTH + 1)), BSR_ELIMIT);
    assert_string_equal(bsr_error_message(), "ONNX byte 62: messages are nested more than 32 deep");
}

/* TypeProto nests in itself by another way: sequence_type (4), elem_type (1). */
static void test_onnx_guard__depth_of_types(void **state)
{
    unsigned char buf[256];
    size_t n = 0;
    for (int i = 0; i < 40; i++) {
        memmove(buf + 2, buf, n);
        buf[0] = i % 2 ? 0x22 : 0x0a;
        buf[1] = (unsigned char)n;
        n += 2;
    }
    static const unsigned char tags[] = {0x12, 0x5a, 0x3a}; /* ValueInfo.type, graph.input, graph */
    for (int i = 0; i < 3; i++) {
        memmove(buf + 2, buf, n);
        buf[0] = tags[i];
        buf[1] = (unsigned char)n;
        n += 2;
    }
    assert_int_equal(bsr_onnx_guard(buf, n), BSR_ELIMIT);
}

static void test_onnx_guard__limits(void **state)
{
    assert_int_equal(bsr_onnx_guard("", BSR_ONNX_MAX_BYTES + 1), BSR_ELIMIT);
    assert_string_equal(bsr_error_message(),
                        "ONNX data have 2147483649 bytes, at most 2147483648 are read");

    size_t n = 2 * ((size_t)BSR_ONNX_MAX_FIELDS + 1);
    unsigned char *bytes = malloc(n);
    assert_non_null(bytes);
    for (size_t i = 0; i < n; i += 2)
        memcpy(bytes + i, "\x42", 2); /* an empty opset_import */
    assert_int_equal(bsr_onnx_guard(bytes, n - 2), BSR_OK);
    assert_int_equal(bsr_onnx_guard(bytes, n), BSR_ELIMIT);
    assert_string_equal(bsr_error_message(), "ONNX byte 8388608: more than 4194304 fields");
    free(bytes);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_onnx_guard__samples),
        cmocka_unit_test(test_onnx_guard__depth),
        cmocka_unit_test(test_onnx_guard__depth_of_types),
        cmocka_unit_test(test_onnx_guard__limits),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
