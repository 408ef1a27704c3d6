/* Do intervals of adaptive samples cover the truth as often as they say? A network is analysed
 * completely once; then the table of what is critical is sampled again and again by the rules of a
 * run: its strata, draws, rounds and estimates. BSR_COVERAGE_PRINT=1 prints the figures of
 * docs/theory/estimators.md. Exit 77 without Debian's Fashion-MNIST. */
#define _POSIX_C_SOURCE 200809L
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/alloc.h"
#include "bitseer/campaign.h"
#include "campaign/record.h"
#include "campaign/rounds.h"
#include "support/zoo.h"

#define RUNS 2000

/* Layers at most, and strata. */
#define MOST 64

/* What is critical of every site in every image. */
typedef struct table {
    bsr_record record;
    uint64_t images;
    uint32_t *critical; /* [sites][images], bit i: variant i */
    double *truth;      /* [layers + 1], the model's last */
} table;

static bsr_status take_row(void *ctx, const bsr_fault_row *row)
{
    table *t = ctx;
    const unsigned char *bits = row->critical_images;
    uint64_t site;
    int variant;
    const bsr_space *s = bsr_space_of(&t->record.spaces, (uint64_t)row->fault, &site, &variant);
    uint32_t *cell = t->critical + (s->first_site + site) * t->images;
    for (uint64_t i = 0; bits && i < t->images; i++)
        cell[i] |= (uint32_t)(bits[i / 8] >> i % 8 & 1) << variant;
    t->truth[s->id] += (double)row->critical / (double)s->population / (double)t->images;
    return BSR_OK;
}

static void read_table(table *t, const char *path)
{
    bsr_store *store;
    zoo_check(bsr_store_open(&store, path, 0), path);
    zoo_check(bsr_record_read(&t->record, store), path);
    const bsr_spaces *all = &t->record.spaces;
    t->images = t->record.images;
    t->critical = bsr_calloc_array(all->sites * t->images, sizeof *t->critical);
    t->truth = bsr_calloc_array((size_t)all->n + 1, sizeof *t->truth);
    if (!t->critical || !t->truth)
        zoo_check(BSR_ENOMEM, path);
    zoo_check(bsr_store_faults(store, 0, INT64_MAX, take_row, t), path);
    for (int i = 0; i < all->n; i++)
        t->truth[all->n] +=
            t->truth[i] * (double)all->spaces[i].population / (double)all->population;
    bsr_store_close(store);
}

static void free_table(table *t)
{
    bsr_record_clear(&t->record);
    bsr_free(t->critical);
    bsr_free(t->truth);
}

/* One of the sampled runs. */
typedef struct sample {
    const table *t;
    bsr_design design;
    bsr_stratum seen[MOST];
    int stratum_of[MOST][BSR_CLASSES]; /* [layers] */
} sample;

static void start_sample(sample *s, const table *t, double margin, uint64_t seed)
{
    bsr_run_options o = BSR_RUN_OPTIONS_INIT;
    const bsr_spaces *all = &t->record.spaces;
    o.plan = "adaptive";
    o.margin = margin;
    o.seed = seed;
    *s = (sample){.t = t};
    zoo_check(bsr_design_init(&s->design, all, &o, 1, t->images), "design");
    if (s->design.n_strata > MOST || !s->design.pairs)
        zoo_check(BSR_ELIMIT, "design");
    for (int i = 0; i < s->design.n_strata; i++) {
        const bsr_planned *p = &s->design.strata[i];
        uint64_t faults = bsr_planned_faults(&s->design, all, p);
        zoo_check(bsr_stratum_init(&s->seen[i], p->population, faults), "stratum");
        s->seen[i].faults = faults;
        s->stratum_of[p->space][p->variant > 0] = i;
    }
}

/* What a run answers to a unit. */
static void observe(sample *s, uint64_t unit)
{
    const bsr_spaces *all = &s->t->record.spaces;
    uint64_t site = unit / BSR_CLASSES / s->t->images, number = site;
    int class = (int)(unit % BSR_CLASSES);
    const bsr_space *space = bsr_space_of_site(all, &number);
    int classes = bsr_class_count(all, space);
    uint32_t bits = s->t->critical[site * s->t->images + unit / BSR_CLASSES % s->t->images];
    bits &= bsr_class_variants(all, space, classes > 1 ? class : -1);
    zoo_check(bsr_stratum_add(&s->seen[s->stratum_of[space->id][class]],
                              (uint64_t)__builtin_popcount(bits)),
              "unit");
}

static void run_sample(sample *s)
{
    for (int more = 1; more;) {
        uint64_t *units, n;
        zoo_check(bsr_design_draw(&s->design, &s->t->record.spaces, 0, &units, &n), "draw");
        for (uint64_t i = 0; i < n; i++)
            observe(s, units[i]);
        bsr_free(units);
        zoo_check(bsr_plan_round(&s->design, s->seen, &more), "round");
    }
}

/* Of all runs, for a layer or the model. */
typedef struct tally {
    int below, above; /* intervals wholly below the truth, and above */
    double half, units;
} tally;

