#include "exec/forward.h"

#include <math.h>
#include <string.h>

#include "base/alloc.h"
#include "base/error.h"

/* Tensors of fewer pixels are computed for all images together, so that tiles are full. */
#define MERGE_PIXELS 24

struct bsr_forward {
    const bsr_plan *plan;
    int images;
    char *work; /* [images][work_bytes] */
    bsr_scratch scratch;
    int64_t *offsets; /* merged rows: [sources and stages][max_taps][BSR_BLOCK] */
    float *divisors;  /* [BSR_BLOCK] */
    char *rows;       /* [BSR_BLOCK] output rows */
    void *faulty;     /* room for one layer's packed weights */
    bsr_weights faulty_weights;
    float *faulty_init;
    char *faulty_pixel; /* one pixel of a layer's input */
};

static int operand_lists(const bsr_plan *plan)
{
    int most = 1;
    for (int i = 0; i < plan->n_steps; i++) {
        int n = plan->steps[i].n_sources + plan->steps[i].n_stages;
        if (n > most)
            most = n;
    }
    return most;
}

bsr_status bsr_forward_new(bsr_forward **out, const bsr_plan *plan, int images)
{
    *out = NULL;
    bsr_forward *f = bsr_calloc_array(1, sizeof *f);
    if (!f)
        return BSR_ENOMEM;
    f->plan = plan;
    f->images = images;
    size_t lists = (size_t)operand_lists(plan) * (size_t)plan->max_taps * BSR_BLOCK;
    size_t inits = 1, pixel_bytes = 1;
    for (int i = 0; i < plan->n_layers; i++) {
        const bsr_weights *w = plan->layers[i].weights;
        size_t n = (size_t)w->groups * (size_t)w->init_stride;
        inits = n > inits ? n : inits;
        const bsr_pten *in = &plan->ptens[plan->steps[plan->layers[i].step].sources[0].pten];
        pixel_bytes = in->pixel_bytes > pixel_bytes ? in->pixel_bytes : pixel_bytes;
    }
    f->work = bsr_alloc_aligned((size_t)images, plan->work_bytes);
    f->offsets = bsr_alloc_array(lists, sizeof *f->offsets);
    f->divisors = bsr_alloc_array(BSR_BLOCK, sizeof *f->divisors);
    f->rows = bsr_alloc_aligned(BSR_BLOCK * (size_t)plan->max_channels, sizeof(float));
    f->faulty = bsr_alloc_aligned(plan->max_weight_bytes, 1);
    f->faulty_init = bsr_alloc_aligned(inits, sizeof(float));
    f->faulty_pixel = bsr_alloc_aligned(pixel_bytes, 1);
    bsr_status status = bsr_scratch_new(&f->scratch, plan);
    if (status != BSR_OK || !f->work || !f->offsets || !f->divisors || !f->rows || !f->faulty ||
        !f->faulty_init || !f->faulty_pixel) {
        bsr_forward_free(f);
        return BSR_ENOMEM;
    }
    *out = f;
    return BSR_OK;
}

void bsr_forward_free(bsr_forward *f)
{
    if (!f)
        return;
    bsr_free(f->work);
    bsr_free(f->offsets);
    bsr_free(f->divisors);
    bsr_free(f->rows);
    bsr_free(f->faulty);
    bsr_free(f->faulty_init);
    bsr_free(f->faulty_pixel);
    bsr_scratch_clear(&f->scratch);
    bsr_free(f);
}

/* Where tensor `pten` of image i lives in this run. */
static char *place(const bsr_forward *f, char *const *records, int pten, int i)
{
    const bsr_pten *p = &f->plan->ptens[pten];
    return records && p->kept ? records[i] + p->golden_at
                              : f->work + (size_t)i * f->plan->work_bytes + p->work_at;
}

static bsr_status dense_image(bsr_forward *f, const bsr_step *s, char *const *records, int i)
{
    char *in[BSR_DENSE_OPERANDS];
    for (int k = 0; k < s->n_sources; k++)
        in[k] = place(f, records, s->sources[k].pten, i);
    return bsr_step_dense(f->plan, s, in, place(f, records, s->out, i));
}

/* All pixels of one image, located by the tables made at compile time. */
static void table_image(bsr_forward *f, const bsr_step *s, const void *packed, char *const *records,
                        int i)
{
    bsr_access whole[BSR_DENSE_OPERANDS] = {{0}};
    for (int k = 0; k < s->n_sources + s->n_stages; k++) {
        int pten = k < s->n_sources ? s->sources[k].pten : s->stages[k - s->n_sources].operand;
        if (pten >= 0)
            whole[k] = (bsr_access){place(f, records, pten, i), f->plan->ptens[pten].identity, 0};
    }
    bsr_step_image(f->plan, s, packed, whole, &f->scratch, place(f, records, s->out, i));
}

