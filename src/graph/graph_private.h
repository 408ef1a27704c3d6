/* Shared by the files of this module only. */
#ifndef BSR_GRAPH_GRAPH_PRIVATE_H
#define BSR_GRAPH_GRAPH_PRIVATE_H

#include "graph/graph.h"

/* Frees everything a node owns, not the node itself. */
void bsr_node_clear(bsr_node *node);

/* A name that no value has: that of value `of`, `word` at least once, and `suffix`. NULL when out
 * of memory. Caller frees. */
char *bsr_graph_new_name(const bsr_graph *graph, int of, const char *word, const char *suffix);

#endif
