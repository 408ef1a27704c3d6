/* Populations small enough to be checked whole, with no network behind them. */
#ifndef BSR_TESTS_FUZZ_SMALL_SPACES_H
#define BSR_TESTS_FUZZ_SMALL_SPACES_H

#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "fault/space.h"

static inline void require(int condition)
{
    if (!condition)
        abort();
}

static inline bsr_space *small_space(bsr_spaces *all, bsr_space s, const char *name)
{
    bsr_space *to = &all->spaces[all->n++];
    *to = s;
    to->width = 8;
    to->outer = 1;
    to->name = bsr_strdup(name);
    to->op = bsr_strdup("Conv");
    to->format = bsr_strdup("int8");
    to->chosen = bsr_alloc_array((size_t)s.n_chosen, sizeof *to->chosen);
    for (int c = 0; c < s.n_chosen; c++)
        to->chosen[c] = c;
    to->n_variants = 2;
    to->variants[0] = 0;
    to->variants[1] = 7;
    return to;
}

/* 8-bit weights, bits 0 and 7: layer 0 with 2 channels of 3; layer 2 with 3 channels of 4, of which
 * the first two are chosen. */
static inline void small_weights(bsr_spaces *all)
{
    *all = (bsr_spaces){.spaces = bsr_calloc_array(2, sizeof *all->spaces)};
    bsr_space a = {.place = BSR_FAULT_WEIGHT, .inner = 3, .channels = 2, .n_chosen = 2};
    bsr_space b = {.place = BSR_FAULT_WEIGHT, .inner = 4, .channels = 3, .n_chosen = 2, .index = 2};
    require(bsr_space_finish(all, small_space(all, a, "conv1")) == BSR_OK);
    require(bsr_space_finish(all, small_space(all, b, "conv2")) == BSR_OK);
}

/* Operands of a row of 2 taps that slides over 3 output pixels, of which the first misses tap 0;
 * 2 input and 2 output channels. */
static inline void small_operands(bsr_spaces *all)
{
    static const unsigned char windows[3] = {2, 3, 3};
    *all = (bsr_spaces){.spaces = bsr_calloc_array(1, sizeof *all->spaces)};
    bsr_space a = {.place = BSR_FAULT_OPERAND_INPUT, .inner = 4, .channels = 2, .n_chosen = 2};
    bsr_space *s = small_space(all, a, "conv");
    s->pixels = 3;
    s->taps = s->cin = 2;
    s->windows_bytes = sizeof windows;
    s->windows = bsr_alloc_array(sizeof windows, 1);
    memcpy(s->windows, windows, sizeof windows);
    require(bsr_space_finish(all, s) == BSR_OK);
}

#endif
