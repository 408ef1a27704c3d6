#include "predict/error_map.h"

#include <string.h>

#include "base/alloc.h"
#include "base/error.h"
#include "exec/weight_gradient.h"
#include "rng/philox.h"

/* Flips kept of an image, of all spaces together, about; elements of a space at least. */
#define JUMPS            8192
#define LEAST_JUMP_SITES 16

/* Random streams of the elements whose flips are kept, one a space. */
#define STREAM_JUMPS ((uint64_t)0x6a << 56)

static int is_tensor(const bsr_space *s)
{
    return s->place == BSR_FAULT_VALUE;
}

static size_t elements_of(const bsr_error_map *map, const bsr_space *s)
{
    if (is_tensor(s)) {
        const bsr_pten *p = &map->plan->ptens[map->plan->of_value[s->where]];
        return (size_t)p->pixels * (size_t)p->channels;
    }
    const bsr_weights *w = map->plan->layers[s->where].weights;
    return s->place == BSR_FAULT_WEIGHT ? bsr_weight_gradient_count(w)
                                        : (size_t)w->groups * (size_t)w->cout;
}

/* Place of a logical element in the order of the gradients. */
static size_t place_of(const bsr_error_map *map, const bsr_space *s, int64_t element)
{
    int m, tap, c;
    if (is_tensor(s)) {
        bsr_plan_locate(map->plan, s->where, element, &m, &c);
        return (size_t)m * (size_t)map->plan->ptens[map->plan->of_value[s->where]].channels +
               (size_t)c;
    }
    if (s->place == BSR_FAULT_BIAS)
        return (size_t)element;
    const bsr_weights *w = map->plan->layers[s->where].weights;
    bsr_weights_locate(w, element, &m, &tap, &c);
    return bsr_weight_gradient_at(w, m, tap, c);
}

static bsr_status allocate(bsr_error_map *map)
{
    size_t n = (size_t)map->n, layers = (size_t)map->plan->n_layers;
    map->spaces = bsr_calloc_array(n, sizeof *map->spaces);
    map->targets = bsr_calloc_array(n, sizeof *map->targets);
    map->bits = bsr_calloc_array(n, sizeof *map->bits);
    map->constants = bsr_calloc_array(n, sizeof *map->constants);
    map->disturbances = bsr_calloc_array(n, sizeof *map->disturbances);
    map->first_jump = bsr_calloc_array(n + 1, sizeof *map->first_jump);
    map->jump_sites = bsr_calloc_array(n, sizeof *map->jump_sites);
    map->weight_space = bsr_alloc_array(layers, sizeof *map->weight_space);
    map->bias_space = bsr_alloc_array(layers, sizeof *map->bias_space);
    map->tensor_spaces = bsr_calloc_array((size_t)map->plan->n_ptens, sizeof *map->tensor_spaces);
    map->reduced = bsr_calloc_array(n, sizeof *map->reduced);
    return map->spaces && map->targets && map->bits && map->constants && map->disturbances &&
                   map->first_jump && map->jump_sites && map->weight_space && map->bias_space &&
                   map->tensor_spaces && map->reduced
               ? BSR_OK
               : BSR_ENOMEM;
}

static void list_spaces(bsr_error_map *map, int protected_bits)
{
    const bsr_sweep_memory *m = map->memory;
    int n = 0;
    for (int t = 0; t < m->n_targets; t++)
        for (int i = 0; i < m->sets[t].n; i++, n++) {
            const bsr_space *s = &m->sets[t].spaces[i];
            map->reduced[n] = *s;
            map->reduced[n].n_variants -= protected_bits;
            if (map->reduced[n].n_variants < 0)
                map->reduced[n].n_variants = 0;
            map->spaces[n] = &map->reduced[n];
            map->targets[n] = m->targets[t];
            map->bits[n] = (double)s->sites * map->reduced[n].n_variants;
        }
}

/* Which spaces a layer or tensor has. Layers that read one tensor share its space. */
static bsr_status find_readers(bsr_error_map *map)
{
    const bsr_plan *plan = map->plan;
    for (int l = 0; l < plan->n_layers; l++) {
        const bsr_weights *w = plan->layers[l].weights;
        map->weight_space[l] = map->bias_space[l] = -1;
        for (int i = 0; i < map->n; i++) {
            const bsr_space *s = map->spaces[i];
            if (is_tensor(s))
                continue;
            const bsr_weights *of = plan->layers[s->where].weights;
            if (s->place == BSR_FAULT_WEIGHT && of->value == w->value)
                map->weight_space[l] = i;
            if (s->place == BSR_FAULT_BIAS && of->bias_value == w->bias_value)
                map->bias_space[l] = i;
            if (map->weight_space[l] == i &&
                bsr_weight_gradient_count(w) != bsr_weight_gradient_count(of))
                return bsr_fail(BSR_EUNSUPPORTED, "layers of different shapes share weights '%s'",
                                plan->graph->values[w->value].name);
        }
    }
    for (int i = 0; i < map->n; i++) {
        if (!is_tensor(map->spaces[i]))
            continue;
        int **list = &map->tensor_spaces[plan->of_value[map->spaces[i]->where]], n = 0;
        if (!*list && !(*list = bsr_alloc_array((size_t)map->n + 1, sizeof **list)))
            return BSR_ENOMEM;
        for (int k = 0; k < i; k++)
            n += is_tensor(map->spaces[k]) &&
                 plan->of_value[map->spaces[k]->where] == plan->of_value[map->spaces[i]->where];
        (*list)[n] = i;
        (*list)[n + 1] = -1;
    }
    return BSR_OK;
}

