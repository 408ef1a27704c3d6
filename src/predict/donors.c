/* Which images' moments are taken, and for which others they stand. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "predict/logit_model.h"

typedef struct ranked {
    size_t image;
    int top1;
    float margin;
} ranked;

static int compare(const void *a, const void *b)
{
    const ranked *x = a, *y = b;
    if (x->top1 != y->top1)
        return x->top1 < y->top1 ? -1 : 1;
    if (x->margin != y->margin)
        return x->margin < y->margin ? -1 : 1;
    return x->image < y->image ? -1 : x->image > y->image;
}

bsr_status bsr_rank_images(bsr_logit_model *m)
{
    const bsr_followed *f = &m->followed;
    ranked *r = bsr_alloc_array(m->images, sizeof *r);
    m->order = bsr_alloc_array(m->images, sizeof *m->order);
    m->position = bsr_alloc_array(m->images, sizeof *m->position);
    if (!r || !m->order || !m->position) {
        bsr_free(r);
        return BSR_ENOMEM;
    }
    for (size_t i = 0; i < m->images; i++) {
        const float *z = m->golden + i * (size_t)f->classes;
        bsr_margins margins;
        int top1 = bsr_top1(z, f->classes);
        bsr_margins_of(&margins, z, top1, f->classes);
        r[i] = (ranked){i, f->logits == f->classes ? top1 : 0, margins.n ? margins.margin[0] : 0};
    }
    qsort(r, m->images, sizeof *r, compare);
    for (size_t i = 0; i < m->images; i++) {
        m->order[i] = (uint32_t)r[i].image;
        m->position[r[i].image] = (uint32_t)i;
    }
    bsr_free(r);
    return BSR_OK;
}

void bsr_choose_donors(size_t *images, size_t n, const bsr_logit_model *m)
{
    for (size_t i = 0; i < n; i++)
        images[i] = m->order[(2 * i + 1) * m->images / (2 * n)];
}

/* The followed golden logits of some images, [n][followed.logits], in their order. ENOMEM. */
static bsr_status followed_logits(float **out, const bsr_logit_model *m, const size_t *images,
                                  size_t n)
{
    const bsr_followed *f = &m->followed;
    size_t width = (size_t)f->logits;
    if (!(*out = bsr_alloc_array(n * width, sizeof **out)))
        return BSR_ENOMEM;
    for (size_t i = 0; i < n; i++) {
        const float *z = m->golden + (images ? images[i] : i) * (size_t)f->classes;
        int order[BSR_FOLLOWED];
        bsr_followed_classes(order, f, z);
        for (size_t k = 0; k < width; k++)
            (*out)[i * width + k] = z[order[k]];
    }
    return BSR_OK;
}

static float distance(const float *a, const float *b, size_t n)
{
    float sum = 0;
    for (size_t k = 0; k < n; k++)
        sum += (a[k] - b[k]) * (a[k] - b[k]);
    return sum;
}

typedef struct found {
    float distance;
    uint32_t trial;
} found;

/* The `window` nearest of n points, nearest first, the first of equally near ones first. */
static void find_nearest(uint32_t *out, found *room, const float *point, const float *points,
                         size_t n, size_t width, size_t window)
{
    size_t have = 0;
    for (size_t i = 0; i < n; i++) {
        float d = distance(point, points + i * width, width);
        if (have == window && d >= room[have - 1].distance)
            continue;
        size_t at = have < window ? have++ : have - 1;
        for (; at > 0 && room[at - 1].distance > d; at--)
            room[at] = room[at - 1];
        room[at] = (found){d, (uint32_t)i};
    }
    for (size_t i = 0; i < window; i++)
        out[i] = room[i].trial;
}

bsr_status bsr_near_trials_init(bsr_near_trials *t, const bsr_logit_model *m, const size_t *images,
                                size_t n, size_t window, size_t slots)
{
    size_t width = (size_t)m->followed.logits;
    float *all = NULL, *points = NULL;
    *t = (bsr_near_trials){.window = window < n ? window : n, .slots = slots};
    found *room = bsr_alloc_array(t->window, sizeof *room);
    t->trial = bsr_alloc_array(m->images * t->window, sizeof *t->trial);
    bsr_status status = room && t->trial ? BSR_OK : BSR_ENOMEM;
    if (status == BSR_OK)
        status = followed_logits(&all, m, NULL, m->images);
    if (status == BSR_OK)
        status = followed_logits(&points, m, images, n);
    for (size_t i = 0; i < m->images && status == BSR_OK; i++)
        find_nearest(t->trial + i * t->window, room, all + i * width, points, n, width, t->window);
    bsr_free(room);
    bsr_free(all);
    bsr_free(points);
    if (status != BSR_OK)
        bsr_near_trials_clear(t);
    return status;
}

void bsr_near_trials_clear(bsr_near_trials *t)
{
    bsr_free(t->trial);
    *t = (bsr_near_trials){0};
}

bsr_status bsr_assign_donors(bsr_logit_model *m)
{
    bsr_near_trials near = {0};
    size_t *images = bsr_alloc_array(m->n_donors, sizeof *images);
    m->donor = bsr_alloc_array(m->images, sizeof *m->donor);
    bsr_status status = images && m->donor ? BSR_OK : BSR_ENOMEM;
    for (size_t d = 0; d < m->n_donors && status == BSR_OK; d++)
        images[d] = m->donors[d].image;
    if (status == BSR_OK)
        status = bsr_near_trials_init(&near, m, images, m->n_donors, 2, m->n_donors);
    for (size_t i = 0; i < m->images && status == BSR_OK; i++)
        for (size_t k = 0; k < 2; k++) {
            m->donor[i][k] = near.trial[i * near.window + (near.window > 1 ? k : 0)];
            /* Its own moments are better than anyone's. */
            if (images[m->donor[i][0]] == i)
                m->donor[i][1] = m->donor[i][0];
        }
    bsr_near_trials_clear(&near);
    bsr_free(images);
    return status;
}
