/* protobuf-c on the library's allocator. */
#include "base/alloc.h"
#include "base/error.h"
#include "onnx/reader.h"

/* `data` is an int that is set when an allocation fails: protobuf-c returns NULL both then and for
 * bytes that it does not like. */
static void *allocate(void *data, size_t size)
{
    void *p = bsr_alloc_array(size, 1);
    if (!p)
        *(int *)data = 1;
    return p;
}

static void release(void *data, void *p)
{
    bsr_free(p);
}

bsr_status bsr_onnx_unpack(ProtobufCMessage **out, const ProtobufCMessageDescriptor *type,
                           const void *bytes, size_t n)
{
    *out = NULL;
    BSR_TRY(bsr_onnx_guard_as(type, bytes, n));
    int no_memory = 0;
    ProtobufCAllocator allocator = {
        .alloc = allocate, .free = release, .allocator_data = &no_memory};
    *out = protobuf_c_message_unpack(type, &allocator, n, bytes);
    if (*out)
        return BSR_OK;
    return no_memory ? BSR_ENOMEM
                     : bsr_fail(BSR_EFORMAT, "invalid ONNX: protobuf-c cannot parse the %s",
                                type->short_name);
}

void bsr_onnx_release(ProtobufCMessage *message)
{
    ProtobufCAllocator allocator = {.alloc = allocate, .free = release};
    if (message)
        protobuf_c_message_free_unpacked(message, &allocator);
}
