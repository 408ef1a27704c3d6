#include "data/image_selector.h"

#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/error.h"

typedef struct image {
    int64_t label;
    size_t position;
} image;

static int by_label(const void *a, const void *b)
{
    const image *x = a, *y = b;
    if (x->label != y->label)
        return x->label < y->label ? -1 : 1;
    return x->position < y->position ? -1 : 1;
}

static int by_position(const void *a, const void *b)
{
    size_t x = *(const size_t *)a, y = *(const size_t *)b;
    return x < y ? -1 : x > y;
}

/* Reads decimal digits, at most 18 of them; returns what follows, or NULL when there are none. */
static const char *number(const char *s, size_t *out)
{
    size_t n = strspn(s, "0123456789");
    if (n == 0 || n > 18)
        return NULL;
    *out = 0;
    for (const char *end = s + n; s < end; s++)
        *out = *out * 10 + (size_t)(*s - '0');
    return s;
}

static bsr_status select_range(size_t **out, size_t *n, const char *spec, size_t from, size_t to,
                               size_t count)
{
    if (to > count)
        return bsr_fail(BSR_EINVAL, "images '%s' ends at %zu, the data has %zu images", spec, to,
                        count);
    if (from >= to)
        return bsr_fail(BSR_EINVAL, "images '%s' selects no image", spec);
    *out = bsr_alloc_array(to - from, sizeof **out);
    if (!*out)
        return BSR_ENOMEM;
    for (size_t i = from; i < to; i++)
        (*out)[i - from] = i;
    *n = to - from;
    return BSR_OK;
}

/* `sorted` by label, then position. Fills `out`, which has room for all. */
static bsr_status take_each(size_t *out, size_t *n, const char *spec, size_t each,
                            const image *sorted, size_t count)
{
    *n = 0;
    for (size_t from = 0, to; from < count; from = to) {
        for (to = from; to < count && sorted[to].label == sorted[from].label;)
            to++;
        if (to - from < each)
            return bsr_fail(BSR_EINVAL,
                            "images '%s' asks for %zu images per class, the data has %zu of class "
                            "%lld",
                            spec, each, to - from, (long long)sorted[from].label);
        for (size_t i = 0; i < each; i++)
            out[(*n)++] = sorted[from + i].position;
    }
    qsort(out, *n, sizeof *out, by_position);
    return BSR_OK;
}

static bsr_status select_each(size_t **out, size_t *n, const char *spec, size_t each,
                              const int64_t *labels, size_t count)
{
    if (each == 0)
        return bsr_fail(BSR_EINVAL, "images '%s' selects no image", spec);
    size_t *chosen = bsr_alloc_array(count, sizeof *chosen);
    image *sorted = bsr_alloc_array(count, sizeof *sorted);
    bsr_status status = chosen && sorted ? BSR_OK : BSR_ENOMEM;
    if (status == BSR_OK) {
        for (size_t i = 0; i < count; i++)
            sorted[i] = (image){labels[i], i};
        qsort(sorted, count, sizeof *sorted, by_label);
        status = take_each(chosen, n, spec, each, sorted, count);
    }
    bsr_free(sorted);
    if (status == BSR_OK)
        *out = chosen;
    else
        bsr_free(chosen);
    return status;
}

bsr_status bsr_select_images(size_t **out, size_t *n, const char *spec, const int64_t *labels,
                             size_t count)
{
    *out = NULL;
    *n = 0;
    if (count == 0)
        return bsr_fail(BSR_EINVAL, "the data has no images");
    if (*spec == 0)
        return select_range(out, n, spec, 0, count, count);
    size_t a, b;
    const char *rest = number(spec, &a);
    if (rest && *rest == 0)
        return select_range(out, n, spec, 0, a, count);
    if (rest && strcmp(rest, "/class") == 0)
        return select_each(out, n, spec, a, labels, count);
    if (rest && *rest == ':') {
        rest = number(rest + 1, &b);
        if (rest && *rest == 0)
            return select_range(out, n, spec, a, b, count);
    }
    return bsr_fail(BSR_EINVAL, "images '%s' is none of N, A:B and N/class", spec);
}
