#include "cli.h"

static const opt_group groups[] = {{"Run", run_opts}, {"Output", json_opts}, {NULL}};

static int run(const settings *s)
{
    static settings then; /* stays where its options point to */
    const char *path = s->operands[0];
    int code = read_settings(&then, path);
    if (code != EXIT_DONE)
        return code;
    if (!then.command) {
        complain("'%s' does not say how the run was started", path);
        return EXIT_FAILED;
    }
    code = override_settings(&then, s);
    if (code != EXIT_DONE)
        return code;
    then.store = path;
    then.resume = 1;
    return then.command->run(&then);
}

const command cmd_resume = {"resume",
                            "RUN.db",
                            "go on with a run that was stopped",
                            "Starts the command that made the database again, with the options it "
                            "had, and computes what is\n"
                            "missing. The result is that of a run that was never stopped.",
                            groups,
                            run};
