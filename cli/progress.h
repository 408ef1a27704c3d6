/* Progress of a run on stderr, and stopping it by SIGINT or SIGTERM. */
#ifndef BSR_CLI_PROGRESS_H
#define BSR_CLI_PROGRESS_H

#include "bitseer/run.h"

typedef struct progress {
    int shown;         /* draw at all */
    int width;         /* characters of the line on the screen now */
    double drawn;      /* seconds of the monotonic clock */
    const char *phase; /* of the line on the screen */
} progress;

/* Installs the signal handlers; a second signal ends the program as usual. forced: draw although
 * stderr is no terminal; quiet: never. */
void progress_start(progress *p, int forced, int quiet);

/* The bsr_progress_fn; ctx is a progress. */
int progress_report(void *ctx, const bsr_progress *now);

/* Removes the line. */
void progress_end(progress *p);

#endif
