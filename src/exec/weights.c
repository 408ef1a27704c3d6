/* Packing of convolution weights into the panels the kernels want. */
#include <string.h>

#include "base/alloc.h"
#include "base/error.h"
#include "exec/lower.h"

void bsr_weights_free(bsr_weights *w)
{
    if (!w)
        return;
    bsr_free(w->packed);
    bsr_free(w->panel_width);
    bsr_free(w->panel_at);
    bsr_free(w->init);
    bsr_free(w->w_zero);
    bsr_free(w);
}

static int is_int8(const bsr_weights *w)
{
    return w->dtype != BSR_F32;
}

static bsr_status plan_panels(bsr_weights *w, int nr)
{
    int k = w->taps * w->cin;
    w->pairs = (k + 1) / 2;
    size_t row = is_int8(w) ? (size_t)w->pairs * 2 * sizeof(int16_t) : (size_t)k * sizeof(float);
    w->n_panels = (w->cout + nr - 1) / nr;
    w->panel_width = bsr_alloc_array((size_t)w->n_panels, sizeof *w->panel_width);
    w->panel_at = bsr_alloc_array((size_t)w->n_panels, sizeof *w->panel_at);
    if (!w->panel_width || !w->panel_at)
        return BSR_ENOMEM;
    size_t at = 0;
    for (int i = 0; i < w->n_panels; i++) {
        int left = w->cout - i * nr;
        w->panel_width[i] = left <= nr / 2 ? nr / 2 : nr;
        w->panel_at[i] = at;
        at += row * (size_t)w->panel_width[i];
    }
    w->group_bytes = (at + 63) / 64 * 64;
    w->packed_bytes = w->group_bytes * (size_t)w->groups;
    return BSR_OK;
}

void *bsr_weights_at(const bsr_weights *w, void *packed, int m, int tap, int c)
{
    if (!w->n_panels) /* depthwise */
        return (float *)packed + (size_t)tap * (size_t)w->groups + (size_t)m;
    int g = m / w->cout, j = m % w->cout, nr = w->panel_width[0];
    int i = j / nr;
    j %= nr;
    char *panel = (char *)packed + (size_t)g * w->group_bytes + w->panel_at[i];
    size_t k = (size_t)tap * (size_t)w->cin + (size_t)c, width = (size_t)w->panel_width[i];
    if (is_int8(w))
        return (int16_t *)panel + (k / 2 * width + (size_t)j) * 2 + k % 2;
    return (float *)panel + k * width + (size_t)j;
}

static int32_t code(const bsr_weights *w, int64_t i)
{
    return w->dtype == BSR_I8 ? ((const int8_t *)w->data)[i] : ((const uint8_t *)w->data)[i];
}

static void fill(bsr_weights *w)
{
    for (int m = 0; m < w->groups * w->cout; m++)
        for (int t = 0; t < w->taps; t++)
            for (int c = 0; c < w->cin; c++) {
                int64_t i = m * w->stride_m + t * w->stride_t + c * w->stride_c;
                void *at = bsr_weights_at(w, w->packed, m, t, c);
                if (is_int8(w) && w->n_panels)
                    *(int16_t *)at = (int16_t)(code(w, i) - w->w_zero[m]);
                else if (is_int8(w))
                    *(float *)at = (float)(code(w, i) - w->w_zero[m]);
                else
                    *(float *)at = ((const float *)w->data)[i];
            }
}

bsr_status bsr_weights_pack(bsr_weights *w, const bsr_kernels *kernels, int depthwise)
{
    int nr = kernels->nr;
    if (depthwise) {
        w->packed_bytes = (size_t)w->taps * (size_t)w->groups * sizeof(float);
        w->init_stride = 1;
    } else {
        BSR_TRY(plan_panels(w, nr));
        w->init_stride = (w->cout + nr - 1) / nr * nr;
    }
    w->packed = bsr_alloc_aligned(w->packed_bytes, 1);
    size_t inits = (size_t)w->groups * (size_t)w->init_stride;
    w->init = bsr_alloc_aligned(inits, sizeof(float));
    if (!w->packed || !w->init)
        return BSR_ENOMEM;
    memset(w->packed, 0, w->packed_bytes);
    memset(w->init, 0, inits * sizeof(float));
    fill(w);
    /* int32 and float starting values have the same size. */
    if (w->bias)
        for (int g = 0; g < w->groups; g++)
            memcpy((float *)w->init + (size_t)g * (size_t)w->init_stride,
                   (const float *)w->bias + (size_t)g * (size_t)w->cout,
                   (size_t)w->cout * sizeof(float));
    return BSR_OK;
}

void bsr_weights_locate(const bsr_weights *w, int64_t element, int *m, int *tap, int *c)
{
    /* The three strides are those of a dense array, so digits come out from the largest down. */
    int64_t stride[3] = {w->stride_m, w->stride_t, w->stride_c};
    int64_t size[3] = {(int64_t)w->groups * w->cout, w->taps, w->cin};
    int64_t digit[3];
    for (int i = 0; i < 3; i++)
        digit[i] = element / stride[i] % size[i];
    *m = (int)digit[0];
    *tap = (int)digit[1];
    *c = (int)digit[2];
}

void bsr_weights_store(const bsr_weights *w, void *packed, int m, int tap, int c, uint32_t bits)
{
    void *at = bsr_weights_at(w, packed, m, tap, c);
    if (!is_int8(w)) {
        memcpy(at, &bits, sizeof bits);
        return;
    }
    int32_t stored = w->dtype == BSR_I8 ? (int8_t)(bits & 255) : (int32_t)(bits & 255);
    if (w->n_panels)
        *(int16_t *)at = (int16_t)(stored - w->w_zero[m]);
    else
        *(float *)at = (float)(stored - w->w_zero[m]);
}
