/* Which of n numbered things a text selects: --layers, --tensors, --channels, --bits.
 *
 *   selector = item { "," item }        NULL, "" and "all" select everything
 *   item     = [ "!" ] what
 *   what     = "all"
 *            | NUMBER                   from 0
 *            | [ FROM ] ":" [ END ]     END is not in the range; left out: from 0, up to the end
 *            | FIRST "-" LAST           LAST is in the range
 *            | NAME                     only where the things have names
 *            | PATTERN                  the same; "*" is any text, "?" any one byte
 *
 * Items are taken from left to right; one with "!" removes what it selects, and a selector that
 * starts with such an item starts from everything: "!0" is all but the first, "conv*,!conv1" all
 * conv but one. Spaces around items are dropped.
 *
 * What is exactly a name is that name (of all things that have it), even where it looks like a
 * number or pattern: exporters call tensors "191". A name with a comma, or with "!" in front, is
 * reached by a pattern with "?" in its place. */
#ifndef BSR_FAULT_SELECTOR_H
#define BSR_FAULT_SELECTOR_H

#include "bitseer/status.h"

/* Name of thing i; never NULL. */
typedef const char *(*bsr_select_name)(void *ctx, int i);

/* Writes chosen[0..n-1], 1 for what is selected, else 0. `what` is what one thing is called in
 * messages, e.g. "layer". name == NULL: the things have numbers only.
 * ENOTFOUND: something selected does not exist (a near name is suggested), or nothing is selected.
 * EINVAL: the item at the character named is none of the above. chosen is undefined after an error.
 * Allocates nothing; time is items * n, names and patterns times their length. */
bsr_status bsr_select(unsigned char *chosen, int n, const char *selector, const char *what,
                      bsr_select_name name, void *ctx);

#endif
