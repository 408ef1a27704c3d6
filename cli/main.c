/* bitseer: the command table, help and dispatch. */
#define _POSIX_C_SOURCE 200809L
#include <signal.h>
#include <stdlib.h>
#include <string.h>

#include "cli.h"

static const command *const commands[] = {&cmd_inspect, &cmd_eval, &cmd_inject, &cmd_analyze};

#define N_COMMANDS (sizeof commands / sizeof *commands)

static const char exit_codes[] =
    "Exit status: 0 done, 1 failed, 2 wrong usage or value, 3 stopped by a signal.";

static const command *find_command(const char *name)
{
    for (size_t i = 0; i < N_COMMANDS; i++)
        if (strcmp(commands[i]->name, name) == 0)
            return commands[i];
    return NULL;
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
    printf("usage: bitseer COMMAND MODEL [options]\n\n"
           "What bit flips (soft errors) do to a neural network: MODEL is an ONNX file.\n\n");
    for (size_t i = 0; i < N_COMMANDS; i++)
        printf("  %-9s %s\n", commands[i]->name, commands[i]->summary);
    printf("  %-9s this text, or all about one command\n\n", "help");
    printf(
        "bitseer help COMMAND and bitseer COMMAND --help tell the options, bitseer --version the\n"
        "version, bitseer help --man prints the manual page.\n\n%s\n",
        exit_codes);
    return end_of_help();
}

static int help_command(const command *c)
{
    printf("usage: bitseer %s MODEL", c->name);
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
           ".B bitseer\n.I COMMAND MODEL\n[options]\n");
    for (size_t i = 0; i < N_COMMANDS; i++) {
        printf(".SH BITSEER %s\n", commands[i]->name);
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
    settings s = {.model = BSR_MODEL_OPTIONS_INIT,
                  .data = BSR_DATASET_OPTIONS_INIT,
                  .order = -1,
                  .run = BSR_RUN_OPTIONS_INIT,
                  .target = -1};
    char message[OPT_MESSAGE];
    s.run.random = c->random;
    for (int i = 0; i < argc && strcmp(argv[i], "--") != 0; i++)
        if (strcmp(argv[i], "--help") == 0 || strcmp(argv[i], "-h") == 0)
            return help_command(c);
    snprintf(program, sizeof program, "bitseer %s", c->name);
    if (opt_parse(c->groups, &s, &s.model_path, "MODEL", argc, argv, message) != 0) {
        complain("%s", message);
        return EXIT_USAGE;
    }
    return c->run(&s);
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
