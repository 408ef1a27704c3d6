#include "graph/graph.h"

#include <limits.h>
#include <string.h>

#include "base/alloc.h"
#include "base/error.h"
#include "graph/graph_private.h"

/* Open addressing with linear probing; at most half full, so that probes stay short. */
typedef struct name_slot {
    uint32_t hash;
    int index; /* of the value, -1 for a free slot */
} name_slot;

typedef struct bsr_name_table {
    size_t size; /* a power of two */
    name_slot *slots;
} bsr_name_table;

enum { FIRST_TABLE_SIZE = 64 };

/* FNV-1a. */
static uint32_t hash_name(const char *s)
{
    uint32_t h = 2166136261u;
    for (; *s; s++)
        h = (h ^ (unsigned char)*s) * 16777619u;
    return h;
}

/* The slot that holds `name` or the free one where it belongs. */
static name_slot *find_slot(const bsr_graph *graph, const char *name, uint32_t hash)
{
    const bsr_name_table *table = graph->names;
    size_t at = hash & (table->size - 1);
    for (;; at = (at + 1) & (table->size - 1)) {
        name_slot *slot = &table->slots[at];
        if (slot->index < 0)
            return slot;
        if (slot->hash == hash && strcmp(graph->values[slot->index].name, name) == 0)
            return slot;
    }
}

static bsr_status table_resize(bsr_name_table *table, size_t size)
{
    name_slot *slots = bsr_alloc_array(size, sizeof *slots);
    if (!slots)
        return BSR_ENOMEM;
    for (size_t i = 0; i < size; i++)
        slots[i] = (name_slot){.index = -1};
    for (size_t i = 0; i < table->size; i++) {
        if (table->slots[i].index < 0)
            continue;
        size_t at = table->slots[i].hash & (size - 1);
        while (slots[at].index >= 0)
            at = (at + 1) & (size - 1);
        slots[at] = table->slots[i];
    }
    bsr_free(table->slots);
    table->slots = slots;
    table->size = size;
    return BSR_OK;
}

bsr_status bsr_graph_new(bsr_graph **out)
{
    *out = NULL;
    bsr_graph *graph = bsr_calloc_array(1, sizeof *graph);
    if (!graph)
        return BSR_ENOMEM;
    graph->names = bsr_calloc_array(1, sizeof *graph->names);
    if (!graph->names || table_resize(graph->names, FIRST_TABLE_SIZE) != BSR_OK) {
        bsr_graph_free(graph);
        return BSR_ENOMEM;
    }
    *out = graph;
    return BSR_OK;
}

static void free_attr(bsr_attr *attr)
{
    bsr_free(attr->name);
    bsr_free(attr->s);
    bsr_free(attr->ints);
    bsr_free(attr->floats);
    for (size_t i = 0; attr->strings && i < attr->n; i++)
        bsr_free(attr->strings[i]);
    bsr_free(attr->strings);
    bsr_tensor_free(attr->t);
}

void bsr_node_clear(bsr_node *node)
{
    bsr_free(node->name);
    bsr_free(node->op_type);
    bsr_free(node->in);
    bsr_free(node->out);
    for (int i = 0; i < node->n_attr; i++)
        free_attr(&node->attr[i]);
    bsr_free(node->attr);
}

void bsr_graph_free(bsr_graph *graph)
{
    if (!graph)
        return;
    for (int i = 0; i < graph->n_values; i++) {
        bsr_free(graph->values[i].name);
        bsr_tensor_free(graph->values[i].constant);
    }
    for (int i = 0; i < graph->n_nodes; i++)
        bsr_node_clear(&graph->nodes[i]);
    if (graph->names)
        bsr_free(graph->names->slots);
    bsr_free(graph->names);
    bsr_free(graph->name);
    bsr_free(graph->producer);
    bsr_free(graph->values);
    bsr_free(graph->nodes);
    bsr_free(graph->inputs);
    bsr_free(graph->outputs);
    bsr_free(graph);
}

