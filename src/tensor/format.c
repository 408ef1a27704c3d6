#include "tensor/format.h"

#include <float.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"

#define F32_INFINITY  0x7f800000u
#define F32_QUIET_NAN 0x7fc00000u

/* Floating-point formats; codes without their sign bit. Infinities and NaN: e4m3 has no infinity
 * (0: none), so that infinities saturate; NaN becomes the one positive code named here whatever its
 * sign and payload, which differ between processors. */
typedef struct float_row {
    const char *name;
    int bits, mantissa, bias;
    uint32_t top, infinity, nan;
} float_row;

static const float_row floats[] = {
    [BSR_FORMAT_STORED] = {.name = "fp32", .bits = 32},
    [BSR_FORMAT_FP32] = {"fp32", 32, 23, 127, 0x7f7fffff, 0x7f800000, 0x7fc00000},
    [BSR_FORMAT_FP16] = {"fp16", 16, 10, 15, 0x7bff, 0x7c00, 0x7e00},
    [BSR_FORMAT_BF16] = {"bf16", 16, 7, 127, 0x7f7f, 0x7f80, 0x7fc0},
    [BSR_FORMAT_E4M3] = {"e4m3", 8, 3, 7, 0x7e, 0, 0x7f},
    [BSR_FORMAT_E5M2] = {"e5m2", 8, 2, 15, 0x7b, 0x7c, 0x7e},
};
enum { N_FLOATS = sizeof floats / sizeof floats[0] };

static int is_float(bsr_format_kind kind)
{
    return kind <= BSR_FORMAT_E5M2;
}

static int is_integer(const bsr_format *f)
{
    return f->kind == BSR_FORMAT_INT || f->kind == BSR_FORMAT_UINT;
}

/* Text */

/* Decimal number of one or two digits at *at, -1 for anything else. Moves *at behind it. */
static int small_number(const char **at)
{
    int n = -1;
    for (int digits = 0; digits < 2 && **at >= '0' && **at <= '9'; digits++)
        n = (n < 0 ? 0 : n) * 10 + *(*at)++ - '0';
    return n;
}

static int in_range(int n, int lo, int hi)
{
    return n >= lo && n <= hi;
}

/* The part before the options; 0 when it is none. */
static int parse_name(bsr_format *f, const char *name)
{
    for (int k = 0; k < N_FLOATS; k++)
        if (strcmp(name, floats[k].name) == 0) {
            *f = (bsr_format){.kind = (bsr_format_kind)k, .bits = floats[k].bits};
            return 1;
        }
    if (strcmp(name, "binary") == 0) {
        *f = (bsr_format){.kind = BSR_FORMAT_BINARY, .bits = 1};
        return 1;
    }
    if (*name == 'q') {
        const char *at = name + 1;
        int whole = small_number(&at), point = *at == '.';
        at += point;
        int fraction = small_number(&at);
        *f = (bsr_format){.kind = BSR_FORMAT_FIXED, .bits = 1 + whole + fraction};
        f->fraction = fraction;
        return point && whole >= 0 && fraction >= 0 && !*at && in_range(f->bits, 2, 32);
    }
    int has_sign = strncmp(name, "int", 3) == 0;
    if (!has_sign && strncmp(name, "uint", 4) != 0)
        return 0;
    const char *at = name + (has_sign ? 3 : 4);
    *f = (bsr_format){.kind = has_sign ? BSR_FORMAT_INT : BSR_FORMAT_UINT};
    f->bits = small_number(&at);
    f->affine = !has_sign;
    return !*at && in_range(f->bits, 2, 16);
}

/* A bound, rounded to float32 as the values are; 0 when there is no finite number at *at. */
static int parse_bound(double *bound, const char **at)
{
    char *end;
    if (!strchr("+-.0123456789", **at))
        return 0;
    *bound = (float)strtod(*at, &end) + 0.0; /* -0 is 0 */
    int found = end != *at && isfinite(*bound);
    *at = end;
    return found;
}

/* "R" or "LO:HI". One number is the upper end; the lower one is its negative, or 0 for UINT. */
static int parse_range(bsr_format *f, const char *text)
{
    const char *at = text;
    f->has_range = 1;
    if (!parse_bound(&f->hi, &at))
        return 0;
    f->lo = f->kind == BSR_FORMAT_UINT ? 0.0 : -f->hi;
    if (*at == ':') {
        f->lo = f->hi;
        at++;
        if (!parse_bound(&f->hi, &at))
            return 0;
    }
    return !*at && f->lo <= 0 && f->hi >= 0 && f->lo < f->hi;
}

