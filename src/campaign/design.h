/* The sampling design of a run: which faults are drawn from what, and how many.
 *
 * A unit is what is drawn: a fault; a (fault, image) pair when faults are transient; a site with
 * all its faults in all images when rays answer them together; a site with the faults of one class
 * in one image when the sample is adaptive and answered by rays ("pairs"). Unit numbers are fault
 * numbers of the population, fault * images + image, site numbers over all spaces, or
 * (site * images + image) * BSR_CLASSES + class. For operands the sites of rays are neurons, whose
 * operands' faults are all answered together, image by image. Every stratum has a stream of draws
 * of its own, without replacement; a larger sample begins with the smaller one. */
#ifndef BSR_CAMPAIGN_DESIGN_H
#define BSR_CAMPAIGN_DESIGN_H

#include "bitseer/campaign.h"
#include "fault/space.h"
#include "rng/sample.h"
#include "stats/stratified.h"

/* Classes of a site's faults: the flip of a floating-point number's top exponent bit, which most
 * often decides and costs an evaluation, and all others, which screening mostly settles. Formats
 * without such a bit have class 0 alone. */
#define BSR_CLASSES 2

typedef enum bsr_design_kind {
    BSR_DESIGN_EXHAUSTIVE,
    BSR_DESIGN_RANDOM,
    BSR_DESIGN_NETWORK_WISE,
    BSR_DESIGN_LAYER_WISE,
    BSR_DESIGN_DATA_UNAWARE,
    BSR_DESIGN_DATA_AWARE,
    BSR_DESIGN_ADAPTIVE,
    BSR_DESIGN_SITES,
    BSR_DESIGN_LIST,     /* given faults; all of them */
    BSR_DESIGN_CHANNELS, /* some channels of each layer, some sites of these (DeepVigor+, Eq. 16) */
} bsr_design_kind;

typedef struct bsr_planned {
    int space;              /* -1: all */
    int variant;            /* position in the space's variants; pairs: class; -1: all */
    double p;               /* share assumed, 0: none */
    uint64_t population, n; /* units */
} bsr_planned;

typedef struct bsr_design {
    bsr_design_kind kind;
    int by_site;     /* units are sites, in all images or (pairs) in one */
    int pairs;       /* (site, image, class) */
    int neurons;     /* sites are neurons: operand targets by rays; always pairs */
    uint64_t images; /* of the part of a unit that says which image; 1: units are for all */
    double ratio;    /* CHANNELS: share of the channels */
    double largest;  /* ADAPTIVE: value that units reach, see stats/adaptive.h */
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
 * caller; NULL when they are 0..*n-1. most: draw only about so many, the same part of what each
 * stratum has left, so that what was drawn so far is a sample of all strata at any time; 0: all.
 * CHANNELS: all. */
bsr_status bsr_design_draw(bsr_design *d, const bsr_spaces *spaces, uint64_t most, uint64_t **units,
                           uint64_t *n);

/* Unit number u of the population of a stratum. */
uint64_t bsr_design_unit(const bsr_design *d, const bsr_spaces *spaces, int stratum, uint64_t u);

/* k random units of the sample of one stratum, in no order: units [k], k at most the stratum's n.
 * Depends on the design alone. */
bsr_status bsr_design_pick(const bsr_design *d, const bsr_spaces *spaces, int stratum, uint64_t k,
                           uint64_t *units);

/* Makes what was drawn so far the whole plan. */
void bsr_design_stop(bsr_design *d);

/* Draws everything again from the start. */
void bsr_design_redraw(bsr_design *d);

/* Units drawn so far. */
uint64_t bsr_design_drawn(const bsr_design *d);

/* Bit i: variant i belongs to the class; class -1: all variants. */
uint32_t bsr_class_variants(const bsr_spaces *spaces, const bsr_space *space, int class);

/* How many classes the faults of a site have: 1 or 2. */
int bsr_class_count(const bsr_spaces *spaces, const bsr_space *space);

/* Of a neuron's faults no more than a few of the exponent's bits are critical, unless its image is
 * close to the boundary anyway: 1/8; else 1. */
double bsr_design_largest(const bsr_design *d, const bsr_spaces *spaces);

/* (fault, image) pairs that one unit of a stratum's draws stands for, of `images` images; of a
 * neuron, whose operands are as many as its window holds, as if it had one. */
uint64_t bsr_unit_pairs(const bsr_design *d, const bsr_spaces *spaces, const bsr_planned *p,
                        uint64_t images);

/* The same of all units planned so far. */
uint64_t bsr_planned_pairs(const bsr_design *d, const bsr_spaces *spaces, uint64_t images);

/* By which rules the units are estimated. */
bsr_units bsr_design_rules(const bsr_design *d);

/* Sites as the design counts them: of a layer, before it, and of each of its channels. */
uint64_t bsr_design_sites(const bsr_design *d, const bsr_space *space);
uint64_t bsr_design_first_site(const bsr_design *d, const bsr_space *space);
uint64_t bsr_design_per_channel(const bsr_design *d, const bsr_space *space);

/* Images that one drawn unit becomes units for: all where neurons are drawn whole, else 1. */
uint64_t bsr_design_spread(const bsr_design *d);

/* The layer of a site of the design numbered over all layers; *site becomes its number there. */
const bsr_space *bsr_design_space(const bsr_design *d, const bsr_spaces *spaces, uint64_t *site);

/* Faults that a unit of the stratum stands for, and its weight in means. */
uint64_t bsr_planned_faults(const bsr_design *d, const bsr_spaces *spaces, const bsr_planned *p);

/* Channels that CHANNELS draws of a layer, and sites of each. */
uint64_t bsr_design_channels(const bsr_design *d, const bsr_space *space);
uint64_t bsr_design_channel_sites(const bsr_design *d, const bsr_space *space);

/* Units planned in all strata. */
uint64_t bsr_design_planned(const bsr_design *d);

#endif
