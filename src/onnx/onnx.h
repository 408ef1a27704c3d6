/* ONNX bytes to graph. The only module that sees protobuf types. */
#ifndef BSR_ONNX_ONNX_H
#define BSR_ONNX_ONNX_H

#include <stddef.h>

#include "graph/graph.h"

/* Reads a ModelProto. `dir` is the folder where external data files are looked for (the model
 * file's own folder; NULL forbids external data); their locations must not leave it. The bytes
 * first pass bsr_onnx_guard. IR versions 3 to 10 and default-domain opsets 7 to 17 are accepted;
 * operators of other domains, local functions, subgraph attributes, training information, sparse
 * and quantisation-annotated parts are refused by name. Initialisers in raw or typed form become
 * constants, whether or not they are also listed as inputs (IR version 3 does that); Constant nodes
 * stay nodes. Of what IR versions 9 and 10 added, float8 and 4-bit elements are refused by name,
 * overloads and default attributes belong to local functions, and metadata_props, which say nothing
 * about results, are skipped. A node without a name is called "OpType_<position in the file>". The
 * graph has been through bsr_graph_finish.
 * Errors: EFORMAT, EUNSUPPORTED, ELIMIT, ENOMEM, EIO/ENOTFOUND (external data). Caller owns *out,
 * which is NULL after an error. Thread-safe; time and memory are linear in n. */
bsr_status bsr_onnx_read(bsr_graph **out, const void *bytes, size_t n, const char *dir);

/* A lone serialized TensorProto, as the ONNX backend test data use. Same limits and errors, no
 * external data. Caller owns *out. */
bsr_status bsr_onnx_read_tensor(bsr_tensor **out, const void *bytes, size_t n);

/* Messages inside messages (ModelProto itself is the first level), bytes of a file, and fields of
 * all messages together; the last bounds the memory of the parsed form, where a field of two bytes
 * may become a structure of two hundred. */
#define BSR_ONNX_MAX_DEPTH  32
#define BSR_ONNX_MAX_BYTES  ((size_t)2 << 30)
#define BSR_ONNX_MAX_FIELDS (1 << 22)

/* The wire format of a ModelProto, without recursion: EFORMAT for a tag, number or length that is
 * malformed or leaves its message, a field with another type's encoding, a zero byte in a string,
 * a singular message given twice; ELIMIT for the limits above. Messages name byte and field. */
bsr_status bsr_onnx_guard(const void *bytes, size_t n);

#endif
