/* Reads back what bsr_prediction_json wrote. Files are anybody's: every value is checked. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/arena.h"
#include "base/error.h"
#include "base/file.h"
#include "bitseer/predict.h"
#include "report/json_value.h"

#define MAX_BYTES ((size_t)64 << 20)

/* What fails first sticks; values are 0, NaN or "" from then on. */
typedef struct reader {
    const char *path;
    bsr_arena *arena;
    bsr_status status;
} reader;

static void refuse(reader *r, const char *key, const char *what)
{
    if (r->status == BSR_OK)
        r->status = bsr_fail(BSR_EFORMAT, "'%s' is no prediction: '%s' is %s", r->path, key, what);
}

/* A key that must be there; NULL after a failure. */
static json_t *member(reader *r, json_t *object, const char *key)
{
    json_t *value = r->status == BSR_OK ? json_object_get(object, key) : NULL;
    if (!value)
        refuse(r, key, "missing");
    return value;
}

static double number(reader *r, json_t *value, const char *key)
{
    if (!value || json_is_null(value))
        return NAN;
    if (!json_is_number(value))
        refuse(r, key, "no number");
    return json_number_value(value);
}

static double real(reader *r, json_t *object, const char *key)
{
    return number(r, member(r, object, key), key);
}

/* Counts above 2^63 - 1 are strings of digits. */
static uint64_t count(reader *r, json_t *object, const char *key)
{
    json_t *value = member(r, object, key);
    const char *digits = json_string_value(value);
    if (digits && *digits && strspn(digits, "0123456789") == strlen(digits))
        return strtoull(digits, NULL, 10);
    if (value && (!json_is_integer(value) || json_integer_value(value) < 0))
        refuse(r, key, "no count");
    return r->status == BSR_OK ? (uint64_t)json_integer_value(value) : 0;
}

static int small_count(reader *r, json_t *object, const char *key)
{
    uint64_t n = count(r, object, key);
    if (n > 1000000000)
        refuse(r, key, "too large");
    return r->status == BSR_OK ? (int)n : 0;
}

/* NULL for null; what it is must be a text else. */
static char *optional_text(reader *r, json_t *object, const char *key)
{
    json_t *value = member(r, object, key);
    if (!value || json_is_null(value))
        return NULL;
    if (!json_is_string(value)) {
        refuse(r, key, "no text");
        return NULL;
    }
    char *copy = bsr_arena_strdup(r->arena, json_string_value(value));
    if (!copy)
        r->status = BSR_ENOMEM;
    return copy;
}

static char *text(reader *r, json_t *object, const char *key)
{
    static char none[] = "";
    char *s = optional_text(r, object, key);
    return s ? s : none;
}

static bsr_share share(reader *r, json_t *object, const char *key, const char *ci)
{
    bsr_share s = {real(r, object, key), NAN, NAN};
    json_t *ends = member(r, object, ci);
    if (ends && json_array_size(ends) != 2)
        refuse(r, ci, "no interval");
    s.lo = number(r, json_array_get(ends, 0), ci);
    s.hi = number(r, json_array_get(ends, 1), ci);
    return s;
}

static json_t *object(reader *r, json_t *parent, const char *key)
{
    json_t *value = member(r, parent, key);
    if (value && !json_is_object(value))
        refuse(r, key, "no object");
    return value;
}

/* An array, and zeroed room for as many items of `size` bytes. */
static void *room(reader *r, json_t **array, int *n, json_t *parent, const char *key, size_t size)
{
    *array = member(r, parent, key);
    *n = 0;
    if (*array && !json_is_array(*array))
        refuse(r, key, "no array");
    if (r->status != BSR_OK)
        return NULL;
    size_t items = json_array_size(*array);
    void *p = bsr_arena_calloc(r->arena, items ? items : 1, size);
    if (!p)
        r->status = BSR_ENOMEM;
    else
        *n = (int)items;
    return p;
}

static double *reals(reader *r, json_t *parent, const char *key, int expected)
{
    json_t *array;
    int n;
    double *x = room(r, &array, &n, parent, key, sizeof *x);
    if (x && n != expected)
        refuse(r, key, "an array of another length");
    for (int i = 0; i < n; i++)
        x[i] = number(r, json_array_get(array, (size_t)i), key);
    return x;
}

