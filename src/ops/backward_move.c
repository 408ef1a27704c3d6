/* Gradients through operators that move elements. Elements of the inputs whose gradient is wanted
 * are numbered from 1 on, all others are 0; the operator, run on the numbers, tells where the
 * gradient of each output element goes. */
#include <string.h>

#include "base/alloc.h"
#include "base/error.h"
#include "ops/backward.h"

typedef struct movement {
    bsr_view *views;      /* operands of the run on numbers: inputs, then outputs */
    bsr_tensor **numbers; /* what the views of data show, int64 */
    double *sums;         /* [number]; sums[0] is of no interest */
    int64_t count;        /* numbers given so far, 0 included */
} movement;

static int is_data(const bsr_view *v)
{
    bsr_dtype t = v->dtype;
    return v->data && (t == BSR_F32 || t == BSR_F64 || t == BSR_U8 || t == BSR_I8);
}

static bsr_status number_input(movement *m, int i, const bsr_view *x, int wanted)
{
    BSR_TRY(bsr_tensor_new(&m->numbers[i], BSR_I64, x->rank, x->dims));
    m->views[i] = bsr_tensor_view(m->numbers[i]);
    int64_t n = bsr_count(x->rank, x->dims), *number = m->numbers[i]->data;
    for (int64_t k = 0; wanted && k < n; k++)
        number[k] = m->count++;
    return BSR_OK;
}

/* Numbers of all inputs and room for those of the outputs. */
static bsr_status number_operands(movement *m, const bsr_op_backward *call)
{
    const bsr_op_call *f = call->forward;
    for (int i = 0; i < f->n_in; i++) {
        m->views[i] = f->in[i];
        if (is_data(&f->in[i]))
            BSR_TRY(number_input(m, i, &f->in[i], bsr_backward_wants(call, i)));
    }
    for (int i = 0; i < f->n_out; i++) {
        const bsr_view *g = &call->grad_out[i];
        if (!g->data)
            continue;
        BSR_TRY(bsr_tensor_new(&m->numbers[f->n_in + i], BSR_I64, g->rank, g->dims));
        m->views[f->n_in + i] = bsr_tensor_view(m->numbers[f->n_in + i]);
    }
    m->sums = bsr_calloc_array((size_t)m->count, sizeof *m->sums);
    return m->sums ? BSR_OK : BSR_ENOMEM;
}

static bsr_status run_on_numbers(const movement *m, const bsr_op_call *forward)
{
    bsr_op_call call = *forward;
    call.in = m->views;
    call.out = m->views + call.n_in;
    return bsr_op_find(call.node->op_type)->run(&call);
}

static void add_output(const movement *m, const bsr_tensor *numbers, const bsr_view *grad)
{
    const int64_t *number = numbers->data;
    int64_t idx[BSR_MAX_RANK] = {0};
    if (bsr_count(grad->rank, grad->dims) == 0)
        return;
    do {
        m->sums[*number++] += (double)*(const float *)bsr_view_at(grad, idx, sizeof(float));
    } while (bsr_next_index(grad->rank, grad->dims, idx));
}

static void store_input(const movement *m, const bsr_tensor *numbers, const bsr_view *grad)
{
    const int64_t *number = numbers->data;
    int64_t idx[BSR_MAX_RANK] = {0};
    if (bsr_count(grad->rank, grad->dims) == 0)
        return;
    do {
        *(float *)bsr_view_at(grad, idx, sizeof(float)) = (float)m->sums[*number++];
    } while (bsr_next_index(grad->rank, grad->dims, idx));
}

bsr_status bsr_backward_move(const bsr_op_backward *call)
{
    const bsr_op_call *f = call->forward;
    int n = f->n_in + f->n_out, any = 0;
    for (int i = 0; i < f->n_in; i++)
        any |= is_data(&f->in[i]) && bsr_backward_wants(call, i);
    if (!bsr_backward_begin(call) || !any)
        return BSR_OK;
    bsr_status status = BSR_ENOMEM;
    movement m = {.count = 1};
    m.views = bsr_calloc_array((size_t)n, sizeof *m.views);
    m.numbers = bsr_calloc_array((size_t)n, sizeof *m.numbers);
    if (!m.views || !m.numbers)
        goto done;
    status = number_operands(&m, call);
    if (status == BSR_OK)
        status = run_on_numbers(&m, f);
    if (status != BSR_OK)
        goto done;
    for (int i = 0; i < f->n_out; i++)
        if (call->grad_out[i].data)
            add_output(&m, m.numbers[f->n_in + i], &call->grad_out[i]);
    for (int i = 0; i < f->n_in; i++)
        if (m.numbers[i] && bsr_backward_wants(call, i))
            store_input(&m, m.numbers[i], &call->grad_in[i]);
done:
    for (int i = 0; m.numbers && i < n; i++)
        bsr_tensor_free(m.numbers[i]);
    bsr_free(m.numbers);
    bsr_free(m.views);
    bsr_free(m.sums);
    return status;
}
