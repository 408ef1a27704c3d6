/* What a fuzz target defines; both libFuzzer and driver.c call it. */
#ifndef BSR_TESTS_FUZZ_H
#define BSR_TESTS_FUZZ_H

#include <stddef.h>
#include <stdint.h>

/* Runs the code under test on one input; aborts when it misbehaves. Returns 0. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#endif
