/* The library in fifty lines: the most vulnerable layer of a network.
 *
 *   layer_vf MODEL.onnx DATA_CARD.yaml
 *
 * Fault rays over the bits of 50 weights of each layer, on the first 20 images. */
#include <stdio.h>

#include "bitseer/run.h"

int main(int argc, char **argv)
{
    bsr_model *model = NULL;
    bsr_dataset *data = NULL;
    bsr_result *result = NULL;
    int code = 1;
    if (argc != 3) {
        fprintf(stderr, "usage: layer_vf MODEL.onnx DATA_CARD.yaml\n");
        return 2;
    }
    if (bsr_model_load(&model, argv[1], NULL) != BSR_OK)
        goto done;

    bsr_model_info info = bsr_model_get_info(model);
    bsr_dataset_options from = BSR_DATASET_OPTIONS_INIT;
    from.data = argv[2];
    from.images = "20";
    if (bsr_dataset_open(&data, &from, info.channels, info.height, info.width) != BSR_OK)
        goto done;

    bsr_run_options run = BSR_RUN_OPTIONS_INIT;
    run.target = BSR_TARGET_WEIGHT;
    run.plan = "sites:50";
    if (bsr_analyze(&result, model, data, &run) != BSR_OK)
        goto done;

    const bsr_layer_result *worst = &result->layers[0];
    for (int i = 1; i < result->n_layers; i++)
        if (result->layers[i].vf.value > worst->vf.value)
            worst = &result->layers[i];
    printf("layer %d '%s': VF %.3f %%, %.0f %% interval [%.3f, %.3f]\n", worst->index, worst->name,
           100 * worst->vf.value, 100 * result->confidence, 100 * worst->vf.lo, 100 * worst->vf.hi);
    code = 0;
done:
    if (code)
        fprintf(stderr, "layer_vf: %s\n", bsr_error_message());
    bsr_result_free(result);
    bsr_dataset_free(data);
    bsr_model_free(model);
    return code;
}
