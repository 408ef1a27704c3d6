/* Running what the settings say: eval, inject, analyze and sweep. */
#include <string.h>

#include "cli.h"
#include "progress.h"

static bsr_status open_inputs(bsr_model **model, bsr_dataset **data, const settings *s)
{
    bsr_dataset_options o = s->data;
    memcpy(o.mean, s->mean.v, sizeof o.mean);
    memcpy(o.std, s->std.v, sizeof o.std);
    o.mean_count = s->mean.count;
    o.std_count = s->std.count;
    o.order = (bsr_channel_order)(s->order + 1);
    bsr_status status = bsr_model_load(model, s->operands[0], &s->model);
    if (status != BSR_OK)
        return status;
    bsr_model_info m = bsr_model_get_info(*model);
    status = bsr_dataset_open(data, &o, m.channels, m.height, m.width);
    return status == BSR_OK ? bsr_dataset_check_labels(*data, m.classes) : status;
}

bsr_status with_inputs(void *out, const settings *s, work_fn work)
{
    bsr_model *model = NULL;
    bsr_dataset *data = NULL;
    bsr_setting kept[OPT_MAX + 2];
    progress shown;
    bsr_status status = open_inputs(&model, &data, s);
    if (status == BSR_OK) {
        bsr_run_options o = run_options(s);
        o.store = s->store;
        o.resume = s->resume;
        o.settings = kept;
        o.n_settings = s->store && !s->resume ? kept_settings(kept, s) : 0;
        progress_start(&shown, s->progress, s->quiet);
        o.progress = progress_report;
        o.progress_ctx = &shown;
        status = work(out, model, data, &o, s);
        progress_end(&shown);
        /* Model and data are open: what does not exist is a selector's value, or this file. */
        if (status == BSR_ENOTFOUND && can_read(o.faults))
            status = BSR_EINVAL;
    }
    bsr_dataset_free(data);
    bsr_model_free(model);
    return status;
}

const char *data_spec(const settings *s)
{
    const char *images = s->data.images;
    return keep_text("%s%s%s", s->data.data, images ? " images=" : "", images ? images : "");
}

int run_campaign(const settings *given, work_fn work)
{
    settings s = *given;
    bsr_result *result = NULL;
    char *json = NULL, *table = NULL;
    int code = check_options(&s);
    if (code == EXIT_DONE)
        code = place_output(&s);
    if (code != EXIT_DONE)
        return code;
    bsr_status status = with_inputs(&result, &s, work);
    if (status == BSR_OK)
        result->provenance.data_spec = data_spec(&s);
    if (status == BSR_OK && (s.json || s.out))
        status = bsr_result_json(&json, result);
    if (status == BSR_OK && !s.json)
        status = bsr_result_text(&table, result);
    bsr_result_free(result);
    return deliver(&s, status, json, table);
}
