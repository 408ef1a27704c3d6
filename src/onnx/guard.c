/* Checks the wire format before protobuf-c sees it: that parser calls itself for every nested
 * message without a limit, merges repeated singular messages in quadratic time and turns two bytes
 * into a structure of two hundred. Message types and fields come from protobuf-c's own
 * descriptors, so that what counts as a nested message here is what the parser descends into. */
#include <stdio.h>
#include <string.h>

#include "base/error.h"
#include "onnx/reader.h"

/* A message that is being scanned. */
typedef struct frame {
    const ProtobufCMessageDescriptor *type;
    size_t end;
    uint64_t seen; /* bit per field index: singular messages that were there already */
} frame;

typedef struct scan {
    const uint8_t *bytes;
    size_t at;
    size_t fields;
    int depth;
    frame stack[BSR_ONNX_MAX_DEPTH];
} scan;

/* One tag with what it announces. */
typedef struct item {
    size_t start; /* byte of the tag */
    uint32_t number;
    unsigned wire;
    size_t length;                         /* of the payload, of every wire type */
    const ProtobufCFieldDescriptor *field; /* NULL for a field that the type does not know */
} item;

enum {
    WIRE_VARINT = PROTOBUF_C_WIRE_TYPE_VARINT,
    WIRE_64BIT = PROTOBUF_C_WIRE_TYPE_64BIT,
    WIRE_LENGTH = PROTOBUF_C_WIRE_TYPE_LENGTH_PREFIXED,
    WIRE_32BIT = PROTOBUF_C_WIRE_TYPE_32BIT,
};

/* The wire type of a single value; what is not listed is a varint. */
static const unsigned char wire_of_type[] = {
    [PROTOBUF_C_TYPE_SFIXED32] = WIRE_32BIT, [PROTOBUF_C_TYPE_FIXED32] = WIRE_32BIT,
    [PROTOBUF_C_TYPE_FLOAT] = WIRE_32BIT,    [PROTOBUF_C_TYPE_SFIXED64] = WIRE_64BIT,
    [PROTOBUF_C_TYPE_FIXED64] = WIRE_64BIT,  [PROTOBUF_C_TYPE_DOUBLE] = WIRE_64BIT,
    [PROTOBUF_C_TYPE_STRING] = WIRE_LENGTH,  [PROTOBUF_C_TYPE_BYTES] = WIRE_LENGTH,
    [PROTOBUF_C_TYPE_MESSAGE] = WIRE_LENGTH,
};

/* Name of the field for messages: "NodeProto field 'input'" or "NodeProto field 99". */
static const char *field_text(char buf[80], const frame *top, const item *it)
{
    if (it->field)
        snprintf(buf, 80, "%s field '%s'", top->type->short_name, it->field->name);
    else
        snprintf(buf, 80, "%s field %u", top->type->short_name, (unsigned)it->number);
    return buf;
}

static bsr_status read_varint(scan *s, size_t end, int max_bytes, uint64_t *out)
{
    size_t start = s->at;
    *out = 0;
    for (int i = 0; i < max_bytes; i++) {
        if (s->at == end)
            return bsr_fail(BSR_EFORMAT, "invalid ONNX: byte %zu: number is cut off", start);
        uint8_t byte = s->bytes[s->at++];
        *out |= (uint64_t)(byte & 0x7f) << (7 * i);
        if (byte < 0x80)
            return BSR_OK;
    }
    return bsr_fail(BSR_EFORMAT, "invalid ONNX: byte %zu: number has more than %d bytes", start,
                    max_bytes);
}

/* Length of the payload, which must lie inside its message; leaves s->at at its start. */
static bsr_status read_length(scan *s, const frame *top, item *it)
{
    char text[80];
    uint64_t n = 0;
    switch (it->wire) {
    case WIRE_VARINT: {
        size_t start = s->at;
        BSR_TRY(read_varint(s, top->end, 10, &n));
        n = s->at - start;
        s->at = start;
        break;
    }
    case WIRE_64BIT:
        n = 8;
        break;
    case WIRE_32BIT:
        n = 4;
        break;
    case WIRE_LENGTH:
        BSR_TRY(read_varint(s, top->end, 10, &n));
        break;
    default: /* groups, which ONNX never had, and types that do not exist */
        return bsr_fail(BSR_EFORMAT, "invalid ONNX: byte %zu: %s has wire type %u", it->start,
                        field_text(text, top, it), it->wire);
    }
    if (n > top->end - s->at)
        return bsr_fail(BSR_EFORMAT, "invalid ONNX: byte %zu: %s has %llu bytes, %zu remain",
                        it->start, field_text(text, top, it), (unsigned long long)n,
                        top->end - s->at);
    it->length = (size_t)n;
    return BSR_OK;
}

