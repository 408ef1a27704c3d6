#include "report/fault_space.h"

#include "base/error.h"
#include "bitseer/run.h"

static void add(bsr_target_space *s, int64_t sites, int bits)
{
    s->sites += (uint64_t)sites;
    s->faults += (uint64_t)sites * (uint64_t)bits;
}

bsr_status bsr_fault_space(bsr_target_space out[BSR_SPACES], const bsr_model *model)
{
    static const char *const names[BSR_SPACES] = {"weight", "bias", "activation", "input"};
    bsr_model_info m = bsr_model_get_info(model);
    for (int i = 0; i < BSR_SPACES; i++)
        out[i] = (bsr_target_space){.target = names[i]};
    for (int i = 0; i < m.layers; i++) {
        bsr_layer_info l;
        BSR_TRY(bsr_model_layer(model, i, &l));
        add(&out[BSR_TARGET_WEIGHT], l.weights, l.weight_bits);
        add(&out[BSR_TARGET_BIAS], l.biases, l.bias_bits);
    }
    for (int i = 0; i < m.tensors; i++) {
        bsr_tensor_info t;
        BSR_TRY(bsr_model_tensor(model, i, &t));
        if (t.is_default)
            add(&out[BSR_TARGET_ACTIVATION], t.elements, t.bits);
        if (!*t.op)
            add(&out[BSR_TARGET_INPUT], t.elements, t.bits);
    }
    return BSR_OK;
}
