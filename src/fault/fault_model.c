#include "fault/fault_model.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "rng/philox.h"

/* Stream of the codes of `random`: one for each space, apart from the streams of draws. */
#define STREAM_CODES ((uint64_t)3 << 32)

/* Is `text` NAME, or NAME: with something behind? *rest is what is behind. */
static int starts(const char *text, const char *name, const char **rest)
{
    size_t n = strlen(name);
    if (strncmp(text, name, n) != 0)
        return 0;
    *rest = text + n;
    return 1;
}

static int read_rate(const char *text, char end, double *rate, const char **rest)
{
    char *stop;
    *rate = strtod(text, &stop);
    *rest = stop + 1;
    /* strtod would also take blanks and "nan". */
    return strchr(".0123456789", *text) && stop != text && *stop == end && *rate >= 0 && *rate <= 1;
}

static int parse_mbu(bsr_fault_model *m, const char *text)
{
    if (strcmp(text, "word8") == 0) {
        m->kind = BSR_FAULT_WORD8;
        return 1;
    }
    char *stop;
    long k = strtol(text, &stop, 10);
    *m = (bsr_fault_model){.kind = BSR_FAULT_MBU, .k = (int)k};
    return *text >= '0' && *text <= '9' && !*stop && k >= 1 && k <= 32;
}

static int parse_mask(bsr_fault_model *m, const char *text)
{
    char *stop;
    if (text[0] == '0' && (text[1] == 'x' || text[1] == 'X'))
        text += 2;
    size_t digits = strspn(text, "0123456789abcdefABCDEF");
    m->kind = BSR_FAULT_MASK;
    m->mask = (uint32_t)strtoul(text, &stop, 16);
    return digits >= 1 && digits <= 8 && !text[digits] && m->mask != 0;
}

static int parse_ber(bsr_fault_model *m, const char *text)
{
    const char *rest;
    m->kind = BSR_FAULT_BER;
    if (!read_rate(text, 0, &m->p0, &rest))
        return 0;
    m->p1 = m->p0;
    return 1;
}

static int parse_ber01(bsr_fault_model *m, const char *text)
{
    const char *rest;
    m->kind = BSR_FAULT_BER;
    return read_rate(text, ',', &m->p0, &rest) && read_rate(rest, 0, &m->p1, &rest);
}

bsr_status bsr_fault_model_parse(bsr_fault_model *out, const char *text)
{
    static const struct {
        const char *name;
        bsr_fault_kind kind;
        int (*parse)(bsr_fault_model *,
                     const char *); /* what follows the name; NULL: nothing may */
    } models[] = {
        {"bitflip", BSR_FAULT_BITFLIP, NULL},   {"mbu:", BSR_FAULT_MBU, parse_mbu},
        {"mask:", BSR_FAULT_MASK, parse_mask},  {"stuck0", BSR_FAULT_STUCK0, NULL},
        {"stuck1", BSR_FAULT_STUCK1, NULL},     {"random", BSR_FAULT_RANDOM, NULL},
        {"zero", BSR_FAULT_ZERO, NULL},         {"ber:", BSR_FAULT_BER, parse_ber},
        {"ber01:", BSR_FAULT_BER, parse_ber01},
    };
    const char *rest;
    for (size_t i = 0; i < sizeof models / sizeof *models; i++) {
        if (!starts(text, models[i].name, &rest))
            continue;
        *out = (bsr_fault_model){.kind = models[i].kind};
        if (models[i].parse ? models[i].parse(out, rest) : !*rest)
            return BSR_OK;
    }
    return bsr_fail(
        BSR_EINVAL,
        "fault model '%s', expected bitflip, mbu:K (1 to 32 bits), mbu:word8, mask:HEX, "
        "stuck0, stuck1, random, zero, ber:P or ber01:P,Q (0 to 1)",
        text);
}

/* Adjacent bits that one fault covers, and the distance between two faults. */
static int span(const bsr_fault_model *m, int *step)
{
    *step = m->kind == BSR_FAULT_WORD8 ? 8 : 1;
    return m->kind == BSR_FAULT_WORD8 ? 8 : m->kind == BSR_FAULT_MBU ? m->k : 1;
}

static uint32_t ones(int n)
{
    return n >= 32 ? UINT32_MAX : ((uint32_t)1 << n) - 1;
}

bsr_status bsr_fault_variants(const bsr_fault_model *m, int width, uint32_t bits, int selected,
                              const char *name, int variants[BSR_MAX_VARIANTS], int *n)
{
    *n = 0;
    switch (m->kind) {
    case BSR_FAULT_MASK:
        if (m->mask & ~ones(width))
            return bsr_fail(BSR_EINVAL, "'%s': mask %x has bits above its %d", name,
                            (unsigned)m->mask, width);
        /* fall through */
    case BSR_FAULT_RANDOM:
    case BSR_FAULT_ZERO:
        if (selected)
            return bsr_fail(BSR_EINVAL, "'%s': bits cannot be chosen with this fault model", name);
        variants[(*n)++] = -1;
        return BSR_OK;
    case BSR_FAULT_BER:
    case BSR_FAULT_LISTED:
        variants[(*n)++] = -1;
        return BSR_OK;
    default:
        break;
    }
    int step, k = span(m, &step);
    for (int b = 0; b + k <= width; b += step)
        if ((bits >> b & ones(k)) == ones(k))
            variants[(*n)++] = b;
    return *n ? BSR_OK
              : bsr_fail(BSR_EINVAL, "'%s': no %d adjacent bits among the selected ones of its %d",
                         name, k, width);
}

bsr_change bsr_fault_change(const bsr_fault_model *m, int width, int variant, int space,
                            uint64_t site)
{
    uint32_t bit = variant >= 0 ? (uint32_t)1 << variant : 0;
    int step;
    switch (m->kind) {
    case BSR_FAULT_MASK:
        return (bsr_change){UINT32_MAX, m->mask};
    case BSR_FAULT_STUCK0:
        return (bsr_change){~bit, 0};
    case BSR_FAULT_STUCK1:
        return (bsr_change){~bit, bit};
    case BSR_FAULT_ZERO:
        return (bsr_change){0, 0};
    case BSR_FAULT_RANDOM: {
        bsr_rng rng = bsr_rng_make(m->seed, STREAM_CODES + (uint64_t)space);
        bsr_rng_seek(&rng, site);
        return (bsr_change){0, bsr_rng_u32(&rng) & ones(width)};
    }
    default:
        return (bsr_change){UINT32_MAX, ones(span(m, &step)) << variant};
    }
}
