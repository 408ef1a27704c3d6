/* The pictures' numbers as comma-separated values. Names of columns are part of the interface. */
#include <math.h>
#include <string.h>

#include "base/error.h"
#include "base/real_text.h"
#include "base/utf8.h"
#include "report/strbuf.h"
#include "report/svg_pictures.h"

/* A field of text, quoted where RFC 4180 asks for it. */
static void put_text(bsr_strbuf *b, const char *s)
{
    const char *quote = strpbrk(s, ",\"\r\n") ? "\"" : "";
    bsr_strbuf_add(b, ",%s", quote);
    for (size_t n; *s; s += n ? n : 1) {
        n = bsr_utf8_bytes(s);
        if (*s == '"')
            bsr_strbuf_append(b, "\"", 1);
        bsr_strbuf_append(b, n ? s : "?", n ? n : 1);
    }
    bsr_strbuf_add(b, "%s", quote);
}

static void put_real(bsr_strbuf *b, double x)
{
    char text[32] = "";
    if (isfinite(x))
        bsr_real_text(text, x);
    bsr_strbuf_add(b, ",%s", text);
}

static void put_share(bsr_strbuf *b, bsr_share v)
{
    put_real(b, v.value);
    put_real(b, v.lo);
    put_real(b, v.hi);
}

static void put_count(bsr_strbuf *b, uint64_t n, int known)
{
    if (known)
        bsr_strbuf_add(b, ",%llu", (unsigned long long)n);
    else
        bsr_strbuf_add(b, ",");
}

#define OUTCOME_NAMES "pairs,masked,benign,critical,due,sdc,top5,correct,vf,vf_lo,vf_hi\n"

/* The rest of a line, from pairs on. */
static void put_outcomes(bsr_strbuf *b, const bsr_outcomes *o, bsr_share vf, const bsr_result *r)
{
    int known = r->outcomes_known;
    put_count(b, o->pairs, !r->scored);
    put_count(b, o->masked, known);
    put_count(b, o->benign, known);
    put_count(b, o->critical, !r->scored);
    put_count(b, o->due, known);
    put_count(b, o->sdc, known);
    put_count(b, o->top5, known);
    put_count(b, o->correct, known);
    put_share(b, vf);
    bsr_strbuf_add(b, "\n");
}

static void put_part(bsr_strbuf *b, const bsr_part *p, const bsr_result *r)
{
    put_count(b, p->sites, 1);
    put_count(b, p->faults, 1);
    put_outcomes(b, &p->outcomes, p->vf, r);
}

static void layers_csv(bsr_strbuf *b, const bsr_result *r)
{
    bsr_strbuf_add(b, "layer,name,op,format,sites,population,sampled_sites,faults," OUTCOME_NAMES);
    for (int i = 0; i < r->n_layers; i++) {
        const bsr_layer_result *l = &r->layers[i];
        bsr_strbuf_add(b, "%d", l->index);
        put_text(b, l->name);
        put_text(b, l->op);
        put_text(b, l->format);
        put_count(b, l->sites, 1);
        put_count(b, l->population, 1);
        put_count(b, l->sampled_sites, 1);
        put_count(b, l->faults, 1);
        put_outcomes(b, &l->outcomes, l->vf, r);
    }
}

static void bits_csv(bsr_strbuf *b, const bsr_result *r)
{
    bsr_strbuf_add(b, "bit,sites,faults," OUTCOME_NAMES);
    for (int i = 0; i < r->n_bits; i++) {
        if (r->bits[i].index < 0)
            continue;
        bsr_strbuf_add(b, "%d", r->bits[i].index);
        put_part(b, &r->bits[i], r);
    }
}

static void channels_csv(bsr_strbuf *b, const bsr_result *r)
{
    bsr_strbuf_add(b, "layer,name,channel,sites,faults," OUTCOME_NAMES);
    for (int i = 0; i < r->n_layers; i++)
        for (int c = 0; c < r->layers[i].n_channels; c++) {
            bsr_strbuf_add(b, "%d", r->layers[i].index);
            put_text(b, r->layers[i].name);
            bsr_strbuf_add(b, ",%d", r->layers[i].channels[c].index);
            put_part(b, &r->layers[i].channels[c], r);
        }
}

bsr_status bsr_result_csv(char **out, const bsr_result *r, bsr_picture picture)
{
    static void (*const tables[BSR_PICTURES])(bsr_strbuf *, const bsr_result *) = {
        [BSR_PICTURE_LAYERS] = layers_csv,
        [BSR_PICTURE_BITS] = bits_csv,
        [BSR_PICTURE_CHANNELS] = channels_csv,
    };
    bsr_strbuf b = {0};
    *out = NULL;
    BSR_TRY(bsr_picture_check(r, picture));
    tables[picture](&b, r);
    return bsr_strbuf_take(out, &b);
}

bsr_status bsr_sweep_csv(char **out, const bsr_sweep_result *r)
{
    bsr_strbuf b = {0};
    bsr_strbuf_add(&b, "ber,runs,bits,flips,accuracy,accuracy_lo,accuracy_hi,critical,critical_lo,"
                       "critical_hi,sdc,sdc_lo,sdc_hi,due,due_lo,due_hi,top5,top5_lo,top5_hi,"
                       "rmse,rmse_lo,rmse_hi,model\n");
    for (int i = 0; i < r->n_points; i++) {
        const bsr_sweep_point *p = &r->points[i];
        char rate[32];
        bsr_real_text(rate, p->ber);
        bsr_strbuf_add(&b, "%s,%d", rate, p->runs);
        put_real(&b, p->bits);
        put_real(&b, p->flips.mean);
        put_share(&b, p->accuracy);
        put_share(&b, p->critical);
        put_share(&b, p->sdc);
        put_share(&b, p->due);
        put_share(&b, p->top5);
        put_real(&b, p->rmse);
        put_real(&b, p->rmse_interval.lo);
        put_real(&b, p->rmse_interval.hi);
        put_text(&b, bsr_error_model_name(p->model));
        bsr_strbuf_add(&b, "\n");
    }
    return bsr_strbuf_take(out, &b);
}
