#include "campaign/sweep_chips.h"

#include <math.h>
#include <stdio.h>

#include "base/alloc.h"
#include "base/error.h"

/* Images of an item of work. Sums of squares are added slice by slice, so it belongs to the
 * results. */
#define SLICE_IMAGES 100

/* Items between two barriers; bounds what is remembered of unfinished chips. */
#define BLOCK_ITEMS 16384

#define BATCH_SECONDS 0.5

/* What is counted in one slice of one chip. */
typedef struct tally {
    int64_t constant_flips, tensor_flips, correct, critical, due, sdc, top5;
    double sse;
} tally;

/* One thread's. */
typedef struct bsr_chip_bench {
    bsr_chip *chip;
    size_t loaded; /* number in the block of the chip whose errors are stored, SIZE_MAX: none */
    uint64_t stored_flips; /* of it */
    const bsr_sweep_chips *all;
    const bsr_chip_errors *errors; /* of the current chip */
    uint64_t first_image;          /* of the images that run now */
    uint64_t tensor_flips;
    char *input_room; /* [together], where the images are not kept */
    float *planes;
    const char **inputs; /* [together] */
    float **logits;
    float *logit_room;
} bench;

/* The chips that are worked on between two barriers. */
typedef struct block {
    bsr_sweep_chips *c;
    bsr_store *store;
    size_t n, most;
    bsr_chip_errors *errors; /* [most] */
    tally *tallies;          /* [most][slices] */
    size_t *left;            /* [most] slices to come; under `lock`, as what follows */
    bsr_chip_row *waiting;   /* [most] finished and not written */
    size_t n_waiting;
    double last_write;
    bsr_lock *lock;
} block;

static size_t input_bytes(const bsr_session *s)
{
    return s->plan->ptens[s->plan->input].image_bytes;
}

static bsr_status read_image(const bsr_session *s, size_t image, float *planes, char *input)
{
    BSR_TRY(bsr_dataset_image(s->data, image, planes));
    bsr_input_layout(s->plan, planes, s->model->nhwc, input);
    return BSR_OK;
}

static bsr_status read_slice(void *ctx, size_t item, int thread)
{
    bsr_sweep_chips *c = ctx;
    size_t end = (item + 1) * SLICE_IMAGES;
    for (size_t i = item * SLICE_IMAGES; i < end && i < c->s->images; i++)
        BSR_TRY(read_image(c->s, i, c->bench[thread]->planes, c->inputs + i * input_bytes(c->s)));
    return BSR_OK;
}

/* Images are read once for all chips, where they fit. */
static bsr_status keep_inputs(bsr_sweep_chips *c)
{
    const bsr_session *s = c->s;
    if (s->options.max_memory / input_bytes(s) < s->images)
        return BSR_OK;
    c->inputs = bsr_alloc_aligned(s->images, input_bytes(s));
    return c->inputs ? bsr_pool_run(s->pool, c->slices, read_slice, c) : BSR_ENOMEM;
}

static bsr_status run_golden(bsr_sweep_chips *c)
{
    bsr_session *s = c->s;
    int classes = bsr_plan_classes(s->plan);
    bsr_lane_result r;
    c->golden = bsr_alloc_array(s->images, (size_t)classes * sizeof *c->golden);
    if (!c->golden)
        return BSR_ENOMEM;
    double start = bsr_seconds();
    BSR_TRY(bsr_session_accuracy(s, s->plan, c->golden, &s->correct));
    s->forward_seconds = bsr_seconds() - start;
    s->golden_seconds += s->forward_seconds;
    for (size_t i = 0; i < s->images; i++) {
        const float *z = c->golden + i * (size_t)classes;
        bsr_judge_logits(z, bsr_dataset_label(s->data, i), z, classes, &r);
        c->top5_correct += !r.top5;
    }
    return BSR_OK;
}

static bsr_status new_bench(bench **out, const bsr_sweep_chips *c)
{
    const bsr_session *s = c->s;
    const bsr_pten *in = &s->plan->ptens[s->plan->input];
    size_t classes = (size_t)bsr_plan_classes(s->plan);
    bench *b = *out = bsr_calloc_array(1, sizeof *b);
    if (!b)
        return BSR_ENOMEM;
    b->all = c;
    b->input_room = bsr_alloc_aligned(c->together, in->image_bytes);
    b->planes = bsr_alloc_aligned((size_t)in->pixels * (size_t)in->channels, sizeof *b->planes);
    b->inputs = bsr_alloc_array(c->together, sizeof *b->inputs);
    b->logits = bsr_alloc_array(c->together, sizeof *b->logits);
    b->logit_room = bsr_alloc_array(c->together, classes * sizeof *b->logit_room);
    if (!b->input_room || !b->planes || !b->inputs || !b->logits || !b->logit_room)
        return BSR_ENOMEM;
    for (size_t i = 0; i < c->together; i++)
        b->logits[i] = b->logit_room + i * classes;
    return bsr_chip_new(&b->chip, s->plan, (int)c->together);
}

