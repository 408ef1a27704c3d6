/* Parts that several JSON reports have in common. As in json_value.h, constructors return NULL on
 * failure and take NULL for their parts. */
#ifndef BSR_REPORT_JSON_PARTS_H
#define BSR_REPORT_JSON_PARTS_H

#include "bitseer/campaign.h"
#include "report/json_value.h"

/* A position; null for a negative one, which stands for none or all. */
json_t *bsr_json_index(int64_t i);

/* {"value", "ci"}, null where the value is NaN: nothing was observed. */
json_t *bsr_json_estimate(bsr_share share);

/* Adds value and interval at the end of `object` under the keys `name` and `ci`, nulls where they
 * are NaN. Returns the object. */
json_t *bsr_json_add_share(json_t *object, const char *name, const char *ci, bsr_share share);

/* layer: the index of the stratum's layer as the report's layers have it, -1 for all. */
json_t *bsr_json_stratum(const bsr_plan_stratum *s, int layer);

/* All that may differ between two runs of one analysis. */
json_t *bsr_json_performance(const bsr_performance *p, const char *cpu_brand);

json_t *bsr_json_provenance(const bsr_provenance *p);

#endif
