/* Joins the page of web/ with the data of the runs. */
#include "bitseer/report.h"

#include <string.h>

#include "base/alloc.h"
#include "base/error.h"
#include "report/html_escape.h"
#include "report/html_page.h"
#include "report/html_static.h"
#include "report/json_value.h"

typedef struct page {
    const bsr_report_run *runs;
    int n_runs;
    const bsr_report_options *options;
    char *title;
} page;

static const bsr_provenance *provenance(const bsr_report_run *run)
{
    if (run->prediction)
        return &run->prediction->provenance;
    return run->sweep ? &run->sweep->provenance : &run->result->provenance;
}

static const char *base_name(const char *path)
{
    const char *slash = path ? strrchr(path, '/') : NULL;
    return slash ? slash + 1 : path ? path : "";
}

/* The names of the networks, each once. */
static bsr_status make_title(page *p)
{
    bsr_strbuf b = {0};
    if (p->options->title) {
        bsr_strbuf_append(&b, p->options->title, strlen(p->options->title));
        return bsr_strbuf_take(&p->title, &b);
    }
    for (int i = 0; i < p->n_runs; i++) {
        const char *name = base_name(provenance(&p->runs[i])->model_path);
        int seen = 0;
        for (int k = 0; k < i; k++)
            seen |= strcmp(base_name(provenance(&p->runs[k])->model_path), name) == 0;
        if (!seen)
            bsr_strbuf_add(&b, "%s%s", i ? ", " : "", name);
    }
    return bsr_strbuf_take(&p->title, &b);
}

static bsr_status add_title(bsr_strbuf *b, const page *p)
{
    bsr_html_text(b, p->title);
    return BSR_OK;
}

static bsr_status add_static(bsr_strbuf *b, const page *p)
{
    return bsr_html_static(b, p->runs, p->n_runs);
}

/* One string as JSON with what stands before it. */
static void add_member(bsr_strbuf *b, const char *key, json_t *value)
{
    bsr_strbuf text = {0};
    bsr_json_append(&text, value);
    if (text.status == BSR_OK) {
        bsr_strbuf_add(b, "\"%s\":", key);
        bsr_html_json(b, text.text);
    } else {
        b->status = text.status;
    }
    bsr_free(text.text);
}

static bsr_status result_json(char **json, const bsr_report_run *run)
{
    if (run->prediction)
        return bsr_prediction_json(json, run->prediction);
    return run->sweep ? bsr_sweep_json(json, run->sweep) : bsr_result_json(json, run->result);
}

static bsr_status add_run(bsr_strbuf *b, const bsr_report_run *run)
{
    char *json;
    BSR_TRY(result_json(&json, run));
    bsr_strbuf_add(b, "{");
    add_member(b, "name", bsr_json_text(run->name));
    bsr_strbuf_add(b, ",");
    add_member(b, "command", bsr_json_text(run->command));
    bsr_strbuf_add(b, ",\"complete\":%s,\"result\":", run->complete ? "true" : "false");
    bsr_html_json(b, json);
    bsr_strbuf_add(b, "}");
    bsr_text_free(json);
    return b->status;
}

static bsr_status add_data(bsr_strbuf *b, const page *p)
{
    bsr_strbuf_add(b, "{");
    add_member(b, "version", bsr_json_text(bsr_version()));
    bsr_strbuf_add(b, ",");
    add_member(b, "title", bsr_json_text(p->title));
    bsr_strbuf_add(b, ",\"runs\":[");
    for (int i = 0; i < p->n_runs; i++) {
        bsr_strbuf_add(b, i ? ",\n" : "\n");
        BSR_TRY(add_run(b, &p->runs[i]));
    }
    bsr_strbuf_add(b, "\n],\"protection\":");
    bsr_html_json(b, p->options->protection ? p->options->protection : "null");
    bsr_strbuf_add(b, "}");
    return b->status;
}

static const struct {
    const char *marker;
    bsr_status (*add)(bsr_strbuf *b, const page *p);
} parts[] = {
    {"title-->", add_title},
    {"static-->", add_static},
    {"data-->", add_data},
};

/* Adds the part whose marker starts at `at`, behind "<!--bitseer:". *used: length of the marker. */
static bsr_status add_part(bsr_strbuf *b, const page *p, const char *at, size_t *used)
{
    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++) {
        *used = strlen(parts[i].marker);
        if (strncmp(at, parts[i].marker, *used) == 0)
            return parts[i].add(b, p);
    }
    return bsr_fail(BSR_EFORMAT, "the report page has a marker '%.20s' that is not known", at);
}

static bsr_status fill(bsr_strbuf *b, const page *p)
{
    static const char marker[] = "<!--bitseer:";
    const char *at = (const char *)bsr_html_page, *end = at + bsr_html_page_bytes;
    for (const char *next; (next = strstr(at, marker));) {
        size_t used;
        bsr_strbuf_append(b, at, (size_t)(next - at));
        at = next + sizeof marker - 1;
        BSR_TRY(add_part(b, p, at, &used));
        at += used;
    }
    bsr_strbuf_append(b, at, (size_t)(end - at));
    return b->status;
}

/* jansson takes a failed allocation for a wrong text; what fails to allocate leaves a message. */
static bsr_status check_protection(const char *json)
{
    json_error_t error;
    if (!json)
        return BSR_OK;
    bsr_status wrong = bsr_fail(BSR_EINVAL, "%s", "");
    json_t *value = json_loads(json, JSON_DECODE_ANY, &error);
    if (!value && *bsr_error_message())
        return BSR_ENOMEM;
    if (!value)
        return bsr_fail(wrong, "protection is no JSON: line %d: %s", error.line, error.text);
    json_decref(value);
    return BSR_OK;
}

static bsr_status check(const bsr_report_run *runs, int n_runs, const bsr_report_options *options)
{
    if (options->version != BSR_REPORT_OPTIONS_VERSION)
        return bsr_fail(BSR_EINVAL, "report options have version %d, expected %d", options->version,
                        BSR_REPORT_OPTIONS_VERSION);
    if (n_runs < 1 || n_runs > BSR_REPORT_RUNS)
        return bsr_fail(BSR_EINVAL, "a report of %d runs, expected 1 to %d", n_runs,
                        BSR_REPORT_RUNS);
    for (int i = 0; i < n_runs; i++) {
        int results = !!runs[i].result + !!runs[i].sweep + !!runs[i].prediction;
        if (results != 1)
            return bsr_fail(BSR_EINVAL, "run '%s' has %d results, expected one", runs[i].name,
                            results);
    }
    return check_protection(options->protection);
}

bsr_status bsr_report_html(char **out, const bsr_report_run *runs, int n_runs,
                           const bsr_report_options *options)
{
    bsr_report_options defaults = BSR_REPORT_OPTIONS_INIT;
    page p = {runs, n_runs, options ? options : &defaults, NULL};
    bsr_strbuf b = {0};
    *out = NULL;
    bsr_json_setup();
    BSR_TRY(check(runs, n_runs, p.options));
    bsr_status status = make_title(&p);
    if (status == BSR_OK)
        status = fill(&b, &p);
    bsr_free(p.title);
    if (status == BSR_OK)
        return bsr_strbuf_take(out, &b);
    bsr_free(b.text);
    return status;
}