static void free_bench(bench *b)
{
    if (!b)
        return;
    bsr_chip_free(b->chip);
    bsr_free(b->input_room);
    bsr_free(b->planes);
    bsr_free(b->inputs);
    bsr_free(b->logits);
    bsr_free(b->logit_room);
    bsr_free(b);
}

bsr_status bsr_chips_init(bsr_sweep_chips *c, bsr_session *s, const bsr_target *targets,
                          int n_targets)
{
    *c = (bsr_sweep_chips){.s = s};
    c->slices = (s->images + SLICE_IMAGES - 1) / SLICE_IMAGES;
    c->together = bsr_images_together(s->plan);
    BSR_TRY(bsr_memory_init(&c->memory, s, targets, n_targets));
    c->bench = bsr_calloc_array((size_t)s->options.threads, sizeof *c->bench);
    if (!c->bench)
        return BSR_ENOMEM;
    for (int t = 0; t < s->options.threads; t++)
        BSR_TRY(new_bench(&c->bench[t], c));
    BSR_TRY(keep_inputs(c));
    return run_golden(c);
}

void bsr_chips_clear(bsr_sweep_chips *c)
{
    for (int t = 0; c->bench && t < c->s->options.threads; t++)
        free_bench(c->bench[t]);
    bsr_free(c->bench);
    bsr_free(c->inputs);
    bsr_free(c->golden);
    bsr_memory_clear(&c->memory);
    *c = (bsr_sweep_chips){0};
}

static void hit_tensor(void *ctx, int image, int value, char *data)
{
    bench *b = ctx;
    b->tensor_flips +=
        bsr_memory_hit(&b->all->memory, b->errors, b->first_image + (uint64_t)image, value, data);
}

/* Makes the thread's chip the one of this number of the block. */
static bsr_status load(bench *b, const block *k, size_t number)
{
    b->errors = &k->errors[number];
    if (b->loaded == number)
        return BSR_OK;
    b->loaded = SIZE_MAX;
    bsr_chip_reset(b->chip);
    BSR_TRY(bsr_memory_store(&b->all->memory, b->chip, b->errors, &b->stored_flips));
    b->loaded = number;
    return BSR_OK;
}

/* Runs n images from `first` on. */
static bsr_status run_images(bench *b, size_t first, size_t n, tally *t)
{
    const bsr_sweep_chips *c = b->all;
    const bsr_session *s = c->s;
    int classes = bsr_plan_classes(s->plan);
    for (size_t i = 0; i < n; i++) {
        char *room = b->input_room + i * input_bytes(s);
        if (c->inputs)
            room = c->inputs + (first + i) * input_bytes(s);
        else
            BSR_TRY(read_image(s, first + i, b->planes, room));
        b->inputs[i] = room;
    }
    b->first_image = first;
    BSR_TRY(bsr_chip_run(b->chip, (int)n, b->inputs, c->memory.hit, hit_tensor, b, b->logits));
    for (size_t i = 0; i < n; i++) {
        const float *golden = c->golden + (first + i) * (size_t)classes;
        bsr_lane_result r;
        bsr_judge_logits(golden, bsr_top1(golden, classes), b->logits[i], classes, &r);
        t->correct += r.top1 == bsr_dataset_label(s->data, first + i);
        t->critical += r.critical;
        t->due += r.due;
        t->sdc += r.critical && !r.due;
        t->top5 += r.top5;
        if (!r.due && isfinite(r.sse))
            t->sse += r.sse;
    }
    return BSR_OK;
}

static bsr_status write_waiting(block *k)
{
    if (k->n_waiting)
        BSR_TRY(bsr_store_put_chips(k->store, k->waiting, k->n_waiting));
    k->n_waiting = 0;
    k->last_write = bsr_seconds();
    return BSR_OK;
}

/* Adds up a chip whose slices are all done, in their order. */
static bsr_chip_row finished_row(const block *k, size_t number)
{
    const bsr_chip_errors *e = &k->errors[number];
    bsr_chip_row row = {.point = e->point,
                        .run = e->run,
                        .ber = e->p1,
                        .ber01 = e->p0,
                        .images = (int64_t)k->c->s->images};
    for (size_t i = 0; i < k->c->slices; i++) {
        const tally *t = &k->tallies[number * k->c->slices + i];
        row.weight_flips = t->constant_flips;
        row.activation_flips += t->tensor_flips;
        row.correct += t->correct;
        row.critical += t->critical;
        row.due += t->due;
        row.sdc += t->sdc;
        row.top5 += t->top5;
        row.sse += t->sse;
    }
    return row;
}

