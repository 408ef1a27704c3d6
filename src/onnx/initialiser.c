/* TensorProto to bsr_tensor. */
#include <stdio.h>
#include <string.h>

#include "base/alloc.h"
#include "base/error.h"
#include "onnx/reader.h"

static const char *const type_names[] = {
    "UNDEFINED",      "FLOAT",      "UINT8",          "INT8",       "UINT16",   "INT16",
    "INT32",          "INT64",      "STRING",         "BOOL",       "FLOAT16",  "DOUBLE",
    "UINT32",         "UINT64",     "COMPLEX64",      "COMPLEX128", "BFLOAT16", "FLOAT8E4M3FN",
    "FLOAT8E4M3FNUZ", "FLOAT8E5M2", "FLOAT8E5M2FNUZ", "UINT4",      "INT4",
};

const char *bsr_onnx_type_name(char buf[24], int32_t type)
{
    if (type >= 0 && (size_t)type < sizeof type_names / sizeof *type_names)
        return type_names[type];
    snprintf(buf, 24, "type %d", (int)type);
    return buf;
}

static const char *name_of(const Onnx__TensorProto *proto)
{
    return proto->name ? proto->name : "";
}

/* Fills *head (no data) and the size in bytes of the data it stands for. */
static bsr_status check_head(bsr_tensor *head, size_t *size, const Onnx__TensorProto *proto)
{
    char text[24];
    const char *name = name_of(proto);
    *head = (bsr_tensor){.dtype = (bsr_dtype)proto->data_type};
    if (!proto->has_data_type || proto->data_type == 0)
        return bsr_fail(BSR_EFORMAT, "tensor '%s' has no element type", name);
    if (!bsr_dtype_size(head->dtype))
        return bsr_fail(BSR_EUNSUPPORTED, "tensor '%s' has element type %s", name,
                        bsr_onnx_type_name(text, proto->data_type));
    if (proto->segment)
        return bsr_fail(BSR_EUNSUPPORTED, "tensor '%s' is stored in segments", name);
    if (proto->n_dims > BSR_MAX_RANK)
        return bsr_fail(BSR_ELIMIT, "tensor '%s' has rank %zu, at most %d is supported", name,
                        proto->n_dims, BSR_MAX_RANK);
    head->rank = (int)proto->n_dims;
    for (int d = 0; d < head->rank; d++) {
        head->dims[d] = proto->dims[d];
        if (head->dims[d] < 0)
            return bsr_fail(BSR_EFORMAT, "tensor '%s': dimension %d is %lld", name, d,
                            (long long)head->dims[d]);
    }
    int64_t n = bsr_count(head->rank, head->dims);
    if (n < 0) {
        char dims[176];
        return bsr_fail(BSR_ELIMIT, "tensor '%s' of shape %s has more than %lld elements", name,
                        bsr_dims_text(dims, sizeof dims, head->rank, head->dims),
                        (long long)BSR_MAX_ELEMENTS);
    }
    *size = (size_t)n * bsr_dtype_size(head->dtype);
    return BSR_OK;
}

/* The typed field that ONNX prescribes for an element type. */
typedef struct typed_field {
    const char *name;
    const void *values;
    size_t n;
} typed_field;

static typed_field field_for(const Onnx__TensorProto *p, bsr_dtype dtype)
{
    switch (dtype) {
    case BSR_F32:
        return (typed_field){"float_data", p->float_data, p->n_float_data};
    case BSR_F64:
        return (typed_field){"double_data", p->double_data, p->n_double_data};
    case BSR_I64:
        return (typed_field){"int64_data", p->int64_data, p->n_int64_data};
    default:
        return (typed_field){"int32_data", p->int32_data, p->n_int32_data};
    }
}

/* Values of all typed fields together; more than the right field's are in a wrong one. */
static size_t typed_total(const Onnx__TensorProto *p)
{
    return p->n_float_data + p->n_double_data + p->n_int32_data + p->n_int64_data +
           p->n_uint64_data + p->n_string_data;
}

