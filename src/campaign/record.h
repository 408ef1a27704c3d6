/* A run's description in its database: population, design, facts. */
#ifndef BSR_CAMPAIGN_RECORD_H
#define BSR_CAMPAIGN_RECORD_H

#include "campaign/design.h"
#include "campaign/fault_list.h"
#include "store/store.h"

/* Direct injections of randomly chosen faults of the sample, against its answers (verify.c). */
typedef struct bsr_correction {
    uint64_t pairs, differ; /* (fault, image) pairs injected; of these answered otherwise */
    double mean, lo, hi; /* of (direct - answer), estimated for the whole sample, with its interval
                            at the run's confidence */
} bsr_correction;

/* Everything about a run but the answers; made for a new run, or read back. */
typedef struct bsr_record {
    bsr_spaces spaces;
    bsr_design design;
    bsr_fault_list list; /* of BSR_DESIGN_LIST */
    char command[16], target[16], method[16], version[32];
    char model_sha256[65], data_sha256[65];
    char *fault, *format, *model_path, *data_spec, *spec;
    char *layer_inputs; /* elements that each layer of the network reads, with commas between; NULL:
                           not known */
    uint64_t images, golden_correct, seed;
    int classes, network_layers, transient, per_channel, worst, complete;
    double confidence, format_loss;
    uint64_t checked, violations;
    double screen;       /* first-order screening below this share of a margin; 0: off */
    double *theta;       /* [spaces] the same of each layer, lower where too much was missed */
    double screen_check; /* share of what is skipped that is evaluated all the same; of neurons, the
                            share that has one fault looked at */
    int bounds;          /* bounds of the sites are kept */
    char stopped[16];    /* why an adaptive run ended before its margin: "time", or "" */
    bsr_correction correction;
} bsr_record;

/* Writes a new run's record (not its answers) and commits it. */
bsr_status bsr_record_write(bsr_store *store, const bsr_record *r);

/* The parts that change while a run goes on, in one transaction: sizes of the strata, complete,
 * checked, violations. */
bsr_status bsr_record_update(bsr_store *store, const bsr_record *r);

/* Takes back what a layer was answered and sets its theta, in one transaction. */
bsr_status bsr_record_forget(bsr_store *store, bsr_record *r, int space, double theta);

/* Every layer's theta as record->screen has it. ENOMEM. */
bsr_status bsr_record_screen(bsr_record *r);

/* Reads it back. EFORMAT: a fact is missing. Cleared with bsr_record_clear, also on failure. */
bsr_status bsr_record_read(bsr_record *r, bsr_store *store);
void bsr_record_clear(bsr_record *r);

/* EINVAL, naming what differs: `then` was read from the store of the run that `now` continues. */
bsr_status bsr_record_same(const bsr_record *then, const bsr_record *now);

/* Puts the run's file in front of the message stored last, unless the store did; keeps `status`. */
bsr_status bsr_record_fail(bsr_status status, const char *path);

#endif
