#include <math.h>

#include "base/alloc.h"
#include "bitseer/pictures.h"
#include "report/strbuf.h"
#include "report/svg_curve.h"
#include "report/svg_text.h"

#define FILE_WIDTH   18 /* at most, in font sizes */
#define FORMAT_WIDTH 14

static void describe(bsr_strbuf *subtitle, bsr_strbuf *desc, const bsr_sweep_result *r,
                     double golden)
{
    const char *path = r->provenance.model_path;
    if (path && *path)
        bsr_strbuf_add(subtitle, "%s: ", bsr_short_name(bsr_file_name(path), FILE_WIDTH).text);
    bsr_strbuf_add(subtitle, "random errors in stored bits, target %s", r->target);
    if (r->format && *r->format)
        bsr_strbuf_add(subtitle, ", format %s", bsr_short_name(r->format, FORMAT_WIDTH).text);
    bsr_strbuf_add(subtitle, ", %llu images", (unsigned long long)r->images);
    bsr_strbuf_add(desc,
                   "Mean top-1 accuracy over error patterns for %d bit error rates; without faults "
                   "it is %s %%.",
                   r->n_points, bsr_digits_text(100 * golden, 4).text);
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
        points[i] = (bsr_curve_point){r->points[i].ber, r->points[i].accuracy};
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
                                             .reference_name = "without faults",
                                             .reference = golden});
done:
    bsr_free(points);
    bsr_free(subtitle.text);
    bsr_free(desc.text);
    return status;
}
