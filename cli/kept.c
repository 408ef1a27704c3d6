/* Settings of a run in its database, and back. */
#include <string.h>

#include "cli.h"

static int is_kept(const settings *s, const opt *option)
{
    for (const opt_group *g = s->command->groups; g->title; g++)
        for (const opt *o = g->opts; o->name; o++)
            if (o == option)
                return g->opts != run_opts && g->opts != record_opts;
    return 0;
}

int kept_settings(bsr_setting *out, const settings *s)
{
    int n = 0;
    out[n++] = (bsr_setting){"command", s->command->name};
    out[n++] = (bsr_setting){"model", s->operands[0]};
    for (int i = 0; i < s->options.n_given; i++) {
        const opt_given *g = &s->options.given[i];
        if (is_kept(s, g->option))
            out[n++] = (bsr_setting){g->option->name, g->text};
    }
    return n;
}

typedef struct reading {
    settings *s;
    int failed;
} reading;

/* "command" is the first one. */
static bsr_status on_setting(void *ctx, const char *name, const char *value)
{
    reading *r = ctx;
    settings *s = r->s;
    if (strcmp(name, "command") == 0) {
        const command *c = find_command(value);
        if (c)
            settings_init(s, c);
        else
            snprintf(s->options.message, OPT_MESSAGE, "command is '%.100s'", value);
        r->failed = !c;
    } else if (strcmp(name, "model") == 0) {
        s->operands[0] = keep_text("%s", value);
    } else if (s->command) {
        r->failed = opt_set(&s->options, name, keep_text("%s", value)) != 0;
    }
    return r->failed ? BSR_EFORMAT : BSR_OK;
}

int read_settings(settings *s, const char *path)
{
    reading r = {s, 0};
    s->command = NULL;
    s->operands[0] = NULL;
    bsr_status status = bsr_run_settings(path, on_setting, &r);
    const opt *missing = status == BSR_OK && s->command ? opt_missing(&s->options) : NULL;
    if (r.failed)
        complain("'%s' has a setting that this version does not know: %s", path,
                 s->options.message);
    else if (missing || (s->command && !s->operands[0] && status == BSR_OK))
        complain("'%s' has no setting '%s'", path, missing ? missing->name : "model");
    else
        return status == BSR_OK ? EXIT_DONE : failed(status);
    return EXIT_FAILED;
}

int override_settings(settings *to, const settings *from)
{
    for (int i = 0; i < from->options.n_given; i++) {
        const opt_given *g = &from->options.given[i];
        if (opt_set(&to->options, g->option->name, g->text) != 0) {
            complain("--%s is no option of %s", g->option->name, to->command->name);
            return EXIT_USAGE;
        }
    }
    return EXIT_DONE;
}
