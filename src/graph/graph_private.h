/* Shared by the files of this module only. */
#ifndef BSR_GRAPH_GRAPH_PRIVATE_H
#define BSR_GRAPH_GRAPH_PRIVATE_H

#include "graph/graph.h"

/* Frees everything a node owns, not the node itself. */
void bsr_node_clear(bsr_node *node);

#endif
