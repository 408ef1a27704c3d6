#include "opt.h"

#include <ctype.h>
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

/* Reads digits (no sign, no blanks) and moves *s behind them; -1 without digits or above 2^64 - 1.
 */
static int whole_number(const char **s, uint64_t *value)
{
    if (**s < '0' || **s > '9')
        return -1;
    char *stop;
    errno = 0;
    unsigned long long v = strtoull(*s, &stop, 10);
    *value = v;
    *s = stop;
    return errno ? -1 : 0;
}

static int set_flag(const opt *o, void *field, const char *text)
{
    int on = strcmp(text, "true") == 0;
    *(int *)field = on;
    return on || strcmp(text, "false") == 0 ? 0 : -1;
}

static int set_int(const opt *o, void *field, const char *text)
{
    int sign = *text == '-' ? -1 : 1;
    uint64_t v;
    text += sign < 0;
    if (whole_number(&text, &v) != 0 || *text || v > INT32_MAX)
        return -1;
    int x = sign * (int)v;
    if (x < o->min || x > o->max)
        return -1;
    *(int *)field = x;
    return 0;
}

static int set_u64(const opt *o, void *field, const char *text)
{
    uint64_t v;
    if (whole_number(&text, &v) != 0 || *text || (double)v < o->min || (double)v > o->max)
        return -1;
    *(uint64_t *)field = v;
    return 0;
}

static int set_size(const opt *o, void *field, const char *text)
{
    static const char units[] = "KMGT";
    uint64_t v;
    if (whole_number(&text, &v) != 0)
        return -1;
    const char *unit = *text ? strchr(units, *text) : NULL;
    if (*text && (!unit || text[1]))
        return -1;
    int shift = unit ? 10 * (int)(unit - units + 1) : 0;
    if (v > (SIZE_MAX >> shift) || (double)(v << shift) < o->min)
        return -1;
    *(size_t *)field = (size_t)v << shift;
    return 0;
}

static int set_double(const opt *o, void *field, const char *text)
{
    char *stop;
    double v = strtod(text, &stop);
    if (stop == text || *stop || isspace((unsigned char)*text) || !(v >= o->min && v <= o->max))
        return -1;
    *(double *)field = v;
    return 0;
}

/* "off" is 0. */
static int set_threshold(const opt *o, void *field, const char *text)
{
    if (strcmp(text, "off") != 0)
        return set_double(o, field, text);
    *(double *)field = 0;
    return 0;
}

static int set_time(const opt *o, void *field, const char *text)
{
    static const struct {
        const char *unit;
        double seconds;
    } units[] = {{"", 1}, {"s", 1}, {"m", 60}, {"h", 3600}, {"d", 86400}};
    char *stop;
    double v = strtod(text, &stop);
    if (stop == text || isspace((unsigned char)*text))
        return -1;
    for (size_t i = 0; i < sizeof units / sizeof *units; i++)
        if (strcmp(stop, units[i].unit) == 0 && v * units[i].seconds > o->min &&
            v * units[i].seconds <= o->max) {
            *(double *)field = v * units[i].seconds;
            return 0;
        }
    return -1;
}

static int set_string(const opt *o, void *field, const char *text)
{
    *(const char **)field = text;
    return 0;
}

/* Position of text in "a|b|c", -1 when it is not there. */
static int word_index(const char *words, const char *text)
{
    size_t len = strlen(text);
    for (int i = 0;; i++) {
        size_t n = strcspn(words, "|");
        if (n == len && memcmp(words, text, n) == 0)
            return i;
        if (!words[n])
            return -1;
        words += n + 1;
    }
}

int opt_has_word(const char *words, const char *text)
{
    return word_index(words, text) >= 0;
}

static int set_word(const opt *o, void *field, const char *text)
{
    *(const char **)field = text;
    return word_index(o->words, text) < 0 ? -1 : 0;
}

static int set_choice(const opt *o, void *field, const char *text)
{
    *(int *)field = word_index(o->words, text);
    return *(int *)field < 0 ? -1 : 0;
}

static int set_sample(const opt *o, void *field, const char *text)
{
    uint64_t n;
    *(const char **)field = text;
    if (word_index(o->words, text) >= 0)
        return 0;
    if (strncmp(text, "channels:", 9) == 0) {
        char *stop;
        double share = strtod(text + 9, &stop);
        return stop != text + 9 && !*stop && share > 0 && share <= 1 ? 0 : -1;
    }
    if (strncmp(text, "random:", 7) != 0)
        return -1;
    text += 7;
    return whole_number(&text, &n) == 0 && !*text && n > 0 ? 0 : -1;
}

static int set_floats(const opt *o, void *field, const char *text)
{
    opt_floats *f = field;
    f->count = 0;
    for (;;) {
        char *stop;
        double v = strtod(text, &stop);
        if (stop == text || !isfinite(v) || f->count == 3)
            return -1;
        f->v[f->count++] = v;
        if (!*stop)
            return f->count == 2 ? -1 : 0;
        if (*stop != ',')
            return -1;
        text = stop + 1;
    }
}

