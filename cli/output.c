/* Where results and messages go. */
#define _POSIX_C_SOURCE 200809L
#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cli.h"

#define JSON_OPT                                                                                   \
    {                                                                                              \
        "json", 0, OPT_FLAG, offsetof(settings, json), "", "print JSON instead of tables", 0, 0,   \
            NULL, 0                                                                                \
    }

const opt json_opts[] = {JSON_OPT, {NULL}};
const opt output_opts[] = {JSON_OPT,
                           {"out", 'o', OPT_PATH, offsetof(settings, out), "FILE",
                            "write JSON to FILE as well, whole or not at all", 0, 0, NULL, 0},
                           {NULL}};
const opt record_opts[] = {
    JSON_OPT,
    {"out", 'o', OPT_PATH, offsetof(settings, out), "FILE",
     "FILE.json: write JSON as well, whole or not at all; another name: keep the run in this "
     "database, which must not exist",
     0, 0, NULL, 0},
    {NULL}};

char program[64] = "bitseer";

void complain(const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    fprintf(stderr, "%s: ", program);
    vfprintf(stderr, fmt, ap);
    fputc('\n', stderr);
    va_end(ap);
}

int failed(bsr_status status)
{
    complain("%s", bsr_error_message());
    return status == BSR_EINVAL ? EXIT_USAGE : EXIT_FAILED;
}

static int cannot_write(const char *path, int error)
{
    complain("cannot write '%s': %s", path, strerror(error));
    return EXIT_FAILED;
}

int can_read(const char *path)
{
    return !path || access(path, R_OK) == 0;
}

int check_writable(const char *path)
{
    struct stat st;
    if (!path)
        return EXIT_DONE;
    if (!*path)
        return cannot_write(path, ENOENT);
    int there = stat(path, &st) == 0;
    if (there && S_ISDIR(st.st_mode))
        return cannot_write(path, EISDIR);
    if (there && !S_ISREG(st.st_mode)) /* a device or pipe is written to directly */
        return access(path, W_OK) == 0 ? EXIT_DONE : cannot_write(path, errno);
    /* The result replaces the file by a new one, so the folder is what must be writable. */
    char *temp = malloc(strlen(path) + sizeof ".XXXXXX");
    if (!temp)
        return cannot_write(path, ENOMEM);
    strcpy(temp, path);
    strcat(temp, ".XXXXXX");
    int fd = mkstemp(temp);
    int error = errno;
    if (fd >= 0) {
        close(fd);
        unlink(temp);
    }
    free(temp);
    return fd >= 0 ? EXIT_DONE : cannot_write(path, error);
}

int print_result(const char *result)
{
    if (fputs(result, stdout) >= 0 && fflush(stdout) == 0 && !ferror(stdout))
        return EXIT_DONE;
    complain("cannot write to standard output: %s", strerror(errno));
    return EXIT_FAILED;
}

static int ends_with(const char *s, const char *end)
{
    size_t n = strlen(s), m = strlen(end);
    return n >= m && strcmp(s + n - m, end) == 0;
}

static int exists(const char *path)
{
    struct stat st;
    return lstat(path, &st) == 0;
}

int place_output(settings *s)
{
    if (s->resume || !s->out || ends_with(s->out, ".json"))
        return check_writable(s->out);
    if (exists(s->out)) {
        complain("'%s' exists", s->out);
        return EXIT_USAGE;
    }
    int code = check_writable(s->out);
    if (code != EXIT_DONE)
        return code;
    s->store = s->out;
    const char *folder = current_folder();
    if (s->operands[0][0] != '/')
        s->operands[0] = keep_text("%s%s", folder, s->operands[0]);
    s->options.settings = s;
    for (int i = 0; i < s->options.n_given; i++) {
        const opt_given *g = &s->options.given[i];
        const char *value = place_value(g->option, g->text, folder);
        if (value != g->text)
            (void)opt_set(&s->options, g->option->name, value); /* any text is a name */
    }
    s->out = NULL; /* no JSON */
    return EXIT_DONE;
}

/* Stopped by a signal. */
static int stopped(const settings *s)
{
    if (s->store && exists(s->store))
        complain("stopped; go on with: bitseer resume %s", s->store);
    else
        complain("stopped, nothing written");
    return EXIT_STOPPED;
}

int deliver(const settings *s, bsr_status status, char *json, char *table)
{
    int code;
    if (status == BSR_OK && s->out)
        status = bsr_write_text(s->out, json);
    if (status == BSR_ECANCELLED)
        code = stopped(s);
    else
        code = status == BSR_OK ? print_result(s->json ? json : table) : failed(status);
    bsr_text_free(json);
    bsr_text_free(table);
    return code;
}
