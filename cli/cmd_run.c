#include <string.h>

#include "cli.h"
#include "spec.h"

static const opt_group groups[] = {{"Run", run_opts}, {"Output", record_opts}, {NULL}};

static const char *find_value(const spec *file, const char *key, int *line)
{
    for (int i = 0; i < file->n; i++)
        if (strcmp(file->entries[i].key, key) == 0) {
            *line = file->entries[i].line;
            return file->entries[i].value;
        }
    return NULL;
}

/* Which command the file is for; NULL with a complaint. */
static const command *command_of(const spec *file, const char *path)
{
    char words[256], list[256];
    int line;
    const char *name = find_value(file, "command", &line);
    if (!name) {
        complain("%s: no key 'command'", path);
        return NULL;
    }
    model_commands(words, sizeof words);
    if (opt_has_word(words, name))
        return find_command(name);
    opt_list_words(list, sizeof list, words, " or ");
    complain("%s:%d: command is '%.100s', expected %s", path, line, name, list);
    return NULL;
}

static void complain_unknown(const settings *s, const char *path, const spec_entry *e)
{
    char words[1024] = "command|model|", buf[64];
    size_t n = strlen(words);
    opt_names(s->command->groups, words + n, sizeof words - n);
    const char *nearest = opt_nearest(e->key, words, buf);
    if (nearest)
        complain("%s:%d: unknown key '%.60s', did you mean '%s'?", path, e->line, e->key, nearest);
    else
        complain("%s:%d: unknown key '%.60s'", path, e->line, e->key);
}

/* Sets one option; names of files start at the file's folder. */
static int set_entry(settings *s, const char *path, const spec_entry *e)
{
    const opt *o = opt_find(s->command->groups, e->key);
    if (!o) {
        complain_unknown(s, path, e);
        return EXIT_USAGE;
    }
    const char *value = place_value(o, keep_text("%s", e->value), folder_of(path));
    if (opt_set(&s->options, e->key, value) == 0)
        return EXIT_DONE;
    complain("%s:%d: %s", path, e->line, s->options.message);
    return EXIT_USAGE;
}

static int is_option(const spec_entry *e)
{
    return strcmp(e->key, "command") != 0 && strcmp(e->key, "model") != 0;
}

/* Sets `s` to what the file says. Complains and returns the exit code. */
static int apply(settings *s, const spec *file, const char *path)
{
    const command *c = command_of(file, path);
    int code = c ? EXIT_DONE : EXIT_USAGE, line;
    if (c)
        settings_init(s, c);
    for (int i = 0; i < file->n && code == EXIT_DONE; i++)
        if (is_option(&file->entries[i]))
            code = set_entry(s, path, &file->entries[i]);
    if (code != EXIT_DONE)
        return code;
    const char *model = find_value(file, "model", &line);
    const opt *missing = opt_missing(&s->options);
    if (!model || missing) {
        complain("%s: no key '%s'", path, model ? missing->name : "model");
        return EXIT_USAGE;
    }
    s->operands[0] = keep_text("%s%s", *model == '/' ? "" : folder_of(path), model);
    return EXIT_DONE;
}

static int run(const settings *given)
{
    static settings s; /* stays where its options point to */
    static spec file;
    const char *path = given->operands[0];
    char message[SPEC_MESSAGE];
    int unreadable, code;
    if (spec_read(&file, path, &unreadable, message) == 0) {
        code = apply(&s, &file, path);
    } else {
        complain("%s", message);
        code = unreadable ? EXIT_FAILED : EXIT_USAGE;
    }
    spec_clear(&file);
    if (code == EXIT_DONE)
        code = override_settings(&s, given);
    return code == EXIT_DONE ? s.command->run(&s) : code;
}

const command cmd_run = {
    "run",
    "SPEC.yaml",
    "a command with its options from a file",
    "SPEC.yaml is a YAML mapping with the keys command, model, and options of that command by "
    "their\n"
    "names. Relative names of files start at the folder of SPEC.yaml. Options given here go before "
    "those\n"
    "of the file.",
    groups,
    run};
