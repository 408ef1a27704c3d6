#define _POSIX_C_SOURCE 200809L
#include "progress.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define SECONDS_BETWEEN 0.2

static volatile sig_atomic_t stop_asked;

static void on_signal(int number)
{
    stop_asked = 1;
}

void progress_start(progress *p, int forced, int quiet)
{
    *p = (progress){.shown = !quiet && (forced || isatty(STDERR_FILENO))};
    struct sigaction action = {.sa_handler = on_signal, .sa_flags = (int)SA_RESETHAND};
    sigemptyset(&action.sa_mask);
    sigaction(SIGINT, &action, NULL);
    sigaction(SIGTERM, &action, NULL);
}

static double now_seconds(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static void format_seconds(char *out, size_t room, double s)
{
    if (s < 100)
        snprintf(out, room, "%.0f s", s);
    else if (s < 6000)
        snprintf(out, room, "%.0f min", s / 60);
    else
        snprintf(out, room, "%.1f h", s / 3600);
}

static void draw(progress *p, const bsr_progress *now)
{
    char line[160], left[32] = "-";
    double share = now->total ? (double)now->done / (double)now->total : 0;
    if (now->rate > 0 && now->total >= now->done)
        format_seconds(left, sizeof left, (double)(now->total - now->done) / now->rate);
    int n = snprintf(line, sizeof line, "%s: %3.0f %%  %llu/%llu  %.4g/s  %s left", now->phase,
                     100 * share, (unsigned long long)now->done, (unsigned long long)now->total,
                     now->rate, left);
    fprintf(stderr, "\r%-*s", p->width, line);
    fflush(stderr);
    p->width = n;
}

int progress_report(void *ctx, const bsr_progress *now)
{
    progress *p = ctx;
    if (p->shown) {
        double t = now_seconds();
        int is_new = !p->phase || strcmp(p->phase, now->phase) != 0;
        if (is_new || t - p->drawn >= SECONDS_BETWEEN) {
            p->drawn = t;
            p->phase = now->phase;
            draw(p, now);
        }
    }
    return stop_asked;
}

void progress_end(progress *p)
{
    if (p->width)
        fprintf(stderr, "\r%*s\r", p->width, "");
    p->width = 0;
}