/* Tag and length; leaves s->at at the start of the payload. */
static bsr_status read_item(scan *s, const frame *top, item *it)
{
    uint64_t tag;
    it->start = s->at;
    BSR_TRY(read_varint(s, top->end, 5, &tag));
    /* protobuf-c drops higher bits, so that it would see another field. */
    if (tag > UINT32_MAX || tag >> 3 == 0)
        return bsr_fail(BSR_EFORMAT, "invalid ONNX: byte %zu: field number %llu in %s", it->start,
                        (unsigned long long)(tag >> 3), top->type->short_name);
    it->number = (uint32_t)(tag >> 3);
    it->wire = (unsigned)(tag & 7);
    it->field = protobuf_c_message_descriptor_get_field(top->type, it->number);
    return read_length(s, top, it);
}

/* Encoding and, of strings, content of a field that the message type knows. */
static bsr_status check_field(const scan *s, const frame *top, const item *it)
{
    char text[80];
    const ProtobufCFieldDescriptor *field = it->field;
    unsigned wire = field->type < sizeof wire_of_type ? wire_of_type[field->type] : 0;
    int is_packed =
        field->label == PROTOBUF_C_LABEL_REPEATED && it->wire == WIRE_LENGTH && wire != WIRE_LENGTH;
    if (it->wire != wire && !is_packed)
        return bsr_fail(BSR_EFORMAT, "invalid ONNX: byte %zu: %s has wire type %u, expected %u",
                        it->start, field_text(text, top, it), it->wire, wire);
    if (field->type == PROTOBUF_C_TYPE_STRING && memchr(s->bytes + s->at, 0, it->length))
        return bsr_fail(BSR_EFORMAT, "invalid ONNX: byte %zu: %s holds a zero byte", it->start,
                        field_text(text, top, it));
    return BSR_OK;
}

static bsr_status enter(scan *s, frame *top, const item *it)
{
    char text[80];
    const ProtobufCFieldDescriptor *field = it->field;
    if (field->label != PROTOBUF_C_LABEL_REPEATED) {
        uint64_t bit = (uint64_t)1 << ((size_t)(field - top->type->fields) % 64);
        if (top->seen & bit)
            return bsr_fail(BSR_EFORMAT, "invalid ONNX: byte %zu: %s is there twice", it->start,
                            field_text(text, top, it));
        top->seen |= bit;
    }
    if (s->depth == BSR_ONNX_MAX_DEPTH)
        return bsr_fail(BSR_ELIMIT, "ONNX byte %zu: messages are nested more than %d deep",
                        it->start, BSR_ONNX_MAX_DEPTH);
    s->stack[s->depth++] = (frame){.type = field->descriptor, .end = s->at + it->length};
    return BSR_OK;
}

static bsr_status scan_message(scan *s)
{
    while (s->depth > 0) {
        frame *top = &s->stack[s->depth - 1];
        if (s->at == top->end) {
            s->depth--;
            continue;
        }
        item it = {0};
        BSR_TRY(read_item(s, top, &it));
        if (++s->fields > BSR_ONNX_MAX_FIELDS)
            return bsr_fail(BSR_ELIMIT, "ONNX byte %zu: more than %d fields", it.start,
                            BSR_ONNX_MAX_FIELDS);
        if (it.field)
            BSR_TRY(check_field(s, top, &it));
        if (it.field && it.field->type == PROTOBUF_C_TYPE_MESSAGE)
            BSR_TRY(enter(s, top, &it));
        else
            s->at += it.length;
    }
    return BSR_OK;
}

bsr_status bsr_onnx_guard_as(const ProtobufCMessageDescriptor *type, const void *bytes, size_t n)
{
    if (n > BSR_ONNX_MAX_BYTES)
        return bsr_fail(BSR_ELIMIT, "ONNX data have %zu bytes, at most %zu are read", n,
                        BSR_ONNX_MAX_BYTES);
    scan s = {.bytes = bytes, .depth = 1};
    s.stack[0] = (frame){.type = type, .end = n};
    return scan_message(&s);
}

bsr_status bsr_onnx_guard(const void *bytes, size_t n)
{
    return bsr_onnx_guard_as(&onnx__model_proto__descriptor, bytes, n);
}
