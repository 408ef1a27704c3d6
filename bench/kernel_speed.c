/* The speed of the kernels, as checkkernels measures it. */
#define _POSIX_C_SOURCE 200809L /* popen, setenv */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cpu.h"
#include "bench.h"

/* Its table has names in the first 22 columns, then GFLOP/s and the share of the peak. */
enum { NAME_WIDTH = 22 };

void bench_kernels(table *t, const bench_options *o)
{
    char command[128], line[256], name[96], note[96];
    const char *cpu = bsr_cpu_name(bsr_cpu_best());
    table_title(t, "Kernels, one thread");
    if (!o->checkkernels) {
        table_remark(t, "kernels", "skipped: no checkkernels program given");
        return;
    }
    setenv("BENCH_CHECKKERNELS", o->checkkernels, 1);
    snprintf(command, sizeof command, "exec \"$BENCH_CHECKKERNELS\" --bench --cpu %s", cpu);
    FILE *pipe = popen(command, "r");
    int lines = 0;
    while (pipe && fgets(line, sizeof line, pipe)) {
        double gflops, share;
        const char *colon = strstr(line, "one core:");
        if (colon && sscanf(colon, "one core: %lf", &gflops) == 1) {
            snprintf(name, sizeof name, "%s multiply-adds in registers: the peak", cpu);
            table_line(t, name, gflops, NAN, "GFLOP/s", NO_TARGET, "");
        } else if (strlen(line) > NAME_WIDTH &&
                   sscanf(line + NAME_WIDTH, "%lf %lf%%", &gflops, &share) == 2) {
            int n = NAME_WIDTH;
            while (n > 0 && line[n - 1] == ' ')
                n--;
            snprintf(name, sizeof name, "%s %.*s", cpu, n, line);
            snprintf(note, sizeof note, "%.0f %% of the peak", share);
            table_line(t, name, gflops, NAN, "GFLOP/s", NO_TARGET, note);
            lines++;
        }
    }
    if (!pipe || pclose(pipe) != 0 || !lines)
        table_remark(t, "kernels", "skipped: checkkernels does not run");
}
