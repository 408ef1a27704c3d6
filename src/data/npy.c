#include "data/npy.h"

#include <limits.h>
#include <stdio.h>
#include <string.h>

#include "base/alloc.h"
#include "base/error.h"
#include "base/file.h"
#include "data/source.h"

static const struct {
    const char *descr;
    bsr_npy_type type;
    size_t size;
} types[] = {
    {"|u1", BSR_NPY_U8, 1},
    {"<i4", BSR_NPY_I32, 4},
    {"<i8", BSR_NPY_I64, 8},
    {"<f4", BSR_NPY_F32, 4},
};

/* The header is a Python dictionary of three known keys: {'descr': '<f4', 'fortran_order': False,
 * 'shape': (2, 3), }. */
typedef struct scanner {
    const char *at, *end;
} scanner;

static int peek(scanner *s)
{
    while (s->at < s->end && (*s->at == ' ' || *s->at == '\n' || *s->at == '\t'))
        s->at++;
    return s->at < s->end ? (unsigned char)*s->at : 0;
}

/* Steps over `text` if it comes next. */
static int accept(scanner *s, const char *text)
{
    size_t n = strlen(text);
    if (!peek(s) || (size_t)(s->end - s->at) < n || memcmp(s->at, text, n) != 0)
        return 0;
    s->at += n;
    return 1;
}

/* A quoted string without escapes, at most 15 characters. */
static int scan_string(scanner *s, char out[16])
{
    int quote = peek(s);
    if (quote != '\'' && quote != '"')
        return 0;
    s->at++;
    for (size_t n = 0; n < 16 && s->at < s->end; n++) {
        char c = *s->at++;
        out[n] = c == quote ? 0 : c;
        if (c == quote)
            return 1;
    }
    return 0;
}

static int scan_shape(scanner *s, bsr_npy *a)
{
    if (!accept(s, "("))
        return 0;
    for (a->rank = 0; !accept(s, ")"); a->rank++) {
        if (a->rank == BSR_NPY_MAX_RANK || peek(s) < '0' || peek(s) > '9')
            return 0;
        size_t v = 0;
        for (; s->at < s->end && *s->at >= '0' && *s->at <= '9'; s->at++) {
            if (v > BSR_MAX_DATA_BYTES)
                return 0;
            v = v * 10 + (size_t)(*s->at - '0');
        }
        a->dims[a->rank] = v;
        if (!accept(s, ",") && peek(s) != ')')
            return 0;
    }
    return 1;
}

/* Returns 1 when all three keys were there and well formed. */
static int scan_header(scanner *s, bsr_npy *a, char descr[16], int *fortran)
{
    unsigned seen = 0;
    char key[16];
    if (!accept(s, "{"))
        return 0;
    while (!accept(s, "}")) {
        if (!scan_string(s, key) || !accept(s, ":"))
            return 0;
        if (strcmp(key, "descr") == 0 && scan_string(s, descr)) {
            seen |= 1;
        } else if (strcmp(key, "fortran_order") == 0) {
            *fortran = accept(s, "True");
            if (!*fortran && !accept(s, "False"))
                return 0;
            seen |= 2;
        } else if (strcmp(key, "shape") == 0 && scan_shape(s, a)) {
            seen |= 4;
        } else {
            return 0;
        }
        if (!accept(s, ",") && peek(s) != '}')
            return 0;
    }
    return seen == 7;
}

static bsr_status set_type(bsr_npy *a, const char *descr, const char *name)
{
    for (size_t i = 0; i < sizeof types / sizeof *types; i++)
        if (strcmp(types[i].descr, descr) == 0) {
            a->type = types[i].type;
            a->size = types[i].size;
            return BSR_OK;
        }
    return bsr_fail(BSR_EUNSUPPORTED,
                    "%s: element type '%s' is not read, only uint8 '|u1', int32 '<i4', int64 "
                    "'<i8' and float32 '<f4'",
                    name, descr);
}

static bsr_status set_strides(bsr_npy *a, int fortran, size_t bytes, const char *name)
{
    size_t total = a->size;
    for (int i = 0; i < a->rank; i++) {
        int d = fortran ? i : a->rank - 1 - i;
        a->strides[d] = total;
        if (a->dims[d] && total > BSR_MAX_DATA_BYTES / a->dims[d])
            return bsr_fail(BSR_ELIMIT, "%s: the shape asks for more than %zu bytes", name,
                            BSR_MAX_DATA_BYTES);
        total *= a->dims[d];
    }
    if (total != bytes)
        return bsr_fail(BSR_EFORMAT, "%s: %zu bytes behind the header, the shape asks for %zu",
                        name, bytes, total);
    return BSR_OK;
}