/* The groups of options, of which each may be given once. */
enum { OPTION_ZERO = 1, OPTION_SCALES = 2, OPTION_RANGE = 4 };

/* Those that the format takes. */
static int option_groups(const bsr_format *f)
{
    return is_integer(f)                  ? OPTION_ZERO | OPTION_SCALES | OPTION_RANGE
           : f->kind == BSR_FORMAT_BINARY ? OPTION_SCALES | OPTION_RANGE
           : is_float(f->kind)            ? OPTION_RANGE
                                          : 0;
}

static const char *option_names(int groups)
{
    return groups & OPTION_ZERO     ? "sym, affine, tensor, channel, range=R, range=LO:HI"
           : groups & OPTION_SCALES ? "tensor, channel, range=SCALE"
                                    : "range=R, range=LO:HI";
}

static bsr_status parse_option(bsr_format *f, const char *text, const char *option, int *seen)
{
    static const struct {
        const char *name;
        int group, value;
    } rows[] = {
        {"sym", OPTION_ZERO, 0},
        {"affine", OPTION_ZERO, 1},
        {"tensor", OPTION_SCALES, 0},
        {"channel", OPTION_SCALES, 1},
    };
    int group = 0, groups = option_groups(f);
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        if (strcmp(option, rows[i].name) != 0 || !(rows[i].group & groups))
            continue;
        group = rows[i].group;
        *(group == OPTION_ZERO ? &f->affine : &f->per_channel) = rows[i].value;
    }
    if (strncmp(option, "range=", 6) == 0) {
        group = OPTION_RANGE;
        if (!parse_range(f, option + 6))
            return bsr_fail(BSR_EINVAL,
                            "format '%s': '%s' is not a range: range=R with R > 0, or range=LO:HI "
                            "with LO <= 0 <= HI, LO < HI",
                            text, option);
    }
    if (!group)
        return bsr_fail(BSR_EINVAL, "format '%s': option '%s' is not one of %s", text, option,
                        option_names(groups));
    if (*seen & group)
        return bsr_fail(BSR_EINVAL, "format '%s': option '%s' repeats or contradicts another", text,
                        option);
    *seen |= group;
    return BSR_OK;
}

/* Symmetric codes reach as far on both sides, or start at 0. A float's range only limits. */
static bsr_status check_range(const bsr_format *f, const char *text)
{
    double expected = f->kind == BSR_FORMAT_UINT ? 0.0 : -f->hi;
    if (f->has_range && !f->affine && !is_float(f->kind) && f->lo != expected)
        return bsr_fail(BSR_EINVAL, "format '%s': range starts at %g, expected %g without affine",
                        text, f->lo, expected);
    return BSR_OK;
}

bsr_status bsr_format_parse(bsr_format *out, const char *text)
{
    char copy[128];
    bsr_format f = {0};
    size_t n = strlen(text);
    if (n >= sizeof copy)
        return bsr_fail(BSR_EINVAL, "format '%.60s...' is too long", text);
    memcpy(copy, text, n + 1);
    char *option = strchr(copy, '/');
    if (option)
        *option++ = 0;
    if (!parse_name(&f, copy))
        return bsr_fail(BSR_EINVAL,
                        "format '%s' is not one of fp32, fp16, bf16, e4m3, e5m2, int2 to int16, "
                        "uint2 to uint16, qI.F of 2 to 32 bits, binary",
                        copy);
    if (option && !option_groups(&f))
        return bsr_fail(BSR_EINVAL, "format '%s': %s has no options", text, copy);
    for (int seen = 0; option;) {
        char *next = strchr(option, '/');
        if (next)
            *next++ = 0;
        BSR_TRY(parse_option(&f, text, option, &seen));
        option = next;
    }
    BSR_TRY(check_range(&f, text));
    if (f.kind == BSR_FORMAT_STORED && f.has_range)
        f.kind = BSR_FORMAT_FP32;
    *out = f;
    return BSR_OK;
}

