#include "campaign/sweep_pattern.h"

typedef struct bsr_pattern_walk walk;

uint64_t bsr_pattern_stream(bsr_target target, uint64_t run, int index, int64_t image)
{
    return (uint64_t)target << 62 | run << 42 | (uint64_t)index << 26 | (uint64_t)(image + 1);
}

static void step(walk *w)
{
    w->more = bsr_flips_next(&w->flips, &w->at);
}

static void start(walk *w, uint64_t n, double p, uint64_t seed, uint64_t stream)
{
    /* Fails for what the callers have ruled out, and then there are no flips. */
    (void)!bsr_flips_init(&w->flips, n, p, seed, stream);
    step(w);
}

void bsr_pattern_init(bsr_pattern *p, const bsr_space *space, double p0, double p1, uint64_t seed,
                      uint64_t stream)
{
    p->space = space;
    p->p0 = p0;
    p->p1 = p1;
    start(&p->common, space->population, p0 > p1 ? p0 : p1, seed, stream);
    p->rare.more = 0;
    if (p0 != p1)
        start(&p->rare, space->population, p0 < p1 ? p0 : p1, seed, stream);
}

/* Selected bits of the site that the walk hits before bit number `end`, the site's first being
 * `first`; the walk goes past them. */
static uint32_t gather(walk *w, const bsr_space *space, uint64_t first, uint64_t end)
{
    uint32_t mask = 0;
    for (; w->more && w->at < end; step(w))
        mask |= (uint32_t)1 << space->variants[w->at - first];
    return mask;
}

int bsr_pattern_next(bsr_pattern *p, bsr_site_errors *e)
{
    const bsr_space *space = p->space;
    uint64_t bits = (uint64_t)space->n_variants;
    if (!p->common.more)
        return 0;
    e->site = p->common.at / bits;
    uint64_t first = e->site * bits;
    uint32_t common = gather(&p->common, space, first, first + bits);
    /* Patterns are nested: every bit that flips at the smaller rate flips at the greater one. */
    uint32_t rare = p->p0 == p->p1 ? common : gather(&p->rare, space, first, first + bits);
    e->if0 = p->p0 >= p->p1 ? common : rare;
    e->if1 = p->p1 >= p->p0 ? common : rare;
    return 1;
}
