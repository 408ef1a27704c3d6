#include "opset6.h"

#include <stdint.h>
#include <string.h>

#include "base/alloc.h"

enum { MODEL_OPSET_IMPORT = 8, OPSET_VERSION = 2, WIRE_VARINT = 0, WIRE_LENGTH = 2 };

static int read_varint(const unsigned char *bytes, size_t n, size_t *at, uint64_t *value)
{
    *value = 0;
    for (int shift = 0; *at < n && shift < 64; shift += 7) {
        unsigned char b = bytes[(*at)++];
        *value |= (uint64_t)(b & 0x7f) << shift;
        if (!(b & 0x80))
            return 1;
    }
    return 0;
}

/* One field of the wire types that ModelProto and OperatorSetIdProto have; its payload is
 * bytes[*at - *size .. *at). 0 at the end or at anything else. */
static int next_field(const unsigned char *bytes, size_t n, size_t *at, uint64_t *number,
                      size_t *size)
{
    uint64_t key, length;
    if (!read_varint(bytes, n, at, &key))
        return 0;
    *number = key >> 3;
    size_t start = *at;
    if (!read_varint(bytes, n, at, &length))
        return 0;
    *size = *at - start;
    if ((key & 7) == WIRE_VARINT)
        return 1;
    if ((key & 7) != WIRE_LENGTH || length > n - *at)
        return 0;
    *size = (size_t)length;
    *at += (size_t)length;
    return 1;
}

static int relabel_import(unsigned char *bytes, size_t n)
{
    size_t at = 0, size;
    uint64_t number;
    while (next_field(bytes, n, &at, &number, &size))
        if (number == OPSET_VERSION && size == 1 && bytes[at - 1] == 6) {
            bytes[at - 1] = 7;
            return 1;
        }
    return 0;
}

int opset6_relabel(unsigned char *bytes, size_t n)
{
    size_t at = 0, size;
    uint64_t number;
    int changed = 0;
    while (next_field(bytes, n, &at, &number, &size))
        if (number == MODEL_OPSET_IMPORT)
            changed |= relabel_import(bytes + at - size, size);
    return changed;
}

static void drop_attr(bsr_node *node, const char *name)
{
    for (int i = 0; i < node->n_attr; i++) {
        if (strcmp(node->attr[i].name, name) != 0 || node->attr[i].kind != BSR_ATTR_INT)
            continue;
        bsr_free(node->attr[i].name);
        node->attr[i] = node->attr[--node->n_attr];
        return;
    }
}

/* Opset 6 puts the second operand's first dimension at `axis` of the first operand; numpy aligns
 * the last ones, which is the default there too. */
static int broadcasts_as_numpy(const bsr_graph *graph, const bsr_node *node)
{
    if (bsr_node_int(node, "broadcast", 0) != 1 || node->n_in < 2)
        return 0;
    int a = graph->values[node->in[0]].rank, b = graph->values[node->in[1]].rank;
    int64_t axis = bsr_node_int(node, "axis", a - b);
    return !bsr_node_attr(node, "axis") || (a >= b && b >= 0 && axis == a - b);
}

static void spread_slope(bsr_graph *graph, const bsr_node *node)
{
    const bsr_value *x = &graph->values[node->in[0]];
    bsr_tensor *slope = graph->values[node->in[1]].constant;
    if (!slope || slope->rank != 1 || slope->dims[0] == 1)
        return;
    slope->rank = x->rank - 1;
    for (int d = 1; d < slope->rank; d++)
        slope->dims[d] = 1;
}

void opset6_upgrade(bsr_graph *graph)
{
    for (int i = 0; i < graph->n_nodes; i++) {
        bsr_node *node = &graph->nodes[i];
        if (bsr_node_int(node, "is_test", 0) == 1)
            drop_attr(node, "is_test");
        if (broadcasts_as_numpy(graph, node)) {
            drop_attr(node, "broadcast");
            drop_attr(node, "axis");
        }
        if (strcmp(node->op_type, "PRelu") == 0 && node->n_in == 2)
            spread_slope(graph, node);
    }
}
