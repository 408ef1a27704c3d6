/* Files of tests/fuzz/corpus/onnx, written with the onnx package by tests/fuzz/make_onnx_corpus.py:
 * what each holds is said there, independently of the reader. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/alloc.h"
#include "onnx/onnx.h"

#define CORPUS "tests/fuzz/corpus/onnx"

static unsigned char *load(const char *name, size_t *n)
{
    static unsigned char bytes[4096];
    char path[256];
    snprintf(path, sizeof path, CORPUS "/%s", name);
    FILE *f = fopen(path, "rb");
    assert_non_null(f);
    *n = fread(bytes, 1, sizeof bytes, f);
    fclose(f);
    return bytes;
}

static bsr_status read_file(bsr_graph **out, const char *name, const char *dir)
{
    size_t n;
    unsigned char *bytes = load(name, &n);
    return bsr_onnx_read(out, bytes, n, dir);
}

static const bsr_value *value(const bsr_graph *graph, const char *name)
{
    int index = bsr_graph_find_value(graph, name);
    assert_true(index >= 0);
    return &graph->values[index];
}

static void test_onnx_read__conv(void **state)
{
    bsr_graph *graph;
    assert_int_equal(read_file(&graph, "conv.onnx", NULL), BSR_OK);
    assert_string_equal(graph->name, "g");
    assert_string_equal(graph->producer, "corpus");
    assert_int_equal(graph->ir_version, 7);
    assert_int_equal(graph->opset, 13);
    assert_int_equal(graph->n_inputs, 1);
    assert_int_equal(graph->n_outputs, 1);
    assert_string_equal(graph->values[graph->outputs[0]].name, "y");
    const bsr_value *x = &graph->values[graph->inputs[0]];
    assert_string_equal(x->name, "x");
    assert_int_equal(x->dtype, BSR_F32);
    assert_int_equal(x->rank, 4);
    assert_memory_equal(x->dims, ((int64_t[]){-1, 2, 4, -1}), 4 * sizeof(int64_t));

    assert_int_equal(graph->n_nodes, 2);
    const bsr_node *conv = &graph->nodes[0], *relu = &graph->nodes[1];
    assert_string_equal(conv->name, "conv");
    assert_string_equal(conv->op_type, "Conv");
    assert_string_equal(relu->name, "Relu_1"); /* the file has no name for it */
    assert_int_equal(conv->n_in, 3);
    assert_int_equal(conv->in[2], -1);
    assert_string_equal(bsr_node_string(conv, "auto_pad", ""), "NOTSET");
    assert_int_equal(bsr_node_int(conv, "group", 0), 1);
    const bsr_attr *pads = bsr_node_attr(conv, "pads");
    assert_non_null(pads);
    assert_int_equal(pads->kind, BSR_ATTR_INTS);
    assert_int_equal(pads->n, 4);
    assert_memory_equal(pads->ints, ((int64_t[]){1, 1, 1, 1}), 4 * sizeof(int64_t));

    const bsr_value *w = value(graph, "w");
    assert_int_equal(w->rank, 4);
    assert_int_equal(w->dtype, BSR_F32);
    assert_non_null(w->constant);
    assert_memory_equal(w->constant->dims, ((int64_t[]){1, 2, 3, 3}), 4 * sizeof(int64_t));
    for (int i = 0; i < 18; i++)
        assert_true(((float *)w->constant->data)[i] == (float)i);
    bsr_graph_free(graph);
}

static void check_constant(const bsr_graph *graph, const char *name, bsr_dtype dtype, int64_t n,
                           const void *expected)
{
    const bsr_tensor *t = value(graph, name)->constant;
    assert_non_null(t);
    assert_int_equal(t->dtype, dtype);
    assert_int_equal(bsr_count(t->rank, t->dims), n);
    assert_memory_equal(t->data, expected, (size_t)n * bsr_dtype_size(dtype));
}

static void test_onnx_read__typed_data(void **state)
{
    bsr_graph *graph;
    assert_int_equal(read_file(&graph, "typed.onnx", NULL), BSR_OK);
    check_constant(graph, "f", BSR_F32, 2, (float[]){1.5f, -2.5f});
    check_constant(graph, "i8", BSR_I8, 2, (int8_t[]){-128, 127});
    check_constant(graph, "u8", BSR_U8, 2, (uint8_t[]){0, 255});
    check_constant(graph, "b", BSR_BOOL, 2, (uint8_t[]){1, 0});
    check_constant(graph, "i32", BSR_I32, 2, (int32_t[]){INT32_MIN, INT32_MAX});
    check_constant(graph, "i64", BSR_I64, 2, (int64_t[]){INT64_MIN, INT64_MAX});
    check_constant(graph, "d", BSR_F64, 2, (double[]){0.1, -1e300});
    check_constant(graph, "scalar", BSR_F32, 1, (float[]){3.0f});
    assert_int_equal(value(graph, "scalar")->rank, 0);
    check_constant(graph, "empty", BSR_F32, 0, "");
    bsr_graph_free(graph);
}