bsr_status bsr_npy_parse(bsr_npy *a, const unsigned char *p, size_t n, const char *name)
{
    memset(a, 0, sizeof *a);
    if (n < 10 || memcmp(p, "\x93NUMPY", 6) != 0)
        return bsr_fail(BSR_EFORMAT, "%s: no .npy file", name);
    if (p[6] < 1 || p[6] > 3)
        return bsr_fail(BSR_EUNSUPPORTED, "%s: .npy format version %d, only 1 to 3 are read", name,
                        p[6]);
    size_t start = p[6] == 1 ? 10 : 12;
    if (n < start)
        return bsr_fail(BSR_EFORMAT, "%s: %zu bytes are too short for a header", name, n);
    size_t length = (size_t)p[8] | (size_t)p[9] << 8;
    if (p[6] > 1)
        length |= (size_t)p[10] << 16 | (size_t)p[11] << 24;
    if (length > n - start)
        return bsr_fail(BSR_EFORMAT, "%s: a header of %zu bytes in a file of %zu", name, length, n);

    scanner s = {(const char *)p + start, (const char *)p + start + length};
    char descr[16];
    int fortran = 0;
    if (!scan_header(&s, a, descr, &fortran))
        return bsr_fail(BSR_EFORMAT, "%s: bad .npy header", name);
    BSR_TRY(set_type(a, descr, name));
    a->elements = p + start + length;
    return set_strides(a, fortran, n - start - length, name);
}

static bsr_status set_images(bsr_source *s, const bsr_npy *a, const char *name)
{
    if (a->rank != 3 && a->rank != 4)
        return bsr_fail(BSR_EINVAL, "%s: %d dimensions, images are [N,C,H,W] or [N,H,W]", name,
                        a->rank);
    if (a->type != BSR_NPY_U8 && a->type != BSR_NPY_F32)
        return bsr_fail(BSR_EUNSUPPORTED, "%s: images are uint8 or float32, not int%zu", name,
                        8 * a->size);
    size_t chw[3] = {1, a->dims[a->rank - 2], a->dims[a->rank - 1]};
    if (a->rank == 4)
        chw[0] = a->dims[1];
    if (chw[0] > INT_MAX || chw[1] > INT_MAX || chw[2] > INT_MAX)
        return bsr_fail(BSR_ELIMIT, "%s: images of %zux%zux%zu", name, chw[0], chw[1], chw[2]);
    s->count = a->dims[0];
    s->channels = (int)chw[0];
    s->height = (int)chw[1];
    s->width = (int)chw[2];
    s->is_float = a->type == BSR_NPY_F32;
    s->first = a->elements;
    s->strides[0] = a->strides[0];
    s->strides[1] = a->rank == 4 ? a->strides[1] : 0;
    s->strides[2] = a->strides[a->rank - 2];
    s->strides[3] = a->strides[a->rank - 1];
    s->load = bsr_source_load_array;
    return BSR_OK;
}

static int64_t integer_at(const bsr_npy *a, size_t i)
{
    const unsigned char *p = a->elements + i * a->strides[0];
    uint64_t v = 0;
    for (size_t b = 0; b < a->size; b++)
        v |= (uint64_t)p[b] << 8 * b;
    return a->type == BSR_NPY_I32 ? (int32_t)v : (int64_t)v;
}

static bsr_status set_labels(bsr_source *s, const bsr_npy *a, const char *name)
{
    if (a->rank != 1)
        return bsr_fail(BSR_EINVAL, "%s: %d dimensions, labels have 1", name, a->rank);
    if (a->type == BSR_NPY_F32)
        return bsr_fail(BSR_EUNSUPPORTED, "%s: labels are uint8, int32 or int64, not float32",
                        name);
    if (a->dims[0] != s->count)
        return bsr_fail(BSR_EINVAL, "%s: %zu labels for %zu images", name, a->dims[0], s->count);
    s->labels = bsr_alloc_array(s->count, sizeof *s->labels);
    if (!s->labels)
        return BSR_ENOMEM;
    for (size_t i = 0; i < s->count; i++)
        s->labels[i] = integer_at(a, i);
    return BSR_OK;
}

bsr_status bsr_npy_source(bsr_source *s, unsigned char *x_file, size_t x_n, const char *x_name,
                          const unsigned char *y_file, size_t y_n, const char *y_name)
{
    s->blob = x_file;
    bsr_npy x, y;
    BSR_TRY(bsr_npy_parse(&x, x_file, x_n, x_name));
    BSR_TRY(set_images(s, &x, x_name));
    BSR_TRY(bsr_npy_parse(&y, y_file, y_n, y_name));
    return set_labels(s, &y, y_name);
}

bsr_status bsr_open_npy(bsr_source *s, char *const *paths, size_t n_paths, const bsr_want *want)
{
    void *x, *y = NULL;
    size_t x_n, y_n;
    char x_name[400], y_name[400];
    snprintf(x_name, sizeof x_name, "npy: '%s'", paths[0]);
    snprintf(y_name, sizeof y_name, "npy: '%s'", paths[1]);
    BSR_TRY(bsr_file_read(&x, &x_n, paths[0], BSR_MAX_DATA_BYTES));
    bsr_status status = bsr_file_read(&y, &y_n, paths[1], BSR_MAX_DATA_BYTES);
    if (status == BSR_OK)
        status = bsr_npy_source(s, x, x_n, x_name, y, y_n, y_name);
    else
        bsr_free(x);
    bsr_free(y);
    return status;
}
