/* One bsr_protect while it works. */
#ifndef BSR_CAMPAIGN_PROTECTOR_H
#define BSR_CAMPAIGN_PROTECTOR_H

#include "protect/protect_set.h"

typedef struct bsr_protector {
    const bsr_protect_options *o;
    const char *path;
    bsr_store *store;
    bsr_record r;
    bsr_base was, base; /* the run; with format and clipping, else the same */
    int what_if;
    bsr_protect_by by;
    bsr_guard *guards;       /* [spaces] */
    unsigned char *layers;   /* [spaces] may be protected */
    bsr_contribution *share; /* [spaces] of the MVF of `base` */
    double confidence;
    bsr_protection *out;
    bsr_arena *arena; /* for the time of the work */
} bsr_protector;

/* Plans for the target or budget of the options: sets the guards, and the steps of the result.
 * already: bits that another format adds. */
bsr_status bsr_protector_plan(bsr_protector *p, int64_t already);

#endif
