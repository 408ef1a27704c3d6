/* Small graphs as text, for tests of passes. */
#ifndef TESTS_SUPPORT_GRAPH_TEXT_H
#define TESTS_SUPPORT_GRAPH_TEXT_H

#include <stdio.h>
#include <string.h>

#include "base/alloc.h"
#include "base/error.h"
#include "graph/graph.h"

/* Appends a node "Type: in in -> out", at most 8 values on each side; "_" is an omitted value. */
static inline bsr_status graph_text_add(bsr_graph *graph, const char *text)
{
    char copy[128];
    snprintf(copy, sizeof copy, "%s", text);
    const char *type = strtok(copy, ": ");
    bsr_node *node = bsr_graph_add_node(graph, type, type);
    if (!node)
        return BSR_ENOMEM;
    node->in = bsr_alloc_array(8, sizeof *node->in);
    node->out = bsr_alloc_array(8, sizeof *node->out);
    if (!node->in || !node->out)
        return BSR_ENOMEM;
    int is_out = 0;
    for (const char *word = strtok(NULL, " "); word; word = strtok(NULL, " ")) {
        int value = -1;
        if (strcmp(word, "->") == 0) {
            is_out = 1;
            continue;
        }
        if (strcmp(word, "_") != 0)
            BSR_TRY(bsr_graph_value(graph, word, &value));
        if (is_out)
            node->out[node->n_out++] = value;
        else
            node->in[node->n_in++] = value;
    }
    return BSR_OK;
}

#endif
