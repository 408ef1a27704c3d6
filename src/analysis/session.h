/* What every run shares: the network in its number formats, compiled; threads; golden runs of image
 * sets that fit into memory; progress. */
#ifndef BSR_ANALYSIS_SESSION_H
#define BSR_ANALYSIS_SESSION_H

#include "fault/space.h"

typedef struct bsr_session {
    const bsr_model *model;
    const bsr_dataset *data; /* NULL: nothing is run */
    bsr_run_options options; /* with defaults filled in */
    const bsr_kernels *kernels;
    bsr_storage *storage; /* NULL: everything as in the file */
    unsigned char *keep;  /* [values of the plan's graph] */
    bsr_plan *plan;
    bsr_pool *pool;
    bsr_lanes **lanes; /* [threads], NULL until bsr_session_lanes */
    size_t images, images_at_once;
    size_t reserve;     /* bytes that the caller will take besides, set before bsr_session_lanes */
    bsr_golden *golden; /* of the current set */
    size_t first_image; /* of the current set */
    uint64_t correct;   /* golden top-1 equals the label */
    double format_loss; /* accuracy of the network as given less that in the formats */
    double forward_seconds, golden_seconds, seconds;
    /* Progress of the current phase; `done` is added to by all threads. */
    const char *phase;
    uint64_t total, done_before;
    _Atomic uint64_t done;
    double phase_start, last_report;
} bsr_session;

/* Checks options and data against the model, decides the formats (which may run images) and
 * compiles; tensors that faults into these targets need are kept, and a format without a target is
 * for these targets (none: options->target). data NULL: for the population alone. Cleared with
 * bsr_session_clear whatever it returns. */
bsr_status bsr_session_init(bsr_session *s, const bsr_model *model, const bsr_dataset *data,
                            const bsr_run_options *options, const bsr_target *targets,
                            int n_targets);

/* Workspaces for lanes and the size of image sets, and bsr_session_golden. */
bsr_status bsr_session_lanes(bsr_session *s);
void bsr_session_clear(bsr_session *s);

/* Fault-free inference of every image, measured: `correct` and `forward_seconds`. */
bsr_status bsr_session_golden(bsr_session *s);

/* Starts a phase: `total` pairs to come, `done` of them already there. */
void bsr_session_begin(bsr_session *s, const char *phase, uint64_t total, uint64_t done);

/* Calls fn for every set of images in turn, after its golden run. */
bsr_status bsr_session_sets(bsr_session *s, bsr_status (*fn)(void *ctx), void *ctx);

/* Does `items` pieces of work for every set of images in turn: golden run, then `fn` over the items
 * on all threads. */
bsr_status bsr_session_run(bsr_session *s, size_t items, bsr_pool_fn fn, void *ctx);

/* Called by every item when it has done `pairs` more; ECANCELLED when the caller wants to stop. */
bsr_status bsr_session_step(bsr_session *s, uint64_t pairs, int thread);

/* Final progress report. */
bsr_status bsr_session_end(bsr_session *s);

/* Fault-free inference of every image by a plan, e.g. the model's own: how many are right, and the
 * logits [images][classes] when wanted. */
bsr_status bsr_session_accuracy(bsr_session *s, const bsr_plan *plan, float *logits,
                                uint64_t *correct);

/* Monotonic seconds. */
double bsr_seconds(void);

#endif
