/* Tensor data in a file beside the model. */
#define _POSIX_C_SOURCE 200809L

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/error.h"
#include "onnx/reader.h"

/* The external_data entries; strings are borrowed, NULL where the file has none. */
typedef struct place {
    const char *tensor; /* name, for messages */
    const char *location, *offset, *length;
} place;

static bsr_status read_place(place *p, const Onnx__TensorProto *proto)
{
    *p = (place){.tensor = proto->name ? proto->name : ""};
    for (size_t i = 0; i < proto->n_external_data; i++) {
        const Onnx__StringStringEntryProto *entry = proto->external_data[i];
        const char *key = entry->key ? entry->key : "", *value = entry->value ? entry->value : "";
        if (strcmp(key, "location") == 0)
            p->location = value;
        else if (strcmp(key, "offset") == 0)
            p->offset = value;
        else if (strcmp(key, "length") == 0)
            p->length = value;
        else if (strcmp(key, "checksum") != 0)
            return bsr_fail(BSR_EUNSUPPORTED, "tensor '%s': external data key '%s'", p->tensor,
                            key);
    }
    if (!p->location || !*p->location)
        return bsr_fail(BSR_EFORMAT, "tensor '%s': external data without location", p->tensor);
    return BSR_OK;
}

/* A model must not reach files outside of its folder. */
static int is_inside(const char *path)
{
    if (*path == '/' || strchr(path, '\\'))
        return 0;
    while (*path) {
        size_t n = strcspn(path, "/");
        if (n == 2 && path[0] == '.' && path[1] == '.')
            return 0;
        path += n + (path[n] == '/');
    }
    return 1;
}

/* A decimal number of bytes; NULL text keeps *out. */
static bsr_status parse_bytes(uint64_t *out, const char *text, const char *key, const place *p)
{
    if (!text)
        return BSR_OK;
    uint64_t v = 0;
    const char *c = text;
    for (; *c >= '0' && *c <= '9' && v < UINT64_MAX / 20; c++)
        v = v * 10 + (uint64_t)(*c - '0');
    if (c == text || *c)
        return bsr_fail(BSR_EFORMAT, "tensor '%s': external data %s is '%s', expected a number",
                        p->tensor, key, text);
    *out = v;
    return BSR_OK;
}

static bsr_status read_file(bsr_tensor **out, const bsr_tensor *head, size_t size, int fd,
                            const place *p)
{
    uint64_t offset = 0, length = size;
    struct stat info;
    BSR_TRY(parse_bytes(&offset, p->offset, "offset", p));
    BSR_TRY(parse_bytes(&length, p->length, "length", p));
    if (length != size)
        return bsr_fail(BSR_EFORMAT, "tensor '%s': external data length is %llu, expected %zu",
                        p->tensor, (unsigned long long)length, size);
    if (fstat(fd, &info) != 0)
        return bsr_fail(BSR_EIO, "tensor '%s': external file '%s': %s", p->tensor, p->location,
                        strerror(errno));
    if (!S_ISREG(info.st_mode))
        return bsr_fail(BSR_EFORMAT, "tensor '%s': external file '%s' is not a regular file",
                        p->tensor, p->location);
    uint64_t have = (uint64_t)info.st_size;
    if (offset > have || have - offset < size)
        return bsr_fail(
            BSR_EFORMAT, "tensor '%s': external file '%s' has %llu bytes, expected %zu at %llu",
            p->tensor, p->location, (unsigned long long)have, size, (unsigned long long)offset);
    BSR_TRY(bsr_tensor_new(out, head->dtype, head->rank, head->dims));
    for (size_t done = 0; done < size;) {
        ssize_t n = pread(fd, (char *)(*out)->data + done, size - done, (off_t)(offset + done));
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return bsr_fail(BSR_EIO, "tensor '%s': external file '%s': %s", p->tensor, p->location,
                            n < 0 ? strerror(errno) : "unexpected end");
        done += (size_t)n;
    }
    return BSR_OK;
}

bsr_status bsr_onnx_external(bsr_tensor **out, const bsr_tensor *head, size_t size,
                             const Onnx__TensorProto *proto, const char *dir)
{
    place p;
    BSR_TRY(read_place(&p, proto));
    if (!is_inside(p.location))
        return bsr_fail(BSR_EFORMAT,
                        "tensor '%s': external file '%s' is not inside the model's folder",
                        p.tensor, p.location);
    if (!dir)
        return bsr_fail(BSR_EUNSUPPORTED,
                        "tensor '%s' is in the external file '%s', which needs the model's folder",
                        p.tensor, p.location);
    size_t room = strlen(dir) + strlen(p.location) + 2;
    char *path = bsr_alloc_array(room, 1);
    if (!path)
        return BSR_ENOMEM;
    snprintf(path, room, "%s/%s", dir, p.location);
    /* O_NONBLOCK: opening a named pipe must not wait for a writer. */
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    bsr_status status;
    if (fd < 0)
        status = bsr_fail(errno == ENOENT ? BSR_ENOTFOUND : BSR_EIO,
                          "tensor '%s': external file '%s': %s", p.tensor, path, strerror(errno));
    else
        status = read_file(out, head, size, fd, &p);
    bsr_free(path);
    if (fd >= 0)
        close(fd);
    return status;
}
