/* One case of the ONNX backend tests: a folder with a model and sets of inputs and outputs. */
#ifndef TESTS_ONNX_CASE_H
#define TESTS_ONNX_CASE_H

#include "graph/graph.h"

typedef enum verdict {
    CASE_PASSED,
    CASE_FAILED,      /* text: what differs */
    CASE_MISSING,     /* uses an operator that the registry has not; text: its type */
    CASE_UNSUPPORTED, /* refused for one of the reasons listed in case.c; text: the reason */
} verdict;

typedef struct case_result {
    verdict verdict;
    char text[640];
} case_result;

enum { CASE_MAX_TENSORS = 32 };

/* The tensors of one kind of a data set: input_0.pb, input_1.pb, ... */
typedef struct case_tensors {
    int n;
    bsr_tensor *t[CASE_MAX_TENSORS];
} case_tensors;

/* Reads SET/KIND_0.pb and so on, until one is missing. `out` is freed by case_free_tensors whatever
 * this returns. */
bsr_status case_read_tensors(case_tensors *out, const char *set, const char *kind);
void case_free_tensors(case_tensors *list);

/* FOLDER/model.onnx; opset 6 is read as opset 7 (opset6.h). Caller owns *out. */
bsr_status case_read_model(bsr_graph **out, const char *folder);

/* Gives every graph input the type and shape of its tensor, and its elements as a constant to those
 * whose bit is set in `bound`. */
bsr_status case_bind_inputs(bsr_graph *graph, const case_tensors *in, uint32_t bound);

/* Runs all data sets of the case.
 *
 * Inputs that an operator needs at shape-inference time are bound as constants: first none is;
 * when the graph does not resolve, the lists and scalars of int64 and int32; then all but the first
 * input; then all. */
case_result case_run(const char *folder);

#endif
