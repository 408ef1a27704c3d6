/* Changing one stored element in the bytes of an ONNX file: what a fault in a file's constant
 * means, without any of the library's code. */
#ifndef TESTS_SUPPORT_PATCH_ONNX_H
#define TESTS_SUPPORT_PATCH_ONNX_H

#include <stddef.h>
#include <stdint.h>

/* Stores the low `esize` bytes of `bits` as element `element` of the initialiser called `name`.
 * Returns 0, bytes unchanged, when there is none, or its elements are neither in raw_data nor in a
 * packed float_data. */
int patch_onnx(void *bytes, size_t n, const char *name, int64_t element, size_t esize,
               uint32_t bits);

#endif
