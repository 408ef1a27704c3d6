/* Models of opset 6 read as opset 7. */
#ifndef TESTS_ONNX_OPSET6_H
#define TESTS_ONNX_OPSET6_H

#include <stddef.h>

#include "graph/graph.h"

/* Most of the converted PyTorch cases are of opset 6; the library starts at 7, where broadcasting
 * became numpy's. Changes the version number in a serialised ModelProto from 6 to 7 and returns
 * whether it did; models of other versions and malformed bytes are left alone. Attributes that
 * opset 7 took away ("broadcast", "is_test", ...) stay, so that a model which depends on them is
 * refused by the library and not misread. */
int opset6_relabel(unsigned char *bytes, size_t n);

/* What opset 7 changed without taking an attribute away, in a graph read from a relabelled model:
 * PRelu's slope, one per channel of [N, C, ...] in opset 6, gets trailing dimensions of 1; the
 * attributes is_test = 1 (Dropout, BatchNormalization) and broadcast = 1 with an axis that aligns
 * the last dimensions, which is numpy's rule, are dropped. */
void opset6_upgrade(bsr_graph *graph);

#endif
