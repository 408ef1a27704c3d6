/* Runs that are killed at random moments and resumed end with the database of a run that was not:
 * nothing lost, nothing twice, whatever the threads and memory of each part. Exit 77 without
 * Debian's Fashion-MNIST. */
#define _POSIX_C_SOURCE 200809L
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "bitseer/campaign.h"
#include "campaign/dump.h"
#include "rng/philox.h"
#include "support/zoo.h"

#define KILLS 80

static int failures;

/* A run that takes some tenths of a second. */
typedef struct scenario {
    const char *name;
    int sweep, analyze;
    bsr_run_options o;
    double golden_images; /* images whose golden tensors fit into memory; 0: all */
} scenario;

static void run_once(const scenario *s, const char *path, int threads, int resume)
{
    bsr_model *model;
    bsr_dataset *data;
    bsr_result *result = NULL;
    bsr_sweep_result *sweep = NULL;
    zoo_open(zoo_find("fashion_resnet"), "16", &model, &data);
    bsr_run_options o = s->o;
    o.store = path;
    o.resume = resume;
    o.threads = threads;
    if (s->golden_images > 0)
        o.max_memory = (size_t)(s->golden_images * (double)bsr_model_get_info(model).golden_bytes);
    if (s->sweep) {
        bsr_sweep_options so = BSR_SWEEP_OPTIONS_INIT;
        so.ber = "1e-5:1e-2/3";
        so.targets = "weight,activation";
        so.runs = 10;
        zoo_check(bsr_sweep(&sweep, model, data, &o, &so), s->name);
    } else {
        bsr_status (*run)(bsr_result **, const bsr_model *, const bsr_dataset *,
                          const bsr_run_options *) = s->analyze ? bsr_analyze : bsr_inject;
        zoo_check(run(&result, model, data, &o), s->name);
    }
    bsr_sweep_result_free(sweep);
    bsr_result_free(result);
    bsr_dataset_free(data);
    bsr_model_free(model);
}

static double seconds_now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

/* Lets the run go on for some time; 1 when it was killed before its end. */
static int run_and_kill(const scenario *s, const char *path, int threads, int resume,
                        double seconds)
{
    fflush(stdout);
    pid_t pid = fork();
    if (pid == 0) {
        run_once(s, path, threads, resume);
        _exit(0);
    }
    struct timespec wait = {(time_t)seconds, (long)(1e9 * (seconds - (double)(time_t)seconds))};
    nanosleep(&wait, NULL);
    kill(pid, SIGKILL);
    int status;
    waitpid(pid, &status, 0);
    if (WIFEXITED(status) && WEXITSTATUS(status) != 0) {
        printf("FAILED: %s: a part ended with status %d\n", s->name, WEXITSTATUS(status));
        failures++;
    }
    return WIFSIGNALED(status);
}

/* A database that was never committed is removed or refused: then the run starts again. */
static int can_resume(const char *path)
{
    char command[16];
    int complete;
    if (access(path, F_OK) != 0)
        return 0;
    if (bsr_run_kind(path, command, &complete) == BSR_OK)
        return 1;
    remove(path);
    return 0;
}

static void try_scenario(const scenario *s, const char *folder, int kills, uint64_t seed)
{
    char unbroken[256], broken[256], want[65], got[65];
    uint64_t answers, answers_now;
    snprintf(unbroken, sizeof unbroken, "%s/unbroken.db", folder);
    snprintf(broken, sizeof broken, "%s/broken.db", folder);
    double start = seconds_now();
    run_once(s, unbroken, 2, 0);
    double whole = seconds_now() - start;
    dump_hash(want, unbroken, &answers);
    bsr_rng rng = bsr_rng_make(seed, 0);
    int killed = 0, parts = 0;
    while (killed < kills) {
        int resume = can_resume(broken);
        double share = bsr_rng_uniform(&rng);
        killed += run_and_kill(s, broken, 1 + (int)bsr_rng_below(&rng, 2), resume, whole * share);
        parts++;
        /* A run that ended starts again, so that there is something to kill. */
        char command[16];
        int complete = 0;
        if (can_resume(broken) && bsr_run_kind(broken, command, &complete) == BSR_OK && complete) {
            dump_hash(got, broken, &answers_now);
            if (strcmp(got, want) != 0) {
                printf("FAILED: %s: resumed run differs\n", s->name);
                failures++;
            }
            remove(broken);
        }
    }
    run_once(s, broken, 1, can_resume(broken));
    dump_hash(got, broken, &answers_now);
    printf("%-28s %6llu answers, %d parts, %d killed, unbroken in %.2f s: %s\n", s->name,
           (unsigned long long)answers, parts, killed, whole,
           strcmp(got, want) == 0 ? "same" : "DIFFERENT");
    failures += strcmp(got, want) != 0 || answers != answers_now;
    remove(unbroken);
    remove(broken);
}

int main(void)
{
    if (!zoo_exists(zoo_find("fashion_resnet"))) {
        printf("skipped: Debian's dataset-fashion-mnist is not there\n");
        return 77;
    }
    char folder[] = "/tmp/bitseer-killed-XXXXXX";
    if (!mkdtemp(folder))
        return 1;
    scenario list[] = {
        {.name = "random weight flips", .o = BSR_RUN_OPTIONS_INIT},
        {.name = "adaptive, rays", .o = BSR_RUN_OPTIONS_INIT},
        {.name = "transient, images in sets", .o = BSR_RUN_OPTIONS_INIT, .golden_images = 5.5},
        {.name = "sweep", .sweep = 1, .o = BSR_RUN_OPTIONS_INIT},
        {.name = "analysis, pairs", .analyze = 1, .o = BSR_RUN_OPTIONS_INIT, .golden_images = 7.5},
        {.name = "theta lowered, pairs", .analyze = 1, .o = BSR_RUN_OPTIONS_INIT},
        {.name = "theta lowered, bounds", .analyze = 1, .o = BSR_RUN_OPTIONS_INIT},
        {.name = "injection, screened", .o = BSR_RUN_OPTIONS_INIT},
    };
    list[0].o.plan = "random:8000";
    list[1].o.plan = "adaptive";
    list[1].o.method = "ray";
    list[1].o.margin = 0.01;
    list[2].o.plan = "random:60000";
    list[2].o.target = BSR_TARGET_ACTIVATION;
    list[2].o.transient = 1;
    list[4].o.plan = "adaptive";
    list[4].o.margin = 0.004;
    list[5].o.plan = "adaptive";
    list[5].o.margin = 0.01;
    list[5].o.screen = 20;
    list[5].o.screen_checks = 20000;
    list[6].o.plan = "sites:30";
    list[6].o.screen = 20;
    list[6].o.bounds = 1;
    list[7].o.plan = "random:8000";
    list[7].o.screen = 0.1;
    size_t n = sizeof list / sizeof *list;
    for (size_t i = 0; i < n; i++)
        try_scenario(&list[i], folder, (int)((KILLS + n - 1) / n), i);
    rmdir(folder);
    printf("%d failures\n", failures);
    return failures > 0;
}