static void test_onnx_read__attributes(void **state)
{
    bsr_graph *graph;
    assert_int_equal(read_file(&graph, "attributes.onnx", NULL), BSR_OK);
    const bsr_node *node = &graph->nodes[0];
    assert_int_equal(node->n_attr, 7);
    assert_int_equal(bsr_node_int(node, "i", 0), -7);
    assert_true(bsr_node_float(node, "f", 0) == 0.5f);
    assert_string_equal(bsr_node_string(node, "s", ""), "text");
    const bsr_attr *a = bsr_node_attr(node, "ints");
    assert_int_equal(a->kind, BSR_ATTR_INTS);
    assert_int_equal(a->n, 2);
    assert_memory_equal(a->ints, ((int64_t[]){1, -2}), 16);
    a = bsr_node_attr(node, "floats");
    assert_int_equal(a->kind, BSR_ATTR_FLOATS);
    assert_int_equal(a->n, 2);
    assert_memory_equal(a->floats, ((float[]){0.25f, 4.0f}), 8);
    a = bsr_node_attr(node, "strings");
    assert_int_equal(a->kind, BSR_ATTR_STRINGS);
    assert_int_equal(a->n, 2);
    assert_string_equal(a->strings[0], "a");
    assert_string_equal(a->strings[1], "bc");
    a = bsr_node_attr(node, "t");
    assert_int_equal(a->kind, BSR_ATTR_TENSOR);
    assert_true(*(float *)a->t->data == 9.0f);
    bsr_graph_free(graph);
}

static void test_onnx_read__ir3_initialiser_is_no_input(void **state)
{
    bsr_graph *graph;
    assert_int_equal(read_file(&graph, "ir3_inputs.onnx", NULL), BSR_OK);
    assert_int_equal(graph->ir_version, 3);
    assert_int_equal(graph->opset, 7);
    assert_int_equal(graph->n_inputs, 1);
    assert_string_equal(graph->values[graph->inputs[0]].name, "x");
    assert_false(value(graph, "w")->is_input);
    check_constant(graph, "w", BSR_F32, 2, (float[]){1.0f, 2.0f});
    bsr_graph_free(graph);
}

static void test_onnx_read__ir10_metadata_is_skipped(void **state)
{
    bsr_graph *graph;
    assert_int_equal(read_file(&graph, "ir10_metadata.onnx", NULL), BSR_OK);
    assert_int_equal(graph->ir_version, 10);
    assert_int_equal(graph->n_nodes, 1);
    assert_string_equal(graph->nodes[0].op_type, "Relu");
    assert_int_equal(graph->nodes[0].n_attr, 0);
    bsr_graph_free(graph);
}

static void test_onnx_read__sorts(void **state)
{
    bsr_graph *graph;
    assert_int_equal(read_file(&graph, "unsorted.onnx", NULL), BSR_OK);
    assert_string_equal(graph->nodes[0].name, "a");
    assert_string_equal(graph->nodes[1].name, "b");
    assert_string_equal(graph->nodes[2].name, "c");
    bsr_graph_free(graph);
}

static void test_onnx_read__external(void **state)
{
    bsr_graph *graph;
    assert_int_equal(read_file(&graph, "external.onnx", CORPUS), BSR_OK);
    check_constant(graph, "w", BSR_F32, 2, (float[]){10.0f, 20.0f});
    bsr_graph_free(graph);
    assert_int_equal(read_file(&graph, "external.onnx", NULL), BSR_EUNSUPPORTED);
    assert_string_equal(
        bsr_error_message(),
        "tensor 'w' is in the external file 'external.bin', which needs the model's folder");
    assert_null(graph);
}

