/* What the parts of the benchmark share: networks with their images, samples, the table. */
#ifndef BENCH_BENCH_H
#define BENCH_BENCH_H

#include "base/threads.h"
#include "bitseer/run.h"
#include "exec/model_state.h"

typedef struct bench_options {
    int json;         /* one JSON object a line instead of the table */
    int long_runs;    /* also what takes minutes */
    const char *only; /* letters of the sections to run, NULL: all */
    const char *peer; /* script that times ONNX Runtime, NULL: none */
    const char *checkkernels;
    const char *data; /* folder of the pretrained networks and their images, NULL: none */
} bench_options;

/* Times or ratios of repeated runs. The median is the figure; the best is what the machine does
 * when nothing else runs on it. */
typedef struct samples {
    int n;
    double v[64];
} samples;

void add_sample(samples *s, double v);
double median(const samples *s);
double least(const samples *s);
double greatest(const samples *s);
double seconds_now(void);

/* table.c */

/* What a figure should be: `relation` is "<", "<=", ">", ">=" or NULL. */
typedef struct target {
    const char *relation;
    double bound;
} target;
#define NO_TARGET ((target){NULL, 0})

typedef struct table {
    int json;
    int met, missed;
} table;

void table_title(const table *t, const char *title);

/* One figure. best: the same of the best run, NaN when there is only one. note: may be "". */
void table_line(table *t, const char *name, double value, double best, const char *unit,
                target asked, const char *note);

/* A line without a figure, e.g. "skipped: ...". */
void table_remark(const table *t, const char *name, const char *remark);

/* network.c */

/* A network, its images in memory, and a plan for whole inferences. */
typedef struct network {
    const char *name; /* for the table */
    char path[4096];
    bsr_model *model;
    bsr_dataset *data;
    bsr_plan *plan;
    size_t batch;
} network;

typedef enum network_id {
    NET_RESNET20,         /* CIFAR-10, the first 100 images */
    NET_RESNET20_CLASSES, /* 10 images of each class, normalised as in the published campaign */
    NET_RESNET20_INT8,    /* CIFAR-10, the first 100 images */
    NET_MOBILENET,        /* ImageNet, 8 images */
    NET_DEMO,             /* Fashion-MNIST, 100 images */
    N_NETWORKS,
} network_id;

/* What the table calls it. */
const char *network_name(network_id id);

/* 0 when the network needs a data folder and there is none; ends the program on errors. `images`
 * replaces the usual selection when it is not NULL. network_close is needed after success only. */
int network_open(network *net, network_id id, const bench_options *o, const char *images);
void network_close(network *net);

/* One inference of all images of net, in seconds, inputs converted beforehand by the data set.
 * `pool` gives the threads. */
double forward_seconds(const network *net, bsr_pool *pool);

/* The part of forward_seconds in which images become input tensors, on one thread. */
double prepare_seconds(const network *net);

/* Ends the program with the library's message unless OK. */
void must(bsr_status status);

/* The sections of the table. */
void bench_kernels(table *t, const bench_options *o);
void bench_forward(table *t, const bench_options *o);
void bench_injection(table *t, const bench_options *o);
void bench_rays(table *t, const bench_options *o);
void bench_layer13(table *t, const bench_options *o);
void bench_plans(table *t, const bench_options *o);
void bench_sweep(table *t, const bench_options *o);
void bench_memory(table *t, const bench_options *o);
void bench_adaptive(table *t, const bench_options *o);
void bench_gradients(table *t, const bench_options *o);
void bench_screened(table *t, const bench_options *o);
void bench_exhaustive(table *t, const bench_options *o);
void bench_accuracy(table *t, const bench_options *o);
void bench_predict(table *t, const bench_options *o);

#endif
