/* Folding against a file that another program folded: a published ResNet-20 with its
 * BatchNormalization nodes, and the export of the same network with them folded. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "exec/model_state.h"

static bsr_model *load(const char *name, int fold)
{
    char path[4096];
    bsr_model *model;
    bsr_model_options options = BSR_MODEL_OPTIONS_INIT;
    options.fold_batch_norm = fold;
    snprintf(path, sizeof path, "%s/models/%s", getenv("BITSEER_DATA"), name);
    if (bsr_model_load(&model, path, &options) != BSR_OK)
        fail_msg("%s", bsr_error_message());
    return model;
}

static int count(const bsr_graph *graph, const char *type)
{
    int n = 0;
    for (int i = 0; i < graph->n_nodes; i++)
        n += strcmp(graph->nodes[i].op_type, type) == 0;
    return n;
}

/* Constant of input i of layer `layer`. */
static const bsr_tensor *constant(const bsr_model *model, int layer, int i)
{
    const bsr_node *node = &model->graph->nodes[model->plan->layers[layer].node];
    assert_true(node->n_in > i && node->in[i] >= 0);
    const bsr_tensor *t = model->graph->values[node->in[i]].constant;
    assert_non_null(t);
    return t;
}

/* Weights within 1e-6 of each, biases within 1e-6 of the largest of the layer: they are
 * differences, whose own size says nothing. */
static void assert_close(const bsr_tensor *a, const bsr_tensor *b, int relative_to_each)
{
    const float *x = a->data, *y = b->data;
    double largest = 0;
    int64_t n = bsr_count(a->rank, a->dims);
    assert_int_equal(a->rank, b->rank);
    assert_memory_equal(a->dims, b->dims, (size_t)a->rank * sizeof *a->dims);
    for (int64_t i = 0; i < n; i++)
        largest = fmax(largest, fabs(y[i]));
    for (int64_t i = 0; i < n; i++) {
        double scale = relative_to_each ? fabs(y[i]) : largest;
        if (fabs((double)x[i] - y[i]) > 1e-6 * scale)
            fail_msg("element %lld is %.9g, expected %.9g", (long long)i, x[i], y[i]);
    }
}

static void test_exec_fold_resnet20__same_as_third_party(void **state)
{
    bsr_model *ours = load("cifar10_resnet20_akamaster_bn.onnx", 1);
    bsr_model *theirs = load("cifar10_resnet20_akamaster_folded.onnx", 0);
    assert_int_equal(count(theirs->graph, "BatchNormalization"), 0);
    assert_int_equal(count(ours->graph, "BatchNormalization"), 0);
    assert_int_equal(count(ours->graph, "Conv"), 19);
    assert_int_equal(ours->plan->n_layers, 20);
    assert_int_equal(theirs->plan->n_layers, 20);
    for (int i = 0; i < 20; i++) {
        assert_close(constant(ours, i, 1), constant(theirs, i, 1), 1);
        assert_close(constant(ours, i, 2), constant(theirs, i, 2), 0);
    }
    bsr_model_free(ours);
    bsr_model_free(theirs);
}

static void test_exec_fold_resnet20__off_by_default(void **state)
{
    bsr_model *model = load("cifar10_resnet20_akamaster_bn.onnx", 0);
    assert_int_equal(count(model->graph, "BatchNormalization"), 19);
    bsr_model_free(model);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_exec_fold_resnet20__same_as_third_party),
        cmocka_unit_test(test_exec_fold_resnet20__off_by_default),
    };
    if (!getenv("BITSEER_DATA")) {
        printf("skipped: BITSEER_DATA is not set\n");
        return 77;
    }
    return cmocka_run_group_tests(tests, NULL, NULL);
}
