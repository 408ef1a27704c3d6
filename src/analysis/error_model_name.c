#include "bitseer/campaign.h"

/* Here, below src/report, as error models themselves are made above it. */
const char *bsr_error_model_name(bsr_error_model model)
{
    static const char *const names[BSR_MODELS] = {
        [BSR_MODEL_AUTO] = "auto",     [BSR_MODEL_LOGITS] = "logits",
        [BSR_MODEL_NORMAL] = "normal", [BSR_MODEL_POISSON] = "poisson",
        [BSR_MODEL_NOISE] = "noise",   [BSR_MODEL_BITS] = "bits",
    };
    return (unsigned)model < BSR_MODELS ? names[model] : NULL;
}