/* Rows of all images in one list: absolute addresses. */
static void merged_images(bsr_forward *f, const bsr_step *s, const void *packed, int images,
                          char *const *records)
{
    const bsr_plan *plan = f->plan;
    const bsr_pten *to = &plan->ptens[s->out];
    bsr_access sources[BSR_DENSE_OPERANDS], operands[BSR_DENSE_OPERANDS];
    size_t list = (size_t)plan->max_taps * BSR_BLOCK;
    int total = images * to->pixels;
    for (int first = 0; first < total; first += BSR_BLOCK) {
        int n = total - first < BSR_BLOCK ? total - first : BSR_BLOCK;
        for (int k = 0; k < s->n_sources + s->n_stages; k++) {
            int is_source = k < s->n_sources;
            int pten = is_source ? s->sources[k].pten : s->stages[k - s->n_sources].operand;
            if (pten < 0)
                continue;
            const bsr_pixmap *map = is_source ? s->sources[k].map : NULL;
            int64_t *off = f->offsets + (size_t)k * list;
            for (int r = 0; r < n; r++) {
                int i = (first + r) / to->pixels, p = (first + r) % to->pixels;
                int64_t base = (int64_t)(uintptr_t)place(f, records, pten, i);
                for (int t = 0; t < (map ? map->taps : 1); t++) {
                    int64_t o = map ? map->offset[(size_t)t * (size_t)map->n_out + (size_t)p]
                                    : plan->ptens[pten].identity[p];
                    off[t * BSR_BLOCK + r] = o == BSR_NO_PIXEL ? o : base + o;
                }
                if (s->divisor)
                    f->divisors[r] = s->divisor[p];
            }
            *(is_source ? &sources[k] : &operands[k - s->n_sources]) =
                (bsr_access){NULL, off, BSR_BLOCK};
        }
        bsr_step_rows(plan, s, packed, n, sources, operands, f->divisors, &f->scratch, f->rows);
        for (int r = 0; r < n; r++) {
            int i = (first + r) / to->pixels, p = (first + r) % to->pixels;
            memcpy(place(f, records, s->out, i) + (size_t)p * to->pixel_bytes,
                   f->rows + (size_t)r * to->pixel_bytes, to->pixel_bytes);
        }
    }
}

static bsr_status run_step(bsr_forward *f, const bsr_step *s, const void *packed, int images,
                           char *const *records)
{
    const bsr_pten *to = &f->plan->ptens[s->out];
    if (s->core == BSR_CORE_DENSE || s->core == BSR_CORE_RELAYOUT) {
        for (int i = 0; i < images; i++)
            BSR_TRY(dense_image(f, s, records, i));
    } else if (to->pixels < MERGE_PIXELS) {
        merged_images(f, s, packed, images, records);
    } else {
        for (int i = 0; i < images; i++)
            table_image(f, s, packed, records, i);
    }
    for (int i = 0; i < images; i++)
        bsr_write_spare(to, place(f, records, s->out, i));
    return BSR_OK;
}

static void load_input(bsr_forward *f, char *const *records, int i, const char *input)
{
    const bsr_pten *p = &f->plan->ptens[f->plan->input];
    char *to = place(f, records, f->plan->input, i);
    memcpy(to, input, (size_t)p->pixels * p->pixel_bytes);
    bsr_write_spare(p, to);
}

int bsr_plan_classes(const bsr_plan *plan)
{
    const bsr_pten *p = &plan->ptens[plan->output];
    return p->pixels * p->channels;
}

void bsr_read_logits(const bsr_plan *plan, const char *data, float *logits)
{
    int value = plan->graph->outputs[0];
    bsr_view from = bsr_plan_view(plan, value, (void *)(uintptr_t)data);
    bsr_view to = bsr_layout_view(&plan->graph->values[value], BSR_ROW_MAJOR, logits);
    bsr_view_copy(&to, &from);
}

/* Shows plan tensor `pten` of all images. */
static void show(const bsr_forward *f, const bsr_forward_changes *changes, int images,
                 char *const *records, int pten)
{
    if (changes && changes->computed)
        for (int i = 0; i < images; i++)
            changes->computed(changes->ctx, i, pten, place(f, records, pten, i));
}

