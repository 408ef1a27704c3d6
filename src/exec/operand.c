#include "exec/operand.h"

#include <string.h>

static const bsr_step *step_of(const bsr_plan *plan, int layer)
{
    return &plan->steps[plan->layers[layer].step];
}

size_t bsr_operand_windows(const bsr_plan *plan, int layer, unsigned char *mask)
{
    const bsr_step *s = step_of(plan, layer);
    const bsr_pixmap *map = s->sources[0].map; /* NULL: each pixel reads its own */
    int pixels = plan->ptens[s->out].pixels, taps = s->weights->taps;
    size_t bytes = ((size_t)taps + 7) / 8, size = (size_t)pixels * bytes;
    if (!mask)
        return size;
    memset(mask, 0, size);
    for (int t = 0; t < taps; t++)
        for (int p = 0; p < pixels; p++)
            if (!map || map->forward[(size_t)t * (size_t)map->n_out + (size_t)p] < map->n_in)
                mask[(size_t)p * bytes + (size_t)t / 8] |= (unsigned char)(1 << t % 8);
    return size;
}

const char *bsr_operand_input(const bsr_plan *plan, const bsr_golden *golden, int image, int layer,
                              int pixel, int64_t element)
{
    const bsr_step *s = step_of(plan, layer);
    const bsr_source *src = &s->sources[0];
    const bsr_pten *in = &plan->ptens[src->pten];
    int m, tap, c;
    bsr_weights_locate(s->weights, element, &m, &tap, &c);
    int64_t off = src->map ? src->map->offset[(size_t)tap * (size_t)src->map->n_out + (size_t)pixel]
                           : in->identity[pixel];
    c += m / s->weights->cout * s->weights->cin;
    return golden->records + (size_t)image * plan->golden_bytes + in->golden_at + off +
           (size_t)c * in->esize;
}

int bsr_operand_value(const bsr_plan *plan, int layer)
{
    return plan->ptens[step_of(plan, layer)->sources[0].pten].value;
}
