#include "base/alloc.h"
#include "base/error.h"
#include "report/protection_parts.h"
#include "report/svg_curve.h"

bsr_status bsr_protection_svg(char **out, const bsr_protection *p)
{
    size_t n = p->planned ? (size_t)p->n_steps : 1;
    *out = NULL;
    bsr_curve_point *points = bsr_alloc_array(n + 1, sizeof *points);
    if (!points)
        return BSR_ENOMEM;
    points[0] = (bsr_curve_point){0, p->before, 0};
    for (size_t i = 0; i < n; i++) {
        const bsr_vf_range *r = p->planned ? &p->steps[i].mvf : &p->after;
        int64_t bits = p->planned ? p->steps[i].added_bits : p->added_bits;
        points[i + 1] =
            (bsr_curve_point){bsr_overhead(bits, p->stored_bits), bsr_range_share(r), 0};
    }
    /* A narrower format takes storage away. */
    if (n == 1 && points[1].x < points[0].x) {
        bsr_curve_point swap = points[0];
        points[0] = points[1];
        points[1] = swap;
    }
    bsr_curve_series series = {"MVF", (int)n + 1, points};
    bsr_curve curve = {.name = "protection",
                       .title = "Vulnerability against added storage",
                       .subtitle = "MVF with its interval; storage in % of the stored bits",
                       .desc = "Vulnerability factor of the model after each step of a plan of "
                               "protections, against the storage that they add.",
                       .x_name = "added storage",
                       .y_name = "MVF",
                       .x_symbol = "added",
                       .y_symbol = "MVF",
                       .x_percent = 1,
                       .confidence = p->confidence,
                       .n_series = 1,
                       .series = &series};
    bsr_status status = bsr_svg_curve(out, &curve);
    bsr_free(points);
    return status;
}
