#include "analysis/edm.h"

#include <math.h>
#include <string.h>

#define RESOLUTION 10

float bsr_edm_edge(int i)
{
    if (i == BSR_EDM_ZERO)
        return 0;
    return i < BSR_EDM_ZERO ? -ldexpf(1, RESOLUTION - i)
                            : ldexpf(1, i - BSR_EDM_ZERO - 1 - RESOLUTION);
}

int bsr_edm_bin(float e)
{
    int exponent;
    if (isnan(e) || e >= ldexpf(1, RESOLUTION))
        return BSR_EDM_EDGES;
    if (e < -ldexpf(1, RESOLUTION))
        return 0;
    if (e == 0)
        return BSR_EDM_ZERO + 1;
    /* |e| = m * 2^exponent, m in [1/2, 1). */
    float m = frexpf(fabsf(e), &exponent);
    if (e > 0)
        return exponent <= -RESOLUTION ? BSR_EDM_ZERO + 1
                                       : exponent + RESOLUTION + BSR_EDM_ZERO + 1;
    /* -2^k itself belongs to the bin above its edge. */
    if (m == 0.5f)
        exponent--;
    return exponent < -RESOLUTION ? BSR_EDM_ZERO : RESOLUTION - exponent + 1;
}

uint64_t bsr_edm_below(const bsr_edm *map, int i)
{
    uint64_t sum = 0;
    for (int k = 0; k <= i; k++)
        sum += map->bin[k];
    return sum;
}

uint64_t bsr_edm_total(const bsr_edm *map)
{
    return bsr_edm_below(map, BSR_EDM_EDGES);
}

void bsr_vvss_init(bsr_vvss *s, const bsr_edm *map)
{
    memset(s, 0, sizeof *s);
    for (int i = 0; i < BSR_EDM_EDGES; i++) {
        if (i == BSR_EDM_ZERO || (!map->bin[i] && i != BSR_EDM_FIRST && i != BSR_EDM_LAST))
            continue;
        int part = i < BSR_EDM_MINUS_ONE ? BSR_VVSS_BELOW_MINUS_ONE
                   : i < BSR_EDM_ZERO    ? BSR_VVSS_FROM_MINUS_ONE
                   : i <= BSR_EDM_ONE    ? BSR_VVSS_TO_ONE
                                         : BSR_VVSS_ABOVE_ONE;
        s->edge[part][s->n[part]++] = (int8_t)i;
    }
}

static int edge_at(const bsr_vvss_walk *w)
{
    int n = w->space->n[w->part];
    return w->space->edge[w->part][w->part < BSR_VVSS_TO_ONE ? n - 1 - w->at : w->at];
}

/* The next one, unless the list ends there or its answer is known: +-1 flips, and +-2^10 is the
 * result whether it does or not. */
static void move(bsr_vvss_walk *w, int way)
{
    w->way = way;
    w->at += way;
    w->open = w->at >= 0 && w->at < w->space->n[w->part] && edge_at(w) != w->edge;
}

void bsr_vvss_walk_start(bsr_vvss_walk *w, const bsr_vvss *s, int side, int flips)
{
    static const int parts[2][2] = {{BSR_VVSS_BELOW_MINUS_ONE, BSR_VVSS_FROM_MINUS_ONE},
                                    {BSR_VVSS_ABOVE_ONE, BSR_VVSS_TO_ONE}};
    static const int results[2][2] = {{BSR_EDM_FIRST, BSR_EDM_MINUS_ONE},
                                      {BSR_EDM_LAST, BSR_EDM_ONE}};
    *w = (bsr_vvss_walk){.space = s, .part = parts[side][flips], .edge = results[side][flips]};
    int n = s->n[w->part];
    w->at = side ? n / 2 : n - 1 - n / 2;
    /* A list of +-2^10 alone leaves nothing to find out, nor does +-1, which flips. */
    w->open = flips ? n > 0 : n > 1;
    if (w->open && flips && edge_at(w) == w->edge)
        move(w, -1);
}

int bsr_vvss_walk_ask(const bsr_vvss_walk *w)
{
    return w->open ? edge_at(w) : -1;
}

void bsr_vvss_walk_tell(bsr_vvss_walk *w, int flips)
{
    if (flips)
        w->edge = edge_at(w);
    if ((flips && w->way > 0) || (!flips && w->way < 0))
        w->open = 0;
    else
        move(w, flips ? -1 : 1);
}
