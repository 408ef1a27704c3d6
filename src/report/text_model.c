#include "report/fault_space.h"
#include "report/strbuf.h"
#include "report/table.h"

#include "base/error.h"

/* "SITESxBITS", or "-" for none. */
static void sites_cell(bsr_table *t, int64_t sites, int bits)
{
    if (sites)
        bsr_table_cell(t, "%sx%d", bsr_count_text((uint64_t)sites).text, bits);
    else
        bsr_table_cell(t, "-");
}

static void print_layers(bsr_strbuf *b, const bsr_model *model, int layers)
{
    bsr_table t;
    bsr_table_init(&t, "layer|<~name|<~op|weights|biases|channels|MACs|inputs|<~input tensor");
    for (int i = 0; i < layers && t.status == BSR_OK; i++) {
        bsr_layer_info l;
        t.status = bsr_model_layer(model, i, &l);
        if (t.status != BSR_OK)
            break;
        bsr_table_cell(&t, "%d", i);
        bsr_table_cell(&t, "%s", l.name);
        bsr_table_cell(&t, "%s", l.op);
        sites_cell(&t, l.weights, l.weight_bits);
        sites_cell(&t, l.biases, l.bias_bits);
        bsr_table_cell(&t, "%d", l.channels);
        bsr_table_cell(&t, "%s", bsr_count_text((uint64_t)l.macs).text);
        sites_cell(&t, l.inputs, l.input_bits);
        bsr_table_cell(&t, "%s", l.input);
    }
    bsr_table_print(&t, b);
}

static void print_space(bsr_strbuf *b, const bsr_target_space *spaces)
{
    bsr_table t;
    bsr_table_init(&t, "<target|sites|single-bit faults");
    for (int i = 0; i < BSR_SPACES; i++) {
        bsr_table_cell(&t, "%s", spaces[i].target);
        bsr_table_cell(&t, "%llu", (unsigned long long)spaces[i].sites);
        bsr_table_cell(&t, "%llu", (unsigned long long)spaces[i].faults);
    }
    bsr_table_print(&t, b);
}

bsr_status bsr_model_text(char **out, const bsr_model *model)
{
    *out = NULL;
    bsr_target_space spaces[BSR_SPACES];
    BSR_TRY(bsr_fault_space(spaces, model));
    bsr_model_info m = bsr_model_get_info(model);
    bsr_strbuf b = {0};
    bsr_strbuf_add(&b, "%s: ONNX opset %lld, %d nodes, %s MACs per image\n", m.path,
                   (long long)m.opset, m.nodes, bsr_count_text((uint64_t)m.macs).text);
    bsr_strbuf_add(&b, "input '%s' %s %d x %d x %d, output '%s' with %d classes\n", m.input,
                   m.nhwc ? "(NHWC), channels x height x width" : "channels x height x width",
                   m.channels, m.height, m.width, m.output, m.classes);
    bsr_strbuf_add(&b, "golden run keeps %s per image\nSHA-256 %s\n\n",
                   bsr_bytes_text(m.golden_bytes).text, m.sha256);
    print_layers(&b, model, m.layers);
    bsr_strbuf_add(&b, "(weights, biases, inputs: stored values x bits of one)\n\n");
    print_space(&b, spaces);
    return bsr_strbuf_take_ascii(out, &b);
}
