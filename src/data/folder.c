/* JPEG and PNG files in class sub-folders, or listed with their labels. */
#define _POSIX_C_SOURCE 200809L
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>

#include "base/alloc.h"
#include "base/error.h"
#include "base/file.h"
#include "data/picture.h"
#include "data/source.h"

#define MAX_LABELS_BYTES  ((size_t)1 << 28)
#define MAX_PICTURE_BYTES ((size_t)1 << 28)

typedef struct name_list {
    char **items;
    size_t count, cap;
} name_list;

static void names_free(name_list *l)
{
    for (size_t i = 0; i < l->count; i++)
        bsr_free(l->items[i]);
    bsr_free(l->items);
}

/* Takes ownership of `name`, also on failure. NULL (a failed copy) is ENOMEM. */
static bsr_status names_push(name_list *l, char *name)
{
    bsr_status status = name ? bsr_grow(&l->items, &l->cap, l->count + 1, sizeof name) : BSR_ENOMEM;
    if (status == BSR_OK)
        l->items[l->count++] = name;
    else
        bsr_free(name);
    return status;
}

static int by_bytes(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

/* "dir/name", caller frees; NULL when out of memory. */
static char *join(const char *dir, const char *name)
{
    size_t n = strlen(dir) + strlen(name) + 2;
    char *path = bsr_alloc_array(n, 1);
    if (path)
        snprintf(path, n, "%s/%s", dir, name);
    return path;
}

static int is_folder(DIR *d, const char *name)
{
    struct stat st;
    return fstatat(dirfd(d), name, &st, 0) == 0 && S_ISDIR(st.st_mode);
}

static int is_picture(const char *name)
{
    static const char *const endings[] = {".jpg", ".jpeg", ".png"};
    const char *dot = strrchr(name, '.');
    for (size_t i = 0; dot && i < sizeof endings / sizeof *endings; i++)
        if (strcasecmp(dot, endings[i]) == 0)
            return 1;
    return 0;
}

/* Sorted names in `dir` of sub-folders, or of pictures; hidden ones are left out. */
static bsr_status list_names(name_list *out, const char *dir, int folders)
{
    DIR *d = opendir(dir);
    if (!d)
        return bsr_fail(errno == ENOENT || errno == ENOTDIR ? BSR_ENOTFOUND : BSR_EIO,
                        "folder: cannot read '%s': %s", dir, strerror(errno));
    bsr_status status = BSR_OK;
    for (struct dirent *e; status == BSR_OK && (e = readdir(d)) != NULL;) {
        if (e->d_name[0] == '.' || !(folders || is_picture(e->d_name)))
            continue;
        if (is_folder(d, e->d_name) == folders)
            status = names_push(out, bsr_strdup(e->d_name));
    }
    closedir(d);
    if (status == BSR_OK && out->count)
        qsort(out->items, out->count, sizeof *out->items, by_bytes);
    return status;
}

/* The two ways to find pictures fill the same lists: paths and labels, side by side. */
static bsr_status push_picture(bsr_source *s, name_list *paths, size_t *label_cap, const char *dir,
                               const char *name, int64_t label)
{
    BSR_TRY(bsr_grow(&s->labels, label_cap, paths->count + 1, sizeof *s->labels));
    BSR_TRY(names_push(paths, join(dir, name)));
    s->labels[paths->count - 1] = label;
    return BSR_OK;
}

static bsr_status find_in_classes(bsr_source *s, name_list *paths, const char *dir)
{
    name_list classes = {0};
    size_t label_cap = 0;
    bsr_status status = list_names(&classes, dir, 1);
    if (status == BSR_OK && classes.count == 0)
        status = bsr_fail(BSR_EINVAL,
                          "folder: '%s' has no class sub-folders and no labels file "
                          "is given",
                          dir);
    for (size_t c = 0; status == BSR_OK && c < classes.count; c++) {
        name_list names = {0};
        char *sub = join(dir, classes.items[c]);
        status = sub ? list_names(&names, sub, 0) : BSR_ENOMEM;
        for (size_t i = 0; status == BSR_OK && i < names.count; i++)
            status = push_picture(s, paths, &label_cap, sub, names.items[i], (int64_t)c);
        names_free(&names);
        bsr_free(sub);
    }
    names_free(&classes);
    return status;
}

/* Splits the line `NAME LABEL` in place at its last blank; NAME may hold blanks. Returns 0 when it
 * is not of this form. */
static int split_line(char *line, long *label)
{
    size_t n = strlen(line);
    while (n && strchr(" \t\r", line[n - 1]))
        line[--n] = 0;
    char *end, *number = line + n;
    while (number > line && !strchr(" \t", number[-1]))
        number--;
    if (*number < '0' || *number > '9')
        return 0;
    errno = 0;
    *label = strtol(number, &end, 10);
    if (*end || errno || *label > INT_MAX)
        return 0;
    while (number > line && strchr(" \t", number[-1]))
        *--number = 0;
    return number > line;
}

typedef struct listed {
    const char *name; /* inside the text of the labels file */
    long label;
} listed;

static int by_name(const void *a, const void *b)
{
    return strcmp(((const listed *)a)->name, ((const listed *)b)->name);
}

/* Splits `text` in place; empty lines are skipped. */
static bsr_status parse_labels(listed **out, size_t *count, char *text, const char *path)
{
    size_t cap = 0;
    int number = 1;
    for (char *line = text, *next; *line; line = next, number++) {
        size_t n = strcspn(line, "\n");
        next = line + n + (line[n] != 0);
        line[n] = 0;
        if (line[strspn(line, " \t\r")] == 0)
            continue;
        BSR_TRY(bsr_grow(out, &cap, *count + 1, sizeof **out));
        listed *l = &(*out)[(*count)++];
        l->name = line;
        if (!split_line(line, &l->label))
            return bsr_fail(BSR_EFORMAT, "folder: '%s' line %d is not NAME LABEL", path, number);
    }
    if (*count)
        qsort(*out, *count, sizeof **out, by_name);
    for (size_t i = 1; i < *count; i++)
        if (strcmp((*out)[i - 1].name, (*out)[i].name) == 0)
            return bsr_fail(BSR_EFORMAT, "folder: '%s' lists '%s' twice", path, (*out)[i].name);
    return BSR_OK;
}

static bsr_status find_listed(bsr_source *s, name_list *paths, const char *dir,
                              const char *labels_file)
{
    void *text;
    size_t n, count = 0, label_cap = 0;
    listed *list = NULL;
    BSR_TRY(bsr_file_read(&text, &n, labels_file, MAX_LABELS_BYTES));
    bsr_status status = parse_labels(&list, &count, text, labels_file);
    for (size_t i = 0; status == BSR_OK && i < count; i++)
        status = push_picture(s, paths, &label_cap, dir, list[i].name, list[i].label);
    bsr_free(list);
    bsr_free(text);
    return status;
}

/* The shorter side before cutting: torchvision's usual 256 for 224. */
static int default_resize(const bsr_want *w)
{
    long long size = w->height > w->width ? w->height : w->width;
    return (int)((size * 256 + 112) / 224);
}

/* Decodes picture i and brings it to the network's channels and size. */
static bsr_status load_picture(const bsr_source *s, size_t i, void *out)
{
    const bsr_want *w = &s->want;
    void *data;
    size_t n;
    char name[400];
    bsr_picture p;
    snprintf(name, sizeof name, "'%s'", s->paths[i]);
    BSR_TRY(bsr_file_read(&data, &n, s->paths[i], MAX_PICTURE_BYTES));
    bsr_status status = bsr_picture_decode(&p, data, n, name);
    bsr_free(data);
    if (status != BSR_OK)
        return status;
    status = bsr_picture_convert(&p, w->channels);
    if (status == BSR_OK && (w->resize || p.height != w->height || p.width != w->width))
        status = bsr_picture_resize_short(&p, w->resize ? w->resize : default_resize(w));
    if (status == BSR_OK)
        status = bsr_picture_crop(&p, w->height, w->width, out);
    bsr_picture_free(&p);
    return status == BSR_OK ? BSR_OK : bsr_fail_prefix(status, "%s", name);
}

bsr_status bsr_open_folder(bsr_source *s, char *const *paths, size_t n_paths, const bsr_want *want)
{
    if (want->channels != 1 && want->channels != 3)
        return bsr_fail(BSR_EINVAL, "folder: pictures have 1 or 3 channels, the network takes %d",
                        want->channels);
    name_list found = {0};
    bsr_status status = want->labels_file ? find_listed(s, &found, paths[0], want->labels_file)
                                          : find_in_classes(s, &found, paths[0]);
    s->paths = found.items;
    s->count = found.count;
    s->want = *want;
    s->channels = want->channels;
    s->height = want->height;
    s->width = want->width;
    s->load = load_picture;
    return status;
}
