/* The network as its file gives it: values, nodes, constants. Knows no operator's meaning. */
#ifndef BSR_GRAPH_GRAPH_H
#define BSR_GRAPH_GRAPH_H

#include "tensor/tensor.h"

typedef enum bsr_attr_kind {
    BSR_ATTR_INT,
    BSR_ATTR_FLOAT,
    BSR_ATTR_STRING,
    BSR_ATTR_INTS,
    BSR_ATTR_FLOATS,
    BSR_ATTR_STRINGS,
    BSR_ATTR_TENSOR,
} bsr_attr_kind;

typedef struct bsr_attr {
    char *name;
    bsr_attr_kind kind;
    int64_t i;      /* INT */
    float f;        /* FLOAT */
    char *s;        /* STRING, 0-terminated */
    size_t n;       /* length of the lists below */
    int64_t *ints;  /* INTS */
    float *floats;  /* FLOATS */
    char **strings; /* STRINGS */
    bsr_tensor *t;  /* TENSOR */
} bsr_attr;

typedef struct bsr_node {
    char *name;    /* the file's name, or "OpType_<position>" where it has none */
    char *op_type; /* e.g. "Conv" */
    int n_in, n_out, n_attr;
    int *in;  /* value indices; -1 for an omitted optional input */
    int *out; /* value indices; -1 for an omitted optional output */
    bsr_attr *attr;
    int keep;     /* stays when pruned although its results are constants (bsr_graph_prune) */
    int inserted; /* made by this library, not by the file: may be an operator that files may not
                     contain (BitseerStore) */
} bsr_node;

typedef struct bsr_value {
    char *name;
    bsr_dtype dtype;            /* BSR_NONE until known */
    int rank;                   /* -1 until known */
    int64_t dims[BSR_MAX_RANK]; /* -1 for a dimension the file leaves open */
    bsr_tensor *constant;       /* initialiser or folded result; owned; NULL otherwise */
    int producer;               /* node index, -1 for inputs and initialisers */
    int n_consumers;            /* node inputs that read it (a node reading it twice counts 2) */
    int is_input, is_output;
} bsr_value;

/* Nodes are in topological order after bsr_graph_finish. All arrays are owned by the graph. */
typedef struct bsr_graph {
    char *name;
    int64_t ir_version;
    int64_t opset; /* version of the default ("" or "ai.onnx") operator set */
    char *producer;
    int n_values, n_nodes, n_inputs, n_outputs;
    bsr_value *values;
    bsr_node *nodes;
    int *inputs; /* value indices of the graph inputs that are not initialisers, file order */
    int *outputs;
    size_t cap_values, cap_nodes, cap_inputs, cap_outputs; /* private to graph.c */
    struct bsr_name_table *names;                          /* private to graph.c */
} bsr_graph;

/* An empty graph; name and producer are NULL until set. Caller owns *out. */
bsr_status bsr_graph_new(bsr_graph **out);

/* Deep copy: the same indices and order of values and nodes, nothing shared. ENOMEM. Caller owns
 * *out. */
bsr_status bsr_graph_clone(bsr_graph **out, const bsr_graph *graph);
void bsr_graph_free(bsr_graph *graph);

/* Index of the value called `name`, made (dtype NONE, rank -1) when it does not exist yet.
 * Amortised O(1). Pointers into graph->values may move. */
bsr_status bsr_graph_value(bsr_graph *graph, const char *name, int *index);

/* Index of an existing value or -1. */
int bsr_graph_find_value(const bsr_graph *graph, const char *name);

/* Makes a value the next graph input or output. EFORMAT when it is one already. */
bsr_status bsr_graph_add_input(bsr_graph *graph, int value);
bsr_status bsr_graph_add_output(bsr_graph *graph, int value);

/* Appends a node without inputs, outputs and attributes (name and op_type copied) and returns it;
 * NULL when out of memory. The caller fills in, out and attr with memory from base/alloc.h, which
 * the graph then owns. The pointer is valid until the next call. */
bsr_node *bsr_graph_add_node(bsr_graph *graph, const char *name, const char *op_type);

/* Attribute by name, NULL if the node has none. */
const bsr_attr *bsr_node_attr(const bsr_node *node, const char *name);

/* Attribute values with a default for a missing one. A present attribute of another kind gives the
 * default too: kinds are checked before by bsr_op_check. */
int64_t bsr_node_int(const bsr_node *node, const char *name, int64_t fallback);
float bsr_node_float(const bsr_node *node, const char *name, float fallback);
const char *bsr_node_string(const bsr_node *node, const char *name, const char *fallback);

/* Checks and completes the graph: every node input and graph output has a producer, is a graph
 * input or a constant (else it dangles); no value has two of these; nodes are sorted
 * topologically, keeping the file's order where possible; producer and n_consumers are filled.
 * Errors: EFORMAT naming node and value (a cycle names one node on it), ENOMEM. The graph is
 * unsorted but intact after an error. Linear time, no recursion; calling it again is fine. */
bsr_status bsr_graph_finish(bsr_graph *graph);

/* Removes nodes whose outputs nobody needs: not reachable backwards from the graph outputs or the
 * values with keep[value] != 0 (one byte per value; NULL keeps none). A value with a constant needs
 * no producer, so a node whose outputs were all folded goes too. Fills producer and n_consumers
 * again; value indices do not change. After bsr_graph_finish only. Error: ENOMEM, graph intact. */
bsr_status bsr_graph_prune(bsr_graph *graph, const unsigned char *keep);

#endif