static int set_shape(const opt *o, void *field, const char *text)
{
    int *shape = field;
    for (int i = 0; i < 3; i++) {
        uint64_t v;
        if (whole_number(&text, &v) != 0 || v < 1 || (double)v > o->max)
            return -1;
        shape[i] = (int)v;
        if (*text++ != (i < 2 ? ',' : 0))
            return -1;
    }
    return 0;
}

void opt_list_words(char *out, size_t room, const char *words, const char *last)
{
    size_t at = 0;
    for (const char *p = words; at < room;) {
        int n = (int)strcspn(p, "|");
        const char *next = p[n] ? p + n + 1 : NULL;
        const char *joint = p == words ? "" : next ? ", " : last;
        at += (size_t)snprintf(out + at, room - at, "%s%.*s", joint, n, p);
        if (!next)
            return;
        p = next;
    }
}

static void expect_flag(const opt *o, char *out, size_t room)
{
    snprintf(out, room, "true or false");
}

static void expect_whole(const opt *o, char *out, size_t room)
{
    snprintf(out, room, "a whole number from %.0f to %.0f", o->min, o->max);
}

static void expect_number(const opt *o, char *out, size_t room)
{
    snprintf(out, room, "a number from %.10g to %.10g", o->min, o->max);
}

static void expect_threshold(const opt *o, char *out, size_t room)
{
    snprintf(out, room, "off or a number from %.10g to %.10g", o->min, o->max);
}

static void expect_time(const opt *o, char *out, size_t room)
{
    snprintf(out, room, "seconds up to %.0f, or a time such as 90s, 5m or 2h", o->max);
}

static void expect_size(const opt *o, char *out, size_t room)
{
    snprintf(out, room, "bytes, at least %.0f, such as 500M or 2G", o->min);
}

static void expect_words(const opt *o, char *out, size_t room)
{
    opt_list_words(out, room, o->words, " or ");
}

static void expect_sample(const opt *o, char *out, size_t room)
{
    opt_list_words(out, room, o->words, ", ");
    size_t n = strlen(out);
    snprintf(out + n, room - n, ", random:N with N above 0 or channels:R with R above 0 up to 1");
}

static void expect_floats(const opt *o, char *out, size_t room)
{
    snprintf(out, room, "1 or 3 finite numbers with commas between");
}

static void expect_shape(const opt *o, char *out, size_t room)
{
    snprintf(out, room, "C,H,W: 3 whole numbers from 1 to %.0f", o->max);
}

/* Per type: how a value is read into the field, and what a message says was expected. */
static const struct {
    int (*set)(const opt *, void *, const char *);
    void (*expect)(const opt *, char *, size_t);
} types[] = {
    [OPT_FLAG] = {set_flag, expect_flag},
    [OPT_INT] = {set_int, expect_whole},
    [OPT_U64] = {set_u64, expect_whole},
    [OPT_SIZE] = {set_size, expect_size},
    [OPT_THRESHOLD] = {set_threshold, expect_threshold},
    [OPT_TIME] = {set_time, expect_time},
    [OPT_DOUBLE] = {set_double, expect_number},
    [OPT_STRING] = {set_string, NULL},
    [OPT_PATH] = {set_string, NULL},
    [OPT_SOURCE] = {set_string, NULL},
    [OPT_WORD] = {set_word, expect_words},
    [OPT_CHOICE] = {set_choice, expect_words},
    [OPT_SAMPLE] = {set_sample, expect_sample},
    [OPT_FLOATS] = {set_floats, expect_floats},
    [OPT_SHAPE] = {set_shape, expect_shape},
};

static int fail(opt_parser *p, const char *fmt, const char *a, const char *b)
{
    snprintf(p->message, sizeof p->message, fmt, a, b);
    return -1;
}

static void remember(opt_parser *p, const opt *o, const char *text)
{
    int i = 0;
    while (i < p->n_given && p->given[i].option != o)
        i++;
    p->given[i] = (opt_given){o, text};
    p->n_given += i == p->n_given;
}

/* dashes: what messages put in front of the name. */
static int set_value(opt_parser *p, const char *dashes, const opt *o, const char *text)
{
    if (types[o->type].set(o, (char *)p->settings + o->offset, text) == 0) {
        remember(p, o, text);
        return 0;
    }
    char expected[200] = "";
    types[o->type].expect(o, expected, sizeof expected);
    snprintf(p->message, sizeof p->message, "%s%s is '%.150s', expected %s", dashes, o->name, text,
             expected);
    return -1;
}

static const opt *find(const opt_group *groups, const char *name, size_t len, char letter)
{
    for (; groups->title; groups++)
        for (const opt *o = groups->opts; o->name; o++)
            if (letter ? o->letter == letter
                       : strlen(o->name) == len && memcmp(o->name, name, len) == 0)
                return o;
    return NULL;
}

const opt *opt_find(const opt_group *groups, const char *name)
{
    return find(groups, name, strlen(name), 0);
}

