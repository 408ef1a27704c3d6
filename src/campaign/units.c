#include "campaign/units.h"

const bsr_space *bsr_unit_space(const bsr_record *r, uint64_t unit)
{
    uint64_t number = unit;
    int variant;
    if (!r->design.by_site)
        return bsr_space_of(&r->spaces, unit / r->design.images, &number, &variant);
    if (r->design.pairs)
        number = unit / BSR_CLASSES / r->design.images;
    return bsr_design_space(&r->design, &r->spaces, &number);
}

uint64_t bsr_unit_rows(const bsr_record *r, uint64_t unit, uint64_t *first_fault)
{
    *first_fault = unit;
    if (!r->design.by_site)
        return 1;
    uint64_t site = unit;
    const bsr_space *sp = bsr_space_of_site(&r->spaces, &site);
    *first_fault = sp->first + site * (uint64_t)sp->n_variants;
    return (uint64_t)sp->n_variants;
}

bsr_injected bsr_locate_unit(const bsr_record *r, uint64_t unit)
{
    bsr_injected f;
    int variant;
    f.image = r->transient ? (int64_t)(unit % r->design.images) : -1;
    uint64_t number = unit / r->design.images;
    f.space = bsr_space_of(&r->spaces, number, &f.number, &variant);
    if (r->design.kind == BSR_DESIGN_LIST) {
        const bsr_listed *l = &r->list.faults[number];
        f.site = (bsr_site){l->element, l->pixel, bsr_element_channel(f.space, l->element)};
        f.change = l->change;
        return f;
    }
    f.site = bsr_space_site(f.space, f.number);
    f.change = bsr_space_change(&r->spaces, f.space, f.number, variant);
    return f;
}

bsr_ray_site bsr_locate_site(const bsr_record *r, uint64_t unit)
{
    bsr_ray_site s = {.number = unit};
    int class = -1;
    if (r->design.pairs) {
        s.number = unit / BSR_CLASSES / r->design.images;
        class = (int)(unit % BSR_CLASSES);
    }
    s.space = bsr_space_of_site(&r->spaces, &s.number);
    if (class == 0 && bsr_class_count(&r->spaces, s.space) == 1)
        class = -1;
    s.variants = bsr_class_variants(&r->spaces, s.space, class);
    s.at = bsr_space_site(s.space, s.number);
    for (int v = 0; v < s.space->n_variants; v++)
        s.change[v] = bsr_space_change(&r->spaces, s.space, s.number, v);
    return s;
}

double bsr_start_ray(bsr_ray *ray, double values[BSR_MAX_VARIANTS], const bsr_ray_site *s,
                     const bsr_golden *golden, int image)
{
    const bsr_space *sp = s->space;
    uint32_t code = bsr_space_code(sp, golden, image, s->at);
    double v0 = bsr_space_value(sp, s->at, code);
    /* Faults that nobody asks about change nothing. */
    for (int v = 0; v < sp->n_variants; v++)
        values[v] = s->variants >> v & 1
                        ? bsr_space_value(sp, s->at, bsr_change_apply(s->change[v], code))
                        : v0;
    bsr_ray_init(ray, v0, values, sp->n_variants, sp->width < BSR_TRUSTED_BITS);
    int n = 0;
    for (int i = 0; i < ray->n_nans; i++)
        if (s->variants >> ray->nans[i] & 1)
            ray->nans[n++] = ray->nans[i];
    ray->n_nans = (uint8_t)n;
    return v0;
}

bsr_neuron bsr_locate_neuron(const bsr_record *r, uint64_t unit, size_t first_image)
{
    uint64_t site = unit / BSR_CLASSES / r->design.images;
    const bsr_space *sp = bsr_design_space(&r->design, &r->spaces, &site);
    return (bsr_neuron){.space = sp,
                        .channel = sp->chosen[site / (uint64_t)sp->pixels],
                        .pixel = (int)(site % (uint64_t)sp->pixels),
                        .image = (int)(bsr_pair_image(r, unit) - first_image)};
}
