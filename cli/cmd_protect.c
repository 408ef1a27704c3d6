#include "cli.h"

#define FIELD(member) offsetof(settings, member)

static const opt what_opts[] = {
    {"by", 0, OPT_WORD, FIELD(protect.by), "P",
     "parity (the word is then read as 0), secded or tmr; of a plan: by this alone", 0, 0,
     "parity|secded|tmr", 0},
    {"bits", 0, OPT_STRING, FIELD(protect.bits), "LIST",
     "protected bits of every stored word (default all)", 0, 0, NULL, 0},
    {"top-bits", 0, OPT_INT, FIELD(protect.top_bits), "K",
     "protect the K most critical bit positions", 1, 32, NULL, 0},
    {"layers", 0, OPT_STRING, FIELD(protect.layers), "LIST",
     "protected layers or tensors: numbers, ranges, names, shell patterns (default all)", 0, 0,
     NULL, 0},
    {"channels", 0, OPT_STRING, FIELD(protect.channels), "LIST",
     "protected channels of these layers (default all)", 0, 0, NULL, 0},
    {"clip", 0, OPT_FLAG, FIELD(protect.clip), "",
     "clip what is read to the range of the layer's fault-free values; needs a run with --vvr", 0,
     0, NULL, 0},
    {"format", 0, OPT_STRING, FIELD(protect.format), "FORMAT",
     "store the target in another format (docs/guide/formats.md); needs a run with --vvr", 0, 0,
     NULL, 0},
    {NULL}};

static const opt goal_opts[] = {
    {"target-vf", 0, OPT_DOUBLE, FIELD(protect.target_vf), "X",
     "the least storage for an MVF of at most X, a share", 0, 1, NULL, 0},
    {"budget", 0, OPT_STRING, FIELD(protect.budget), "N",
     "the least MVF for at most N bits, or N% of the stored bits", 0, 0, NULL, 0},
    {"confirm", 0, OPT_U64, FIELD(confirm), "N",
     "draw N faults of the unprotected network and inject those that the protection leaves, with "
     "the model and data of the run",
     1, 9007199254740991.0, NULL, 0},
    {NULL}};

static const opt picture_opts[] = {
    {"csv", 0, OPT_PATH, FIELD(tables), "FILE", "write the curve as comma-separated values", 0, 0,
     NULL, 0},
    {"svg", 0, OPT_PATH, FIELD(svg), "FILE", "draw the curve", 0, 0, NULL, 0},
    {NULL}};

static const opt_group groups[] = {{"Protection", what_opts},
                                   {"Plan", goal_opts},
                                   {"Intervals", interval_opts},
                                   {"Run (of --confirm)", run_opts},
                                   {"Pictures", picture_opts},
                                   {"Output", output_opts},
                                   {NULL}};

typedef struct confirming {
    const bsr_protection *p;
    bsr_confirmation c;
    uint64_t n;
} confirming;

static bsr_status confirm(void *out, const bsr_model *model, const bsr_dataset *data,
                          const bsr_run_options *options, const settings *s)
{
    confirming *c = out;
    return bsr_protect_confirm(&c->c, c->p, model, data, options, c->n);
}

/* With the model and the data that the run was started with. */
static bsr_status run_again(confirming *c, const settings *s, int *code)
{
    static settings then; /* stays where its options point to */
    const char *path = s->operands[0];
    *code = read_settings(&then, path);
    if (*code == EXIT_DONE && !then.command) {
        complain("'%s' does not say how the run was started", path);
        *code = EXIT_FAILED;
    }
    if (*code != EXIT_DONE)
        return BSR_OK;
    then.run.threads = s->run.threads;
    then.run.cpu = s->run.cpu;
    then.run.max_memory = s->run.max_memory;
    then.progress = s->progress;
    then.quiet = s->quiet;
    return with_inputs(c, &then, confirm);
}

static bsr_status write_file(const char *path, const bsr_protection *p,
                             bsr_status (*make)(char **, const bsr_protection *))
{
    char *text = NULL;
    if (!path)
        return BSR_OK;
    bsr_status status = make(&text, p);
    if (status == BSR_OK)
        status = bsr_write_text(path, text);
    bsr_text_free(text);
    return status;
}

static int check_files(const settings *s)
{
    const char *const paths[] = {s->out, s->tables, s->svg};
    int code = EXIT_DONE;
    for (int i = 0; i < 3 && code == EXIT_DONE; i++)
        code = check_writable(paths[i]);
    return code;
}

static int run(const settings *s)
{
    bsr_protect_options o = s->protect;
    bsr_protection *p = NULL;
    char *json = NULL, *table = NULL;
    int code = check_files(s);
    if (code != EXIT_DONE)
        return code;
    if (opt_text(&s->options, "confidence"))
        o.confidence = s->run.confidence;
    bsr_status status = bsr_protect(&p, s->operands[0], &o);
    confirming c = {.p = p, .n = s->confirm};
    if (status == BSR_OK && c.n)
        status = run_again(&c, s, &code);
    if (code != EXIT_DONE) {
        bsr_protection_free(p);
        return code;
    }
    const bsr_confirmation *shown = c.n ? &c.c : NULL;
    if (status == BSR_OK)
        status = write_file(s->tables, p, bsr_protection_csv);
    if (status == BSR_OK)
        status = write_file(s->svg, p, bsr_protection_svg);
    if (status == BSR_OK && (s->json || s->out))
        status = bsr_protection_json(&json, p, shown);
    if (status == BSR_OK && !s->json)
        status = bsr_protection_text(&table, p, shown);
    if (status == BSR_OK && !p->complete)
        complain("the run is not complete; go on with: bitseer resume %s", s->operands[0]);
    bsr_protection_free(p);
    return deliver(s, status, json, table);
}

const command cmd_protect = {"protect",
                             "RUN.db",
                             "what a protection would buy, from a run in a database",
                             "Reads off from the faults that were answered what is left of the VF, "
                             "and what storage it costs,\n"
                             "when bits are protected, values clipped or stored in another format; "
                             "or plans the protection.\n"
                             "Nothing is simulated but for --confirm.",
                             groups,
                             run};
