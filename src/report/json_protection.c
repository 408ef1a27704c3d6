#include <math.h>
#include <stdio.h>

#include "base/real_text.h"
#include "report/json_parts.h"
#include "report/protection_parts.h"

/* Keys and columns are part of the interface: their names and order stay. */

static json_t *range(const bsr_vf_range *r)
{
    return json_pack("{s:o, s:o, s:o}", "low", bsr_json_real(r->low.value), "high",
                     bsr_json_real(r->high.value), "ci", bsr_json_interval(bsr_range_share(r)));
}

/* Protected bits as an array of their positions. */
static json_t *positions(uint32_t bits)
{
    json_t *a = json_array();
    for (int bit = 0; a && bit < 32; bit++)
        if (bits >> bit & 1 && json_array_append_new(a, json_integer(bit)) != 0) {
            json_decref(a);
            a = NULL;
        }
    return a;
}

static json_t *protected_channels(const bsr_protected_layer *l)
{
    uint64_t n = 0;
    for (int k = 0; k < l->n_channels; k++)
        n += l->channels[k];
    return bsr_json_count(n);
}

static json_t *layer(const void *item, const void *ctx)
{
    const bsr_protected_layer *l = item;
    json_t *o =
        json_pack("{s:i, s:o, s:s, s:o, s:o, s:o}", "index", l->index, "name",
                  bsr_json_text(l->name), "by", bsr_protect_name(l->by), "bits", positions(l->bits),
                  "channels", protected_channels(l), "words", bsr_json_count(l->words));
    o = bsr_json_add(o, "stored_bits", bsr_json_count(l->stored_bits));
    o = bsr_json_add(o, "added_bits", json_integer(l->added_bits));
    o = bsr_json_add(o, "before", bsr_json_estimate(l->before));
    return bsr_json_add(o, "after", range(&l->after));
}

static json_t *step(const void *item, const void *ctx)
{
    const bsr_protect_step *s = item;
    const bsr_protection *p = ctx;
    json_t *o = json_pack("{s:i, s:s, s:o, s:I}", "layer", p->layers[s->layer].index, "by",
                          bsr_protect_name(s->by), "bits", positions(s->bits), "added_bits",
                          (json_int_t)s->added_bits);
    o = bsr_json_add(o, "overhead", bsr_json_real(bsr_overhead(s->added_bits, p->stored_bits)));
    return bsr_json_add(o, "mvf", range(&s->mvf));
}

static json_t *confirmation(const bsr_confirmation *c)
{
    return json_pack("{s:o, s:o, s:o}", "faults", bsr_json_count(c->faults), "injected",
                     bsr_json_count(c->injected), "measured", bsr_json_estimate(c->measured));
}

static json_t *plan(const bsr_protection *p)
{
    if (!p->planned)
        return json_null();
    json_t *o = json_object();
    o = bsr_json_add(o, "target_vf", p->target_vf < 0 ? json_null() : bsr_json_real(p->target_vf));
    o = bsr_json_add(o, "budget", p->budget < 0 ? json_null() : json_integer(p->budget));
    o = bsr_json_add(o, "reached", p->target_vf < 0 ? json_null() : json_boolean(p->reached));
    return bsr_json_add(o, "steps",
                        bsr_json_array(p->steps, (size_t)p->n_steps, sizeof *p->steps, step, p));
}

bsr_status bsr_protection_json(char **out, const bsr_protection *p, const bsr_confirmation *c)
{
    bsr_json_setup();
    json_t *o = json_pack("{s:s, s:o, s:o, s:o, s:o, s:o, s:o, s:b, s:b, s:o}", "command",
                          "protect", "run", bsr_json_text(p->path), "target",
                          bsr_json_text(p->target), "fault", bsr_json_text(p->fault), "sampling",
                          bsr_json_text(p->sampling), "run_format", bsr_json_text(p->run_format),
                          "format", *p->format ? bsr_json_text(p->format) : json_null(), "clip",
                          p->clip, "complete", p->complete, "images", bsr_json_count(p->images));
    o = bsr_json_add(o, "confidence", bsr_json_real(p->confidence));
    o = bsr_json_add(o, "before", bsr_json_estimate(p->before));
    o = bsr_json_add(o, "after", range(&p->after));
    o = bsr_json_add(o, "stored_bits", bsr_json_count(p->stored_bits));
    o = bsr_json_add(o, "added_bits", json_integer(p->added_bits));
    o = bsr_json_add(o, "overhead", bsr_json_real(bsr_overhead(p->added_bits, p->stored_bits)));
    o = bsr_json_add(o, "added_bits_vf",
                     json_pack("[o, o]", bsr_json_real(p->check_lo), bsr_json_real(p->check_hi)));
    o = bsr_json_add(
        o, "layers",
        bsr_json_array(p->layers, (size_t)p->n_layers, sizeof *p->layers, layer, NULL));
    o = bsr_json_add(o, "plan", plan(p));
    o = bsr_json_add(o, "confirmation", c ? confirmation(c) : json_null());
    return bsr_json_dump(out, o);
}

static void put_real(bsr_strbuf *b, double x)
{
    char text[32] = "";
    if (isfinite(x))
        bsr_real_text(text, x);
    bsr_strbuf_add(b, ",%s", text);
}

/* step to the end of a line; layer -1: none. */
static void put_line(bsr_strbuf *b, const bsr_protection *p, int number, const bsr_protect_step *s)
{
    char index[16] = "";
    if (s->layer >= 0)
        snprintf(index, sizeof index, "%d", p->layers[s->layer].index);
    /* Positions with blanks between: a comma would need quotes. */
    bsr_bits_text bits = bsr_bits_as_text(s->bits);
    for (char *c = bits.text; *c; c++)
        *c = *c == ',' ? ' ' : *c;
    bsr_strbuf_add(b, "%d,%s,%s,%s,%lld", number, index, bsr_protect_name(s->by), bits.text,
                   (long long)s->added_bits);
    bsr_share all = bsr_range_share(&s->mvf);
    put_real(b, bsr_overhead(s->added_bits, p->stored_bits));
    put_real(b, s->mvf.low.value);
    put_real(b, s->mvf.high.value);
    put_real(b, all.lo);
    put_real(b, all.hi);
    bsr_strbuf_add(b, "\n");
}

bsr_status bsr_protection_csv(char **out, const bsr_protection *p)
{
    bsr_strbuf b = {0};
    bsr_protect_step whole = {.layer = -1, .mvf = {p->before, p->before}};
    bsr_strbuf_add(&b, "step,layer,by,bits,added_bits,overhead,vf_low,vf_high,ci_lo,ci_hi\n");
    put_line(&b, p, 0, &whole);
    for (int i = 0; i < p->n_steps; i++)
        put_line(&b, p, i + 1, &p->steps[i]);
    if (!p->planned) {
        whole.added_bits = p->added_bits;
        whole.mvf = p->after;
        put_line(&b, p, 1, &whole);
    }
    return bsr_strbuf_take(out, &b);
}
