/* A model file's bytes, loaded, compiled and run whole: what a changed file gives. */
#ifndef TESTS_SUPPORT_WHOLE_H
#define TESTS_SUPPORT_WHOLE_H

#include "exec/forward.h"
#include "exec/model_state.h"

/* Which graph values the plan keeps. */
typedef enum whole_keep {
    WHOLE_KEEP_DEFAULT, /* where activation faults go by default */
    WHOLE_KEEP_ALL,
    WHOLE_KEEP_NONE, /* what the executor chooses */
} whole_keep;

typedef struct whole {
    bsr_model *model;
    unsigned char *keep; /* [graph values] */
    bsr_plan *plan;
    int classes;
} whole;

/* Ends the program with the library's message when it cannot. */
void whole_open(whole *w, const void *bytes, size_t n, bsr_cpu cpu, whole_keep keep);
void whole_close(whole *w);

/* The file's bytes; the caller frees them with bsr_free. Ends the program when it cannot. */
void *whole_read(const char *path, size_t *n);

/* Random images in [-3, 3), in the layout of the plan's input, each with its row-major tensor.
 * Freed with whole_images_free. */
typedef struct whole_images {
    int n;
    bsr_tensor **tensors; /* [n] */
    char **pixels;        /* [n] */
} whole_images;
void whole_images_new(whole_images *images, const whole *w, int n, uint64_t seed);
void whole_images_free(whole_images *images);

/* logits [n][classes] of a fault-free run. */
void whole_logits(const whole *w, const char *const *inputs, int n, float *logits);

#endif