/* Fewest digits that parse to the same bound. */
static const char *bound_text(char buf[32], double x)
{
    for (int digits = 1; digits <= 9; digits++) {
        snprintf(buf, 32, "%.*g", digits, x);
        if ((float)strtod(buf, NULL) == (float)x)
            break;
    }
    return buf;
}

const char *bsr_format_text(char buf[64], const bsr_format *f)
{
    int is_uint = f->kind == BSR_FORMAT_UINT;
    char name[32] = "binary", range[80] = "", lo[32], hi[32];
    if (is_float(f->kind))
        snprintf(name, sizeof name, "%s", floats[f->kind].name);
    else if (f->kind == BSR_FORMAT_FIXED)
        snprintf(name, sizeof name, "q%d.%d", f->bits - 1 - f->fraction, f->fraction);
    else if (is_integer(f))
        snprintf(name, sizeof name, "%s%d%s", is_uint ? "uint" : "int", f->bits,
                 f->affine == is_uint ? ""
                 : f->affine          ? "/affine"
                                      : "/sym");
    if (f->has_range && f->lo == (is_uint ? 0.0 : -f->hi))
        snprintf(range, sizeof range, "/range=%s", bound_text(hi, f->hi));
    else if (f->has_range)
        snprintf(range, sizeof range, "/range=%s:%s", bound_text(lo, f->lo), bound_text(hi, f->hi));
    /* Never cut: a bound has at most 15 characters. */
    snprintf(buf, 64, "%.12s%s%.40s", name, f->per_channel ? "/channel" : "", range);
    return buf;
}

int bsr_format_equal(const bsr_format *a, const bsr_format *b)
{
    return a->kind == b->kind && a->bits == b->bits && a->fraction == b->fraction &&
           a->affine == b->affine && a->per_channel == b->per_channel &&
           a->has_range == b->has_range && (!a->has_range || (a->lo == b->lo && a->hi == b->hi));
}

int bsr_format_needs_range(const bsr_format *f)
{
    return !f->has_range && (is_integer(f) || f->kind == BSR_FORMAT_BINARY);
}

/* Codes */

/* The scale as float32. A tiny range must not round to a scale of 0, by which encoding divides. */
static float scale_of(double range, double steps)
{
    float scale = (float)(range / steps);
    return range == 0 ? 1.0f : scale == 0 ? FLT_TRUE_MIN : scale;
}

static void init_integer(bsr_quantiser *q, const bsr_format *f, double lo, double hi)
{
    int64_t codes = (int64_t)1 << f->bits, half = f->kind == BSR_FORMAT_INT ? codes / 2 : 0;
    q->min = -half;
    q->max = codes - 1 - half;
    if (f->affine) {
        q->scale = scale_of(hi - lo, (double)(codes - 1));
        double zero = rint((double)q->min - lo / (double)q->scale);
        q->zero = zero > (double)q->max ? q->max : zero < (double)q->min ? q->min : (int64_t)zero;
        return;
    }
    if (half)
        q->min = -q->max;
    q->scale = scale_of(half ? fmax(-lo, hi) : hi, (double)q->max);
}

void bsr_quantiser_init(bsr_quantiser *out, const bsr_format *f, double lo, double hi)
{
    *out = (bsr_quantiser){.kind = f->kind, .bits = f->bits, .scale = 1.0f};
    lo = f->has_range ? f->lo : fmin(lo, 0.0);
    hi = f->has_range ? f->hi : fmax(hi, 0.0);
    if (is_float(f->kind)) {
        out->bounded = f->has_range;
        out->lo = f->has_range ? (float)lo : 0.0f;
        out->hi = f->has_range ? (float)hi : 0.0f;
    } else if (is_integer(f)) {
        init_integer(out, f, lo, hi);
    } else if (f->kind == BSR_FORMAT_FIXED) {
        out->scale = (float)ldexp(1.0, -f->fraction);
        out->max = ((int64_t)1 << (f->bits - 1)) - 1;
        out->min = -out->max - 1;
    } else if (f->kind == BSR_FORMAT_BINARY) {
        out->scale = scale_of(fmax(-lo, hi), 1.0);
        out->zero = out->max = 1;
    }
}

static uint32_t bits_of(float x)
{
    uint32_t bits;
    memcpy(&bits, &x, sizeof bits);
    return bits;
}

