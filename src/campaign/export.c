/* bsr_run_export: answers as text, as they come from the database. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/error.h"
#include "bitseer/campaign.h"
#include "campaign/answers.h"
#include "campaign/lines.h"

#define COUNT_OF(a) ((int)(sizeof(a) / sizeof *(a)))

/* Columns are part of the interface: their names and order stay. */
static const char *const fault_columns[] = {
    "layer", "name",   "op",     "element",  "pixel", "channel", "bit",  "keep",    "flip", "image",
    "pairs", "masked", "benign", "critical", "due",   "sdc",     "top5", "correct", "rmse"};

static const char *const chip_columns[] = {
    "point", "run", "ber",  "weight_flips", "activation_flips", "images", "correct", "critical",
    "due",   "sdc", "top5", "rmse"};

typedef struct exporter {
    const bsr_record *r;
    bsr_lines lines;
    bsr_fault_list list;
    size_t cap;
} exporter;

static bsr_status write_fault(void *ctx, const bsr_fault_row *row)
{
    exporter *e = ctx;
    bsr_lines *l = &e->lines;
    bsr_injected f;
    int variant;
    BSR_TRY(bsr_answer_fault(&f, &variant, e->r, row));
    const bsr_space *s = f.space;
    int digits = (s->width + 3) / 4;
    int64_t benign = row->masked < 0 ? -1 : row->pairs - row->masked - row->critical;
    bsr_lines_int(l, s->index);
    bsr_lines_text(l, s->name);
    bsr_lines_text(l, s->op);
    bsr_lines_int(l, f.site.element);
    bsr_lines_int(l, f.site.pixel);
    bsr_lines_int(l, f.site.channel);
    bsr_lines_int(l, s->variants[variant]);
    bsr_lines_hex(l, f.change.keep & bsr_code_mask(s), digits);
    bsr_lines_hex(l, f.change.flip & bsr_code_mask(s), digits);
    bsr_lines_int(l, f.image);
    const int64_t counts[] = {row->pairs, row->masked, benign,    row->critical,
                              row->due,   row->sdc,    row->top5, row->correct};
    for (int i = 0; i < COUNT_OF(counts); i++)
        bsr_lines_int(l, counts[i]);
    bsr_lines_real(l, sqrt(bsr_mean_square(row->sse, row->pairs, row->due, e->r->classes)));
    return bsr_lines_end_row(l);
}

static bsr_status write_chip(void *ctx, const bsr_chip_row *row)
{
    exporter *e = ctx;
    bsr_lines *l = &e->lines;
    bsr_lines_int(l, row->point);
    bsr_lines_int(l, row->run);
    bsr_lines_real(l, row->ber);
    const int64_t counts[] = {row->weight_flips, row->activation_flips,
                              row->images,       row->correct,
                              row->critical,     row->due,
                              row->sdc,          row->top5};
    for (int i = 0; i < COUNT_OF(counts); i++)
        bsr_lines_int(l, counts[i]);
    bsr_lines_real(l, sqrt(bsr_mean_square(row->sse, row->images, row->due, e->r->classes)));
    return bsr_lines_end_row(l);
}

static bsr_status write_lines(exporter *e, bsr_store *store, int json, bsr_file_writer *to)
{
    if (bsr_record_of_patterns(e->r)) {
        bsr_lines_begin(&e->lines, to, json, chip_columns, COUNT_OF(chip_columns));
        BSR_TRY(bsr_store_chips(store, write_chip, e));
    } else {
        bsr_lines_begin(&e->lines, to, json, fault_columns, COUNT_OF(fault_columns));
        BSR_TRY(bsr_store_faults(store, 0, INT64_MAX, write_fault, e));
    }
    return bsr_lines_end(&e->lines);
}

static bsr_status add_listed(void *ctx, const bsr_fault_row *row)
{
    exporter *e = ctx;
    bsr_injected f;
    int variant;
    BSR_TRY(bsr_answer_fault(&f, &variant, e->r, row));
    BSR_TRY(bsr_grow(&e->list.faults, &e->cap, (size_t)e->list.n + 1, sizeof *e->list.faults));
    bsr_change c = {f.change.keep & bsr_code_mask(f.space), f.change.flip & bsr_code_mask(f.space)};
    e->list.faults[e->list.n++] = (bsr_listed){
        .space = f.space->id, .element = f.site.element, .pixel = f.site.pixel, .change = c};
    return BSR_OK;
}

static bsr_status write_list(exporter *e, bsr_store *store, bsr_file_writer *to, const char *path)
{
    const bsr_record *r = e->r;
    char *text;
    if (bsr_record_of_patterns(r))
        return bsr_fail(BSR_EINVAL, "'%s' holds error patterns, a list is of single faults", path);
    if (r->transient)
        return bsr_fail(BSR_EINVAL,
                        "'%s' holds transient faults, a list is of faults that hit all "
                        "images",
                        path);
    BSR_TRY(bsr_store_faults(store, 0, INT64_MAX, add_listed, e));
    if (!e->list.n)
        return bsr_fail(BSR_EINVAL, "'%s' has no answer yet: nothing to list", path);
    bsr_fault_list_sort(&e->list);
    BSR_TRY(bsr_fault_list_text(&text, &e->list, &r->spaces, r->target, r->format));
    bsr_status status = bsr_file_put(to, text, strlen(text));
    bsr_free(text);
    return status;
}

bsr_status bsr_run_export(const char *path, bsr_export_form form, const char *to)
{
    bsr_store *store;
    bsr_record r;
    bsr_file_writer *writer = NULL;
    if (form != BSR_EXPORT_CSV && form != BSR_EXPORT_JSON && form != BSR_EXPORT_FAULTS)
        return bsr_fail(BSR_EINVAL, "export form %d does not exist", (int)form);
    BSR_TRY(bsr_run_read(&store, &r, path));
    exporter e = {.r = &r};
    bsr_status status = bsr_run_check_rows(&r, path);
    if (status == BSR_OK)
        status = bsr_file_begin(&writer, to);
    if (status == BSR_OK)
        status = form == BSR_EXPORT_FAULTS
                     ? write_list(&e, store, writer, path)
                     : write_lines(&e, store, form == BSR_EXPORT_JSON, writer);
    if (status == BSR_OK)
        status = bsr_file_commit(writer);
    else
        bsr_file_discard(writer);
    bsr_fault_list_clear(&e.list);
    bsr_record_clear(&r);
    bsr_store_close(store);
    return status;
}
