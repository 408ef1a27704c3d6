#include "base/alloc.h"
#include "bitseer/predict.h"
#include "report/svg_pictures.h"

const bsr_curve_kind bsr_model_kinds[BSR_MODELS] = {
    [BSR_MODEL_AUTO] = {"predicted", BSR_MARKER_DISC, 1},
    [BSR_MODEL_LOGITS] = {"model logits", BSR_MARKER_SQUARE, 1},
    [BSR_MODEL_NORMAL] = {"model normal", BSR_MARKER_DIAMOND, 1},
    [BSR_MODEL_POISSON] = {"model poisson", BSR_MARKER_TRIANGLE, 1},
    [BSR_MODEL_NOISE] = {"model noise", BSR_MARKER_DISC, 1},
    [BSR_MODEL_BITS] = {"bit level", BSR_MARKER_DISC, 0},
};

static void describe(bsr_strbuf *subtitle, bsr_strbuf *desc, const bsr_prediction *p, double golden)
{
    const char *path = p->provenance.model_path;
    if (path && *path)
        bsr_strbuf_add(subtitle,
                       "%s: ", bsr_short_name(bsr_file_name(path), BSR_PICTURE_FILE_WIDTH).text);
    bsr_strbuf_add(subtitle, "random errors in stored bits, target %s", p->target);
    if (p->format && *p->format)
        bsr_strbuf_add(subtitle, ", format %s",
                       bsr_short_name(p->format, BSR_PICTURE_FORMAT_WIDTH).text);
    bsr_strbuf_add(subtitle, ", %llu images", (unsigned long long)p->images);
    bsr_strbuf_add(desc,
                   "Top-1 accuracy that statistical models predict for %d bit error rates; without "
                   "faults it is %s %%.",
                   p->n_points, bsr_digits_text(100 * golden, 4).text);
}

bsr_status bsr_prediction_svg(char **out, const bsr_prediction *p)
{
    double golden = (double)p->golden_correct / (double)p->images;
    bsr_strbuf subtitle = {0}, desc = {0};
    bsr_curve_point *points = bsr_alloc_array((size_t)p->n_points, sizeof *points);
    bsr_status status = points ? BSR_OK : BSR_ENOMEM;
    *out = NULL;
    describe(&subtitle, &desc, p, golden);
    if (status == BSR_OK)
        status = subtitle.status != BSR_OK ? subtitle.status : desc.status;
    if (status != BSR_OK)
        goto done;
    for (int i = 0; i < p->n_points; i++)
        points[i] =
            (bsr_curve_point){p->points[i].ber, p->points[i].accuracy, (int)p->points[i].model};
    const bsr_curve_series series = {"accuracy", p->n_points, points};
    status = bsr_svg_curve(out, &(bsr_curve){.name = "prediction",
                                             .title = "Predicted accuracy against bit error rate",
                                             .subtitle = subtitle.text,
                                             .desc = desc.text,
                                             .x_name = "bit error rate",
                                             .y_name = "top-1 accuracy",
                                             .x_symbol = "BER",
                                             .y_symbol = "accuracy",
                                             .x_log = 1,
                                             .y_linear = 1,
                                             .bands = 1,
                                             .confidence = p->confidence,
                                             .n_series = 1,
                                             .series = &series,
                                             .n_kinds = BSR_MODELS,
                                             .kinds = bsr_model_kinds,
                                             .reference_name = "without faults",
                                             .reference = golden});
done:
    bsr_free(points);
    bsr_free(subtitle.text);
    bsr_free(desc.text);
    return status;
}
