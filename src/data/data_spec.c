#include "data/data_spec.h"

#include <stdint.h>
#include <string.h>

#include "base/alloc.h"
#include "base/error.h"

/* A kind that takes one path takes all of it, commas included. */
static const struct data_kind {
    const char *name;
    const char *syntax;
    size_t least, most; /* paths */
    int pictures;       /* knows labels_file and resize */
    bsr_source_open *open;
} kinds[] = {
    {"cifar10", "cifar10:FILE[,FILE...]", 1, SIZE_MAX, 0, bsr_open_cifar10},
    {"cifar100", "cifar100:FILE[,FILE...]", 1, SIZE_MAX, 0, bsr_open_cifar100},
    {"planes16", "planes16:FILE", 1, 1, 0, bsr_open_planes16},
    {"idx", "idx:IMAGES,LABELS", 2, 2, 0, bsr_open_idx},
    {"npy", "npy:X,Y", 2, 2, 0, bsr_open_npy},
    {"npz", "npz:FILE", 1, 1, 0, bsr_open_npz},
    {"folder", "folder:DIR", 1, 1, 1, bsr_open_folder},
};

static const struct data_kind *find_kind(const char *spec)
{
    size_t n = strcspn(spec, ":");
    for (size_t i = 0; spec[n] && i < sizeof kinds / sizeof *kinds; i++)
        if (strlen(kinds[i].name) == n && memcmp(kinds[i].name, spec, n) == 0)
            return &kinds[i];
    return NULL;
}

static int ends_with(const char *s, const char *end)
{
    size_t n = strlen(s), m = strlen(end);
    return n >= m && strcmp(s + n - m, end) == 0;
}

int bsr_spec_is_card(const char *spec)
{
    return !find_kind(spec) && (ends_with(spec, ".yaml") || ends_with(spec, ".yml"));
}

char *bsr_path_beside(const char *base, const char *path)
{
    const char *slash = base ? strrchr(base, '/') : NULL;
    if (!slash || *path == '/')
        return bsr_strdup(path);
    size_t folder = (size_t)(slash - base) + 1, n = strlen(path) + 1;
    char *joined = bsr_alloc_array(folder + n, 1);
    if (joined) {
        memcpy(joined, base, folder);
        memcpy(joined + folder, path, n);
    }
    return joined;
}

static bsr_status fail_unknown(const char *spec)
{
    char list[256] = "";
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
        strcat(list, kinds[i].syntax);
        strcat(list, ", ");
    }
    return bsr_fail(BSR_EINVAL, "data '%s' is none of %sand CARD.yaml", spec, list);
}

/* Cuts `list` at its commas in place and gives each path as seen from the card. */
static bsr_status split_paths(char ***paths, size_t *n, char *list, const struct data_kind *kind,
                              const char *card)
{
    size_t cap = 0;
    for (char *at = list, *comma; at; at = comma) {
        comma = kind->most > 1 ? strchr(at, ',') : NULL;
        if (comma)
            *comma++ = 0;
        if (*at == 0)
            return bsr_fail(BSR_EINVAL, "%s: a path is empty, expected %s", kind->name,
                            kind->syntax);
        BSR_TRY(bsr_grow(paths, &cap, *n + 1, sizeof **paths));
        (*paths)[*n] = bsr_path_beside(card, at);
        if (!(*paths)[*n])
            return BSR_ENOMEM;
        (*n)++;
    }
    if (*n < kind->least || *n > kind->most)
        return bsr_fail(BSR_EINVAL, "%s: %zu paths, expected %s", kind->name, *n, kind->syntax);
    return BSR_OK;
}

bsr_status bsr_spec_open(bsr_source *source, const char **name, const char *spec, const char *card,
                         const bsr_want *want)
{
    memset(source, 0, sizeof *source);
    const struct data_kind *kind = find_kind(spec);
    if (!kind)
        return fail_unknown(spec);
    *name = kind->name;
    if (!kind->pictures && (want->resize || want->labels_file))
        return bsr_fail(BSR_EINVAL, "%s does not take %s, only folder does", kind->name,
                        want->resize ? "resize" : "a labels file");
    char **paths = NULL;
    size_t n = 0;
    char *list = bsr_strdup(spec + strlen(kind->name) + 1);
    bsr_status status = list ? split_paths(&paths, &n, list, kind, card) : BSR_ENOMEM;
    if (status == BSR_OK)
        status = kind->open(source, paths, n, want);
    if (status != BSR_OK)
        bsr_source_close(source);
    for (size_t i = 0; i < n; i++)
        bsr_free(paths[i]);
    bsr_free(paths);
    bsr_free(list);
    return status;
}