static void judge(tally *to, const bsr_stratum *strata, size_t n, double truth, double margin)
{
    bsr_estimate e;
    zoo_check(bsr_stratified_of(&e, strata, n, 0.95, BSR_UNITS_MIXED), "estimate");
    double half = fmax(e.mean - e.ci.lo, e.ci.hi - e.mean);
    if (half > margin * (1 + 1e-12)) {
        printf("FAILED: half-width %g, asked for %g\n", half, margin);
        exit(1);
    }
    to->below += e.ci.hi < truth * (1 - 1e-12);
    to->above += e.ci.lo > truth * (1 + 1e-12);
    to->half += half / RUNS;
    for (size_t i = 0; i < n; i++)
        to->units += (double)strata[i].n / RUNS;
}

static void judge_all(const sample *s, tally *of, double margin)
{
    int n = s->design.n_strata, layers = s->t->record.spaces.n;
    for (int i = 0, end; i < n; i = end) {
        int layer = s->design.strata[i].space;
        for (end = i + 1; end < n && s->design.strata[end].space == layer; end++)
            ;
        judge(&of[layer], s->seen + i, (size_t)(end - i), s->t->truth[layer], margin);
    }
    judge(&of[layers], s->seen, (size_t)n, s->t->truth[layers], margin);
}

/* What is asked for, and coverage at most. Above 0.97 where a layer's sample often holds no
 * critical fault of a class, or there is none: then the interval is as wide as ignorance makes it.
 */
typedef struct expected {
    double margin, layers, model;
} expected;

static int verdict(const char *name, const char *what, double covered, double most)
{
    int fine = covered >= 0.93 && covered <= most;
    if (!fine)
        printf("FAILED: %s: %s covered in %.2f %% of the runs\n", name, what, 100 * covered);
    return !fine;
}

static int simulate(const table *t, const char *name, const expected *x)
{
    double margin = x->margin;
    tally of[MOST + 1] = {{0}};
    int layers = t->record.spaces.n, missed = 0;
    for (uint64_t run = 0; run < RUNS; run++) {
        sample s;
        start_sample(&s, t, margin, run);
        run_sample(&s);
        judge_all(&s, of, margin);
        bsr_design_clear(&s.design);
    }
    printf("%s, margin %g %%: ", name, 100 * margin);
    for (int i = 0; i < layers; i++)
        missed += of[i].below + of[i].above;
    double all = 1 - (double)missed / RUNS / layers;
    double model = 1 - (double)(of[layers].below + of[layers].above) / RUNS;
    printf("layers %.2f %%, model %.2f %%, %.0f units\n", 100 * all, 100 * model, of[layers].units);
    for (int i = 0; getenv("BSR_COVERAGE_PRINT") && i <= layers; i++)
        printf("  %5s %-28s VF %7.4f %%  below %5.2f %%  above %5.2f %%  +- %.4f %%  %.0f units\n",
               i < layers ? "layer" : "model", i < layers ? t->record.spaces.spaces[i].name : "",
               100 * t->truth[i], 100.0 * of[i].below / RUNS, 100.0 * of[i].above / RUNS,
               100 * of[i].half, of[i].units);
    return verdict(name, "layers", all, x->layers) + verdict(name, "model", model, x->model);
}

typedef struct scenario {
    const char *name, *format, *images;
    bsr_target target;
    expected margins[4];
} scenario;

int main(void)
{
    static const scenario list[] = {
        {"weights",
         NULL,
         "16",
         BSR_TARGET_WEIGHT,
         {{0.02, 0.985, 0.99}, {0.005, 0.985, 0.97}, {0.002, 0.97, 0.97}}},
        {"weights in int8", "int8", "8", BSR_TARGET_WEIGHT, {{0.005, 1, 1}}},
        {"activations in bf16",
         "bf16",
         "32",
         BSR_TARGET_ACTIVATION,
         {{0.02, 0.97, 0.985}, {0.005, 0.97, 0.97}, {0.002, 0.97, 0.97}}},
    };
    if (!zoo_exists(zoo_find("fashion_resnet"))) {
        printf("skipped: Debian's dataset-fashion-mnist is not there\n");
        return 77;
    }
    char folder[] = "/tmp/bitseer-coverage-XXXXXX", path[64];
    int failures = 0;
    if (!mkdtemp(folder))
        return 1;
    snprintf(path, sizeof path, "%s/run.db", folder);
    for (size_t i = 0; i < sizeof list / sizeof *list; i++) {
        bsr_model *model;
        bsr_dataset *data;
        bsr_result *result;
        table t = {.images = 0};
        bsr_run_options o = BSR_RUN_OPTIONS_INIT;
        zoo_open(zoo_find("fashion_resnet"), list[i].images, &model, &data);
        o.target = list[i].target;
        o.format = list[i].format;
        o.plan = "exhaustive";
        o.store = path;
        zoo_check(bsr_analyze(&result, model, data, &o), list[i].name);
        bsr_result_free(result);
        bsr_dataset_free(data);
        bsr_model_free(model);
        read_table(&t, path);
        for (int m = 0; m < 4 && list[i].margins[m].margin > 0; m++)
            failures += simulate(&t, list[i].name, &list[i].margins[m]);
        free_table(&t);
        remove(path);
    }
    rmdir(folder);
    printf("%d failures\n", failures);
    return failures > 0;
}
