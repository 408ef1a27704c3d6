/* Which counts of an outcome mean something. */
#ifndef BSR_REPORT_OUTCOMES_H
#define BSR_REPORT_OUTCOMES_H

#include "bitseer/result.h"

/* Rays tell which pairs are critical, and nothing else about them. */
static inline int bsr_outcomes_known(const bsr_outcomes *o)
{
    return o->masked + o->benign + o->critical == o->pairs;
}

#endif
