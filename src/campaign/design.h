/* The sampling design of a run: which faults are drawn from what, and how many.
 *
 * A unit is what is drawn: a fault; a (fault, image) pair when faults are transient; a site with
 * all its faults when rays answer them together. Unit numbers are fault numbers of the population,
 * fault * images + image, or site numbers over all spaces. Every stratum has a stream of draws of
 * its own, without replacement; a larger sample begins with the smaller one. */
#ifndef BSR_CAMPAIGN_DESIGN_H
#define BSR_CAMPAIGN_DESIGN_H

#include "bitseer/campaign.h"
#include "fault/space.h"
#include "rng/sample.h"

typedef enum bsr_design_kind {
    BSR_DESIGN_EXHAUSTIVE,
    BSR_DESIGN_RANDOM,
    BSR_DESIGN_NETWORK_WISE,
    BSR_DESIGN_LAYER_WISE,
    BSR_DESIGN_DATA_UNAWARE,
    BSR_DESIGN_DATA_AWARE,
    BSR_DESIGN_ADAPTIVE,
    BSR_DESIGN_SITES,
    BSR_DESIGN_LIST, /* given faults; all of them */
} bsr_design_kind;

typedef struct bsr_planned {
    int space;              /* -1: all */
    int variant;            /* position in the space's variants, -1: all */
    double p;               /* share assumed, 0: none */
    uint64_t population, n; /* units */
} bsr_planned;

typedef struct bsr_design {
    bsr_design_kind kind;
    int by_site;     /* units are sites */
    uint64_t images; /* of a transient unit's second part; 1: not transient */
    double margin, confidence, t;
    int n_strata;
    bsr_planned *strata;
    bsr_sample **samples; /* [n_strata], made when first drawn from */
    uint64_t *drawn;      /* [n_strata] handed out by bsr_design_draw */
    uint64_t seed;
} bsr_design;

/* Name in messages, options and results: "layer-wise". */
const char *bsr_design_name(bsr_design_kind kind);

/* Do sample sizes follow from a margin? */
int bsr_design_has_margin(bsr_design_kind kind);

/* Does options->method, which is not NULL, make sites the units? EINVAL: no such method, or not
 * with the other options. */
bsr_status bsr_design_method(const bsr_run_options *options, int *by_site);

/* Reads options->plan and what belongs to it. images: of the data set. by_site: method "ray".
 * Errors: EINVAL for a plan that does not exist, does not suit the method, or asks for more than
 * the population; ENOMEM. Cleared with bsr_design_clear. */
bsr_status bsr_design_init(bsr_design *d, const bsr_spaces *spaces, const bsr_run_options *options,
                           int by_site, uint64_t images);
void bsr_design_clear(bsr_design *d);

/* Units of the strata that were planned and not drawn yet, ascending: *units [*n], owned by the
 * caller; NULL when they are 0..*n-1. */
bsr_status bsr_design_draw(bsr_design *d, const bsr_spaces *spaces, uint64_t **units, uint64_t *n);

/* Units planned in all strata. */
uint64_t bsr_design_planned(const bsr_design *d);

#endif
