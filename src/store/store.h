/* A run in one SQLite file: what was asked, what is planned, every answer. Knows no network and no
 * fault; src/campaign gives the rows their meaning.
 *
 * Answers arrive in batches, each one transaction, so a killed run keeps all batches that were
 * written and nothing of others. Others may read while one process writes (SQLite's write-ahead
 * log). All tables are STRICT. docs/design/store.md has the schema for people who query it.
 *
 * Errors of every function: EIO (disk full, I/O), EFORMAT (not a bitseer database, damaged),
 * EUNSUPPORTED (made by a newer version), ELIMIT (locked by another process), EINVAL (writing to a
 * store opened for reading, a row that misses a string), ENOMEM. Messages name the file. A store is
 * used by one thread at a time, and not in a child after fork.
 *
 * Every put is one transaction, or part of that of the plan: all its rows or none. Rows of the same
 * key are replaced. A callback's status other than BSR_OK ends the reading and is returned; its
 * strings and arrays live until it returns. Numbers come back as they were put, but for -0.0, which
 * becomes 0.0. SQLite allocates by itself, not through base/alloc.h: its allocator is one for the
 * whole process, which may use SQLite for itself. */
#ifndef BSR_STORE_STORE_H
#define BSR_STORE_STORE_H

#include <stddef.h>
#include <stdint.h>

#include "bitseer/status.h"

typedef struct bsr_store bsr_store;

/* A new database at path, which must not exist (EINVAL) in a folder that does (ENOTFOUND); NULL: in
 * memory, gone when closed. The writer's lock is held until bsr_store_close. Caller owns *out. */
bsr_status bsr_store_create(bsr_store **out, const char *path);

/* An existing one. write: take the writer's lock (ELIMIT at once when it is held) and migrate an
 * older schema; else read only, and tables that the older schema did not have yet are empty.
 * ENOTFOUND: no such file. EFORMAT also for a run that ended before its plan was written. */
bsr_status bsr_store_open(bsr_store **out, const char *path, int write);

/* Closes; NULL is fine. A store that was created but never committed (bsr_store_commit_plan)
 * removes its file. */
void bsr_store_close(bsr_store *store);

/* Facts about the run by name: hashes, versions, counts, state. Values are text; put replaces.
 * get: ENOTFOUND when there is none; caller frees *value with bsr_free. The one fact with a meaning
 * here is the number of images of a run with transient faults: by it the database's views take the
 * numbers of such faults apart. */
#define BSR_STORE_FACT_TRANSIENT_IMAGES "transient_images"
bsr_status bsr_store_put_fact(bsr_store *store, const char *name, const char *value);
bsr_status bsr_store_get_fact(bsr_store *store, const char *name, char **value);

/* Settings as the user gave them, in order, to start the same run again. */
bsr_status bsr_store_add_setting(bsr_store *store, const char *name, const char *value);
typedef bsr_status (*bsr_setting_fn)(void *ctx, const char *name, const char *value);
bsr_status bsr_store_settings(bsr_store *store, bsr_setting_fn fn, void *ctx);

/* A layer or tensor that faults go into; the fields are those of bsr_space (src/fault/space.h).
 * Strings and arrays are borrowed: by the store for a put, by the callback for a read. In the order
 * of id. */
typedef struct bsr_layer_row {
    int64_t id;    /* 0, 1, ...: position in the run */
    int64_t index; /* what users call it */
    const char *name, *op, *format;
    int64_t place, width, outer, inner, channels, per_channel, sites, population, first;
    const int32_t *chosen; /* channels */
    size_t n_chosen;
    const int32_t *variants; /* lowest bit of each fault of a site, -1 for none */
    size_t n_variants;
    const void *windows; /* operand sites: which taps of an output pixel are real */
    size_t windows_bytes;
    int64_t pixels, taps, cin;
} bsr_layer_row;
bsr_status bsr_store_put_layer(bsr_store *store, const bsr_layer_row *row);
typedef bsr_status (*bsr_layer_fn)(void *ctx, const bsr_layer_row *row);
bsr_status bsr_store_layers(bsr_store *store, bsr_layer_fn fn, void *ctx);

/* A stratum of the plan. put replaces the one with the same id. */
typedef struct bsr_stratum_row {
    int64_t id;
    int64_t layer;   /* id, -1: all */
    int64_t variant; /* -1: all */
    int64_t population, planned;
    double p; /* share assumed when planning, 0: none */
} bsr_stratum_row;
bsr_status bsr_store_put_stratum(bsr_store *store, const bsr_stratum_row *row);
typedef bsr_status (*bsr_stratum_fn)(void *ctx, const bsr_stratum_row *row);
bsr_status bsr_store_strata(bsr_store *store, bsr_stratum_fn fn, void *ctx);