void opt_names(const opt_group *groups, char *words, size_t room)
{
    size_t at = 0;
    *words = 0;
    for (; groups->title; groups++)
        for (const opt *o = groups->opts; o->name && at < room; o++)
            at += (size_t)snprintf(words + at, room - at, "%s%s", at ? "|" : "", o->name);
}

static int fail_unknown(opt_parser *p, const char *name, int len)
{
    char words[1024], given[64], buf[64];
    opt_names(p->groups, words, sizeof words);
    snprintf(given, sizeof given, "%.*s", len, name);
    const char *nearest = opt_nearest(given, words, buf);
    return nearest ? fail(p, "unknown option '--%s', did you mean '--%s'?", given, nearest)
                   : fail(p, "unknown option '--%s'", given, NULL);
}

/* One argument that starts with "--". *i is advanced past a value. */
static int parse_long(opt_parser *p, int argc, char **argv, int *i)
{
    const char *name = argv[*i] + 2;
    size_t len = strcspn(name, "=");
    const char *value = name[len] ? name + len + 1 : NULL;
    const opt *o = find(p->groups, name, len, 0);
    if (!o)
        return fail_unknown(p, name, (int)(len < 60 ? len : 60));
    if (o->type == OPT_FLAG)
        return value ? fail(p, "--%s takes no value", o->name, NULL)
                     : set_value(p, "--", o, "true");
    if (!value && *i + 1 < argc)
        value = argv[++*i];
    if (!value)
        return fail(p, "--%s needs a value: %s", o->name, o->metavar);
    return set_value(p, "--", o, value);
}

/* One argument that starts with a single '-': flags, at most one option with a value at the end. */
static int parse_short(opt_parser *p, int argc, char **argv, int *i)
{
    for (const char *c = argv[*i] + 1; *c; c++) {
        const opt *o = find(p->groups, NULL, 0, *c);
        if (!o)
            return fail(p, "unknown option '-%.1s'", c, NULL);
        if (o->type == OPT_FLAG) {
            (void)set_value(p, "--", o, "true");
            continue;
        }
        const char *value = c[1] ? c + 1 : *i + 1 < argc ? argv[++*i] : NULL;
        if (!value)
            return fail(p, "--%s needs a value: %s", o->name, o->metavar);
        return set_value(p, "--", o, value);
    }
    return 0;
}

const opt *opt_missing(const opt_parser *p)
{
    for (const opt_group *g = p->groups; g->title; g++)
        for (const opt *o = g->opts; o->name; o++) {
            const void *field = (const char *)p->settings + o->offset;
            if (o->required && (o->type == OPT_CHOICE ? *(const int *)field < 0
                                                      : *(const char *const *)field == NULL))
                return o;
        }
    return NULL;
}

const char *opt_text(const opt_parser *p, const char *name)
{
    for (int i = 0; i < p->n_given; i++)
        if (strcmp(p->given[i].option->name, name) == 0)
            return p->given[i].text;
    return NULL;
}

int opt_set(opt_parser *p, const char *name, const char *text)
{
    const opt *o = opt_find(p->groups, name);
    return o ? set_value(p, "", o, text) : fail(p, "unknown key '%.60s'", name, NULL);
}

/* Length of the first of the names, without the dots that let it stand for several. */
static size_t operand_name(const char *names, int *repeats)
{
    size_t len = strcspn(names, " ");
    *repeats = len >= 3 && memcmp(names + len - 3, "...", 3) == 0;
    return *repeats ? len - 3 : len;
}

/* Takes `text` for the next of the operands; *names moves behind its name, but not behind the dots
 * of the last one: "..." alone takes any number. */
static int take_operand(opt_parser *p, const char **names, const char **operands, int *n,
                        const char *text)
{
    int repeats;
    if (!**names)
        return fail(p, "unexpected '%.200s' after '%.200s'", text, operands[*n - 1]);
    if (*n == OPT_OPERANDS)
        return fail(p, "'%.200s' is one operand too many", text, NULL);
    *names += operand_name(*names, &repeats);
    *names += **names == ' ';
    operands[(*n)++] = text;
    return 0;
}

int opt_parse(opt_parser *p, const char *operand_names, const char **operands, int argc,
              char **argv)
{
    int only_operands = 0, n_operands = 0, status = 0;
    for (int i = 0; i < argc && status == 0; i++) {
        const char *a = argv[i];
        if (!only_operands && strcmp(a, "--") == 0)
            only_operands = 1;
        else if (!only_operands && a[0] == '-' && a[1] == '-')
            status = parse_long(p, argc, argv, &i);
        else if (!only_operands && a[0] == '-' && a[1])
            status = parse_short(p, argc, argv, &i);
        else
            status = take_operand(p, &operand_names, operands, &n_operands, a);
    }
    if (status != 0)
        return status;
    int repeats;
    size_t missed = operand_name(operand_names, &repeats);
    if (missed > 0) {
        char name[64];
        snprintf(name, sizeof name, "%.*s", (int)missed, operand_names);
        return fail(p, "no %s given", name, NULL);
    }
    const opt *missing = opt_missing(p);
    return missing ? fail(p, "--%s %s is required", missing->name, missing->metavar) : 0;
}
