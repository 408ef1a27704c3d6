/* Inside of campaign's workers: work.c and rays.c. */
#ifndef BSR_CAMPAIGN_WORKER_H
#define BSR_CAMPAIGN_WORKER_H

#include "campaign/work.h"
#include "exec/altered.h"

/* Sites of one item: both sides of a ray in one image fill a panel of faulty columns. */
#define BSR_ITEM_SITES 16

/* Pairs of one item, of one image. */
#define BSR_ITEM_PAIRS 128

typedef struct bsr_question {
    uint32_t entry;
    uint8_t which, fault;
} bsr_question;

/* One search: a site of the item in an image of the golden run. */
typedef struct bsr_ray_entry {
    uint16_t site, image;
    uint32_t skipped; /* bit i: screening says that fault i is harmless */
    uint32_t critical;
    bsr_ray ray;
} bsr_ray_entry;

/* What operand rays need besides. */
typedef struct bsr_neuron_worker bsr_neuron_worker;
bsr_status bsr_neuron_worker_new(bsr_neuron_worker **out, const bsr_spaces *spaces);
void bsr_neuron_worker_free(bsr_neuron_worker *worker);

/* Workspace of one thread. */
typedef struct bsr_worker {
    size_t room;        /* for jobs, results, questions: at least BSR_RAY_BITS with rays */
    bsr_lane_job *jobs; /* of one item in one set of images */
    bsr_lane_result *results;
    uint16_t *of; /* unit (direct) or image (altered) of each job */
    bsr_ray_entry *entries;
    bsr_ray_site *sites;
    bsr_question *asked;
    bsr_neuron_worker *neurons;
    bsr_altered *altered;
    const char **inputs;
    float **logits;
    float *logit_room;
    uint64_t evaluations; /* whole inferences */
} bsr_worker;

/* Item of sites or pairs, by rays. */
bsr_status bsr_rays_item(void *ctx, size_t item, int thread);

/* Item of pairs whose sites are neurons. */
bsr_status bsr_neurons_item(void *ctx, size_t item, int thread);

#endif
