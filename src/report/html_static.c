#include "report/html_static.h"

#include <string.h>

#include "base/alloc.h"
#include "bitseer/pictures.h"
#include "report/html_escape.h"

/* Adds the picture and frees it. alt: what it shows, in words. */
static void add_picture(bsr_strbuf *b, const char *kind, const char *alt, char *svg)
{
    bsr_strbuf_add(b,
                   "<figure data-picture=\"%s\"><img alt=\"%s\" src=\"data:image/svg+xml;base64,",
                   kind, alt);
    bsr_html_base64(b, svg, strlen(svg));
    bsr_strbuf_add(b, "\"></figure>\n");
    bsr_text_free(svg);
}

static int has_channels(const bsr_result *r)
{
    for (int i = 0; i < r->n_layers; i++)
        if (r->layers[i].n_channels > 0)
            return 1;
    return 0;
}

static bsr_status add_pictures(bsr_strbuf *b, const bsr_result *r)
{
    static const char *const alt[BSR_PICTURES] = {
        [BSR_PICTURE_LAYERS] = "Vulnerability factor of every layer with its interval",
        [BSR_PICTURE_BITS] = "Vulnerability factor of every bit position",
        [BSR_PICTURE_CHANNELS] = "Vulnerability factor of the channels of each layer",
    };
    for (int p = 0; p < BSR_PICTURES; p++) {
        char *svg;
        if (p == BSR_PICTURE_CHANNELS && !has_channels(r))
            continue;
        bsr_status status = bsr_result_svg(&svg, r, (bsr_picture)p);
        if (status == BSR_EINVAL) /* nothing to draw */
            continue;
        if (status != BSR_OK)
            return status;
        add_picture(b, bsr_picture_name((bsr_picture)p), alt[p], svg);
    }
    return BSR_OK;
}

static bsr_status add_rates(bsr_strbuf *b, const bsr_sweep_result *r)
{
    char *svg;
    bsr_status status = bsr_sweep_svg(&svg, r);
    if (status == BSR_EINVAL)
        return BSR_OK;
    if (status == BSR_OK)
        add_picture(b, "sweep", "Accuracy against bit error rate with intervals", svg);
    return status;
}

static bsr_status add_prediction(bsr_strbuf *b, const bsr_prediction *p)
{
    char *svg;
    bsr_status status = bsr_prediction_svg(&svg, p);
    if (status == BSR_EINVAL) /* no point has an accuracy */
        return BSR_OK;
    if (status == BSR_OK)
        add_picture(b, "prediction", "Predicted accuracy against bit error rate with intervals",
                    svg);
    return status;
}

static bsr_status draw(bsr_strbuf *b, const bsr_report_run *run)
{
    if (run->prediction)
        return add_prediction(b, run->prediction);
    return run->sweep ? add_rates(b, run->sweep) : add_pictures(b, run->result);
}

static bsr_status tell(char **text, const bsr_report_run *run)
{
    if (run->prediction)
        return bsr_prediction_text(text, run->prediction);
    return run->sweep ? bsr_sweep_text(text, run->sweep) : bsr_result_text(text, run->result);
}

static bsr_status add_run(bsr_strbuf *b, const bsr_report_run *run, int number)
{
    char *text;
    bsr_strbuf_add(b, "<section data-run=\"%d\">\n<h2>", number);
    bsr_html_text(b, run->name);
    bsr_strbuf_add(b, "</h2>\n");
    bsr_status status = draw(b, run);
    if (status == BSR_OK)
        status = tell(&text, run);
    if (status != BSR_OK)
        return status;
    bsr_strbuf_add(b, "<pre>");
    bsr_html_text(b, text);
    bsr_strbuf_add(b, "</pre>\n</section>\n");
    bsr_text_free(text);
    return BSR_OK;
}

bsr_status bsr_html_static(bsr_strbuf *b, const bsr_report_run *runs, int n_runs)
{
    for (int i = 0; i < n_runs; i++) {
        bsr_status status = add_run(b, &runs[i], i);
        if (status != BSR_OK)
            return status;
    }
    return b->status;
}