static void test_onnx_read__tensor(void **state)
{
    size_t n;
    unsigned char *bytes = load("tensor.pb", &n);
    bsr_tensor *t;
    assert_int_equal(bsr_onnx_read_tensor(&t, bytes, n), BSR_OK);
    assert_int_equal(t->dtype, BSR_I64);
    assert_int_equal(t->rank, 2);
    assert_memory_equal(t->dims, ((int64_t[]){1, 3}), 16);
    assert_memory_equal(t->data, ((int64_t[]){1, 2, 3}), 24);
    bsr_tensor_free(t);
    assert_int_equal(bsr_onnx_read_tensor(&t, bytes, n - 1), BSR_EFORMAT);
    assert_string_equal(bsr_error_message(),
                        "invalid ONNX: byte 12: TensorProto field 'raw_data' has 24 bytes, 23 "
                        "remain");
    assert_null(t);
}

#define DANGLES "dangles: no node, graph input or initialiser gives it"
#define OUTSIDE "is not inside the model's folder"

static const struct bad_file {
    const char *name; /* without bad_ and .onnx */
    bsr_status status;
    const char *message;
} bad_files[] = {
    {"empty", BSR_EFORMAT, "not an ONNX model: no ir_version"},
    {"text", BSR_EFORMAT, "invalid ONNX: byte 2: ModelProto field 13 has wire type 4"},
    {"garbage", BSR_EFORMAT,
     "invalid ONNX: byte 0: ModelProto field 'domain' has wire type 5, expected 2"},
    {"truncated", BSR_EFORMAT,
     "invalid ONNX: byte 85: ModelProto field 'opset_import' has 4 bytes, 1 remain"},
    {"nested", BSR_ELIMIT, "ONNX byte 93: messages are nested more than 32 deep"},
    {"nested_33", BSR_ELIMIT, "ONNX byte 62: messages are nested more than 32 deep"},
    {"nested_32", BSR_EFORMAT, "not an ONNX model: no ir_version"},
    {"ir2", BSR_EUNSUPPORTED, "ir_version is 2, expected 3 to 10"},
    {"ir11", BSR_EUNSUPPORTED, "ir_version is 11, expected 3 to 10"},
    {"opset6", BSR_EUNSUPPORTED, "opset is 6, expected 7 to 17"},
    {"opset18", BSR_EUNSUPPORTED, "opset is 18, expected 7 to 17"},
    {"no_opset", BSR_EFORMAT, "opset_import has no entry for the domain ai.onnx"},
    {"function", BSR_EUNSUPPORTED, "local function 'F' (domain 'local')"},
    {"training", BSR_EUNSUPPORTED, "the model holds training information"},
    {"sparse", BSR_EUNSUPPORTED, "sparse initialiser 's'"},
    {"annotation", BSR_EUNSUPPORTED, "quantisation annotation of tensor 'q'"},

    {"domain", BSR_EUNSUPPORTED, "node 'fc' (FusedConv): operator domain 'com.microsoft'"},
    {"subgraph", BSR_EUNSUPPORTED, "node 'if' (If): attribute 'else_branch' has type GRAPH"},
    {"attribute_type", BSR_EFORMAT, "node 'r' (Relu): attribute 'k' has type 0, expected 1 to 14"},
    {"two_attributes", BSR_EFORMAT, "node 'r' (Relu): attribute 'k' is there twice"},
    {"no_op", BSR_EFORMAT, "node 0 ('r') has no op_type"},
    {"cycle", BSR_EFORMAT, "node 'second' (Relu) is on a cycle through its input 'a'"},
    {"dangling", BSR_EFORMAT, "node 'a' (Add): input 1 'ghost' " DANGLES},
    {"dangling_output", BSR_EFORMAT, "graph output 'z' " DANGLES},
    {"two_producers", BSR_EFORMAT, "value 'y' has two producers: node 'r' (Relu), node 's' (Abs)"},
    {"writes_input", BSR_EFORMAT, "node 'r' (Relu): output 'x' is also a graph input"},
    {"two_inputs", BSR_EFORMAT, "graph input 'x' is listed twice"},
    {"two_inits", BSR_EFORMAT, "initialiser 'w' is there twice"},
    {"no_output", BSR_EFORMAT, "graph 'g' has no outputs"},
    {"input_type", BSR_EUNSUPPORTED, "graph input 'x' has element type FLOAT16"},
    {"input_dim", BSR_EFORMAT, "graph input 'x': dimension 1 is -5"},

    {"fp16", BSR_EUNSUPPORTED, "tensor 'w' has element type FLOAT16"},
    {"float8", BSR_EUNSUPPORTED, "tensor 'w' has element type FLOAT8E4M3FN"},
    {"int4", BSR_EUNSUPPORTED, "tensor 'w' has element type INT4"},
    {"no_type", BSR_EFORMAT, "tensor 'w' has no element type"},
    {"segment", BSR_EUNSUPPORTED, "tensor 'w' is stored in segments"},
    {"negative", BSR_EFORMAT, "tensor 'w': dimension 1 is -3"},
    {"rank9", BSR_ELIMIT, "tensor 'w' has rank 9, at most 8 is supported"},
    {"huge", BSR_ELIMIT,
     "tensor 'w' of shape 1099511627776x1099511627776 has more than 2147483648 elements"},
    {"wide", BSR_ELIMIT, "tensor 'w' of shape 2147483648x2 has more than 2147483648 elements"},
    {"large", BSR_EFORMAT,
     "tensor 'w': float_data has 0 values, shape 1073741824 needs 1073741824"},
    {"raw_length", BSR_EFORMAT, "tensor 'w': raw_data has 12 bytes, float32 of shape 2x3 needs 24"},
    {"typed_length", BSR_EFORMAT, "tensor 'w': int64_data has 2 values, shape 3 needs 3"},
    {"typed_field", BSR_EFORMAT,
     "tensor 'w' (float32): 1 of 1 values are not in its field float_data"},
    {"raw_and_typed", BSR_EFORMAT, "tensor 'w' has 4 bytes of raw_data and 1 typed values"},
    {"int8_value", BSR_EFORMAT, "tensor 'w': int32_data[1] is 128, expected -128 to 127"},
    {"bool_value", BSR_EFORMAT, "tensor 'w': bool value 1 is 2, expected 0 or 1"},

    {"external_up", BSR_EFORMAT, "tensor 'w': external file '../../../etc/hostname' " OUTSIDE},
    {"external_absolute", BSR_EFORMAT, "tensor 'w': external file '/etc/hostname' " OUTSIDE},
    {"external_missing", BSR_ENOTFOUND,
     "tensor 'w': external file '" CORPUS "/no_such_file.bin': No such file or directory"},
    {"external_nowhere", BSR_EFORMAT, "tensor 'w': external data without location"},
    {"external_folder", BSR_EFORMAT, "tensor 'w': external file '.' is not a regular file"},
    {"external_length", BSR_EFORMAT, "tensor 'w': external data length is 12, expected 8"},
    {"external_offset", BSR_EFORMAT,
     "tensor 'w': external file 'external.bin' has 12 bytes, expected 8 at 8"},
    {"external_number", BSR_EFORMAT, "tensor 'w': external data offset is '-4', expected a number"},
    {"external_key", BSR_EUNSUPPORTED, "tensor 'w': external data key 'codec'"},
};

