/* Gradients of a network at all its tensors, on random images. Ends the program with the library's
 * message when something fails. */
#ifndef TESTS_SUPPORT_GRADIENT_BENCH_H
#define TESTS_SUPPORT_GRADIENT_BENCH_H

#include "exec/gradient.h"
#include "support/whole.h"

typedef struct gradient_bench {
    whole net;
    whole_images images;
    bsr_golden golden;
    bsr_gradient_plan *gp;
    bsr_gradients *g;
} gradient_bench;

void gradient_bench_open(gradient_bench *b, const char *path, bsr_cpu cpu, whole_keep keep,
                         int images);
void gradient_bench_close(gradient_bench *b);

/* Gradients [rivals][pixels * channels] of every wanted tensor, NULL for others. */
typedef struct gradient_maps {
    const bsr_plan *plan;
    bsr_margins margins;
    float **of; /* [ptens] */
    int last;   /* tensor shown last */
} gradient_maps;

/* wanted: [ptens], NULL: all. */
void gradient_maps_new(gradient_maps *m, const gradient_bench *b, int image,
                       const unsigned char *wanted);
void gradient_maps_free(gradient_maps *m);

/* Elements of a tensor: what one rival's gradient has. */
size_t gradient_elements(const bsr_plan *plan, int pten);

/* A network, and how far a gradient may be off, as a share of the tensor's largest: sums of many
 * layers round. */
typedef struct gradient_network {
    const char *path;
    float near;
} gradient_network;

/* Networks of floats and of codes; each ends with a row whose path is NULL. */
extern const gradient_network gradient_float_networks[], gradient_code_networks[];

#endif
