/* State of the lanes of one group; shared by lanes.c and the lane_*.c files. */
#ifndef BSR_EXEC_LANE_STATE_H
#define BSR_EXEC_LANE_STATE_H

#include "exec/lanes.h"

typedef enum bsr_lane_kind {
    BSR_CLEAN = 0, /* equal to the golden tensor */
    BSR_SPARSE,    /* the listed pixels differ and are kept by the lane */
    BSR_FULL,      /* the lane keeps the whole tensor, spare pixel included */
} bsr_lane_kind;

/* One tensor of one lane. */
typedef struct bsr_lane_tensor {
    bsr_lane_kind kind;
    int n;         /* differing pixels (SPARSE) */
    int32_t *list; /* [pixels]: them */
    int64_t *off;  /* [pixels + 1]: offset of every pixel from the golden tensor's base; the
                      identity table where nothing differs, restored when the group ends */
    char *data;    /* room for the whole tensor */
} bsr_lane_tensor;

struct bsr_lanes {
    const bsr_plan *plan;
    const bsr_golden *golden;
    int size;                 /* lanes in a group at most */
    int n;                    /* lanes in the current group */
    const bsr_lane_job *jobs; /* of the current group */
    bsr_lane_tensor *tensors; /* [size][n_ptens] */
    char *work;               /* [size][work_bytes] */
    int64_t *offs;            /* [size][all pixels + 1]: the lanes' off tables */
    int32_t *lists;
    int *reach;     /* [size] last step that read a difference of the lane */
    int *dirty;     /* [n_ptens] lanes in which the tensor differs */
    uint32_t *mark; /* [max_pixels] stamps of the candidate search */
    uint32_t stamp;
    int32_t *candidates; /* [max_pixels] */
    bsr_scratch scratch;

    /* Rows of several lanes computed together. */
    int n_rows;
    int row_lane[BSR_BLOCK];
    int32_t row_pixel[BSR_BLOCK];
    float row_divisor[BSR_BLOCK];
    int64_t *row_off; /* [sources and stages][max_taps][BSR_BLOCK] */
    char *rows;       /* [BSR_BLOCK] output rows */

    /* Columns of faulty weights. */
    float *panel;      /* [max K][nr] */
    float *panel_init; /* [nr] */
    struct {
        int width[1];
        size_t at[1];
    } panel_shape;            /* of the one panel */
    bsr_stage *column_stages; /* [max stages] */
    float *column_params;     /* [max stages][3][BSR_MAX_NR] */
    float *column_rows;       /* [max stages][BSR_BLOCK][BSR_MAX_NR] operand values */
    int64_t *column_off;      /* [BSR_BLOCK] */

    /* Golden tensors that are not kept, of one image each; NULL for kept ones. */
    char **recomputed;     /* [n_ptens] */
    int *recomputed_image; /* [n_ptens], -1: none yet */

    float *changes; /* [max_pixels] of predict.c */

    bsr_forward *whole; /* for faults in weights that several layers share; NULL without any */

    bsr_lane_counters counters;
};

static inline bsr_lane_tensor *bsr_lane_at(const bsr_lanes *ls, int lane, int pten)
{
    return &ls->tensors[(size_t)lane * (size_t)ls->plan->n_ptens + (size_t)pten];
}

/* Golden tensor of an image that the golden run does not keep: computed now unless it is the one
 * computed last. The address is the same for all images. */
const char *bsr_golden_recompute(bsr_lanes *ls, int image, int pten);

/* Golden tensor in the lane's image. For tensors that are not kept the content is valid until
 * another image's is asked for; the address stays. */
static inline const char *bsr_golden_at(bsr_lanes *ls, int lane, int pten)
{
    const bsr_pten *p = &ls->plan->ptens[pten];
    int image = ls->jobs[lane].image;
    if (!p->kept)
        return bsr_golden_recompute(ls, image, pten);
    return ls->golden->records + (size_t)image * ls->plan->golden_bytes + p->golden_at;
}

/* Appends pixel p, stored at `data` inside the lane's room, to the differing ones. */
static inline void bsr_lane_add(bsr_lanes *ls, int lane, int pten, int32_t p, const char *data)
{
    bsr_lane_tensor *t = bsr_lane_at(ls, lane, pten);
    t->kind = BSR_SPARSE;
    t->list[t->n++] = p;
    t->off[p] = (int64_t)((uintptr_t)data - (uintptr_t)bsr_golden_at(ls, lane, pten));
}

/* Counts the lanes in which a tensor that has just been made differs. */
static inline void bsr_lane_count_dirty(bsr_lanes *ls, int pten)
{
    int n = 0;
    for (int l = 0; l < ls->n; l++)
        n += bsr_lane_at(ls, l, pten)->kind != BSR_CLEAN;
    ls->dirty[pten] = n;
}

/* Before the first group of a call. */
void bsr_lanes_use(bsr_lanes *ls, const bsr_golden *golden);

/* Makes the first of n jobs the current group (ls->jobs, ls->n), as many as fit and can run on
 * lanes; returns how many: 0 when the first cannot. */
size_t bsr_lanes_group(bsr_lanes *ls, const bsr_lane_job *jobs, size_t n);

/* Starts the lanes of the current group (ls->jobs, ls->n) and runs the steps before `end`. */
bsr_status bsr_lanes_walk(bsr_lanes *ls, int end);

/* Ends the group: all tensors are clean again. */
void bsr_lanes_end(bsr_lanes *ls);

/* A weight that several layers read? Recomputing from the first of them on is nearly the whole
 * network, and rare: no lanes. An operand is read by one. */
int bsr_is_shared_fault(const bsr_plan *plan, const bsr_stored_fault *f);

/* Runs a step for all lanes that read a difference in it. */
bsr_status bsr_lane_step(bsr_lanes *ls, const bsr_step *s);

/* Starts lanes first..first+n-1, which share a layer and an image, at their faulty weights: fills
 * the layer's output tensor. n is at most the kernels' nr. */
void bsr_lane_source_weights(bsr_lanes *ls, int first, int n);

/* Starts a lane at the one output element whose multiplication reads a faulty operand, or whose sum
 * is faulty. */
void bsr_lane_source_output(bsr_lanes *ls, int lane);

/* Result of a lane that has walked all steps; logits [classes] or NULL. */
void bsr_lane_read(bsr_lanes *ls, int lane, bsr_lane_result *result, float *logits);

#endif
