#include "support/patch_onnx.h"

#include <string.h>

/* Field numbers of onnx.proto. */
enum {
    MODEL_GRAPH = 7,
    GRAPH_INITIALIZER = 5,
    TENSOR_FLOAT_DATA = 4,
    TENSOR_NAME = 8,
    TENSOR_RAW_DATA = 9,
};

typedef struct span {
    unsigned char *at, *end;
} span;

static uint64_t varint(span *s)
{
    uint64_t x = 0;
    for (int shift = 0; s->at < s->end && shift < 64; shift += 7) {
        unsigned char byte = *s->at++;
        x |= (uint64_t)(byte & 127) << shift;
        if (byte < 128)
            break;
    }
    return x;
}

/* The next field of a message; *value is empty for a number. Returns the field number, 0 at the
 * end. */
static int next_field(span *message, span *value)
{
    if (message->at >= message->end)
        return 0;
    uint64_t key = varint(message), length = 0;
    switch (key & 7) {
    case 0:
        varint(message);
        break;
    case 1:
        length = 8;
        break;
    case 2:
        length = varint(message);
        break;
    case 5:
        length = 4;
        break;
    }
    if (length > (uint64_t)(message->end - message->at))
        return 0;
    *value = (span){message->at, message->at + length};
    message->at += length;
    return (int)(key >> 3);
}

static int patch_tensor(span tensor, const char *name, int64_t element, size_t esize, uint32_t bits)
{
    span value, data = {0};
    int named = 0;
    for (int field; (field = next_field(&tensor, &value));) {
        size_t n = (size_t)(value.end - value.at);
        if (field == TENSOR_NAME)
            named = n == strlen(name) && memcmp(value.at, name, n) == 0;
        else if (field == TENSOR_RAW_DATA || field == TENSOR_FLOAT_DATA)
            data = value;
    }
    size_t at = (size_t)element * esize;
    if (!named || !data.at || at + esize > (size_t)(data.end - data.at))
        return 0;
    memcpy(data.at + at, &bits, esize); /* both are little-endian */
    return 1;
}

int patch_onnx(void *bytes, size_t n, const char *name, int64_t element, size_t esize,
               uint32_t bits)
{
    span model = {bytes, (unsigned char *)bytes + n}, graph, tensor;
    for (int field; (field = next_field(&model, &graph));) {
        if (field != MODEL_GRAPH)
            continue;
        while ((field = next_field(&graph, &tensor)))
            if (field == GRAPH_INITIALIZER && patch_tensor(tensor, name, element, esize, bits))
                return 1;
    }
    return 0;
}
