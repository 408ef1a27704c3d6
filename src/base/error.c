#include "base/error.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#define MESSAGE_SIZE 512

static _Thread_local char last_message[MESSAGE_SIZE];

static void make_one_line(char *s)
{
    for (; *s; s++)
        if ((unsigned char)*s < 0x20 || *s == 0x7f)
            *s = '?';
}

bsr_status bsr_fail(bsr_status status, const char *fmt, ...)
{
    /* The arguments may point into last_message itself (a lower level's text). */
    char text[MESSAGE_SIZE];
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(text, sizeof text, fmt, ap);
    va_end(ap);
    make_one_line(text);
    memcpy(last_message, text, sizeof text);
    return status;
}

bsr_status bsr_fail_prefix(bsr_status status, const char *fmt, ...)
{
    char prefix[MESSAGE_SIZE];
    char text[2 * MESSAGE_SIZE + 2]; /* room for both and ": " */
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(prefix, sizeof prefix, fmt, ap);
    va_end(ap);
    snprintf(text, sizeof text, "%s: %s", prefix, last_message);
    make_one_line(text);
    text[MESSAGE_SIZE - 1] = 0;
    memcpy(last_message, text, MESSAGE_SIZE);
    return status;
}

const char *bsr_error_message(void)
{
    return last_message;
}

const char *bsr_status_name(bsr_status status)
{
    switch (status) {
    case BSR_OK:
        return "OK";
    case BSR_ENOMEM:
        return "ENOMEM";
    case BSR_EINVAL:
        return "EINVAL";
    case BSR_EIO:
        return "EIO";
    case BSR_EFORMAT:
        return "EFORMAT";
    case BSR_EUNSUPPORTED:
        return "EUNSUPPORTED";
    case BSR_ENOTFOUND:
        return "ENOTFOUND";
    case BSR_ELIMIT:
        return "ELIMIT";
    case BSR_ECANCELLED:
        return "ECANCELLED";
    }
    return "?";
}

const char *bsr_version(void)
{
    return BSR_VERSION;
}
