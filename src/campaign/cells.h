/* What the answers add up to, by layer, fault variant and channel. */
#ifndef BSR_CAMPAIGN_CELLS_H
#define BSR_CAMPAIGN_CELLS_H

#include "base/arena.h"
#include "campaign/record.h"
#include "stats/stratified.h"

/* One group of units: a stratum for each metric, and squared errors. Counts are of images; a unit
 * of a design by site counts the images of all its faults. */
typedef struct bsr_cell {
    bsr_stratum metrics[BSR_METRICS];
    bsr_outcomes outcomes;
    uint64_t rows;
    double sse, sse2; /* sum over rows of their mean squared error of a pair, and of its square */
    uint64_t with_sse;
} bsr_cell;

typedef struct bsr_space_cells {
    bsr_cell all;
    bsr_cell *variants;            /* [n_variants] */
    bsr_cell classes[BSR_CLASSES]; /* pairs, not of neurons */
    /* Criticality by channel: [n_chosen], or [n_chosen][n_variants] where variants are strata. */
    bsr_stratum *channels;
    bsr_outcomes *channel_outcomes; /* [n_chosen] */
} bsr_space_cells;

/* What is known of a pair. */
typedef enum bsr_known {
    BSR_KNOWN_CRITICAL, /* rays: the verdict alone */
    BSR_KNOWN_CLASS,    /* screened: what follows from the class */
    BSR_KNOWN_ALL,
} bsr_known;
bsr_known bsr_record_known(const bsr_record *r);
int bsr_metric_is_known(bsr_metric metric, bsr_known known);

typedef struct bsr_cells {
    const bsr_record *r;
    int by_variant; /* the design draws from each (layer, variant) by itself */
    bsr_known known;
    bsr_space_cells *spaces;
    bsr_cell network;
    bsr_cell bits[BSR_MAX_VARIANTS + 1]; /* by lowest bit, the last without a position; designs that
                                            draw from the whole population */
} bsr_cells;

/* Does the design draw from every (layer, variant) by itself? */
int bsr_design_by_variant(const bsr_design *d);

/* The cell that observes a stratum of the design. */
const bsr_cell *bsr_cells_stratum(const bsr_cells *cells, const bsr_planned *p);

/* Adds counts. */
void bsr_outcomes_add(bsr_outcomes *to, const bsr_outcomes *from);

/* Sites with the most critical outcomes, worst first, of equal ones the first. */
typedef struct bsr_worst_list {
    int most, n;
    bsr_worst_site *sites; /* [most + 1] */
} bsr_worst_list;

/* Adds every answer in the store. The cells live in the arena; worst may be NULL. */
bsr_status bsr_cells_read(bsr_cells *cells, bsr_arena *arena, bsr_store *store, const bsr_record *r,
                          bsr_worst_list *worst);

#endif
