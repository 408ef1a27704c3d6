/* Rows on their way into the store: gathered by all threads, written in batches. */
#ifndef BSR_CAMPAIGN_SINK_H
#define BSR_CAMPAIGN_SINK_H

#include "base/threads.h"
#include "campaign/work.h"

struct bsr_sink {
    bsr_store *store;
    bsr_lock *lock;
    bsr_fault_row *rows; /* waiting; bitmaps are borrowed from the block */
    size_t n, cap;
    bsr_pair_row *pairs;
    size_t n_pairs, cap_pairs;
    bsr_bounds_row *bounds;
    size_t n_bounds, cap_bounds;
    bsr_value_row *values; /* of the constants with bounds */
    size_t n_values, cap_values;
    bsr_screening_row *screened; /* [spaces] since the last batch */
    uint64_t *masked;            /* [spaces][network layers + 1] pairs, since the last batch */
    size_t spaces, places;
    double last_write;
};

bsr_status bsr_sink_init(bsr_sink *sink, bsr_store *store, const bsr_record *record);
void bsr_sink_clear(bsr_sink *sink);

/* Takes the finished rows of units [first, first + n) of the block. Any thread. Writes when enough
 * has gathered or enough time has passed. */
bsr_status bsr_sink_put(bsr_sink *sink, const bsr_block *block, uint64_t first, uint64_t n);

/* Writes what waits. Before the block's memory is used again. */
bsr_status bsr_sink_flush(bsr_sink *sink);

#endif
