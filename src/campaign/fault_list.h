/* Lists of faults to inject, as files and in databases. docs/guide/fault-lists.md has the format.
 */
#ifndef BSR_CAMPAIGN_FAULT_LIST_H
#define BSR_CAMPAIGN_FAULT_LIST_H

#include "fault/space.h"

#define BSR_FAULT_LIST_FIRST_LINE "bitseer faults 1"
#define BSR_FAULT_LIST_LAST_WORD  "sha256 "

/* The bits of a code of the space. */
static inline uint32_t bsr_code_mask(const bsr_space *space)
{
    return UINT32_MAX >> (32 - space->width);
}

/* One fault: the code at the site becomes (code & keep) ^ flip. */
typedef struct bsr_listed {
    int space;       /* position among the spaces; while a file is read: the layer's index */
    int64_t element; /* logical index; operands: of the weight */
    int pixel;       /* operands: output pixel; else -1 */
    bsr_change change;
} bsr_listed;

/* In ascending order of (space, element, pixel, keep, flip). */
typedef struct bsr_fault_list {
    uint64_t n;
    bsr_listed *faults;
} bsr_fault_list;

void bsr_fault_list_clear(bsr_fault_list *list);

/* Brings the faults into that order. */
void bsr_fault_list_sort(bsr_fault_list *list);

/* Reads a list file and makes its faults the population of `spaces`, which was built from the same
 * options: fault and site numbers are positions in the list, each with one variant; spaces without
 * a fault in the list keep a population of 0. EFORMAT with the line number: not a list, a wrong
 * checksum, a fault twice; EINVAL: another target or format than the options', a layer, element,
 * pixel or bits that the network does not have; ENOTFOUND, EIO, ELIMIT, ENOMEM. */
bsr_status bsr_fault_list_read(bsr_fault_list *list, const char *path, bsr_spaces *spaces,
                               const bsr_run_options *options);

/* Makes the list's faults the population: what bsr_fault_list_read does at its end. */
void bsr_fault_list_apply(const bsr_fault_list *list, bsr_spaces *spaces);

/* The text of a list file. spaces gives layer indices and widths; format "": as in the model's
 * file. Caller frees *out with bsr_free. */
bsr_status bsr_fault_list_text(char **out, const bsr_fault_list *list, const bsr_spaces *spaces,
                               const char *target, const char *format);

#endif
