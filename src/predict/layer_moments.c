#include "predict/layer_moments.h"

#include <math.h>
#include <string.h>

#include "base/alloc.h"
#include "base/error.h"
#include "predict/layer_rules.h"

/* The value of the graph whose elements a space's are. */
static int value_of(const bsr_plan *plan, const bsr_space *sp)
{
    if (sp->place == BSR_FAULT_VALUE)
        return sp->where;
    const bsr_weights *w = plan->layers[sp->where].weights;
    return sp->place == BSR_FAULT_BIAS ? w->bias_value : w->value;
}

bsr_status bsr_layer_flips_init(bsr_layer_flips *f, const bsr_sweep_memory *m)
{
    size_t spaces = 0;
    for (int t = 0; t < m->n_targets; t++)
        spaces += (size_t)m->sets[t].n;
    *f = (bsr_layer_flips){.memory = m};
    f->all = bsr_calloc_array(spaces, sizeof *f->all);
    f->of = bsr_calloc_array((size_t)m->plan->graph->n_values, sizeof *f->of);
    f->unbounded = bsr_calloc_array((size_t)m->plan->graph->n_values, 1);
    if (!f->all || !f->of || !f->unbounded)
        return BSR_ENOMEM;
    for (int t = 0; t < m->n_targets; t++)
        for (int i = 0; i < m->sets[t].n; i++) {
            const bsr_space *sp = &m->sets[t].spaces[i];
            bsr_disturbances *d = &f->all[f->n];
            bsr_status status = bsr_disturbances_init(d, sp);
            int value = value_of(m->plan, sp);
            if (status == BSR_EUNSUPPORTED) {
                f->unbounded[value] = 1;
                continue;
            }
            BSR_TRY(status);
            f->n++;
            f->of[value] = d;
        }
    return BSR_OK;
}

void bsr_layer_flips_clear(bsr_layer_flips *f)
{
    for (int i = 0; i < f->n; i++)
        bsr_disturbances_clear(&f->all[i]);
    bsr_free(f->all);
    bsr_free((void *)f->of);
    bsr_free(f->unbounded);
    *f = (bsr_layer_flips){0};
}

typedef struct recursion {
    const bsr_layer_flips *flips;
    bsr_layer_pass pass;
    double ber;
    const int *values;
    int n;
    double *mean_square;
    int *left; /* [values] readers to come */
} recursion;

/* Adds what independent flips of the selected bits do to the elements of a value. */
static bsr_status add_flips(const recursion *r, int value)
{
    const bsr_disturbances *d = r->flips->of[value];
    const bsr_tensor *t = bsr_tape_value(r->pass.tape, value);
    bsr_moment *m = &r->pass.of[value];
    if (r->flips->unbounded[value]) {
        bsr_moment_clear(m);
        m->unknown = 1;
    }
    if (!d || m->unknown)
        return BSR_OK;
    if (!m->mean)
        BSR_TRY(bsr_moment_new(&r->pass, value));
    int64_t n = bsr_value_elements(&r->pass, value);
    double fourth = m->excess * bsr_sum_squares(m->var, n);
    for (uint64_t i = 0; i < d->space->sites; i++) {
        bsr_site site = bsr_space_site(d->space, i);
        uint32_t bits = 0;
        memcpy(&bits, (const char *)t->data + (size_t)site.element * d->space->esize,
               d->space->esize);
        bsr_disturbance of =
            bsr_disturbance_of(d, site.channel, bsr_space_encode(d->space, site, bits));
        m->mean[site.element] += (float)(r->ber * (double)of.mean);
        m->var[site.element] += (float)(r->ber * (1 - r->ber) * (double)of.square);
        fourth += r->ber * (1 - r->ber) * (1 - 6 * r->ber * (1 - r->ber)) * (double)of.fourth;
    }
    double squares = bsr_sum_squares(m->var, n);
    m->excess = squares > 0 && isfinite(fourth) ? fourth / squares : 0;
    return BSR_OK;
}

static double mean_square(const recursion *r, int value)
{
    const bsr_moment *m = &r->pass.of[value];
    if (m->unknown)
        return NAN;
    if (!m->mean)
        return 0;
    int64_t n = bsr_value_elements(&r->pass, value);
    double sum = 0;
    for (int64_t i = 0; i < n; i++)
        sum += (double)m->mean[i] * (double)m->mean[i] + (double)m->var[i];
    return sum / (double)n;
}

/* A value is complete: flips go in, and what is wanted of it is taken. */
static bsr_status finish_value(const recursion *r, int value)
{
    BSR_TRY(add_flips(r, value));
    for (int i = 0; i < r->n; i++)
        if (r->values[i] == value)
            r->mean_square[i] = mean_square(r, value);
    return BSR_OK;
}

static bsr_status run_node(const recursion *r, const bsr_node *node)
{
    int disturbed = 0;
    for (int i = 0; i < node->n_in; i++) {
        const bsr_moment *m = node->in[i] >= 0 ? &r->pass.of[node->in[i]] : NULL;
        disturbed |= m && (m->mean || m->unknown);
    }
    if (disturbed)
        BSR_TRY(bsr_layer_rule(&r->pass, node));
    for (int i = 0; i < node->n_out; i++)
        if (node->out[i] >= 0)
            BSR_TRY(finish_value(r, node->out[i]));
    for (int i = 0; i < node->n_in; i++)
        if (node->in[i] >= 0 && --r->left[node->in[i]] == 0)
            bsr_moment_clear(&r->pass.of[node->in[i]]);
    return BSR_OK;
}

static bsr_status run(const recursion *r)
{
    const bsr_graph *g = r->pass.graph;
    for (int v = 0; v < g->n_values; v++)
        if (g->values[v].constant && g->values[v].producer < 0)
            BSR_TRY(add_flips(r, v));
    for (int i = 0; i < g->n_inputs; i++)
        if (!g->values[g->inputs[i]].constant)
            BSR_TRY(finish_value(r, g->inputs[i]));
    for (int i = 0; i < g->n_nodes; i++)
        BSR_TRY(run_node(r, &g->nodes[i]));
    return BSR_OK;
}

bsr_status bsr_layer_moments(double *out, const bsr_layer_flips *flips, const bsr_tape *tape,
                             double ber, const int *values, int n)
{
    const bsr_graph *g = flips->memory->plan->graph;
    size_t all = (size_t)g->n_values;
    recursion r = {flips, {g, tape, NULL}, ber, values, n, out, NULL};
    r.pass.of = bsr_calloc_array(all, sizeof *r.pass.of);
    r.left = bsr_calloc_array(all, sizeof *r.left);
    bsr_status status = r.pass.of && r.left ? BSR_OK : BSR_ENOMEM;
    for (int v = 0; v < g->n_values && status == BSR_OK; v++)
        r.left[v] = g->values[v].n_consumers;
    if (status == BSR_OK)
        status = run(&r);
    for (size_t v = 0; r.pass.of && v < all; v++)
        bsr_moment_clear(&r.pass.of[v]);
    bsr_free(r.pass.of);
    bsr_free(r.left);
    return status;
}
