/* Any bytes as one of the small texts of the options; the first byte says which. What is taken
 * keeps the promises of its header, what is not has a one-line message. */
#include <math.h>

#include "base/error.h"
#include "campaign/design.h"
#include "campaign/shares.h"
#include "campaign/sweep_rates.h"
#include "fuzz.h"
#include "small_spaces.h"
#include "tensor/format.h"

static bsr_status check_fault(const char *text)
{
    static const int widths[] = {1, 4, 8, 16, 32};
    bsr_fault_model m;
    BSR_TRY(bsr_fault_model_parse(&m, text));
    require(m.p0 >= 0 && m.p0 <= 1 && m.p1 >= 0 && m.p1 <= 1);
    for (int i = 0; i < 5; i++) {
        int variants[BSR_MAX_VARIANTS], n, width = widths[i];
        uint32_t above = width < 32 ? ~(uint32_t)0 << width : 0;
        if (bsr_fault_variants(&m, width, ~above, 0, "x", variants, &n) != BSR_OK)
            continue;
        require(n >= 1 && n <= width);
        /* A pattern changes many sites, in a way of its own. */
        for (int v = 0; v < n && m.kind != BSR_FAULT_BER; v++) {
            require(variants[v] >= -1 && variants[v] < width);
            require(!(bsr_fault_change(&m, width, variants[v], 1, 5).flip & above));
        }
    }
    return BSR_OK;
}

static void check_codes(const bsr_format *f, double lo, double hi)
{
    static const float values[] = {0, -0.0f, 1, -3.5f, 1e-40f, 3e38f, -3e38f, INFINITY, NAN};
    bsr_quantiser q;
    bsr_quantiser_init(&q, f, lo, hi);
    require(q.bits == f->bits);
    for (size_t i = 0; i < sizeof values / sizeof *values; i++) {
        uint32_t code = bsr_encode(&q, values[i]);
        require(f->bits == 32 || !(code >> f->bits));
        float x = bsr_decode(&q, code);
        uint32_t again = bsr_encode(&q, x);
        float y = bsr_decode(&q, again);
        require(memcmp(&x, &y, sizeof x) == 0 || (isnan(x) && isnan(y)) || x == y);
    }
}

static bsr_status check_format(const char *text)
{
    bsr_format f, again;
    char buf[64];
    BSR_TRY(bsr_format_parse(&f, text));
    require(f.bits >= 1 && f.bits <= 32 && f.fraction >= 0 && f.fraction < f.bits);
    require(!f.has_range || (f.lo <= 0 && f.hi >= 0 && f.lo < f.hi));
    require(bsr_format_parse(&again, bsr_format_text(buf, &f)) == BSR_OK);
    require(bsr_format_equal(&f, &again));
    check_codes(&f, -1, 3);
    check_codes(&f, 0, 0);
    return BSR_OK;
}

static void check_draw(bsr_design *d, const bsr_spaces *all, uint64_t most)
{
    uint64_t *units, n;
    require(bsr_design_draw(d, all, 0, &units, &n) == BSR_OK);
    require(n == bsr_design_planned(d) && n <= most);
    for (uint64_t i = 0; units && i < n; i++)
        require(units[i] < most && (!i || units[i - 1] < units[i]));
    bsr_free(units);
}

static bsr_status check_design(const char *text, int by_site, int transient)
{
    enum { IMAGES = 3 };
    bsr_run_options o = BSR_RUN_OPTIONS_INIT;
    bsr_spaces all;
    bsr_design d;
    o.plan = text;
    o.transient = transient;
    o.shares = strcmp(text, "data-aware") == 0 ? "0.1,0.2,0.3,0.4,0.5,0.4,0.3,0.2" : NULL;
    small_weights(&all);
    bsr_status status = bsr_design_init(&d, &all, &o, by_site, IMAGES);
    if (status == BSR_OK)
        check_draw(&d, &all, (by_site ? all.sites : all.population) * (transient ? IMAGES : 1));
    bsr_design_clear(&d);
    bsr_spaces_clear(&all);
    return status;
}

static bsr_status check_plan(const char *text)
{
    bsr_status status = check_design(text, 0, 0);
    /* What is taken for persistent faults is for transient ones, of which there are more. */
    require((status == BSR_OK) <= (check_design(text, 0, 1) == BSR_OK));
    return check_design(text, 1, 0) == BSR_OK ? BSR_OK : status;
}

static bsr_status check_rates(const char *text)
{
    double *rates, *again;
    char *written;
    int n, m;
    bsr_status status = bsr_rates_parse(&rates, &n, text);
    require((status == BSR_OK) == (rates != NULL));
    BSR_TRY(status);
    require(n >= 1 && n <= BSR_MAX_RATES);
    for (int i = 0; i < n; i++)
        require(rates[i] >= 0 && rates[i] <= 1 && (!i || rates[i - 1] < rates[i]));
    require(bsr_rates_text(&written, rates, n) == BSR_OK);
    require(bsr_rates_parse(&again, &m, written) == BSR_OK && m == n);
    require(memcmp(rates, again, (size_t)n * sizeof *rates) == 0);
    bsr_free(written);
    bsr_free(again);
    bsr_free(rates);
    return BSR_OK;
}

static bsr_status check_shares(const char *text)
{
    double shares[BSR_MAX_VARIANTS] = {0};
    bsr_spaces all;
    small_weights(&all);
    bsr_status status = bsr_find_shares(shares, &all, text);
    for (int b = 0; status == BSR_OK && b < 8; b++)
        require(shares[b] >= BSR_LEAST_SHARE && shares[b] <= 0.5);
    bsr_spaces_clear(&all);
    return status;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const struct {
        char key;
        bsr_status (*check)(const char *text);
    } texts[] = {
        {'f', check_fault}, {'n', check_format}, {'p', check_plan},
        {'r', check_rates}, {'s', check_shares},
    };
    char *text = size ? malloc(size) : NULL;
    if (!text)
        return 0;
    memcpy(text, data + 1, size - 1);
    text[size - 1] = 0;
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        if (texts[i].key != (char)data[0])
            continue;
        bsr_status status = texts[i].check(text);
        const char *message = bsr_error_message();
        require(status == BSR_OK || status == BSR_EINVAL);
        require(status == BSR_OK || (*message && !strpbrk(message, "\r\n")));
    }
    free(text);
    return 0;
}
