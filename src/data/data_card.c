#include "data/data_card.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cyaml/cyaml.h>

#include "base/alloc.h"
#include "base/error.h"

#define TEXT     CYAML_FLAG_POINTER
#define OPTIONAL (CYAML_FLAG_POINTER | CYAML_FLAG_OPTIONAL)

static const cyaml_schema_value_t one_double = {CYAML_VALUE_FLOAT(CYAML_FLAG_DEFAULT, double)};

/* Whole numbers and `order` are read as text, because libcyaml takes "7.5" for 7. */
static const cyaml_schema_field_t fields[] = {
    CYAML_FIELD_STRING_PTR("data", TEXT, bsr_card, data, 0, CYAML_UNLIMITED),
    CYAML_FIELD_SEQUENCE("mean", OPTIONAL, bsr_card, mean, &one_double, 1, 3),
    CYAML_FIELD_SEQUENCE("std", OPTIONAL, bsr_card, std, &one_double, 1, 3),
    CYAML_FIELD_STRING_PTR("images", OPTIONAL, bsr_card, images, 0, CYAML_UNLIMITED),
    CYAML_FIELD_STRING_PTR("order", OPTIONAL, bsr_card, order_text, 0, CYAML_UNLIMITED),
    CYAML_FIELD_STRING_PTR("labels", OPTIONAL, bsr_card, labels, 0, CYAML_UNLIMITED),
    CYAML_FIELD_STRING_PTR("class_offset", OPTIONAL, bsr_card, class_offset_text, 0,
                           CYAML_UNLIMITED),
    CYAML_FIELD_STRING_PTR("resize", OPTIONAL, bsr_card, resize_text, 0, CYAML_UNLIMITED),
    CYAML_FIELD_STRING_PTR("crop", OPTIONAL, bsr_card, crop_text, 0, CYAML_UNLIMITED),
    CYAML_FIELD_END,
};

static const cyaml_schema_value_t schema = {
    CYAML_VALUE_MAPPING(CYAML_FLAG_POINTER, bsr_card, fields)};

static const char known_keys[] =
    "data, mean, std, images, order, labels, class_offset, resize and crop";

/* What libcyaml said: its first line, and the line number of the innermost place. */
typedef struct parse_log {
    char text[256];
    int line; /* 0: none */
    int no_memory;
} parse_log;

static void on_log(cyaml_log_t level, void *ctx, const char *fmt, va_list args)
{
    parse_log *log = ctx;
    char text[256];
    vsnprintf(text, sizeof text, fmt, args);
    text[strcspn(text, "\n")] = 0;
    const char *place = strstr(text, "(line: ");
    if (place && log->line == 0)
        log->line = atoi(place + 7);
    const char *said = strncmp(text, "Load: ", 6) == 0 ? text + 6 : text;
    if (log->text[0] == 0 && !place && strcmp(said, "Backtrace:") != 0)
        snprintf(log->text, sizeof log->text, "%s", said);
}

static void *on_memory(void *ctx, void *p, size_t size)
{
    parse_log *log = ctx;
    if (size == 0) {
        bsr_free(p);
        return NULL;
    }
    void *q = bsr_realloc_array(p, size, 1);
    if (!q)
        log->no_memory = 1;
    return q;
}

static cyaml_config_t config_for(parse_log *log)
{
    return (cyaml_config_t){
        .log_fn = on_log,
        .log_ctx = log,
        .mem_fn = on_memory,
        .mem_ctx = log,
        .log_level = CYAML_LOG_WARNING,
        .flags = CYAML_CFG_NO_ALIAS,
    };
}

/* The line, from 1, that starts with `key`, 0 when none does. For keys, libcyaml reports the line
 * of the value before. */
static int line_of(const char *text, size_t n, const char *key)
{
    size_t key_n = strlen(key);
    int line = 1;
    for (size_t at = 0; at < n; line++) {
        while (at < n && strchr(" \"'{", text[at]) && text[at])
            at++;
        if (n - at >= key_n && memcmp(text + at, key, key_n) == 0)
            return line;
        while (at < n && text[at] != '\n')
            at++;
        at++;
    }
    return 0;
}

static bsr_status fail_at(bsr_status status, const char *name, int line, const char *text)
{
    return line ? bsr_fail(status, "card '%s' line %d: %s", name, line, text)
                : bsr_fail(status, "card '%s': %s", name, text);
}

