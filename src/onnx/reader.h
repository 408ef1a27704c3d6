/* Shared by the files of this module only: protobuf types stay inside src/onnx. */
#ifndef BSR_ONNX_READER_H
#define BSR_ONNX_READER_H

#include "onnx.pb-c.h"
#include "onnx/onnx.h"

/* bsr_onnx_guard for a message of any type. */
bsr_status bsr_onnx_guard_as(const ProtobufCMessageDescriptor *type, const void *bytes, size_t n);

/* Guards, then parses. The message lives in memory from base/alloc.h; free it with
 * bsr_onnx_release (NULL is fine). EFORMAT, ELIMIT, ENOMEM. */
bsr_status bsr_onnx_unpack(ProtobufCMessage **out, const ProtobufCMessageDescriptor *type,
                           const void *bytes, size_t n);
void bsr_onnx_release(ProtobufCMessage *message);

/* ONNX's name of an element type, e.g. "FLOAT16"; "type N" in buf for a number without a name. */
const char *bsr_onnx_type_name(char buf[24], int32_t type);

/* Converts a TensorProto; messages start with "tensor 'NAME'". dir as in bsr_onnx_read. */
bsr_status bsr_onnx_tensor(bsr_tensor **out, const Onnx__TensorProto *proto, const char *dir);

/* The same for a tensor whose data are in another file. `head` has dtype and dims checked, no
 * data; `size` is their number of bytes. */
bsr_status bsr_onnx_external(bsr_tensor **out, const bsr_tensor *head, size_t size,
                             const Onnx__TensorProto *proto, const char *dir);

/* Converts an AttributeProto into the zeroed *out, which is valid to free after an error too.
 * Messages start with "attribute 'NAME'". */
bsr_status bsr_onnx_attribute(bsr_attr *out, const Onnx__AttributeProto *proto, const char *dir);

#endif
