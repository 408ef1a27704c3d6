#include "campaign/sweep_memory.h"

#include <string.h>

#include "base/alloc.h"
#include "base/error.h"

/* What an element belongs to, whoever reads it. */
static int storage_of(const bsr_plan *plan, const bsr_space *s)
{
    if (s->place == BSR_FAULT_VALUE)
        return plan->of_value[s->where];
    const bsr_weights *w = plan->layers[s->where].weights;
    return s->place == BSR_FAULT_BIAS ? w->bias_value : w->value;
}

static int is_shared(const bsr_sweep_memory *m, const bsr_space *s)
{
    int tensor = s->place == BSR_FAULT_VALUE, storage = storage_of(m->plan, s);
    for (int t = 0; t < m->n_targets; t++)
        for (int i = 0; i < m->sets[t].n; i++) {
            const bsr_space *other = &m->sets[t].spaces[i];
            if (other == s)
                return 0;
            if ((other->place == BSR_FAULT_VALUE) == tensor &&
                storage_of(m->plan, other) == storage)
                return 1;
        }
    return 0;
}

/* Leaves out of the last set what came before, and numbers it again. */
static bsr_status drop_shared(bsr_sweep_memory *m)
{
    bsr_spaces *set = &m->sets[m->n_targets - 1];
    for (int i = 0; i < set->n;) {
        if (!is_shared(m, &set->spaces[i])) {
            i++;
            continue;
        }
        bsr_space_clear(&set->spaces[i]);
        memmove(&set->spaces[i], &set->spaces[i + 1],
                (size_t)(set->n - i - 1) * sizeof *set->spaces);
        set->n--;
    }
    set->sites = set->population = 0;
    for (int i = 0; i < set->n; i++)
        BSR_TRY(bsr_space_finish(set, &set->spaces[i]));
    return BSR_OK;
}

static bsr_status check_set(const bsr_spaces *set)
{
    if (set->population > (uint64_t)1 << 53)
        return bsr_fail(BSR_ELIMIT, "%llu bits can flip, more than 2^53",
                        (unsigned long long)set->population);
    for (int i = 0; i < set->n; i++)
        if ((uint64_t)set->spaces[i].index >= BSR_MAX_PATTERN_SPACE)
            return bsr_fail(BSR_ELIMIT,
                            "'%s' is number %d of what error patterns go into, more "
                            "than %llu",
                            set->spaces[i].name, set->spaces[i].index,
                            (unsigned long long)BSR_MAX_PATTERN_SPACE);
    return BSR_OK;
}

static bsr_status add_target(bsr_sweep_memory *m, const bsr_session *s, bsr_target target)
{
    bsr_run_options o = s->options;
    if ((int)target < 0 || target >= BSR_PATTERN_TARGETS)
        return bsr_fail(BSR_EINVAL,
                        "error patterns go into weight, bias, activation or input, not %s",
                        bsr_target_name(target) ? bsr_target_name(target) : "an unknown target");
    o.target = target;
    o.fault = "bitflip"; /* a variant for each selected bit */
    int t = m->n_targets++;
    m->targets[t] = target;
    BSR_TRY(bsr_spaces_init(&m->sets[t], s->model, s->plan, s->storage, &o));
    BSR_TRY(drop_shared(m));
    return check_set(&m->sets[t]);
}

static bsr_status index_tensors(bsr_sweep_memory *m)
{
    size_t values = (size_t)m->plan->graph->n_values;
    m->of_value = bsr_calloc_array(values, sizeof *m->of_value);
    m->target_of = bsr_calloc_array(values, sizeof *m->target_of);
    m->hit = bsr_calloc_array(values, 1);
    if (!m->of_value || !m->target_of || !m->hit)
        return BSR_ENOMEM;
    for (int t = 0; t < m->n_targets; t++)
        for (int i = 0; i < m->sets[t].n; i++) {
            const bsr_space *sp = &m->sets[t].spaces[i];
            if (sp->place != BSR_FAULT_VALUE) {
                m->constant_bits += sp->population;
                continue;
            }
            m->tensor_bits += sp->population;
            m->of_value[sp->where] = sp;
            m->target_of[sp->where] = m->targets[t];
            m->hit[sp->where] = 1;
        }
    if (!m->tensor_bits) {
        bsr_free(m->hit);
        m->hit = NULL;
    }
    return BSR_OK;
}

