/* The files of --svg and --csv. */
#define _POSIX_C_SOURCE 200809L
#include <errno.h>
#include <string.h>
#include <sys/stat.h>

#include "cli.h"

static int make_folder(const char *path)
{
    struct stat st;
    if (mkdir(path, 0777) == 0)
        return EXIT_DONE;
    int error = errno;
    if (error == EEXIST && stat(path, &st) == 0) {
        if (S_ISDIR(st.st_mode))
            return EXIT_DONE;
        error = ENOTDIR;
    }
    complain("cannot make the folder '%s': %s", path, strerror(error));
    return EXIT_FAILED;
}

/* Writes text, which it frees, to FOLDER/NAME.END. */
static bsr_status write_file(const char *folder, const char *name, const char *end, char *text)
{
    bsr_status status = bsr_write_text(keep_text("%s/%s.%s", folder, name, end), text);
    bsr_text_free(text);
    return status;
}

static bsr_status write_result(const char *folder, const char *end, const bsr_result *r,
                               bsr_status (*make)(char **, const bsr_result *, bsr_picture))
{
    for (int p = 0; p < BSR_PICTURES; p++) {
        char *text;
        if (!bsr_picture_possible(r, (bsr_picture)p))
            continue;
        bsr_status status = make(&text, r, (bsr_picture)p);
        if (status == BSR_OK)
            status = write_file(folder, bsr_picture_name((bsr_picture)p), end, text);
        if (status != BSR_OK)
            return status;
    }
    return BSR_OK;
}

static bsr_status write_sweep(const char *folder, const char *end, const bsr_sweep_result *sweep,
                              bsr_status (*make)(char **, const bsr_sweep_result *))
{
    char *text;
    bsr_status status = make(&text, sweep);
    return status == BSR_OK ? write_file(folder, "ber", end, text) : status;
}

int write_pictures(const settings *s, const bsr_result *result, const bsr_sweep_result *sweep)
{
    const struct {
        const char *folder, *end;
        bsr_status (*of_result)(char **, const bsr_result *, bsr_picture);
        bsr_status (*of_sweep)(char **, const bsr_sweep_result *);
    } forms[] = {
        {s->svg, "svg", bsr_result_svg, bsr_sweep_svg},
        {s->tables, "csv", bsr_result_csv, bsr_sweep_csv},
    };
    for (size_t i = 0; i < sizeof forms / sizeof *forms; i++) {
        if (!forms[i].folder)
            continue;
        int code = make_folder(forms[i].folder);
        if (code != EXIT_DONE)
            return code;
        bsr_status status =
            result ? write_result(forms[i].folder, forms[i].end, result, forms[i].of_result)
                   : write_sweep(forms[i].folder, forms[i].end, sweep, forms[i].of_sweep);
        if (status != BSR_OK)
            return failed(status);
    }
    return EXIT_DONE;
}