static bsr_error_model model(reader *r, json_t *object, const char *key)
{
    const char *name = text(r, object, key);
    for (int m = 0; m < BSR_MODELS; m++)
        if (strcmp(bsr_error_model_name((bsr_error_model)m), name) == 0)
            return (bsr_error_model)m;
    refuse(r, key, "no error model");
    return BSR_MODEL_AUTO;
}

static bsr_target target(reader *r, json_t *object, const char *key)
{
    const char *name = text(r, object, key);
    for (int t = 0; t < BSR_TARGETS; t++)
        if (strcmp(bsr_target_name((bsr_target)t), name) == 0)
            return (bsr_target)t;
    refuse(r, key, "no target");
    return BSR_TARGET_WEIGHT;
}

/* A rate that a logarithmic axis can show; negated, so that NaN is refused. */
static double rate(reader *r, json_t *object, double above)
{
    double x = real(r, object, "ber");
    if (!(x > above && x <= 1))
        refuse(r, "ber", "not ascending in 0..1");
    return x;
}

static void read_points(reader *r, bsr_prediction *p, json_t *root)
{
    json_t *array;
    double last = 0;
    p->points = room(r, &array, &p->n_points, root, "points", sizeof *p->points);
    for (int i = 0; i < p->n_points && r->status == BSR_OK; i++) {
        json_t *o = json_array_get(array, (size_t)i);
        bsr_predicted_point *x = &p->points[i];
        x->ber = last = rate(r, o, last);
        x->accuracy = share(r, o, "accuracy", "ci");
        x->sdc = share(r, o, "sdc", "sdc_ci");
        x->critical = share(r, o, "critical", "critical_ci");
        x->due = share(r, o, "due", "due_ci");
        x->top5 = share(r, o, "top5", "top5_ci");
        x->rmse = share(r, o, "rmse", "rmse_ci");
        x->model = model(r, o, "model");
        x->reason = text(r, o, "reason");
        x->flips = real(r, o, "flips");
        x->kurtosis = real(r, o, "kurtosis");
        x->linearity = real(r, o, "linearity");
        x->logits_accuracy = real(r, o, "logits_accuracy");
    }
}

static void read_shares(reader *r, bsr_prediction *p, json_t *root)
{
    json_t *array;
    p->shares = room(r, &array, &p->n_shares, root, "shares", sizeof *p->shares);
    for (int i = 0; i < p->n_shares && r->status == BSR_OK; i++) {
        json_t *o = json_array_get(array, (size_t)i);
        bsr_variance_share *x = &p->shares[i];
        x->target = target(r, o, "target");
        x->index = small_count(r, o, "index");
        x->name = text(r, o, "name");
        x->op = text(r, o, "op");
        x->format = text(r, o, "format");
        x->bits = real(r, o, "bits");
        x->share = share(r, o, "share", "ci");
        x->n_eff = real(r, o, "n_eff");
        x->rms_error = real(r, o, "rms_error");
        if (!(x->bits >= 0 && x->bits < 1e18))
            refuse(r, "bits", "no count");
    }
}

static void read_rates(reader *r, bsr_layer_statistics *l, json_t *layer)
{
    json_t *array;
    l->rates = room(r, &array, &l->n_rates, layer, "rates", sizeof *l->rates);
    for (int i = 0; i < l->n_rates && r->status == BSR_OK; i++) {
        json_t *o = json_array_get(array, (size_t)i);
        l->rates[i] =
            (bsr_layer_rmse){rate(r, o, 0), real(r, o, "predicted"), real(r, o, "measured"),
                             real(r, o, "kurtosis"), real(r, o, "kurtosis_expected")};
    }
}

static void read_layers(reader *r, bsr_prediction *p, json_t *root)
{
    json_t *array;
    p->layers = room(r, &array, &p->n_layers, root, "layers", sizeof *p->layers);
    for (int i = 0; i < p->n_layers && r->status == BSR_OK; i++) {
        json_t *o = json_array_get(array, (size_t)i);
        bsr_layer_statistics *x = &p->layers[i];
        x->name = text(r, o, "name");
        x->op = text(r, o, "op");
        x->rms = real(r, o, "rms");
        read_rates(r, x, o);
        x->qq_ber = real(r, o, "qq_ber");
        double *qq = reals(r, o, "qq", BSR_QQ_POINTS);
        if (r->status == BSR_OK)
            memcpy(x->qq, qq, sizeof x->qq);
    }
}

