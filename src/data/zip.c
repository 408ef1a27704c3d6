#include "data/zip.h"

#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <zlib.h>

#include "base/alloc.h"
#include "base/error.h"
#include "base/file.h"
#include "data/inflate.h"
#include "data/npy.h"
#include "data/source.h"

/* PKWARE's APPNOTE.TXT, sections 4.3.16, 4.3.12 and 4.3.7: sizes without the variable parts. */
#define END_BYTES   22
#define ENTRY_BYTES 46
#define LOCAL_BYTES 30

#define METHOD_STORED   0
#define METHOD_DEFLATED 8

typedef struct zip_file {
    const unsigned char *data;
    size_t n;
    const char *name;
} zip_file;

typedef struct zip_entry {
    uint32_t crc;
    size_t packed, plain, local; /* bytes, bytes, offset of the local header */
    unsigned flags, method;
} zip_entry;

static unsigned u16(const unsigned char *p)
{
    return (unsigned)p[0] | (unsigned)p[1] << 8;
}

static uint32_t u32(const unsigned char *p)
{
    return (uint32_t)u16(p) | (uint32_t)u16(p + 2) << 16;
}

/* The end record is the last thing in the file but for a comment of up to 65535 bytes. NULL when
 * there is none. */
static const unsigned char *find_end(const zip_file *z)
{
    for (size_t back = END_BYTES; back <= z->n && back <= END_BYTES + 65535; back++) {
        const unsigned char *p = z->data + z->n - back;
        if (memcmp(p, "PK\5\6", 4) == 0 && u16(p + 20) == back - END_BYTES)
            return p;
    }
    return NULL;
}

static bsr_status find_entry(zip_entry *out, const zip_file *z, const char *member)
{
    const unsigned char *end = find_end(z);
    if (!end)
        return bsr_fail(BSR_EFORMAT, "%s: no zip file (its end record is missing)", z->name);
    unsigned entries = u16(end + 10);
    size_t at = u32(end + 16), limit = (size_t)(end - z->data);
    if (entries == 0xffff || at == 0xffffffff)
        return bsr_fail(BSR_EUNSUPPORTED, "%s: zip64 is not read", z->name);
    if (u16(end + 4) || u16(end + 6))
        return bsr_fail(BSR_EUNSUPPORTED, "%s: zip files of several disks are not read", z->name);
    for (unsigned i = 0; i < entries; i++) {
        if (at > limit || limit - at < ENTRY_BYTES || memcmp(z->data + at, "PK\1\2", 4) != 0)
            return bsr_fail(BSR_EFORMAT, "%s: entry %u of %u of the zip directory is damaged",
                            z->name, i + 1, entries);
        const unsigned char *p = z->data + at;
        size_t name_n = u16(p + 28);
        size_t entry_n = ENTRY_BYTES + name_n + u16(p + 30) + u16(p + 32);
        if (entry_n > limit - at)
            return bsr_fail(BSR_EFORMAT, "%s: entry %u of %u of the zip directory is cut off",
                            z->name, i + 1, entries);
        if (name_n == strlen(member) && memcmp(p + ENTRY_BYTES, member, name_n) == 0) {
            *out = (zip_entry){.crc = u32(p + 16),
                               .packed = u32(p + 20),
                               .plain = u32(p + 24),
                               .local = u32(p + 42),
                               .flags = u16(p + 8),
                               .method = u16(p + 10)};
            return BSR_OK;
        }
        at += entry_n;
    }
    return bsr_fail(BSR_ENOTFOUND, "%s: has no member '%s' among its %u", z->name, member, entries);
}

/* The packed bytes of an entry, checked to lie inside the file. */
static bsr_status find_packed(const unsigned char **out, const zip_file *z, const zip_entry *e,
                              const char *member)
{
    if (e->local > z->n || z->n - e->local < LOCAL_BYTES ||
        memcmp(z->data + e->local, "PK\3\4", 4) != 0)
        return bsr_fail(BSR_EFORMAT, "%s: member '%s' has no local header", z->name, member);
    const unsigned char *local = z->data + e->local;
    size_t start = LOCAL_BYTES + u16(local + 26) + u16(local + 28);
    size_t room = z->n - e->local;
    if (start > room || e->packed > room - start)
        return bsr_fail(BSR_EFORMAT, "%s: member '%s' ends outside the file", z->name, member);
    *out = local + start;
    return BSR_OK;
}