bsr_status bsr_forward_run_changed(bsr_forward *f, int n, const char *const *inputs,
                                   char *const *records, float *const *logits,
                                   const bsr_forward_changes *changes)
{
    const bsr_plan *plan = f->plan;
    for (int i = 0; i < n; i++)
        load_input(f, records, i, inputs[i]);
    show(f, changes, n, records, plan->input);
    for (int s = 0; s < plan->n_steps; s++) {
        bsr_step step = plan->steps[s];
        if (step.weights && changes && changes->weights)
            step.weights = &changes->weights[step.layer];
        BSR_TRY(run_step(f, &step, step.weights ? step.weights->packed : NULL, n, records));
        show(f, changes, n, records, step.out);
    }
    for (int i = 0; i < n && logits; i++)
        if (logits[i])
            bsr_read_logits(plan, place(f, records, plan->output, i), logits[i]);
    return BSR_OK;
}

bsr_status bsr_forward_run(bsr_forward *f, int n, const char *const *inputs, char *const *records,
                           float *const *logits)
{
    return bsr_forward_run_changed(f, n, inputs, records, logits, NULL);
}

/* Stores the new bits of a value fault in the tensor at `data`. */
static void patch_value(const bsr_plan *plan, const bsr_stored_fault *fault, char *data)
{
    const bsr_pten *p = &plan->ptens[plan->of_value[fault->where]];
    int pixel, channel;
    bsr_plan_locate(plan, fault->where, fault->element, &pixel, &channel);
    memcpy(data + (size_t)pixel * p->pixel_bytes + (size_t)channel * p->esize, &fault->bits,
           p->esize);
}

/* A copy of a step whose weights or bias hold the fault. Little-endian: narrow codes are the low
 * bytes of `bits`. */
static void faulty_step(bsr_forward *f, const bsr_stored_fault *fault, bsr_step *step)
{
    bsr_weights *w = &f->faulty_weights;
    *w = *step->weights;
    step->weights = w;
    memcpy(f->faulty, w->packed, w->packed_bytes);
    memcpy(f->faulty_init, w->init, (size_t)w->groups * (size_t)w->init_stride * sizeof(float));
    w->init = f->faulty_init;
    w->packed = f->faulty;
    if (fault->place == BSR_FAULT_BIAS) {
        int g = (int)fault->element / w->cout, j = (int)fault->element % w->cout;
        memcpy((float *)w->init + (size_t)g * (size_t)w->init_stride + j, &fault->bits,
               sizeof fault->bits);
        return;
    }
    int m, tap, c;
    bsr_weights_locate(w, fault->element, &m, &tap, &c);
    bsr_weights_store(w, w->packed, m, tap, c, fault->bits);
}

/* The output row of a finished step with a faulty operand in it, computed again: to f->rows.
 * Returns the channel. No other multiplication of the output element reads the same input or
 * weight, so that the element is that of a faulty input pixel or of a faulty weight tensor. */
static int operand_row(bsr_forward *f, const bsr_stored_fault *fault, const bsr_step *step,
                       bsr_access *whole)
{
    const bsr_plan *plan = f->plan;
    int m, tap, c;
    bsr_step faulty = *step;
    bsr_weights_locate(step->weights, fault->element, &m, &tap, &c);
    if (fault->place == BSR_FAULT_OPERAND_WEIGHT) {
        faulty_step(f, fault, &faulty);
    } else {
        const bsr_pten *in = &plan->ptens[step->sources[0].pten];
        bsr_access *x = &whole[0];
        for (int t = 0; t < step->weights->taps; t++)
            f->offsets[t] = (int64_t)(uintptr_t)x->base + x->off[(size_t)t * x->off_stride];
        memcpy(f->faulty_pixel, (const char *)(uintptr_t)f->offsets[tap], in->pixel_bytes);
        c += m / step->weights->cout * step->weights->cin;
        memcpy(f->faulty_pixel + (size_t)c * in->esize, &fault->bits, in->esize);
        f->offsets[tap] = (int64_t)(uintptr_t)f->faulty_pixel;
        *x = (bsr_access){NULL, f->offsets, 1};
    }
    bsr_step_rows(plan, &faulty, faulty.weights->packed, 1, whole, whole + step->n_sources,
                  f->divisors, &f->scratch, f->rows);
    return m;
}