static float float_of(uint32_t bits)
{
    float x;
    memcpy(&x, &bits, sizeof x);
    return x;
}

static uint32_t encode_float(const float_row *r, float x)
{
    uint32_t bits = bits_of(x), size = bits & 0x7fffffffu;
    uint32_t sign = bits >> 31 << (r->bits - 1);
    if (size > F32_INFINITY)
        return r->nan;
    if (size == F32_INFINITY && r->infinity)
        return sign | r->infinity;
    int drop = 23 - r->mantissa;
    uint32_t code;
    if (!drop) {
        code = size;
    } else if (size >= (uint32_t)(128 - r->bias) << 23) {
        /* Adding just under half of the last place, and one more when it is odd, carries into the
         * kept bits, the exponent included, exactly when rounding to even goes up. */
        uint32_t rebased = size - ((uint32_t)(127 - r->bias) << 23);
        code = (rebased + (1u << (drop - 1)) - 1 + (rebased >> drop & 1)) >> drop;
    } else {
        /* Subnormal: the addition itself rounds to the format's smallest step. */
        uint32_t shift = (uint32_t)(151 - r->bias - r->mantissa) << 23;
        code = bits_of(float_of(size) + float_of(shift)) - shift;
    }
    return sign | (code > r->top ? r->top : code);
}

static float decode_float(const float_row *r, uint32_t code)
{
    uint32_t sign = code >> (r->bits - 1) << 31, size = code & ((1u << (r->bits - 1)) - 1);
    if (size > r->top)
        return float_of(sign | (size == r->infinity ? F32_INFINITY : F32_QUIET_NAN));
    /* Exact, subnormals too: only the exponent's bias differs. */
    float rebase = float_of((uint32_t)(254 - r->bias) << 23);
    return float_of(sign | size << (23 - r->mantissa)) * rebase;
}

static float limited(const bsr_quantiser *q, float x)
{
    return x != x ? 0.0f : x < q->lo ? q->lo : x > q->hi ? q->hi : x;
}

static uint32_t encode_bounded(const bsr_quantiser *q, float x)
{
    const float_row *r = &floats[q->kind];
    uint32_t code = encode_float(r, limited(q, x));
    float value = decode_float(r, code);
    /* Rounded out of the range: the code before has the next smaller value of that sign. */
    return value < q->lo || value > q->hi ? code - 1 : code;
}

uint32_t bsr_encode(const bsr_quantiser *q, float x)
{
    if (q->kind == BSR_FORMAT_STORED)
        return bits_of(x);
    if (is_float(q->kind))
        return q->bounded ? encode_bounded(q, x) : encode_float(&floats[q->kind], x);
    if (q->kind == BSR_FORMAT_BINARY)
        return !(x < 0.0f);
    if (x != x)
        x = 0.0f;
    /* A quotient of two floats of at most 2^17 steps is a tie in double only when it is one
     * (beyond, the scale is a power of two), so that this rounds once. */
    double code = rint((double)x / (double)q->scale) + (double)q->zero;
    int64_t whole = code < (double)q->min ? q->min : code > (double)q->max ? q->max : (int64_t)code;
    return (uint32_t)((uint64_t)whole & (UINT32_MAX >> (32 - q->bits)));
}

float bsr_decode(const bsr_quantiser *q, uint32_t code)
{
    if (q->kind == BSR_FORMAT_STORED)
        return float_of(code);
    code &= UINT32_MAX >> (32 - q->bits);
    if (is_float(q->kind)) {
        float x = decode_float(&floats[q->kind], code);
        return q->bounded ? limited(q, x) : x;
    }
    if (q->kind == BSR_FORMAT_BINARY)
        return code ? q->scale : -q->scale;
    int64_t whole = code;
    if (q->kind != BSR_FORMAT_UINT && code >> (q->bits - 1))
        whole -= (int64_t)1 << q->bits;
    return (float)((double)(whole - q->zero) * (double)q->scale);
}

void bsr_value_range(const float *x, size_t n, double *lo, double *hi)
{
    int any = 0;
    *lo = *hi = 0;
    for (size_t i = 0; i < n; i++) {
        if (!isfinite(x[i]))
            continue;
        if (!any || x[i] < *lo)
            *lo = x[i];
        if (!any || x[i] > *hi)
            *hi = x[i];
        any = 1;
    }
}
