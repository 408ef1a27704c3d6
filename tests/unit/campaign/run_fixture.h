/* Runs made by hand: a network of two layers, and answers as a test wants them. Include it first.
 */
#ifndef BSR_TESTS_CAMPAIGN_RUN_FIXTURE_H
#define BSR_TESTS_CAMPAIGN_RUN_FIXTURE_H

#include "unit/store/fixtures.h"

#include "bitseer/campaign.h"
#include "campaign/record.h"

/* Images of every run here but those that say otherwise. */
#define IMAGES 10

static inline void add_space(bsr_spaces *all, bsr_space s, const char *name, const char *op,
                             const int *variants, int n_variants)
{
    bsr_space *to = &all->spaces[all->n++];
    *to = s;
    to->name = bsr_strdup(name);
    to->op = bsr_strdup(op);
    to->format = bsr_strdup(s.width == 8 ? "int8" : "float32");
    to->n_chosen = s.channels;
    to->chosen = bsr_alloc_array((size_t)s.channels, sizeof *to->chosen);
    for (int c = 0; c < s.channels; c++)
        to->chosen[c] = c;
    to->n_variants = n_variants;
    memcpy(to->variants, variants, (size_t)n_variants * sizeof *variants);
    assert_int_equal(bsr_space_finish(all, to), BSR_OK);
}

/* Weights: layer 0, a Conv with 2 channels of 3, and layer 2, a plain matrix of 4 rows and 3
 * columns (channels). Bits 0 and width - 1. Faults 0..11 are in layer 0, 12..35 in layer 2. */
static inline void make_spaces(bsr_spaces *all, int width)
{
    const int bits[] = {0, width - 1};
    *all = (bsr_spaces){.spaces = bsr_calloc_array(2, sizeof *all->spaces)};
    bsr_space conv = {.place = BSR_FAULT_WEIGHT, .width = width, .outer = 1, .inner = 3};
    conv.channels = 2;
    add_space(all, conv, "conv1", "Conv", bits, 2);
    bsr_space fc = {.index = 2, .place = BSR_FAULT_WEIGHT, .width = width, .outer = 4, .inner = 1};
    fc.channels = 3;
    add_space(all, fc, "fc, \"last\"", "Gemm", bits, 2);
}

/* A Conv whose only tap row slides over 3 pixels with padding: 2 taps, 2 input channels, 2 output
 * channels; pixel 0 misses tap 0. Element = c * 4 + ci * 2 + tap. */
static inline void make_operand_space(bsr_spaces *all)
{
    const int bits[] = {3};
    *all = (bsr_spaces){.spaces = bsr_calloc_array(1, sizeof *all->spaces)};
    bsr_space s = {.place = BSR_FAULT_OPERAND_INPUT, .width = 8, .outer = 1, .inner = 4};
    s.channels = 2;
    s.pixels = 3;
    s.taps = 2;
    s.cin = 2;
    s.windows_bytes = 3;
    s.windows = bsr_alloc_array(3, 1);
    memcpy(s.windows, (unsigned char[]){2, 3, 3}, 3);
    add_space(all, s, "conv", "Conv", bits, 1);
}

static inline void fill_record(bsr_record *r, const bsr_run_options *o, int by_site)
{
    memset(r, 0, sizeof *r);
    r->images = IMAGES;
    r->classes = 4;
    r->network_layers = 3;
    r->confidence = 0.95;
    r->transient = o->transient;
    r->complete = 1;
    r->worst = 3;
    strcpy(r->command, "inject");
    strcpy(r->target, "weight");
    strcpy(r->method, by_site ? "ray" : "direct");
    strcpy(r->version, "0");
    memset(r->model_sha256, 'a', 64);
    memset(r->data_sha256, 'd', 64);
    r->fault = bsr_strdup(o->fault ? o->fault : "bitflip");
    r->format = bsr_strdup(o->format ? o->format : "");
    r->model_path = bsr_strdup("m.onnx");
    r->data_spec = bsr_strdup("d");
    r->spec = bsr_strdup("s");
}

static inline void design_record(bsr_record *r, const bsr_run_options *o, int by_site)
{
    assert_int_equal(bsr_fault_model_parse(&r->spaces.model, r->fault), BSR_OK);
    assert_int_equal(bsr_design_init(&r->design, &r->spaces, o, by_site, r->images), BSR_OK);
}

/* A run over make_spaces. */
static inline void make_record(bsr_record *r, const bsr_run_options *o, int by_site)
{
    fill_record(r, o, by_site);
    make_spaces(&r->spaces, 8);
    design_record(r, o, by_site);
}

/* Writes the run and its answers; clears the record. The path is good for eight more
 * calls. */
static inline const char *put_run(const char *name, bsr_record *r, const bsr_fault_row *rows,
                                  size_t n)
{
    static char paths[8][256];
    static int turn;
    bsr_store *store;
    char *path = strcpy(paths[turn++ % 8], temp_path(name));
    assert_int_equal(bsr_store_create(&store, path), BSR_OK);
    assert_int_equal(bsr_store_add_setting(store, "model", "m.onnx"), BSR_OK);
    assert_int_equal(bsr_store_add_setting(store, "seed", "3"), BSR_OK);
    assert_int_equal(bsr_record_write(store, r), BSR_OK);
    assert_int_equal(bsr_store_put_answers(store, &(bsr_answers){.faults = rows, .n_faults = n}),
                     BSR_OK);
    bsr_store_close(store);
    bsr_record_clear(r);
    return path;
}

static inline char *read_text(const char *path)
{
    void *text;
    size_t n;
    assert_int_equal(bsr_file_read(&text, &n, path, 1 << 20), BSR_OK);
    return text;
}

#endif
