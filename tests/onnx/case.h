/* One case of the ONNX backend tests: a folder with a model and sets of inputs and outputs. */
#ifndef TESTS_ONNX_CASE_H
#define TESTS_ONNX_CASE_H

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

/* Runs all data sets of the case.
 *
 * Inputs that an operator needs at shape-inference time are bound as constants: first none is;
 * when the graph does not resolve, the lists and scalars of int64 and int32; then all but the first
 * input; then all. */
case_result case_run(const char *folder);

#endif
