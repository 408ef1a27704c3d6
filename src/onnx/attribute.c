/* AttributeProto to bsr_attr. */
#include <string.h>

#include "base/alloc.h"
#include "base/error.h"
#include "onnx/reader.h"

typedef bsr_status (*convert_fn)(bsr_attr *out, const Onnx__AttributeProto *proto, const char *dir);

static bsr_status copy_text(char **out, const ProtobufCBinaryData *bytes)
{
    if (bytes->len && memchr(bytes->data, 0, bytes->len))
        return bsr_fail(BSR_EFORMAT, "string holds a zero byte");
    *out = bsr_strndup(bytes->len ? (const char *)bytes->data : "", bytes->len);
    return *out ? BSR_OK : BSR_ENOMEM;
}

static bsr_status copy_list(void *array_address, size_t n, size_t size, const void *from)
{
    void *copy = bsr_alloc_array(n, size);
    if (!copy)
        return BSR_ENOMEM;
    if (n)
        memcpy(copy, from, n * size);
    memcpy(array_address, &copy, sizeof copy);
    return BSR_OK;
}

static bsr_status convert_int(bsr_attr *out, const Onnx__AttributeProto *proto, const char *dir)
{
    out->i = proto->i;
    return BSR_OK;
}

static bsr_status convert_float(bsr_attr *out, const Onnx__AttributeProto *proto, const char *dir)
{
    out->f = proto->f;
    return BSR_OK;
}

static bsr_status convert_string(bsr_attr *out, const Onnx__AttributeProto *proto, const char *dir)
{
    return copy_text(&out->s, &proto->s);
}

static bsr_status convert_ints(bsr_attr *out, const Onnx__AttributeProto *proto, const char *dir)
{
    out->n = proto->n_ints;
    return copy_list(&out->ints, out->n, sizeof *out->ints, proto->ints);
}

static bsr_status convert_floats(bsr_attr *out, const Onnx__AttributeProto *proto, const char *dir)
{
    out->n = proto->n_floats;
    return copy_list(&out->floats, out->n, sizeof *out->floats, proto->floats);
}

static bsr_status convert_strings(bsr_attr *out, const Onnx__AttributeProto *proto, const char *dir)
{
    out->strings = bsr_calloc_array(proto->n_strings, sizeof *out->strings);
    if (!out->strings)
        return BSR_ENOMEM;
    out->n = proto->n_strings;
    for (size_t i = 0; i < out->n; i++)
        BSR_TRY(copy_text(&out->strings[i], &proto->strings[i]));
    return BSR_OK;
}

static bsr_status convert_tensor(bsr_attr *out, const Onnx__AttributeProto *proto, const char *dir)
{
    if (!proto->t)
        return bsr_fail(BSR_EFORMAT, "tensor is missing");
    return bsr_onnx_tensor(&out->t, proto->t, dir);
}

/* Indexed by AttributeProto.AttributeType; without a function: refused by its name. */
static const struct kind {
    const char *name;
    convert_fn convert;
    bsr_attr_kind kind;
} kinds[] = {
    {"UNDEFINED", NULL, 0},
    {"FLOAT", convert_float, BSR_ATTR_FLOAT},
    {"INT", convert_int, BSR_ATTR_INT},
    {"STRING", convert_string, BSR_ATTR_STRING},
    {"TENSOR", convert_tensor, BSR_ATTR_TENSOR},
    {"GRAPH", NULL, 0},
    {"FLOATS", convert_floats, BSR_ATTR_FLOATS},
    {"INTS", convert_ints, BSR_ATTR_INTS},
    {"STRINGS", convert_strings, BSR_ATTR_STRINGS},
    {"TENSORS", NULL, 0},
    {"GRAPHS", NULL, 0},
    {"SPARSE_TENSOR", NULL, 0},
    {"SPARSE_TENSORS", NULL, 0},
    {"TYPE_PROTO", NULL, 0},
    {"TYPE_PROTOS", NULL, 0},
};

bsr_status bsr_onnx_attribute(bsr_attr *out, const Onnx__AttributeProto *proto, const char *dir)
{
    const char *name = proto->name ? proto->name : "";
    size_t type = proto->has_type ? (size_t)proto->type : 0;
    if (!*name)
        return bsr_fail(BSR_EFORMAT, "attribute without a name");
    if (proto->ref_attr_name && *proto->ref_attr_name)
        return bsr_fail(BSR_EUNSUPPORTED, "attribute '%s' refers to '%s' of a function", name,
                        proto->ref_attr_name);
    if (type == 0 || type >= sizeof kinds / sizeof *kinds)
        return bsr_fail(BSR_EFORMAT, "attribute '%s' has type %d, expected 1 to %zu", name,
                        (int)type, sizeof kinds / sizeof *kinds - 1);
    if (!kinds[type].convert)
        return bsr_fail(BSR_EUNSUPPORTED, "attribute '%s' has type %s", name, kinds[type].name);
    out->name = bsr_strdup(name);
    if (!out->name)
        return BSR_ENOMEM;
    out->kind = kinds[type].kind;
    bsr_status status = kinds[type].convert(out, proto, dir);
    return status == BSR_OK || status == BSR_ENOMEM
               ? status
               : bsr_fail_prefix(status, "attribute '%s'", name);
}
