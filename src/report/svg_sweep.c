#include <math.h>

#include "base/alloc.h"
#include "bitseer/pictures.h"
#include "report/strbuf.h"
#include "report/svg_pictures.h"

static int count_predicted(const bsr_sweep_result *r)
{
    int n = 0;
    for (int i = 0; i < r->n_points; i++)
        n += r->points[i].model != BSR_MODEL_BITS;
    return n;
}

static void describe(bsr_strbuf *subtitle, bsr_strbuf *desc, const bsr_sweep_result *r,
                     double golden)
{
    const char *path = r->provenance.model_path;
    if (path && *path)
        bsr_strbuf_add(subtitle,
                       "%s: ", bsr_short_name(bsr_file_name(path), BSR_PICTURE_FILE_WIDTH).text);
    bsr_strbuf_add(subtitle, "random errors in stored bits, target %s", r->target);
    if (r->format && *r->format)
        bsr_strbuf_add(subtitle, ", format %s",
                       bsr_short_name(r->format, BSR_PICTURE_FORMAT_WIDTH).text);
    bsr_strbuf_add(subtitle, ", %llu images", (unsigned long long)r->images);
    bsr_strbuf_add(desc, "Mean top-1 accuracy over error patterns for %d bit error rates",
                   r->n_points);
    if (count_predicted(r))
        bsr_strbuf_add(desc, ", at %d of them predicted by statistical models", count_predicted(r));
    bsr_strbuf_add(desc, "; without faults it is %s %%.", bsr_digits_text(100 * golden, 4).text);
}

bsr_status bsr_sweep_svg(char **out, const bsr_sweep_result *r)
{
    double golden = (double)r->golden_correct / (double)r->images;
    bsr_strbuf subtitle = {0}, desc = {0};
    bsr_curve_point *points = bsr_alloc_array((size_t)r->n_points, sizeof *points);
    bsr_status status = points ? BSR_OK : BSR_ENOMEM;
    *out = NULL;
    describe(&subtitle, &desc, r, golden);
    if (status == BSR_OK)
        status = subtitle.status != BSR_OK ? subtitle.status : desc.status;
    if (status != BSR_OK)
        goto done;
    for (int i = 0; i < r->n_points; i++)
        points[i] =
            (bsr_curve_point){r->points[i].ber, r->points[i].accuracy, (int)r->points[i].model};
    const bsr_curve_series series = {"accuracy", r->n_points, points};
    status = bsr_svg_curve(out, &(bsr_curve){.name = "ber",
                                             .title = "Accuracy against bit error rate",
                                             .subtitle = subtitle.text,
                                             .desc = desc.text,
                                             .x_name = "bit error rate",
                                             .y_name = "top-1 accuracy",
                                             .x_symbol = "BER",
                                             .y_symbol = "accuracy",
                                             .x_log = 1,
                                             .y_linear = 1,
                                             .confidence = r->confidence,
                                             .n_series = 1,
                                             .series = &series,
                                             .n_kinds = count_predicted(r) ? BSR_MODELS : 0,
                                             .kinds = bsr_model_kinds,
                                             .reference_name = "without faults",
                                             .reference = golden});
done:
    bsr_free(points);
    bsr_free(subtitle.text);
    bsr_free(desc.text);
    return status;
}
