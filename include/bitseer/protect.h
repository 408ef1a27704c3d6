/* What a protection would buy: read off a finished run, without new simulation. */
#ifndef BITSEER_PROTECT_H
#define BITSEER_PROTECT_H

#include "bitseer/campaign.h"

#ifdef __cplusplus
extern "C" {
#endif

/* How stored bits are protected against one wrong bit. Storage is added to each word (stored
 * value) of which m bits are protected. */
typedef enum bsr_protect_by {
    BSR_PROTECT_NONE,
    BSR_PROTECT_PARITY, /* error detected, the word then read as 0; 1 bit */
    BSR_PROTECT_SECDED, /* extended Hamming code, corrected; r + 1 bits, the least r with
                           2^r >= m + r + 1 */
    BSR_PROTECT_TMR,    /* two copies, outvoted; 2 m bits */
    BSR_PROTECT_METHODS
} bsr_protect_by;

/* "", "parity", "secded", "tmr"; NULL for another number. */
BSR_PUBLIC const char *bsr_protect_name(bsr_protect_by by);

/* Bits added to a word of which m of 0..32 bits are protected. */
BSR_PUBLIC int bsr_protect_word_bits(bsr_protect_by by, int m);

#define BSR_PROTECT_OPTIONS_VERSION 1

/* Start from BSR_PROTECT_OPTIONS_INIT. Strings are borrowed for the call, selectors as in
 * bsr_run_options. What is asked for is combined: values are stored in `format`, clipped when they
 * are read, and protected. With target_vf or budget the protection is planned, and bits, top_bits
 * and channels must not be given. */
typedef struct bsr_protect_options {
    int version;
    const char *by;       /* "parity", "secded" or "tmr"; of a plan: the only one; NULL: none, or
                             any */
    const char *bits;     /* protected bits of each word; NULL: all */
    int top_bits;         /* or: as many of the most critical ones of the network; 0: `bits` */
    const char *layers;   /* protected layers or tensors; NULL: all */
    const char *channels; /* protected channels of these; NULL: all */
    int clip;             /* values are clipped at read to the fault-free range of their layer */
    const char *format;   /* values are stored in this format; NULL: as they were */
    double target_vf;     /* plan the least storage whose MVF is at most this; below 0: no */
    const char *budget;   /* plan the least MVF for at most this storage: bits, or "12.5%" of the
                             stored bits; NULL: no */
    double confidence;    /* of the intervals; 0: the run's */
} bsr_protect_options;

#define BSR_PROTECT_OPTIONS_INIT                                                                   \
    {                                                                                              \
        .version = BSR_PROTECT_OPTIONS_VERSION, .target_vf = -1                                    \
    }

/* A VF of which the run may say no more than that it lies between two ends: the estimate of each,
 * with its interval. Where the run decides everything the two are equal. */
typedef struct bsr_vf_range {
    bsr_share low, high;
} bsr_vf_range;

typedef struct bsr_protected_layer {
    int index;
    const char *name;
    bsr_protect_by by;
    uint32_t bits;                 /* protected ones */
    const unsigned char *channels; /* [n_channels] 1: protected */
    int n_channels;
    uint64_t sites, words; /* words: sites that are protected */
    uint64_t stored_bits;  /* without protection */
    int64_t added_bits;    /* below 0: a narrower format */
    bsr_share before;      /* LVF of the run */
    bsr_vf_range after;
} bsr_protected_layer;

/* One step of a plan: a layer's protection is replaced by this one. */
typedef struct bsr_protect_step {
    int layer; /* position in `layers` */
    bsr_protect_by by;
    uint32_t bits;
    int64_t added_bits; /* of all steps so far */
    bsr_vf_range mvf;   /* after them */
} bsr_protect_step;

/* VF is per stored bit of the original network, or of `format`: faults of its bits, each equally
 * likely, among them those that the protection removes, which count as harmless. Faults of check
 * bits and copies come on top: SEC-DED corrects and TMR outvotes them; a wrong parity bit makes the
 * word read as 0. check_lo and check_hi bound the VF of the added bits. */
typedef struct bsr_protection {
    const char *path, *target, *fault, *sampling;
    const char *run_format, *format; /* "": as in the model's file; as in the run */
    int clip, complete, planned;
    uint64_t images;
    double confidence;
    int n_layers;
    bsr_protected_layer *layers;
    uint64_t stored_bits;
    int64_t added_bits;
    bsr_share before; /* MVF of the run */
    bsr_vf_range after;
    double check_lo, check_hi; /* NaN: no bits were added to protect */
    int n_steps;
    bsr_protect_step *steps; /* of a plan */
    double target_vf;        /* below 0: none */
    int64_t budget;          /* bits; below 0: none */
    int reached;             /* the target */
    void *arena;             /* private */
} bsr_protection;

/* The run in the database at path under the protection that the options describe. The database is
 * only read. A run that is not complete gives intervals of [0, 1]. EINVAL: an option; a sweep,
 * error patterns or a list of faults; faults of several bits and a protection of single ones; a
 * measure that the run does not know enough for (docs/guide/protection.md); ENOTFOUND: no such
 * file; errors of the database; ENOMEM. Caller owns *out. Time is that of reading the run. */
BSR_PUBLIC BSR_NODISCARD bsr_status bsr_protect(bsr_protection **out, const char *path,
                                                const bsr_protect_options *options);
BSR_PUBLIC void bsr_protection_free(bsr_protection *protection);

/* Direct injection of a protection: n faults drawn from all of the unprotected population. */
typedef struct bsr_confirmation {
    uint64_t faults;   /* drawn */
    uint64_t injected; /* of these: not removed by the protection */
    bsr_share measured;
} bsr_confirmation;

/* Injects them into model. options: those of the run (faults, plan, store and what belongs to them
 * are not used; format is that of the run); the draw depends on its seed. Files are written to a
 * new folder in $TMPDIR or /tmp and removed. EINVAL: n is 0 or above the population, the model or
 * data are not the run's, the run was transient; EUNSUPPORTED: clipping, parity of codes whose 0 is
 * not known; errors of bsr_inject. */
BSR_PUBLIC BSR_NODISCARD bsr_status bsr_protect_confirm(bsr_confirmation *out,
                                                        const bsr_protection *protection,
                                                        const bsr_model *model,
                                                        const bsr_dataset *data,
                                                        const bsr_run_options *options, uint64_t n);

/* JSON, tables, and the curve of a plan (else one line) as comma-separated values. c may be NULL.
 * Callers free with bsr_text_free. */
BSR_PUBLIC BSR_NODISCARD bsr_status bsr_protection_json(char **out, const bsr_protection *p,
                                                        const bsr_confirmation *c);
BSR_PUBLIC BSR_NODISCARD bsr_status bsr_protection_text(char **out, const bsr_protection *p,
                                                        const bsr_confirmation *c);
BSR_PUBLIC BSR_NODISCARD bsr_status bsr_protection_csv(char **out, const bsr_protection *p);

/* MVF with its interval against added storage as a picture (bitseer/pictures.h). EINVAL: nothing is
 * known of the MVF. */
BSR_PUBLIC BSR_NODISCARD bsr_status bsr_protection_svg(char **out, const bsr_protection *p);

#ifdef __cplusplus
}
#endif
#endif
