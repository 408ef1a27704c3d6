/* Arity and attributes of a node against its row of the registry. */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/error.h"
#include "ops/op.h"

enum { OPSET_MIN = 7, OPSET_MAX = 17 };

/* Letter in bsr_op.attrs and ONNX's name, by bsr_attr_kind. */
static const struct {
    char letter;
    const char *name;
} kinds[] = {
    [BSR_ATTR_INT] = {'i', "INT"},       [BSR_ATTR_FLOAT] = {'f', "FLOAT"},
    [BSR_ATTR_STRING] = {'s', "STRING"}, [BSR_ATTR_INTS] = {'I', "INTS"},
    [BSR_ATTR_FLOATS] = {'F', "FLOATS"}, [BSR_ATTR_STRINGS] = {'S', "STRINGS"},
    [BSR_ATTR_TENSOR] = {'t', "TENSOR"},
};
enum { N_KINDS = sizeof kinds / sizeof kinds[0] };

bsr_status bsr_node_fail(const bsr_node *node, bsr_status status, const char *fmt, ...)
{
    char text[512];
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(text, sizeof text, fmt, ap);
    va_end(ap);
    return bsr_fail(status, "node '%s' (%s): %s", node->name, node->op_type, text);
}

/* Kind letter of `name` in "name:kind name:kind ...", 0 when it is not there. */
static char kind_letter(const char *attrs, const char *name)
{
    size_t n = strlen(name);
    const char *at = attrs;
    while (at && *at) {
        if (strncmp(at, name, n) == 0 && at[n] == ':')
            return at[n + 1];
        at = strchr(at, ' ');
        if (at)
            at++;
    }
    return 0;
}

static const char *kind_name(char letter)
{
    for (int k = 0; k < N_KINDS; k++)
        if (kinds[k].letter == letter)
            return kinds[k].name;
    return "?";
}

static bsr_status check_attrs(const bsr_node *node, const bsr_op *op)
{
    for (int i = 0; i < node->n_attr; i++) {
        const bsr_attr *attr = &node->attr[i];
        char letter = kind_letter(op->attrs, attr->name);
        if (!letter)
            return bsr_node_fail(node, BSR_EUNSUPPORTED, "attribute '%s' is not supported",
                                 attr->name);
        if (letter != kinds[attr->kind].letter)
            return bsr_node_fail(node, BSR_EFORMAT, "attribute '%s' is %s, expected %s", attr->name,
                                 kinds[attr->kind].name, kind_name(letter));
        for (int k = 0; k < i; k++)
            if (strcmp(node->attr[k].name, attr->name) == 0)
                return bsr_node_fail(node, BSR_EFORMAT, "attribute '%s' is given twice",
                                     attr->name);
    }
    return BSR_OK;
}

bsr_status bsr_op_check(const bsr_node *node, const bsr_op *op, int64_t opset)
{
    if (opset < OPSET_MIN || opset > OPSET_MAX)
        return bsr_node_fail(node, BSR_EUNSUPPORTED, "opset is %lld, expected %d to %d",
                             (long long)opset, OPSET_MIN, OPSET_MAX);
    if (node->n_in < op->min_in)
        return bsr_node_fail(node, BSR_EFORMAT, "has %d inputs, expected at least %d", node->n_in,
                             op->min_in);
    if (op->max_in >= 0 && node->n_in > op->max_in)
        return bsr_node_fail(node, BSR_EFORMAT, "has %d inputs, expected at most %d", node->n_in,
                             op->max_in);
    for (int i = 0; i < node->n_in; i++) {
        int required = i < op->min_in || op->max_in < 0;
        if (required && node->in[i] < 0)
            return bsr_node_fail(node, BSR_EFORMAT, "input %d is missing", i);
    }
    /* Only later outputs are optional, in every operator of the table. */
    if (node->n_out < 1 || node->out[0] < 0)
        return bsr_node_fail(node, BSR_EFORMAT, "output 0 is missing");
    for (int i = op->max_out; i < node->n_out; i++)
        if (node->out[i] >= 0)
            return bsr_node_fail(node, BSR_EUNSUPPORTED, "output %d is not supported", i);
    return check_attrs(node, op);
}
