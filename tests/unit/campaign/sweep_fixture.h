/* A network with noise as images: accuracy means nothing, everything else does. */
#ifndef BSR_TESTS_CAMPAIGN_SWEEP_FIXTURE_H
#define BSR_TESTS_CAMPAIGN_SWEEP_FIXTURE_H

#define _XOPEN_SOURCE 700 /* mkdtemp */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/alloc.h"
#include "bitseer/campaign.h"
#include "rng/philox.h"
#include "store/store.h"

static char folder[] = "/tmp/bsr_sweep_XXXXXX";

static int make_folder(void **state)
{
    return mkdtemp(folder) ? 0 : -1;
}

static int remove_folder(void **state)
{
    return rmdir(folder);
}

/* FOLDER/name, in one of four static buffers in turn. */
static const char *in_folder(const char *name)
{
    static char paths[4][128];
    static int turn;
    char *path = paths[turn++ % 4];
    snprintf(path, sizeof paths[0], "%s/%s", folder, name);
    return path;
}

static void must(bsr_status status)
{
    if (status != BSR_OK)
        fail_msg("%s: %s", bsr_status_name(status), bsr_error_message());
}

typedef struct fixture {
    bsr_model *model;
    bsr_dataset *data;
    bsr_model_info info;
} fixture;

/* Records of kind planes16 with random bytes; labels 0 to 2. */
static void write_images(const char *path, const bsr_model_info *info, int n)
{
    FILE *f = fopen(path, "wb");
    assert_non_null(f);
    bsr_rng rng = bsr_rng_make(3, 0);
    for (int i = 0; i < n; i++) {
        putc((int)bsr_rng_below(&rng, 3), f);
        putc(0, f);
        for (int k = 0; k < info->channels * info->height * info->width; k++)
            putc((int)bsr_rng_below(&rng, 256), f);
    }
    assert_int_equal(fclose(f), 0);
}

static void open_data(fixture *x, int images)
{
    char spec[160];
    const char *path = in_folder("images");
    x->info = bsr_model_get_info(x->model);
    write_images(path, &x->info, images);
    snprintf(spec, sizeof spec, "planes16:%s", path);
    bsr_dataset_options o = BSR_DATASET_OPTIONS_INIT;
    o.data = spec;
    must(bsr_dataset_open(&x->data, &o, x->info.channels, x->info.height, x->info.width));
    remove(path);
}

static void open_fixture(fixture *x, const char *model, int images)
{
    must(bsr_model_load(&x->model, model, NULL));
    open_data(x, images);
}

static void close_fixture(fixture *x)
{
    bsr_dataset_free(x->data);
    bsr_model_free(x->model);
}

/* The chips in a database. */
typedef struct chip_list {
    bsr_chip_row rows[512];
    size_t n;
} chip_list;

static bsr_status add_chip(void *ctx, const bsr_chip_row *row)
{
    chip_list *l = ctx;
    assert_true(l->n < sizeof l->rows / sizeof *l->rows);
    l->rows[l->n++] = *row;
    return BSR_OK;
}

static void read_chips(chip_list *l, const char *path)
{
    bsr_store *store;
    memset(l, 0, sizeof *l);
    must(bsr_store_open(&store, path, 0));
    must(bsr_store_chips(store, add_chip, l));
    bsr_store_close(store);
}

static void assert_same_chips(const chip_list *a, const chip_list *b)
{
    assert_int_equal(a->n, b->n);
    assert_memory_equal(a->rows, b->rows, a->n * sizeof *a->rows);
}

static void remove_store(const char *path)
{
    char name[160];
    static const char *const ends[] = {"", "-wal", "-shm", "-journal", ".lock"};
    for (size_t i = 0; i < sizeof ends / sizeof *ends; i++) {
        snprintf(name, sizeof name, "%s%s", path, ends[i]);
        remove(name);
    }
}

/* Stored weight bits of a network whose constants are float. */
static uint64_t weight_bits(const bsr_model *model)
{
    bsr_layer_info l;
    uint64_t bits = 0;
    for (int i = 0; i < bsr_model_get_info(model).layers; i++) {
        must(bsr_model_layer(model, i, &l));
        bits += (uint64_t)l.weights * (uint64_t)l.weight_bits;
    }
    return bits;
}

#endif
