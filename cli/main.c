/* bitseer: the command table, help and dispatch. */
#define _POSIX_C_SOURCE 200809L
#include <signal.h>
#include <stdlib.h>
#include <string.h>

#include "cli.h"

extern const command cmd_inspect, cmd_eval, cmd_plan, cmd_inject, cmd_analyze, cmd_sweep,
    cmd_predict, cmd_run, cmd_resume, cmd_show, cmd_export, cmd_compare, cmd_protect, cmd_vvr,
    cmd_report;

static const command *const commands[] = {&cmd_inspect, &cmd_eval,  &cmd_plan,    &cmd_inject,
                                          &cmd_analyze, &cmd_sweep, &cmd_predict, &cmd_run,
                                          &cmd_resume,  &cmd_show,  &cmd_export,  &cmd_compare,
                                          &cmd_protect, &cmd_vvr,   &cmd_report};

#define N_COMMANDS (sizeof commands / sizeof *commands)

static const char exit_codes[] =
    "Exit status: 0 done, 1 failed, 2 wrong usage or value, 3 stopped by a signal.";

const command *find_command(const char *name)
{
    for (size_t i = 0; i < N_COMMANDS; i++)
        if (strcmp(commands[i]->name, name) == 0)
            return commands[i];
    return NULL;
}

void model_commands(char *words, size_t room)
{
    size_t at = 0;
    for (size_t i = 0; i < N_COMMANDS && at < room; i++)
        if (strcmp(commands[i]->operands, "MODEL") == 0)
            at += (size_t)snprintf(words + at, room - at, "%s%s", at ? "|" : "", commands[i]->name);
}

void settings_init(settings *s, const command *c)
{
    *s = (settings){.command = c,
                    .options = {.groups = c->groups, .settings = s},
                    .model = BSR_MODEL_OPTIONS_INIT,
                    .data = BSR_DATASET_OPTIONS_INIT,
                    .order = -1,
                    .run = BSR_RUN_OPTIONS_INIT,
                    .sweep = BSR_SWEEP_OPTIONS_INIT,
                    .predict = BSR_PREDICT_OPTIONS_INIT,
                    .error_model = -1,
                    .protect = BSR_PROTECT_OPTIONS_INIT,
                    .target = -1};
}

static int unknown_command(const char *name)
{
    char words[256] = "help", buf[64];
    for (size_t i = 0; i < N_COMMANDS; i++) {
        strcat(words, "|");
        strcat(words, commands[i]->name);
    }
    const char *nearest = opt_nearest(name, words, buf);
    if (nearest)
        complain("unknown command '%s', did you mean '%s'?", name, nearest);
    else
        complain("unknown command '%s', see bitseer --help", name);
    return EXIT_USAGE;
}

/* Help goes through stdio; a full disk or a closed pipe shows at the end. */
static int end_of_help(void)
{
    return print_result("");
}

static int help_overview(void)
{
    printf(
        "usage: bitseer COMMAND MODEL [options]\n\n"
        "What bit flips (soft errors) do to a neural network: MODEL is an ONNX file, RUN.db the\n"
        "database of a run (inject, analyze or sweep with --out RUN.db).\n\n");
    for (size_t i = 0; i < N_COMMANDS; i++)
        printf("  %-8s %-11s%s\n", commands[i]->name, commands[i]->operands, commands[i]->summary);
    printf("  %-8s %-11sthis text, or all about one command\n\n", "help", "[COMMAND]");
    printf(
        "bitseer help COMMAND and bitseer COMMAND --help tell the options, bitseer --version the\n"
        "version, bitseer help --man prints the manual page.\n\n%s\n",
        exit_codes);
    return end_of_help();
}

static int help_command(const command *c)
{
    printf("usage: bitseer %s %s", c->name, c->operands);
    for (const opt_group *g = c->groups; g->title; g++)
        for (const opt *o = g->opts; o->name; o++)
            if (o->required)
                printf(" --%s %s", o->name, o->metavar);
    printf(" [options]\n\n%s\n", c->notes);
    opt_print_help(stdout, c->groups);
    printf("\n%s\n", exit_codes);
    return end_of_help();
}

static int help_manual(void)
{
    printf(".TH BITSEER 1 \"\" \"bitseer %s\"\n.SH NAME\n", bsr_version());
    printf("bitseer \\- what bit flips do to a neural network\n.SH SYNOPSIS\n"
           ".B bitseer\n.I COMMAND OPERAND\n[options]\n");
    for (size_t i = 0; i < N_COMMANDS; i++) {
        printf(".SH BITSEER %s %s\n", commands[i]->name, commands[i]->operands);
        opt_print_roff_text(stdout, commands[i]->notes);
        printf("\n");
        opt_print_roff(stdout, commands[i]->groups);
    }
    printf(".SH EXIT STATUS\n%s\n", exit_codes);
    return end_of_help();
}

static int help(const char *topic)
{
    if (!topic)
        return help_overview();
    if (strcmp(topic, "--man") == 0)
        return help_manual();
    const command *c = find_command(topic);
    return c ? help_command(c) : unknown_command(topic);
}

static int run_command(const command *c, int argc, char **argv)
{
    settings s;
    settings_init(&s, c);
    for (int i = 0; i < argc && strcmp(argv[i], "--") != 0; i++)
        if (strcmp(argv[i], "--help") == 0 || strcmp(argv[i], "-h") == 0)
            return help_command(c);
    snprintf(program, sizeof program, "bitseer %s", c->name);
    if (opt_parse(&s.options, c->operands, s.operands, argc, argv) != 0) {
        complain("%s", s.options.message);
        return EXIT_USAGE;
    }
    int code = c->run(&s);
    free_texts();
    return code;
}

int main(int argc, char **argv)
{
    /* A closed pipe shows as a failed write, with a message and status 1. */
    signal(SIGPIPE, SIG_IGN);
    if (argc < 2) {
        complain("no command given, see bitseer --help");
        return EXIT_USAGE;
    }
    const char *name = argv[1];
    if (strcmp(name, "--version") == 0) {
        printf("bitseer %s\n", bsr_version());
        return end_of_help();
    }
    if (strcmp(name, "--help") == 0 || strcmp(name, "-h") == 0 || strcmp(name, "help") == 0)
        return help(argc > 2 ? argv[2] : NULL);
    const command *c = find_command(name);
    return c ? run_command(c, argc - 2, argv + 2) : unknown_command(name);
}