static void read_read_offs(reader *r, bsr_prediction *p, json_t *root)
{
    json_t *array;
    p->read_offs = room(r, &array, &p->n_read_offs, root, "read_offs", sizeof *p->read_offs);
    for (int i = 0; i < p->n_read_offs && r->status == BSR_OK; i++) {
        json_t *o = json_array_get(array, (size_t)i);
        p->read_offs[i] =
            (bsr_read_off){text(r, o, "kind"), text(r, o, "value"),
                           reals(r, o, "accuracy", p->n_points), reals(r, o, "rmse", p->n_points)};
    }
}

static void read_origin(reader *r, bsr_prediction *p, json_t *root)
{
    json_t *f = object(r, root, "performance"), *o = object(r, root, "provenance");
    json_t *m = object(r, o, "model"), *d = object(r, o, "data");
    p->performance = (bsr_performance){
        .seconds = real(r, f, "seconds"),
        .golden_seconds = real(r, f, "golden_seconds"),
        .forward_seconds = real(r, f, "forward_seconds"),
        .evaluations = count(r, f, "evaluations"),
        .injections = count(r, f, "injections"),
        .forward_equivalents = real(r, f, "forward_equivalents"),
        .lanes_per_second = real(r, f, "lanes_per_second"),
        .injections_per_second = real(r, f, "injections_per_second"),
        .threads = small_count(r, f, "threads"),
        .cpu = optional_text(r, f, "cpu"),
    };
    p->provenance = (bsr_provenance){
        .version = text(r, o, "version"),
        .model_path = text(r, m, "path"),
        .model_sha256 = text(r, m, "sha256"),
        .data_spec = optional_text(r, d, "spec"),
        .data_sha256 = text(r, d, "sha256"),
        .cpu_brand = optional_text(r, f, "cpu_brand"),
        .spec = text(r, o, "spec"),
        .seed = count(r, o, "seed"),
    };
}

static void read_all(reader *r, bsr_prediction *p, json_t *root)
{
    const char *command = text(r, root, "command");
    if (r->status == BSR_OK && strcmp(command, "predict") != 0)
        r->status = bsr_fail(BSR_EFORMAT,
                             "'%s' is no prediction: command is '%.40s', expected "
                             "'predict'",
                             r->path, command);
    p->target = text(r, root, "target");
    p->format = text(r, root, "format");
    p->images = count(r, root, "images");
    p->golden_correct = count(r, root, "golden_correct");
    p->top5_correct = count(r, root, "top5_correct");
    p->moment_images = count(r, root, "moment_images");
    p->disturbed = count(r, root, "disturbed");
    p->confidence = real(r, root, "confidence");
    p->format_loss = real(r, root, "format_loss");
    p->linear_limit = real(r, root, "linear_limit");
    p->normal_limit = real(r, root, "normal_limit");
    read_points(r, p, root);
    read_shares(r, p, root);
    read_layers(r, p, root);
    read_read_offs(r, p, root);
    read_origin(r, p, root);
    if (!p->images || p->golden_correct > p->images)
        refuse(r, "golden_correct", "more than the images");
}

/* jansson takes a failed allocation for a wrong text; what fails to allocate leaves a message. */
static bsr_status parse(json_t **root, const char *path, const char *bytes, size_t n)
{
    json_error_t error;
    bsr_status wrong = bsr_fail(BSR_EFORMAT, "%s", "");
    *root = json_loadb(bytes, n, 0, &error);
    if (*root)
        return BSR_OK;
    if (*bsr_error_message())
        return BSR_ENOMEM;
    return bsr_fail(wrong, "'%s' is no JSON: line %d: %s", path, error.line, error.text);
}

bsr_status bsr_prediction_load(bsr_prediction **out, const char *path)
{
    void *bytes;
    size_t n;
    json_t *root = NULL;
    reader r = {.path = path};
    *out = NULL;
    bsr_json_setup();
    BSR_TRY(bsr_file_read(&bytes, &n, path, MAX_BYTES));
    r.status = parse(&root, path, bytes, n);
    bsr_free(bytes);
    if (r.status != BSR_OK)
        return r.status;
    r.arena = bsr_arena_new();
    bsr_prediction *p = r.arena ? bsr_arena_calloc(r.arena, 1, sizeof *p) : NULL;
    if (p)
        read_all(&r, p, root);
    else
        r.status = BSR_ENOMEM;
    json_decref(root);
    if (r.status != BSR_OK) {
        bsr_arena_free(r.arena);
        return r.status;
    }
    p->arena = r.arena;
    *out = p;
    return BSR_OK;
}
