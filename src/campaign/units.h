/* From the number of a unit to what it is about: a fault, a site, a neuron, an image. */
#ifndef BSR_CAMPAIGN_UNITS_H
#define BSR_CAMPAIGN_UNITS_H

#include "campaign/record.h"
#include "fault/neuron.h"
#include "fault/ray.h"

/* The layer of a unit. */
const bsr_space *bsr_unit_space(const bsr_record *r, uint64_t unit);

/* Rows of a unit, and the number of its first row's fault. Not pairs, whose units are their rows.
 */
uint64_t bsr_unit_rows(const bsr_record *r, uint64_t unit, uint64_t *first_fault);

/* A unit of a fault-by-fault design. */
typedef struct bsr_injected {
    const bsr_space *space;
    uint64_t number; /* site number in its space */
    bsr_site site;
    bsr_change change;
    int64_t image; /* the one a transient fault hits, -1: all */
} bsr_injected;
bsr_injected bsr_locate_unit(const bsr_record *r, uint64_t unit);

/* The neuron of a unit; first_image: of the current set. */
bsr_neuron bsr_locate_neuron(const bsr_record *r, uint64_t unit, size_t first_image);

/* A site with what its faults do, as rays see it. */
typedef struct bsr_ray_site {
    const bsr_space *space;
    uint64_t number;   /* in its space */
    uint32_t variants; /* that are asked about */
    bsr_site at;
    bsr_change change[BSR_MAX_VARIANTS];
} bsr_ray_site;

/* Of a unit of a design by site. */
bsr_ray_site bsr_locate_site(const bsr_record *r, uint64_t unit);

/* Image of the data set that a unit of a design by pairs is about. */
static inline uint64_t bsr_pair_image(const bsr_record *r, uint64_t unit)
{
    return unit / BSR_CLASSES % r->design.images;
}

/* The search over the site's faults in an image of the golden run; values: what the faults store
 * [n_variants]. Returns what is stored. */
double bsr_start_ray(bsr_ray *ray, double values[BSR_MAX_VARIANTS], const bsr_ray_site *site,
                     const bsr_golden *golden, int image);

#endif