/* The same with something added to one sum between core and stages. */
static int sum_row(bsr_forward *f, const bsr_stored_fault *fault, const bsr_step *step,
                   const bsr_access *whole)
{
    const bsr_plan *plan = f->plan;
    int m = (int)fault->element;
    float *y = f->scratch.staging;
    bsr_core_rows(plan, step, step->weights->packed, 1, whole, NULL, NULL, &f->scratch, y);
    if (step->core == BSR_CORE_CONV_I8) {
        uint32_t sum;
        memcpy(&sum, &y[m], sizeof sum);
        sum += fault->bits;
        memcpy(&y[m], &sum, sizeof sum);
    } else {
        float delta;
        memcpy(&delta, &fault->bits, sizeof delta);
        y[m] += delta;
    }
    int quant = bsr_stage_rows(plan, step, 0, 1, step->core_channels, y, whole + step->n_sources);
    if (quant < step->n_stages) {
        const bsr_stage *s = &step->stages[quant];
        plan->kernels->quantize(1, step->core_channels, y, s->scale, s->zero, s->codes == BSR_I8,
                                f->rows);
    } else {
        memcpy(f->rows, y, (size_t)step->core_channels * sizeof *y);
    }
    return m;
}

/* Puts the faulty output element into a finished step's output. */
static void faulty_element(bsr_forward *f, const bsr_stored_fault *fault, const bsr_step *step)
{
    const bsr_plan *plan = f->plan;
    const bsr_pten *to = &plan->ptens[step->out];
    bsr_access whole[BSR_DENSE_OPERANDS] = {{0}};
    for (int k = 0; k < step->n_sources + step->n_stages; k++) {
        const bsr_source *src = k < step->n_sources ? &step->sources[k] : NULL;
        int pten = src ? src->pten : step->stages[k - step->n_sources].operand;
        const bsr_pixmap *map = src ? src->map : NULL;
        if (pten >= 0)
            whole[k] = (bsr_access){place(f, NULL, pten, 0),
                                    (map ? map->offset : plan->ptens[pten].identity) + fault->pixel,
                                    map ? (size_t)map->n_out : 0};
    }
    int m = fault->place == BSR_FAULT_SUM ? sum_row(f, fault, step, whole)
                                          : operand_row(f, fault, step, whole);
    memcpy(place(f, NULL, step->out, 0) + (size_t)fault->pixel * to->pixel_bytes +
               (size_t)m * to->esize,
           f->rows + (size_t)m * to->esize, to->esize);
}

/* Does the step read the faulty weight or bias? A tensor that several layers share is faulty in all
 * of them; a bias that is not stored, in one. */
static int reads_fault(const bsr_plan *plan, const bsr_stored_fault *fault, const bsr_step *step)
{
    if (!step->weights || (fault->place != BSR_FAULT_WEIGHT && fault->place != BSR_FAULT_BIAS))
        return 0;
    const bsr_weights *w = plan->layers[fault->where].weights;
    if (fault->place == BSR_FAULT_WEIGHT)
        return step->weights->value == w->value;
    return w->bias_value >= 0 ? step->weights->bias_value == w->bias_value
                              : step->layer == fault->where;
}

bsr_status bsr_forward_faulty(bsr_forward *f, const char *input, const bsr_stored_fault *fault,
                              float *logits)
{
    const bsr_plan *plan = f->plan;
    load_input(f, NULL, 0, input);
    int value_at = fault->place == BSR_FAULT_VALUE ? plan->of_value[fault->where] : -1;
    if (value_at == plan->input)
        patch_value(plan, fault, place(f, NULL, value_at, 0));
    for (int i = 0; i < plan->n_steps; i++) {
        bsr_step step = plan->steps[i];
        if (reads_fault(plan, fault, &step))
            faulty_step(f, fault, &step);
        BSR_TRY(run_step(f, &step, step.weights ? step.weights->packed : NULL, 1, NULL));
        if (bsr_is_one_output(fault->place) && i == plan->layers[fault->where].step)
            faulty_element(f, fault, &step);
        if (step.out == value_at)
            patch_value(plan, fault, place(f, NULL, value_at, 0));
    }
    bsr_read_logits(plan, place(f, NULL, plan->output, 0), logits);
    return BSR_OK;
}

int bsr_top1(const float *logits, int n)
{
    int best = 0;
    for (int i = 1; i < n && !isnan(logits[best]); i++)
        if (isnan(logits[i]) || logits[i] > logits[best])
            best = i;
    return best;
}

int bsr_is_due(const float *logits, int n)
{
    for (int i = 0; i < n; i++)
        if (!isfinite(logits[i]))
            return 1;
    return 0;
}
