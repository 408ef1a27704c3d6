/* Computing rows of one step: its core, then its stages. */
#ifndef BSR_EXEC_STEP_H
#define BSR_EXEC_STEP_H

#include "exec/plan.h"

/* Where rows find one operand: pixel of row r and tap t at base + off[t * off_stride + r]. */
typedef struct bsr_access {
    const char *base;
    const int64_t *off;
    size_t off_stride;
} bsr_access;

/* Scratch of one thread for bsr_step_rows. */
typedef struct bsr_scratch {
    float *staging; /* [BSR_BLOCK][max_channels] */
    char *gathered; /* [BSR_BLOCK][max_gather] floats or int16 */
    int64_t *rows;  /* [BSR_BLOCK] offsets of gathered rows */
    char *dense;    /* [max_dense] */
    float *logits;  /* [classes] */
} bsr_scratch;

bsr_status bsr_scratch_new(bsr_scratch *s, const bsr_plan *plan);
void bsr_scratch_clear(bsr_scratch *s);

/* Computes n <= BSR_BLOCK output rows to `out` (rows lie together, pixel_bytes of the output
 * tensor each). sources[i] and operands[k] locate the pixels of source i and of stage k's operand.
 * divisor: [n], AVG_POOL only. packed: the step's weights or a faulty copy. Not for DENSE and
 * RELAYOUT. Allocates nothing. */
void bsr_step_rows(const bsr_plan *plan, const bsr_step *step, const void *packed, int n,
                   const bsr_access *sources, const bsr_access *operands, const float *divisor,
                   bsr_scratch *scratch, char *out);

/* The core alone, before any stage but a leading DEQUANT, which a COPY does itself: out[n]
 * [core_channels] floats, int32 sums of CONV_I8, or the codes that a COPY without stages moves. e
 * (NULL: none): what follows the sums of CONV and DEPTHWISE. */
void bsr_core_rows(const bsr_plan *plan, const bsr_step *step, const void *packed, int n,
                   const bsr_access *sources, const bsr_epilogue *e, const float *divisor,
                   bsr_scratch *scratch, void *out);

/* All pixels of an output by the plan's tables: whole[i] locates source i, whole[n_sources + k]
 * stage k's operand, by the base address and, for a source without a map and for operands, the
 * offset of every pixel. `out` has room for the tensor; its spare pixel is not written. */
void bsr_step_image(const bsr_plan *plan, const bsr_step *step, const void *packed,
                    const bsr_access *whole, bsr_scratch *scratch, char *out);

/* The convolution cores alone, with any weights of the same form as a step's: out[n][groups *
 * cout], `channels` floats apart, after e (CONV), or dense int32 (CONV_I8, input codes of `type`).
 */
void bsr_conv_rows(const bsr_plan *plan, const bsr_weights *w, const void *packed, int n,
                   const bsr_access *in, const bsr_epilogue *e, bsr_scratch *scratch, float *out,
                   int channels);
void bsr_conv_i8_rows(const bsr_plan *plan, const bsr_weights *w, const void *packed,
                      bsr_dtype type, int n, const bsr_access *in, bsr_scratch *scratch,
                      int32_t *out);

/* Runs stages from `first` on float (or int32) rows x[n][channels] in place; the parameters start
 * at channel 0 of the stages' vectors. Returns the stage index of a final QUANT, which it leaves to
 * the quantize kernel, or n_stages. */
int bsr_stage_rows(const bsr_plan *plan, const bsr_step *step, int first, int n, int channels,
                   float *x, const bsr_access *operands);

/* Evaluates a DENSE or RELAYOUT step: in[i] holds source i's tensor, out the result's. */
bsr_status bsr_step_dense(const bsr_plan *plan, const bsr_step *step, char *const *in, char *out);

/* Computes a tensor that the golden run does not keep, from the kept ones in `record`, which is one
 * image's: `data` has room for it and its spare pixel. */
void bsr_step_recompute(const bsr_plan *plan, int pten, const char *record, bsr_scratch *scratch,
                        char *data);

/* Writes the spare pixel behind a tensor's last pixel. */
void bsr_write_spare(const bsr_pten *p, char *data);

#endif
