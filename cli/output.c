/* Where results and messages go. */
#define _POSIX_C_SOURCE 200809L
#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cli.h"

const opt output_opts[] = {{"json", 0, OPT_FLAG, offsetof(settings, json), "",
                            "print JSON instead of tables", 0, 0, NULL, 0},
                           {"out", 'o', OPT_STRING, offsetof(settings, out), "FILE",
                            "write JSON to FILE as well, whole or not at all", 0, 0, NULL, 0},
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
    if (status == BSR_ECANCELLED) {
        complain("stopped, nothing written");
        return EXIT_STOPPED;
    }
    complain("%s", bsr_error_message());
    return status == BSR_EINVAL ? EXIT_USAGE : EXIT_FAILED;
}

static int cannot_write(const char *path, int error)
{
    complain("cannot write '%s': %s", path, strerror(error));
    return EXIT_FAILED;
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

int print_result(const char *text)
{
    if (fputs(text, stdout) >= 0 && fflush(stdout) == 0 && !ferror(stdout))
        return EXIT_DONE;
    complain("cannot write to standard output: %s", strerror(errno));
    return EXIT_FAILED;
}

int deliver(const settings *s, bsr_status status, char *json, char *text)
{
    if (status == BSR_OK && s->out)
        status = bsr_write_text(s->out, json);
    int code = status == BSR_OK ? print_result(s->json ? json : text) : failed(status);
    bsr_text_free(json);
    bsr_text_free(text);
    return code;
}