static bsr_status unpack(unsigned char **out, size_t *out_n, const unsigned char *packed,
                         const zip_entry *e, const char *name)
{
    if (e->method == METHOD_DEFLATED)
        return bsr_inflate(out, out_n, packed, e->packed, BSR_WRAP_NONE, e->plain, name);
    if (e->packed != e->plain)
        return bsr_fail(BSR_EFORMAT, "%s: stored with %zu bytes, expected %zu", name, e->packed,
                        e->plain);
    *out = bsr_alloc_array(e->plain, 1);
    if (!*out)
        return BSR_ENOMEM;
    memcpy(*out, packed, e->plain);
    *out_n = e->plain;
    return BSR_OK;
}

static bsr_status check_entry(const zip_entry *e, size_t max_bytes, const char *name)
{
    if (e->packed == 0xffffffff || e->plain == 0xffffffff || e->local == 0xffffffff)
        return bsr_fail(BSR_EUNSUPPORTED, "%s: zip64 is not read", name);
    if (e->flags & 1)
        return bsr_fail(BSR_EUNSUPPORTED, "%s: encrypted", name);
    if (e->method != METHOD_STORED && e->method != METHOD_DEFLATED)
        return bsr_fail(BSR_EUNSUPPORTED,
                        "%s: compressed by method %u, only 0 (stored) and 8 (deflated) are read",
                        name, e->method);
    if (e->plain > max_bytes)
        return bsr_fail(BSR_ELIMIT, "%s: %zu bytes, at most %zu are read", name, e->plain,
                        max_bytes);
    return BSR_OK;
}

bsr_status bsr_zip_extract(unsigned char **out, size_t *out_n, const unsigned char *data, size_t n,
                           const char *member, size_t max_bytes, const char *name)
{
    *out = NULL;
    *out_n = 0;
    zip_file z = {data, n, name};
    zip_entry e = {0};
    const unsigned char *packed = NULL;
    char full[500];
    snprintf(full, sizeof full, "%s: member '%s'", name, member);
    BSR_TRY(find_entry(&e, &z, member));
    BSR_TRY(check_entry(&e, max_bytes, full));
    BSR_TRY(find_packed(&packed, &z, &e, member));
    BSR_TRY(unpack(out, out_n, packed, &e, full));
    bsr_status status = BSR_OK;
    /* At most BSR_MAX_DATA_BYTES here, which crc32's unsigned length holds. */
    uint32_t crc = (uint32_t)crc32(0, *out, (uInt)*out_n);
    if (*out_n != e.plain)
        status = bsr_fail(BSR_EFORMAT, "%s: has %zu bytes, expected %zu", full, *out_n, e.plain);
    else if (crc != e.crc)
        status = bsr_fail(BSR_EFORMAT, "%s: CRC-32 is %08x, expected %08x", full, (unsigned)crc,
                          (unsigned)e.crc);
    if (status != BSR_OK) {
        bsr_free(*out);
        *out = NULL;
    }
    return status;
}

bsr_status bsr_open_npz(bsr_source *s, char *const *paths, size_t n_paths, const bsr_want *want)
{
    void *file;
    unsigned char *x, *y = NULL;
    size_t n, x_n, y_n;
    char name[400], x_name[440], y_name[440];
    snprintf(name, sizeof name, "npz: '%s'", paths[0]);
    snprintf(x_name, sizeof x_name, "%s: member 'x.npy'", name);
    snprintf(y_name, sizeof y_name, "%s: member 'y.npy'", name);
    BSR_TRY(bsr_file_read(&file, &n, paths[0], BSR_MAX_DATA_BYTES));
    bsr_status status = bsr_zip_extract(&x, &x_n, file, n, "x.npy", BSR_MAX_DATA_BYTES, name);
    if (status == BSR_OK)
        status = bsr_zip_extract(&y, &y_n, file, n, "y.npy", BSR_MAX_DATA_BYTES, name);
    bsr_free(file);
    if (status == BSR_OK) {
        status = bsr_npy_source(s, x, x_n, x_name, y, y_n, y_name);
    } else {
        bsr_free(x);
    }
    bsr_free(y);
    return status;
}
