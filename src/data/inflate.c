#define ZLIB_CONST /* next_in is a const pointer */
#include "data/inflate.h"

#include <zlib.h>

#include "base/alloc.h"
#include "base/error.h"

static void *z_alloc(void *opaque, unsigned n, unsigned size)
{
    return bsr_alloc_array(n, size);
}

static void z_free(void *opaque, void *p)
{
    bsr_free(p);
}

static unsigned chunk(size_t n)
{
    return n < 1u << 30 ? (unsigned)n : 1u << 30;
}

/* Maps a result of inflate() that does not let the loop go on. */
static bsr_status fail_inflate(const z_stream *z, int result, const char *name)
{
    if (result == Z_MEM_ERROR)
        return BSR_ENOMEM; /* z_alloc has set the message */
    if (result == Z_BUF_ERROR)
        return bsr_fail(BSR_EFORMAT, "%s: the compressed data end too early", name);
    return bsr_fail(BSR_EFORMAT, "%s: damaged compressed data (%s)", name,
                    z->msg ? z->msg : "zlib gives no reason");
}

static bsr_status inflate_all(z_stream *z, unsigned char **out, size_t *out_n,
                              const unsigned char *data, size_t n, bsr_wrapping wrapping,
                              size_t max_bytes, const char *name)
{
    size_t cap = 0, at = 0;
    for (;;) {
        BSR_TRY(bsr_grow(out, &cap, *out_n + 1, 1));
        z->next_in = data + at;
        z->avail_in = chunk(n - at);
        z->next_out = *out + *out_n;
        z->avail_out = chunk(cap - *out_n);
        int result = inflate(z, Z_NO_FLUSH);
        at = (size_t)(z->next_in - data);
        *out_n = (size_t)(z->next_out - *out);
        if (*out_n > max_bytes)
            return bsr_fail(BSR_ELIMIT, "%s: more than %zu bytes after decompression", name,
                            max_bytes);
        if (result == Z_STREAM_END) {
            if (wrapping == BSR_WRAP_NONE || at == n)
                return BSR_OK;
            result = inflateReset(z);
        }
        if (result != Z_OK)
            return fail_inflate(z, result, name);
    }
}

bsr_status bsr_inflate(unsigned char **out, size_t *out_n, const unsigned char *data, size_t n,
                       bsr_wrapping wrapping, size_t max_bytes, const char *name)
{
    *out = NULL;
    *out_n = 0;
    z_stream z = {.zalloc = z_alloc, .zfree = z_free};
    int result = inflateInit2(&z, wrapping == BSR_WRAP_GZIP ? 16 + MAX_WBITS : -MAX_WBITS);
    if (result != Z_OK)
        return fail_inflate(&z, result, name);
    unsigned char *bytes = NULL;
    size_t count = 0;
    bsr_status status = inflate_all(&z, &bytes, &count, data, n, wrapping, max_bytes, name);
    inflateEnd(&z);
    if (status != BSR_OK) {
        bsr_free(bytes);
        return status;
    }
    *out = bytes;
    *out_n = count;
    return BSR_OK;
}