/* Errors of a constant, from logical order to that of the gradients. */
static bsr_status fill_constant(bsr_error_map *map, int i, float *logical)
{
    const bsr_space *s = map->spaces[i];
    size_t n = map->constants[i].n;
    float *own = bsr_calloc_array(3 * n, sizeof *own);
    map->constants[i] = (bsr_errors){n, own, own + n, own + 2 * n};
    if (!own)
        return BSR_ENOMEM;
    bsr_disturbances_constant(map->disturbances[i],
                              (bsr_disturbance_arrays){logical, logical + n, logical + 2 * n});
    for (size_t e = 0; e < n; e++) {
        size_t at = place_of(map, s, (int64_t)e);
        for (size_t k = 0; k < 3; k++)
            own[k * n + at] = logical[k * n + e];
    }
    return BSR_OK;
}

/* Elements of a space whose flips are kept, drawn with equal chances. */
static bsr_status draw_jumps(bsr_error_map *map, int i, uint64_t seed)
{
    const bsr_space *s = map->spaces[i];
    size_t bits = (size_t)s->n_variants, n = bits ? JUMPS / bits / (size_t)map->n + 1 : 0;
    n = bits && n < LEAST_JUMP_SITES ? LEAST_JUMP_SITES : n;
    bsr_rng rng = bsr_rng_make(seed, STREAM_JUMPS | (uint64_t)i);
    map->first_jump[i + 1] = map->first_jump[i] + n * bits;
    if (!(map->jump_sites[i] = bsr_alloc_array(n, sizeof **map->jump_sites)))
        return BSR_ENOMEM;
    for (size_t k = 0; k < n; k++) {
        bsr_jump_site *j = &map->jump_sites[i][k];
        j->site = bsr_space_site(s, bsr_rng_below(&rng, s->sites));
        j->at = place_of(map, s, j->site.element);
    }
    return BSR_OK;
}

static bsr_status fill_space(bsr_error_map *map, int i, float *logical, uint64_t seed)
{
    if (!(map->disturbances[i] = bsr_calloc_array(1, sizeof **map->disturbances)))
        return BSR_ENOMEM;
    BSR_TRY(bsr_disturbances_init(map->disturbances[i], map->spaces[i]));
    if (!is_tensor(map->spaces[i]))
        BSR_TRY(fill_constant(map, i, logical));
    return draw_jumps(map, i, seed);
}

bsr_status bsr_error_map_init(bsr_error_map *map, const bsr_sweep_memory *memory,
                              int protected_bits, uint64_t seed)
{
    *map = (bsr_error_map){.memory = memory, .plan = memory->plan};
    for (int t = 0; t < memory->n_targets; t++)
        map->n += memory->sets[t].n;
    BSR_TRY(allocate(map));
    list_spaces(map, protected_bits);
    BSR_TRY(find_readers(map));
    for (int i = 0; i < map->n; i++) {
        size_t n = map->constants[i].n = elements_of(map, map->spaces[i]);
        map->most_elements = n > map->most_elements ? n : map->most_elements;
    }
    float *logical = bsr_alloc_array(3 * map->most_elements, sizeof *logical);
    bsr_status status = logical ? BSR_OK : BSR_ENOMEM;
    for (int i = 0; i < map->n && status == BSR_OK; i++)
        status = fill_space(map, i, logical, seed);
    bsr_free(logical);
    return status;
}

void bsr_error_map_clear(bsr_error_map *map)
{
    for (int i = 0; i < map->n; i++) {
        if (map->constants)
            bsr_free((void *)(uintptr_t)map->constants[i].mean);
        if (map->disturbances && map->disturbances[i])
            bsr_disturbances_clear(map->disturbances[i]);
        if (map->disturbances)
            bsr_free(map->disturbances[i]);
        if (map->jump_sites)
            bsr_free(map->jump_sites[i]);
    }
    for (int p = 0; map->tensor_spaces && p < map->plan->n_ptens; p++)
        bsr_free(map->tensor_spaces[p]);
    void *const owned[] = {map->spaces,        map->targets,      map->bits,
                           map->constants,     map->disturbances, map->first_jump,
                           map->jump_sites,    map->weight_space, map->bias_space,
                           map->tensor_spaces, map->reduced};
    for (size_t i = 0; i < sizeof owned / sizeof *owned; i++)
        bsr_free(owned[i]);
    *map = (bsr_error_map){0};
}

size_t bsr_error_place(const bsr_error_map *map, int space, int64_t element)
{
    return place_of(map, map->spaces[space], element);
}

const void *bsr_golden_rows(const bsr_golden *golden, int image, int value)
{
    const bsr_plan *plan = golden->plan;
    return golden->records + (size_t)image * plan->golden_bytes +
           plan->ptens[plan->of_value[value]].golden_at;
}

void bsr_tensor_errors(bsr_errors *out, const bsr_error_map *map, int space,
                       const bsr_golden *golden, int image, float *room)
{
    const bsr_space *s = map->spaces[space];
    const bsr_pten *p = &map->plan->ptens[map->plan->of_value[s->where]];
    size_t n = map->constants[space].n;
    bsr_disturbances_tensor(map->disturbances[space], bsr_golden_rows(golden, image, s->where),
                            p->pixels, (bsr_disturbance_arrays){room, room + n, room + 2 * n});
    *out = (bsr_errors){n, room, room + n, room + 2 * n};
}