/* Given faults (a replayed list): in the order of their numbers 0, 1, ... */
typedef struct bsr_listed_row {
    int64_t fault, layer, element, pixel, keep, flip;
} bsr_listed_row;
bsr_status bsr_store_put_listed(bsr_store *store, const bsr_listed_row *rows, size_t n);
typedef bsr_status (*bsr_listed_fn)(void *ctx, const bsr_listed_row *row);
bsr_status bsr_store_listed(bsr_store *store, bsr_listed_fn fn, void *ctx);

/* Several puts as one: all or nothing, also within the plan. `end` commits when status is BSR_OK,
 * else takes everything since `begin` back and returns status. */
bsr_status bsr_store_begin(bsr_store *store);
bsr_status bsr_store_end(bsr_store *store, bsr_status status);

/* Ends the one transaction since create: everything put so far is on disk, after a power cut too.
 * Later puts can be lost by a power cut, newest first, but not by the end of the process. Does
 * nothing in a store that was opened. */
bsr_status bsr_store_commit_plan(bsr_store *store);

/* The answer to one fault. Counts are of images. -1: not determined (rays). */
typedef struct bsr_fault_row {
    int64_t fault; /* number in the population; with transient faults times images plus image */
    int64_t pairs; /* images answered */
    int64_t masked, critical, due, sdc;
    int64_t top5;    /* golden class not among the five greatest logits */
    int64_t correct; /* top-1 equals the label */
    double sse;      /* sum over pairs that are no DUE of the squared differences of the logits;
                        NaN: not determined */
    const void *critical_images; /* bit i (LSB first) is image i; NULL: none */
    size_t critical_bytes;
} bsr_fault_row;

/* Pairs of faults of a layer that ended, masked, at some place of the network: added up. */
typedef struct bsr_masking_row {
    int64_t layer; /* id */
    int64_t at;    /* layer index of the network, as campaign numbers them */
    int64_t pairs;
} bsr_masking_row;

/* The four bounds of a ray in one image, as added errors s relative to the stored value v (a fault
 * makes it v + s): the nearest critical fault below v, the farthest below it that is harmless up to
 * there, the same above; infinite where there is none, 0 where v itself is the farthest harmless
 * one. Little-endian float32 in blobs. */
typedef struct bsr_bounds {
    float critical_below, harmless_below, harmless_above, critical_above;
    float value; /* v; NaN: the sum of a neuron */
} bsr_bounds;

/* The answer to one (site, image) pair of a run whose units are pairs. */
typedef struct bsr_pair_row {
    int64_t unit;       /* campaign/design.h */
    int64_t critical;   /* bit i: variant i is; neurons: how many errors are */
    int64_t errors;     /* neurons: all errors; else -1 */
    const void *by_bit; /* neurons: critical errors by bit, uint32 little-endian each */
    size_t by_bit_bytes;
    const void *bounds; /* one bsr_bounds, or NULL */
    size_t bounds_bytes;
} bsr_pair_row;

/* Bounds of a site in all images: bsr_bounds [images]. */
typedef struct bsr_bounds_row {
    int64_t site; /* over all layers */
    const void *bounds;
    size_t bounds_bytes;
} bsr_bounds_row;

/* First-order screening of a layer: added up. */
typedef struct bsr_screening_row {
    int64_t layer;                    /* id */
    int64_t pairs;                    /* (fault, image) pairs answered */
    int64_t skipped, checked, missed; /* of these: not evaluated by prediction; evaluated all the
                                         same; and of those critical */
} bsr_screening_row;

/* Fault-free values of sites that a report shows. */
typedef struct bsr_value_row {
    int64_t layer, element, pixel;
    double value;
} bsr_value_row;
/* Answers that belong together. */
typedef struct bsr_answers {
    const bsr_fault_row *faults;
    const bsr_pair_row *pairs;
    const bsr_bounds_row *bounds;
    const bsr_value_row *values;
    const bsr_masking_row *maskings;
    const bsr_screening_row *screenings;
    size_t n_faults, n_pairs, n_bounds, n_values, n_maskings, n_screenings;
} bsr_answers;

/* One batch, one transaction: all rows (one that is there already is replaced) and counts (which
 * are added to those that are there). */
bsr_status bsr_store_put_answers(bsr_store *store, const bsr_answers *answers);

/* Takes back what a layer was answered: faults [first, end), pairs [first_unit, end_unit), sites
 * [first_site, end_site), maskings and screening of layer `layer`. */
typedef struct bsr_answer_range {
    int64_t layer;
    int64_t first, end, first_unit, end_unit, first_site, end_site;
} bsr_answer_range;
bsr_status bsr_store_forget(bsr_store *store, const bsr_answer_range *range);

/* In ascending order of fault, from `first` up to but without `end`. */
typedef bsr_status (*bsr_fault_fn)(void *ctx, const bsr_fault_row *row);
bsr_status bsr_store_faults(bsr_store *store, int64_t first, int64_t end, bsr_fault_fn fn,
                            void *ctx);
