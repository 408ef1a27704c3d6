#include "campaign/sweep_rates.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/error.h"
#include "base/fixed_math.h"

#define LN10 2.302585092994045684

typedef struct rate_list {
    const char *text; /* all of it, for messages */
    double *rates;
    int n;
    size_t cap;
} rate_list;

static bsr_status add(rate_list *l, double rate)
{
    if (l->n == BSR_MAX_RATES)
        return bsr_fail(BSR_EINVAL, "bit error rates '%.200s': more than %d", l->text,
                        BSR_MAX_RATES);
    BSR_TRY(bsr_grow(&l->rates, &l->cap, (size_t)l->n + 1, sizeof *l->rates));
    l->rates[l->n++] = rate;
    return BSR_OK;
}

/* A number in 0..1 that ends where `end` is. */
static int read_rate(const char *text, char end, double *rate, const char **rest)
{
    char *stop;
    if (strchr("0123456789.", *text) == NULL || !*text)
        return 0;
    *rate = strtod(text, &stop);
    *rest = stop + 1;
    return *stop == end && *rate >= 0 && *rate <= 1;
}

/* lo * 10^(k / per_decade): whole decades go into the decimal exponent, where they cost nothing. */
static double grid_rate(double lo, long k, long per_decade)
{
    char digits[32];
    snprintf(digits, sizeof digits, "%.14e", lo);
    char *e = strchr(digits, 'e');
    long exponent = strtol(e + 1, NULL, 10) + k / per_decade;
    *e = 0;
    double mantissa = strtod(digits, NULL);
    if (k % per_decade)
        mantissa *= bsr_fixed_exp(LN10 * (double)(k % per_decade) / (double)per_decade);
    char text[64];
    snprintf(text, sizeof text, "%.14fe%ld", mantissa, exponent);
    return strtod(text, NULL);
}

static bsr_status read_range(rate_list *l, const char *item)
{
    double lo, hi;
    const char *rest;
    char *stop;
    if (!read_rate(item, ':', &lo, &rest) || !read_rate(rest, '/', &hi, &rest))
        return bsr_fail(BSR_EINVAL, "bit error rates '%s', expected LO:HI/N with rates in 0..1",
                        item);
    long n = strtol(rest, &stop, 10);
    if (*rest < '0' || *rest > '9' || *stop || n < 1 || n > 100)
        return bsr_fail(BSR_EINVAL, "bit error rates '%s': N is the rates in a decade, 1 to 100",
                        item);
    if (!(lo > 0 && lo < hi))
        return bsr_fail(BSR_EINVAL, "bit error rates '%s': LO must be above 0 and below HI", item);
    for (long k = 0;; k++) {
        double rate = grid_rate(lo, k, n);
        if (rate >= hi * (1 - 1e-12))
            return add(l, hi);
        BSR_TRY(add(l, rate));
    }
}

static bsr_status read_item(rate_list *l, const char *text, size_t len)
{
    char item[128];
    double rate;
    const char *rest;
    if (len >= sizeof item)
        return bsr_fail(BSR_EINVAL, "bit error rate '%.60s...' is too long", text);
    memcpy(item, text, len);
    item[len] = 0;
    if (strchr(item, ':'))
        return read_range(l, item);
    if (!read_rate(item, 0, &rate, &rest))
        return bsr_fail(BSR_EINVAL, "bit error rate '%s', expected a number in 0..1 or LO:HI/N",
                        item);
    return add(l, rate);
}

static int ascending(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static bsr_status read_all(rate_list *l)
{
    if (!l->text)
        return bsr_fail(BSR_EINVAL, "no bit error rates are given");
    for (const char *p = l->text; p;) {
        size_t len = strcspn(p, ",");
        BSR_TRY(read_item(l, p, len));
        p = p[len] ? p + len + 1 : NULL;
    }
    qsort(l->rates, (size_t)l->n, sizeof *l->rates, ascending);
    for (int i = 1; i < l->n; i++)
        if (l->rates[i] == l->rates[i - 1])
            return bsr_fail(BSR_EINVAL, "bit error rates '%.200s': %.15g is there twice", l->text,
                            l->rates[i]);
    return BSR_OK;
}

bsr_status bsr_rates_parse(double **rates, int *n, const char *text)
{
    rate_list l = {.text = text};
    bsr_status status = read_all(&l);
    if (status != BSR_OK) {
        bsr_free(l.rates);
        l = (rate_list){0};
    }
    *rates = l.rates;
    *n = l.n;
    return status;
}

bsr_status bsr_rates_text(char **out, const double *rates, int n)
{
    enum { DIGITS = 32 };
    char *text = *out = bsr_alloc_array((size_t)n + 1, DIGITS);
    if (!text)
        return BSR_ENOMEM;
    *text = 0;
    for (int i = 0; i < n; i++)
        text += snprintf(text, DIGITS, "%s%.17g", i ? "," : "", rates[i]);
    return BSR_OK;
}
