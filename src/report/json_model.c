#include "report/fault_space.h"
#include "report/json_value.h"

#include "base/error.h"

/* One initialiser of a layer; null where there is none. */
static json_t *parameter(const char *name, int64_t elements, int bits)
{
    if (!name || !*name)
        return json_null();
    return json_pack("{s:o, s:I, s:i}", "name", bsr_json_text(name), "elements",
                     (json_int_t)elements, "bits", bits);
}

static json_t *layer(int index, const bsr_layer_info *l)
{
    return json_pack("{s:i, s:o, s:o, s:o, s:o, s:i, s:I, s:o, s:o}", "index", index, "name",
                     bsr_json_text(l->name), "op", bsr_json_text(l->op), "weight",
                     parameter(l->weight_name, l->weights, l->weight_bits), "bias",
                     parameter(l->bias_name, l->biases, l->bias_bits), "channels", l->channels,
                     "outputs", (json_int_t)l->outputs, "input",
                     parameter(l->input, l->inputs, l->input_bits), "macs", bsr_json_real(l->macs));
}

static json_t *tensor(const bsr_tensor_info *t)
{
    json_t *dims = json_array();
    for (int d = 0; d < t->rank; d++)
        if (json_array_append_new(dims, json_integer(t->dims[d])) != 0) {
            json_decref(dims);
            dims = NULL;
        }
    return json_pack("{s:o, s:o, s:o, s:o, s:I, s:i, s:b}", "name", bsr_json_text(t->name), "op",
                     bsr_json_text(t->op), "dtype", bsr_json_text(t->dtype), "shape", dims,
                     "elements", (json_int_t)t->elements, "bits", t->bits, "default",
                     t->is_default);
}

static json_t *space(const void *item, const void *ctx)
{
    const bsr_target_space *s = item;
    return json_pack("{s:s, s:o, s:o}", "target", s->target, "sites", bsr_json_count(s->sites),
                     "faults", bsr_json_count(s->faults));
}

/* The arrays' elements come from getters that can fail, hence no bsr_json_array. */
static bsr_status fill_lists(json_t *layers, json_t *tensors, const bsr_model *model,
                             const bsr_model_info *m)
{
    for (int i = 0; i < m->layers; i++) {
        bsr_layer_info l;
        BSR_TRY(bsr_model_layer(model, i, &l));
        if (json_array_append_new(layers, layer(i, &l)) != 0)
            return bsr_fail(BSR_ENOMEM, "out of memory: the model as JSON");
    }
    for (int i = 0; i < m->tensors; i++) {
        bsr_tensor_info t;
        BSR_TRY(bsr_model_tensor(model, i, &t));
        if (json_array_append_new(tensors, tensor(&t)) != 0)
            return bsr_fail(BSR_ENOMEM, "out of memory: the model as JSON");
    }
    return BSR_OK;
}

bsr_status bsr_model_json(char **out, const bsr_model *model)
{
    *out = NULL;
    bsr_json_setup();
    bsr_target_space spaces[BSR_SPACES];
    BSR_TRY(bsr_fault_space(spaces, model));
    bsr_model_info m = bsr_model_get_info(model);
    json_t *layers = json_array(), *tensors = json_array();
    bsr_status status = fill_lists(layers, tensors, model, &m);
    if (status != BSR_OK) {
        json_decref(layers);
        json_decref(tensors);
        return status;
    }
    json_t *input = json_pack("{s:o, s:i, s:i, s:i, s:s}", "name", bsr_json_text(m.input),
                              "channels", m.channels, "height", m.height, "width", m.width,
                              "layout", m.nhwc ? "NHWC" : "NCHW");
    json_t *output = json_pack("{s:o, s:i}", "name", bsr_json_text(m.output), "classes", m.classes);
    return bsr_json_dump(
        out,
        json_pack("{s:o, s:o, s:o, s:o, s:I, s:I, s:o, s:o, s:i, s:o, s:I, s:o, s:o, s:o}", "path",
                  bsr_json_text(m.path), "sha256", bsr_json_text(m.sha256), "name",
                  bsr_json_text(m.name), "producer", bsr_json_text(m.producer), "ir_version",
                  (json_int_t)m.ir_version, "opset", (json_int_t)m.opset, "input", input, "output",
                  output, "nodes", m.nodes, "macs", bsr_json_real(m.macs), "golden_bytes",
                  (json_int_t)m.golden_bytes, "layers", layers, "tensors", tensors, "fault_space",
                  bsr_json_array(spaces, BSR_SPACES, sizeof *spaces, space, NULL)));
}