/* Rows of answers: faults and pairs. */
bsr_status bsr_store_count_answers(bsr_store *store, uint64_t *n);

/* In ascending order of unit, from `first` up to but without `end`; of site. */
typedef bsr_status (*bsr_pair_fn)(void *ctx, const bsr_pair_row *row);
bsr_status bsr_store_pairs(bsr_store *store, int64_t first, int64_t end, bsr_pair_fn fn, void *ctx);
typedef bsr_status (*bsr_bounds_fn)(void *ctx, const bsr_bounds_row *row);
bsr_status bsr_store_bounds(bsr_store *store, int64_t first, int64_t end, bsr_bounds_fn fn,
                            void *ctx);
typedef bsr_status (*bsr_screening_fn)(void *ctx, const bsr_screening_row *row);
bsr_status bsr_store_screenings(bsr_store *store, bsr_screening_fn fn, void *ctx); /* by layer */

typedef bsr_status (*bsr_masking_fn)(void *ctx, const bsr_masking_row *row);
bsr_status bsr_store_maskings(bsr_store *store, bsr_masking_fn fn, void *ctx);

/* What method deepvigor found of a channel. */
typedef struct bsr_score_row {
    int64_t layer; /* id */
    int64_t channel;
    double vf;                                                  /* NaN: it has no errors */
    int64_t targets, skipped, single, simulations, evaluations; /* bsr_deepvigor_counts */
} bsr_score_row;
bsr_status bsr_store_put_scores(bsr_store *store, const bsr_score_row *rows, size_t n);
typedef bsr_status (*bsr_score_fn)(void *ctx, const bsr_score_row *row);
bsr_status bsr_store_scores(bsr_store *store, bsr_score_fn fn, void *ctx); /* by layer, channel */

/* One corrupted network of a sweep: all images, at one bit error rate. */
typedef struct bsr_chip_row {
    int64_t point, run;
    double ber, ber01; /* rates of 1 -> 0 and of 0 -> 1; equal unless asked otherwise */
    int64_t weight_flips, activation_flips;
    int64_t images, correct, critical, due, sdc, top5;
    double sse;
} bsr_chip_row;
bsr_status bsr_store_put_chips(bsr_store *store, const bsr_chip_row *rows, size_t n);
typedef bsr_status (*bsr_chip_row_fn)(void *ctx, const bsr_chip_row *row);
bsr_status bsr_store_chips(bsr_store *store, bsr_chip_row_fn fn, void *ctx); /* by point, run */

/* What an accelerated sweep took in place of chips at one rate. */
typedef struct bsr_prediction_row {
    int64_t point;
    const char *model;
    double accuracy, accuracy_lo, accuracy_hi, critical, critical_lo, critical_hi;
    double top5, top5_lo, top5_hi, rmse, rmse_lo, rmse_hi;
} bsr_prediction_row;
bsr_status bsr_store_put_predictions(bsr_store *store, const bsr_prediction_row *rows, size_t n);
typedef bsr_status (*bsr_prediction_fn)(void *ctx, const bsr_prediction_row *row);
bsr_status bsr_store_predictions(bsr_store *store, bsr_prediction_fn fn, void *ctx); /* by point */

/* Bit-level inferences beside its prediction, at one rate. */
typedef struct bsr_guard_row {
    int64_t point, patterns, images;
    double measured, predicted, ratio, ratio_lo, ratio_hi;
    int64_t rescaled;
} bsr_guard_row;
bsr_status bsr_store_put_guards(bsr_store *store, const bsr_guard_row *rows, size_t n);
typedef bsr_status (*bsr_guard_fn)(void *ctx, const bsr_guard_row *row);
bsr_status bsr_store_guards(bsr_store *store, bsr_guard_fn fn, void *ctx); /* by point */

bsr_status bsr_store_put_values(bsr_store *store, const bsr_value_row *rows, size_t n);
/* *value is NaN when there is none. */
bsr_status bsr_store_value(bsr_store *store, int64_t layer, int64_t element, int64_t pixel,
                           double *value);

/* What one process did; everything that may differ between two runs of the same campaign is here.
 */
typedef struct bsr_session_row {
    const char *started; /* UTC, ISO 8601 */
    const char *version, *cpu, *cpu_brand;
    int64_t threads;
    double seconds, golden_seconds, forward_seconds;
    int64_t evaluations, injections;
    double forward_equivalents;
} bsr_session_row;
bsr_status bsr_store_add_session(bsr_store *store, const bsr_session_row *row, int64_t *id);
/* ENOTFOUND: no session of that id. */
bsr_status bsr_store_update_session(bsr_store *store, int64_t id, const bsr_session_row *row);
typedef bsr_status (*bsr_session_fn)(void *ctx, const bsr_session_row *row);
bsr_status bsr_store_sessions(bsr_store *store, bsr_session_fn fn, void *ctx);

#endif
