/* Here because both campaign and report need it. */
#include "bitseer/protect.h"

static const char *const names[BSR_PROTECT_METHODS] = {"", "parity", "secded", "tmr"};

const char *bsr_protect_name(bsr_protect_by by)
{
    return (unsigned)by < BSR_PROTECT_METHODS ? names[by] : NULL;
}