static bsr_status fail_parse(cyaml_err_t err, const parse_log *log, const char *text, size_t n,
                             const char *name)
{
    static const char unknown[] = "Unexpected key: ";
    if (err == CYAML_ERR_OOM || log->no_memory)
        return log->no_memory ? BSR_ENOMEM : bsr_fail(BSR_ENOMEM, "card '%s': out of memory", name);
    if (err == CYAML_ERR_INVALID_KEY && strncmp(log->text, unknown, sizeof unknown - 1) == 0) {
        const char *key = log->text + sizeof unknown - 1;
        char said[512];
        snprintf(said, sizeof said, "unknown key '%s'; known are %s", key, known_keys);
        return fail_at(BSR_EFORMAT, name, line_of(text, n, key), said);
    }
    if (err == CYAML_ERR_MAPPING_FIELD_MISSING)
        return bsr_fail(BSR_EFORMAT, "card '%s' has no key 'data'", name);
    return fail_at(BSR_EFORMAT, name, log->line, log->text[0] ? log->text : cyaml_strerror(err));
}

/* Parses `value`, the text of `key`, or leaves *out alone when it is NULL. */
static bsr_status parse_int(int *out, const char *value, const char *key, int least,
                            const char *name, int line)
{
    if (!value)
        return BSR_OK;
    char *end, said[160];
    errno = 0;
    long v = strtol(value, &end, 10);
    if (end == value || *end || errno || v < least || v > BSR_MAX_CARD_NUMBER) {
        snprintf(said, sizeof said, "%s is '%.60s', expected a whole number from %d to %d", key,
                 value, least, BSR_MAX_CARD_NUMBER);
        return fail_at(BSR_EFORMAT, name, line, said);
    }
    *out = (int)v;
    return BSR_OK;
}

static bsr_status parse_values(bsr_card *c, const char *text, size_t n, const char *name)
{
    c->class_offset = BSR_CLASS_OFFSET_DEFAULT;
    BSR_TRY(parse_int(&c->class_offset, c->class_offset_text, "class_offset", -BSR_MAX_CARD_NUMBER,
                      name, line_of(text, n, "class_offset")));
    BSR_TRY(parse_int(&c->resize, c->resize_text, "resize", 1, name, line_of(text, n, "resize")));
    BSR_TRY(parse_int(&c->crop, c->crop_text, "crop", 1, name, line_of(text, n, "crop")));
    if (!c->order_text)
        return BSR_OK;
    if (strcmp(c->order_text, "RGB") == 0) {
        c->order = BSR_ORDER_RGB;
    } else if (strcmp(c->order_text, "BGR") == 0) {
        c->order = BSR_ORDER_BGR;
    } else {
        char said[120];
        snprintf(said, sizeof said, "order is '%.60s', expected RGB or BGR", c->order_text);
        return fail_at(BSR_EFORMAT, name, line_of(text, n, "order"), said);
    }
    return BSR_OK;
}

bsr_status bsr_card_parse(bsr_card **out, const void *text, size_t n, const char *name)
{
    *out = NULL;
    if (n > BSR_MAX_CARD_BYTES)
        return bsr_fail(BSR_ELIMIT, "card '%s' has %zu bytes, at most %zu are read", name, n,
                        BSR_MAX_CARD_BYTES);
    parse_log log = {0};
    cyaml_config_t config = config_for(&log);
    bsr_card *card = NULL;
    cyaml_err_t err = cyaml_load_data(text, n, &config, &schema, (cyaml_data_t **)&card, NULL);
    if (err != CYAML_OK)
        return fail_parse(err, &log, text, n, name);
    bsr_status status = BSR_OK;
    if (!card)
        status = bsr_fail(BSR_EFORMAT, "card '%s' is empty", name);
    else if (log.text[0]) /* a warning, e.g. a second YAML document that would be ignored */
        status = fail_at(BSR_EFORMAT, name, log.line, log.text);
    else
        status = parse_values(card, text, n, name);
    if (status != BSR_OK) {
        bsr_card_free(card);
        return status;
    }
    *out = card;
    return BSR_OK;
}

void bsr_card_free(bsr_card *card)
{
    if (!card)
        return;
    parse_log log = {0};
    cyaml_config_t config = config_for(&log);
    cyaml_free(&config, &schema, card, 0);
}
