/* An ordered dump of a run's database, as a hash: everything but what processes say of themselves.
 */
#ifndef TESTS_CAMPAIGN_DUMP_H
#define TESTS_CAMPAIGN_DUMP_H

#include <stdint.h>

/* Writes the SHA-256 of all facts, layers, strata, listed faults, answers, bounds, maskings, counts
 * of screening, chips and values; *answers is the number of rows in `fault`, `pair` and `chip`.
 * Ends the program on errors. */
void dump_hash(char hex[65], const char *path, uint64_t *answers);

#endif