bsr_status bsr_memory_init(bsr_sweep_memory *m, const bsr_session *s, const bsr_target *targets,
                           int n_targets)
{
    *m = (bsr_sweep_memory){.plan = s->plan};
    if (s->images > BSR_MAX_SWEEP_IMAGES)
        return bsr_fail(BSR_ELIMIT, "%zu images, error patterns have room for %llu", s->images,
                        (unsigned long long)BSR_MAX_SWEEP_IMAGES);
    for (int t = 0; t < n_targets; t++)
        BSR_TRY(add_target(m, s, targets[t]));
    return index_tensors(m);
}

void bsr_memory_clear(bsr_sweep_memory *m)
{
    for (int t = 0; t < m->n_targets; t++)
        bsr_spaces_clear(&m->sets[t]);
    bsr_free(m->of_value);
    bsr_free(m->target_of);
    bsr_free(m->hit);
    *m = (bsr_sweep_memory){0};
}

static bsr_status store_space(const bsr_space *sp, bsr_chip *chip, const bsr_chip_errors *e,
                              uint64_t stream, uint64_t *flips)
{
    bsr_pattern p;
    bsr_site_errors errors;
    bsr_pattern_init(&p, sp, e->p0, e->p1, e->seed, stream);
    while (bsr_pattern_next(&p, &errors)) {
        bsr_site site = bsr_space_site(sp, errors.site);
        uint32_t code = bsr_space_code(sp, NULL, 0, site), flip = bsr_errors_flip(&errors, code);
        if (!flip)
            continue;
        bsr_stored_fault fault = {.place = sp->place,
                                  .where = sp->where,
                                  .element = site.element,
                                  .pixel = -1,
                                  .bits = bsr_space_bits(sp, site, code ^ flip)};
        BSR_TRY(bsr_chip_store(chip, &fault));
        *flips += (uint64_t)__builtin_popcount(flip);
    }
    return BSR_OK;
}

bsr_status bsr_memory_store(const bsr_sweep_memory *m, bsr_chip *chip, const bsr_chip_errors *e,
                            uint64_t *flips)
{
    *flips = 0;
    for (int t = 0; t < m->n_targets; t++)
        for (int i = 0; i < m->sets[t].n; i++) {
            const bsr_space *sp = &m->sets[t].spaces[i];
            if (sp->place == BSR_FAULT_VALUE)
                continue;
            uint64_t stream = bsr_pattern_stream(m->targets[t], (uint64_t)e->run, sp->index, -1);
            BSR_TRY(store_space(sp, chip, e, stream, flips));
        }
    return BSR_OK;
}

uint64_t bsr_memory_hit(const bsr_sweep_memory *m, const bsr_chip_errors *e, uint64_t image,
                        int value, char *data)
{
    const bsr_space *sp = m->of_value[value];
    const bsr_pten *t = &m->plan->ptens[m->plan->of_value[value]];
    uint64_t flips = 0;
    bsr_pattern p;
    bsr_site_errors errors;
    bsr_pattern_init(
        &p, sp, e->p0, e->p1, e->seed,
        bsr_pattern_stream(m->target_of[value], (uint64_t)e->run, sp->index, (int64_t)image));
    while (bsr_pattern_next(&p, &errors)) {
        bsr_site site = bsr_space_site(sp, errors.site);
        int pixel, channel;
        uint32_t bits = 0;
        bsr_plan_locate(m->plan, value, site.element, &pixel, &channel);
        char *at = data + (size_t)pixel * t->pixel_bytes + (size_t)channel * t->esize;
        memcpy(&bits, at, t->esize);
        uint32_t code = bsr_space_encode(sp, site, bits), flip = bsr_errors_flip(&errors, code);
        if (!flip)
            continue;
        bits = bsr_space_bits(sp, site, code ^ flip);
        memcpy(at, &bits, t->esize);
        flips += (uint64_t)__builtin_popcount(flip);
    }
    return flips;
}