bsr_status bsr_graph_value(bsr_graph *graph, const char *name, int *index)
{
    uint32_t hash = hash_name(name);
    name_slot *slot = find_slot(graph, name, hash);
    if (slot->index >= 0) {
        *index = slot->index;
        return BSR_OK;
    }
    size_t n = (size_t)graph->n_values + 1;
    if (n > INT_MAX)
        return bsr_fail(BSR_ELIMIT, "value '%s': more than %d values", name, INT_MAX);
    BSR_TRY(bsr_grow(&graph->values, &graph->cap_values, n, sizeof *graph->values));
    if (2 * n > graph->names->size) {
        BSR_TRY(table_resize(graph->names, 2 * graph->names->size));
        slot = find_slot(graph, name, hash);
    }
    char *copy = bsr_strdup(name);
    if (!copy)
        return BSR_ENOMEM;
    *index = graph->n_values++;
    graph->values[*index] = (bsr_value){.name = copy, .rank = -1, .producer = -1};
    *slot = (name_slot){.hash = hash, .index = *index};
    return BSR_OK;
}

int bsr_graph_find_value(const bsr_graph *graph, const char *name)
{
    return find_slot(graph, name, hash_name(name))->index;
}

char *bsr_graph_new_name(const bsr_graph *graph, int of, const char *word, const char *suffix)
{
    const char *base = graph->values[of].name;
    for (size_t times = 1;; times++) {
        size_t size = strlen(base) + times * strlen(word) + strlen(suffix) + 1;
        char *name = bsr_alloc_array(size, 1);
        if (!name)
            return NULL;
        strcpy(name, base);
        for (size_t i = 0; i < times; i++)
            strcat(name, word);
        strcat(name, suffix);
        if (bsr_graph_find_value(graph, name) < 0)
            return name;
        bsr_free(name);
    }
}

bsr_status bsr_graph_add_input(bsr_graph *graph, int value)
{
    bsr_value *v = &graph->values[value];
    if (v->is_input)
        return bsr_fail(BSR_EFORMAT, "graph input '%s' is listed twice", v->name);
    BSR_TRY(bsr_grow(&graph->inputs, &graph->cap_inputs, (size_t)graph->n_inputs + 1,
                     sizeof *graph->inputs));
    graph->inputs[graph->n_inputs++] = value;
    v->is_input = 1;
    return BSR_OK;
}

bsr_status bsr_graph_add_output(bsr_graph *graph, int value)
{
    bsr_value *v = &graph->values[value];
    if (v->is_output)
        return bsr_fail(BSR_EFORMAT, "graph output '%s' is listed twice", v->name);
    BSR_TRY(bsr_grow(&graph->outputs, &graph->cap_outputs, (size_t)graph->n_outputs + 1,
                     sizeof *graph->outputs));
    graph->outputs[graph->n_outputs++] = value;
    v->is_output = 1;
    return BSR_OK;
}

bsr_node *bsr_graph_add_node(bsr_graph *graph, const char *name, const char *op_type)
{
    size_t n = (size_t)graph->n_nodes + 1;
    if (n > INT_MAX || bsr_grow(&graph->nodes, &graph->cap_nodes, n, sizeof *graph->nodes))
        return NULL;
    bsr_node node = {.name = bsr_strdup(name), .op_type = bsr_strdup(op_type)};
    if (!node.name || !node.op_type) {
        bsr_node_clear(&node);
        return NULL;
    }
    graph->nodes[graph->n_nodes] = node;
    return &graph->nodes[graph->n_nodes++];
}

const bsr_attr *bsr_node_attr(const bsr_node *node, const char *name)
{
    for (int i = 0; i < node->n_attr; i++)
        if (strcmp(node->attr[i].name, name) == 0)
            return &node->attr[i];
    return NULL;
}

int64_t bsr_node_int(const bsr_node *node, const char *name, int64_t fallback)
{
    const bsr_attr *attr = bsr_node_attr(node, name);
    return attr && attr->kind == BSR_ATTR_INT ? attr->i : fallback;
}

float bsr_node_float(const bsr_node *node, const char *name, float fallback)
{
    const bsr_attr *attr = bsr_node_attr(node, name);
    return attr && attr->kind == BSR_ATTR_FLOAT ? attr->f : fallback;
}

const char *bsr_node_string(const bsr_node *node, const char *name, const char *fallback)
{
    const bsr_attr *attr = bsr_node_attr(node, name);
    return attr && attr->kind == BSR_ATTR_STRING ? attr->s : fallback;
}