static void test_onnx_read__bad_files(void **state)
{
    for (size_t i = 0; i < sizeof bad_files / sizeof *bad_files; i++) {
        char name[64];
        bsr_graph *graph;
        snprintf(name, sizeof name, "bad_%s.onnx", bad_files[i].name);
        bsr_status status = read_file(&graph, name, CORPUS);
        if (status != bad_files[i].status)
            print_error("%s\n", name);
        assert_int_equal(status, bad_files[i].status);
        assert_string_equal(bsr_error_message(), bad_files[i].message);
        assert_null(graph);
    }
}

static void test_onnx_read__out_of_memory(void **state)
{
    static const char *const files[] = {"conv.onnx", "typed.onnx", "attributes.onnx",
                                        "external.onnx", "ir3_inputs.onnx"};
    for (size_t i = 0; i < sizeof files / sizeof *files; i++) {
        bsr_status status = BSR_ENOMEM;
        int n;
        for (n = 1; status != BSR_OK; n++) {
            bsr_graph *graph;
            bsr_alloc_fail_after(n);
            status = read_file(&graph, files[i], CORPUS);
            if (status != BSR_OK) {
                assert_int_equal(status, BSR_ENOMEM);
                assert_non_null(strstr(bsr_error_message(), "out of memory"));
                assert_null(graph);
            }
            bsr_graph_free(graph);
        }
        assert_true(bsr_alloc_fail_pending());
        assert_true(n > 30);
    }
    bsr_alloc_fail_after(0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_onnx_read__conv),
        cmocka_unit_test(test_onnx_read__typed_data),
        cmocka_unit_test(test_onnx_read__attributes),
        cmocka_unit_test(test_onnx_read__ir3_initialiser_is_no_input),
        cmocka_unit_test(test_onnx_read__ir10_metadata_is_skipped),
        cmocka_unit_test(test_onnx_read__sorts),
        cmocka_unit_test(test_onnx_read__external),
        cmocka_unit_test(test_onnx_read__tensor),
        cmocka_unit_test(test_onnx_read__bad_files),
        cmocka_unit_test(test_onnx_read__out_of_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
