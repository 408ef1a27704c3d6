/* The tensors whose disturbances are compared: what layers read, as stored, and the output. */
#ifndef BSR_PREDICT_LAYER_WATCH_H
#define BSR_PREDICT_LAYER_WATCH_H

#include "analysis/session.h"

typedef struct bsr_watch {
    int value;
    const char *name, *op; /* of the model as given; borrowed */
    double scale, zero;    /* an element x stands for scale * (x - zero) */
    size_t elements, at;   /* of one image; number of the first among all watched ones */
} bsr_watch;

typedef struct bsr_watches {
    const bsr_plan *plan;
    int n;
    bsr_watch *list;
    int *of;      /* [graph values] position in the list, -1 */
    size_t total; /* elements of one image */
} bsr_watches;

/* In execution order; every value is a tensor of the session's plan. ENOMEM. Cleared with
 * bsr_watches_clear, also on failure. */
bsr_status bsr_watches_init(bsr_watches *w, const bsr_session *s);
void bsr_watches_clear(bsr_watches *w);

/* The elements of a watched tensor as the plan keeps it at `data`, less their zero point and times
 * their scale: out [elements], in the plan's order. */
void bsr_watch_read(const bsr_watches *w, int i, const char *data, float *out);

#endif