static bsr_status finish_slice(block *k, size_t item, const tally *t)
{
    size_t number = item / k->c->slices;
    bsr_status status = BSR_OK;
    bsr_lock_acquire(k->lock);
    k->tallies[item] = *t;
    if (--k->left[number] == 0) {
        k->waiting[k->n_waiting++] = finished_row(k, number);
        k->c->done++;
        if (bsr_seconds() - k->last_write > BATCH_SECONDS)
            status = write_waiting(k);
    }
    bsr_lock_release(k->lock);
    return status;
}

static bsr_status run_item(void *ctx, size_t item, int thread)
{
    block *k = ctx;
    bsr_sweep_chips *c = k->c;
    bench *b = c->bench[thread];
    size_t first = item % c->slices * SLICE_IMAGES, end = first + SLICE_IMAGES;
    tally t = {0};
    end = end < c->s->images ? end : c->s->images;
    BSR_TRY(load(b, k, item / c->slices));
    b->tensor_flips = 0;
    while (first < end) {
        size_t n = end - first < c->together ? end - first : c->together;
        BSR_TRY(run_images(b, first, n, &t));
        BSR_TRY(bsr_session_step(c->s, n, thread));
        first += n;
    }
    t.constant_flips = (int64_t)b->stored_flips;
    t.tensor_flips = (int64_t)b->tensor_flips;
    return finish_slice(k, item, &t);
}

static bsr_status run_block(block *k)
{
    bsr_session *s = k->c->s;
    for (size_t i = 0; i < k->n; i++)
        k->left[i] = k->c->slices;
    for (int t = 0; t < s->options.threads; t++)
        k->c->bench[t]->loaded = SIZE_MAX;
    double start = bsr_seconds();
    bsr_status status = bsr_pool_run(s->pool, k->n * k->c->slices, run_item, k);
    s->seconds += bsr_seconds() - start;
    k->n = 0;
    if (status != BSR_OK) {
        /* What was finished stays; the error that ended the run is the one to report. */
        char message[512];
        snprintf(message, sizeof message, "%s", bsr_error_message());
        (void)!write_waiting(k);
        return bsr_fail(status, "%s", message);
    }
    return write_waiting(k);
}

/* Chips whose rows are there already. */
typedef struct seen {
    unsigned char *done; /* [points][runs] */
    int64_t points, runs;
    uint64_t n;
} seen;

static bsr_status mark(void *ctx, const bsr_chip_row *row)
{
    seen *s = ctx;
    if (row->point < 0 || row->point >= s->points || row->run < 0 || row->run >= s->runs)
        return bsr_fail(BSR_EFORMAT, "the database has a run %lld at rate number %lld",
                        (long long)row->run, (long long)row->point);
    s->done[row->point * s->runs + row->run] = 1;
    s->n++;
    return BSR_OK;
}

static bsr_status run_missing(block *k, const seen *have, const double (*rates)[2])
{
    const bsr_session *s = k->c->s;
    uint64_t all = (uint64_t)(have->points * have->runs);
    bsr_session_begin(k->c->s, "injecting", all * s->images, have->n * s->images);
    for (int64_t point = 0; point < have->points; point++)
        for (int64_t run = 0; run < have->runs; run++) {
            if (have->done[point * have->runs + run])
                continue;
            k->errors[k->n++] = (bsr_chip_errors){.point = point,
                                                  .run = run,
                                                  .p0 = rates[point][0],
                                                  .p1 = rates[point][1],
                                                  .seed = s->options.seed};
            if (k->n == k->most)
                BSR_TRY(run_block(k));
        }
    BSR_TRY(run_block(k));
    return bsr_session_end(k->c->s);
}

bsr_status bsr_chips_run(bsr_sweep_chips *c, bsr_store *store, const double (*rates)[2], int points,
                         int runs)
{
    block k = {.c = c, .store = store, .last_write = bsr_seconds()};
    seen have = {.points = points, .runs = runs};
    size_t all = (size_t)points * (size_t)runs;
    k.most = BLOCK_ITEMS / c->slices + 1;
    k.most = k.most < all ? k.most : all;
    k.errors = bsr_alloc_array(k.most, sizeof *k.errors);
    k.tallies = bsr_alloc_array(k.most, c->slices * sizeof *k.tallies);
    k.left = bsr_alloc_array(k.most, sizeof *k.left);
    k.waiting = bsr_alloc_array(k.most, sizeof *k.waiting);
    have.done = bsr_calloc_array(all, 1);
    bsr_status status = BSR_ENOMEM;
    if (k.errors && k.tallies && k.left && k.waiting && have.done)
        status = bsr_lock_new(&k.lock);
    if (status == BSR_OK)
        status = bsr_store_chips(store, mark, &have);
    if (status == BSR_OK)
        status = run_missing(&k, &have, rates);
    bsr_lock_free(k.lock);
    bsr_free(k.errors);
    bsr_free(k.tallies);
    bsr_free(k.left);
    bsr_free(k.waiting);
    bsr_free(have.done);
    return status;
}
