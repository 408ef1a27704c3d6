/* What injection and analysis share: compiled network, threads, golden runs of image sets that fit
 * into memory, progress, cost accounting. */
#ifndef BSR_ANALYSIS_SESSION_H
#define BSR_ANALYSIS_SESSION_H

#include "fault/space.h"

typedef struct bsr_session {
    const bsr_model *model;
    const bsr_dataset *data;
    bsr_run_options options; /* with defaults filled in */
    bsr_plan *plan;
    bsr_pool *pool;
    bsr_spaces spaces;
    bsr_lanes **lanes; /* [threads] */
    size_t images, images_at_once;
    bsr_golden *golden; /* of the current set */
    size_t first_image; /* of the current set */
    char *first_record; /* copy of image 0's golden record, NULL while one set holds all images */
    uint64_t correct;   /* golden top-1 equals the label */
    size_t counted;     /* images that `correct` covers */
    double forward_seconds, golden_seconds, seconds;
    /* Progress of the current phase; `done` is added to by all threads. */
    const char *phase;
    uint64_t total;
    _Atomic uint64_t done;
    double phase_start, last_report;
} bsr_session;

/* Checks options and data against the model, compiles, builds the population, measures a plain
 * inference. Cleared with bsr_session_clear whatever it returns. */
bsr_status bsr_session_init(bsr_session *s, const bsr_model *model, const bsr_dataset *data,
                            const bsr_run_options *options);

/* Without a population and lanes: enough for plain inference. Cleared the same way. */
bsr_status bsr_session_init_plain(bsr_session *s, const bsr_model *model, const bsr_dataset *data,
                                  const bsr_run_options *options);
void bsr_session_clear(bsr_session *s);

/* Does `items` pieces of work for every set of images in turn: golden run, then `fn` over the items
 * on all threads. `pairs`: (fault, image) pairs in all, for the progress. */
bsr_status bsr_session_run(bsr_session *s, const char *phase, uint64_t pairs, size_t items,
                           bsr_pool_fn fn, void *ctx);

/* Called by every item when it has done `pairs` more; ECANCELLED when the caller wants to stop. */
bsr_status bsr_session_step(bsr_session *s, uint64_t pairs, int thread);

/* Monotonic seconds. */
double bsr_seconds(void);

#endif
