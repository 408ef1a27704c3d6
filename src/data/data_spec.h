/* The `data` option: KIND:PATH. */
#ifndef BSR_DATA_DATA_SPEC_H
#define BSR_DATA_DATA_SPEC_H

#include "data/source.h"

/* Whether `spec` names a data card (and not KIND:PATH). */
int bsr_spec_is_card(const char *spec);

/* `path` as seen from the folder of the file `base`; a plain copy when `path` is absolute or `base`
 * is NULL. Caller frees with bsr_free; NULL when out of memory. */
char *bsr_path_beside(const char *base, const char *path);

/* Opens what `spec` names, with its paths relative to the folder of `card` (NULL: no card). *kind
 * is the kind's name, static. EINVAL: an unknown kind, too few paths, options that the kind does
 * not have. On failure the source needs no closing. */
bsr_status bsr_spec_open(bsr_source *source, const char **kind, const char *spec, const char *card,
                         const bsr_want *want);

#endif