/* int32_data of the one-byte types. */
static bsr_status narrow(bsr_tensor *t, const typed_field *field, const char *name)
{
    const int32_t *values = field->values;
    int32_t low = t->dtype == BSR_I8 ? -128 : 0, high = t->dtype == BSR_I8 ? 127 : 255;
    for (size_t i = 0; i < field->n; i++) {
        if (values[i] < low || values[i] > high)
            return bsr_fail(BSR_EFORMAT, "tensor '%s': %s[%zu] is %d, expected %d to %d", name,
                            field->name, i, (int)values[i], (int)low, (int)high);
        ((unsigned char *)t->data)[i] = (unsigned char)values[i];
    }
    return BSR_OK;
}

static bsr_status read_typed(bsr_tensor **out, const bsr_tensor *head, size_t size,
                             const Onnx__TensorProto *proto)
{
    const char *name = name_of(proto);
    char dims[176];
    typed_field field = field_for(proto, head->dtype);
    size_t need = size / bsr_dtype_size(head->dtype);
    if (field.n != typed_total(proto))
        return bsr_fail(BSR_EFORMAT, "tensor '%s' (%s): %zu of %zu values are not in its field %s",
                        name, bsr_dtype_name(head->dtype), typed_total(proto) - field.n,
                        typed_total(proto), field.name);
    if (field.n != need)
        return bsr_fail(BSR_EFORMAT, "tensor '%s': %s has %zu values, shape %s needs %zu", name,
                        field.name, field.n,
                        bsr_dims_text(dims, sizeof dims, head->rank, head->dims), need);
    BSR_TRY(bsr_tensor_new(out, head->dtype, head->rank, head->dims));
    if (bsr_dtype_size(head->dtype) == 1)
        return narrow(*out, &field, name);
    if (size)
        memcpy((*out)->data, field.values, size);
    return BSR_OK;
}

static bsr_status read_raw(bsr_tensor **out, const bsr_tensor *head, size_t size,
                           const Onnx__TensorProto *proto)
{
    char dims[176];
    if (typed_total(proto))
        return bsr_fail(BSR_EFORMAT, "tensor '%s' has %zu bytes of raw_data and %zu typed values",
                        name_of(proto), proto->raw_data.len, typed_total(proto));
    if (proto->raw_data.len != size)
        return bsr_fail(BSR_EFORMAT,
                        "tensor '%s': raw_data has %zu bytes, %s of shape %s needs %zu",
                        name_of(proto), proto->raw_data.len, bsr_dtype_name(head->dtype),
                        bsr_dims_text(dims, sizeof dims, head->rank, head->dims), size);
    BSR_TRY(bsr_tensor_new(out, head->dtype, head->rank, head->dims));
    memcpy((*out)->data, proto->raw_data.data, size);
    return BSR_OK;
}

static bsr_status check_bools(const bsr_tensor *t, size_t n, const char *name)
{
    const unsigned char *values = t->data;
    for (size_t i = 0; i < n; i++)
        if (values[i] > 1)
            return bsr_fail(BSR_EFORMAT, "tensor '%s': bool value %zu is %d, expected 0 or 1", name,
                            i, values[i]);
    return BSR_OK;
}

bsr_status bsr_onnx_tensor(bsr_tensor **out, const Onnx__TensorProto *proto, const char *dir)
{
    *out = NULL;
    bsr_tensor head;
    size_t size = 0;
    BSR_TRY(check_head(&head, &size, proto));
    bsr_tensor *t = NULL;
    bsr_status status;
    int is_external = proto->data_location == ONNX__TENSOR_PROTO__DATA_LOCATION__EXTERNAL;
    if (proto->has_data_location && is_external)
        status = bsr_onnx_external(&t, &head, size, proto, dir);
    else if (proto->has_raw_data && proto->raw_data.len)
        status = read_raw(&t, &head, size, proto);
    else
        status = read_typed(&t, &head, size, proto);
    if (status == BSR_OK && head.dtype == BSR_BOOL)
        status = check_bools(t, size, name_of(proto));
    if (status != BSR_OK) {
        bsr_tensor_free(t);
        return status;
    }
    *out = t;
    return BSR_OK;
}

bsr_status bsr_onnx_read_tensor(bsr_tensor **out, const void *bytes, size_t n)
{
    *out = NULL;
    ProtobufCMessage *message;
    BSR_TRY(bsr_onnx_unpack(&message, &onnx__tensor_proto__descriptor, bytes, n));
    bsr_status status = bsr_onnx_tensor(out, (const Onnx__TensorProto *)message, NULL);
    bsr_onnx_release(message);
    return status;
}
