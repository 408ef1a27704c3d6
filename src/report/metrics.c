#include <stddef.h>

#include "bitseer/result.h"

const char *bsr_metric_name(bsr_metric metric)
{
    static const char *const names[BSR_METRICS] = {
        [BSR_METRIC_CRITICAL] = "critical", [BSR_METRIC_SDC] = "sdc",
        [BSR_METRIC_DUE] = "due",           [BSR_METRIC_BENIGN] = "benign",
        [BSR_METRIC_MASKED] = "masked",     [BSR_METRIC_TOP5] = "top5",
        [BSR_METRIC_ACCURACY] = "accuracy",
    };
    return (unsigned)metric < BSR_METRICS ? names[metric] : NULL;
}
