#define _POSIX_C_SOURCE 200809L

/* Any bytes as a list of faults, as they are and with the checksum that lets the lines through: the
 * faults of the network, each once and in order, that are written and read back as the same; or a
 * one-line message. */
#include <stdio.h>
#include <unistd.h>

#include "base/error.h"
#include "base/sha256.h"
#include "campaign/fault_list.h"
#include "fuzz.h"
#include "small_spaces.h"

/* Every list, and what is written of it, fits into a pipe. */
enum { MAX_SIZE = 1 << 14, SUM_LINE = 7 + 64 + 1 };

/* Lists are read from files: a pipe that holds all of it. Returns its path; *fd is to be closed. */
static const char *put(int *fd, const void *data, size_t size)
{
    static char path[32];
    int ends[2];
    require(pipe(ends) == 0 && write(ends[1], data, size) == (ssize_t)size && close(ends[1]) == 0);
    *fd = ends[0];
    snprintf(path, sizeof path, "/dev/fd/%d", *fd);
    return path;
}

static void check_fault(const bsr_listed *f, const bsr_spaces *all)
{
    require(f->space >= 0 && f->space < all->n);
    const bsr_space *s = &all->spaces[f->space];
    require(f->element >= 0 && f->element < s->outer * s->channels * s->inner);
    require(bsr_element_channel(s, f->element) < s->n_chosen);
    require(f->change.keep <= 0xff && f->change.flip <= 0xff);
    require(s->pixels ? f->pixel >= 0 && f->pixel < s->pixels : f->pixel == -1);
    /* The windows of small_operands: an even element is of tap 0. */
    require(!s->pixels || f->pixel > 0 || f->element % 2 == 1);
}

static int precedes(const bsr_listed *a, const bsr_listed *b)
{
    const int64_t x[] = {a->space, a->element, a->pixel, a->change.keep, a->change.flip};
    const int64_t y[] = {b->space, b->element, b->pixel, b->change.keep, b->change.flip};
    for (int i = 0; i < 5; i++)
        if (x[i] != y[i])
            return x[i] < y[i];
    return 0;
}

static void check_list(const bsr_fault_list *list, const bsr_spaces *all)
{
    uint64_t sites = 0;
    require(list->n > 0 && all->population == list->n && all->sites == list->n);
    for (int i = 0; i < all->n; i++) {
        require(all->spaces[i].first_site == sites && all->spaces[i].first == sites);
        sites += all->spaces[i].sites;
    }
    require(sites == list->n);
    for (uint64_t i = 0; i < list->n; i++) {
        check_fault(&list->faults[i], all);
        require(!i || precedes(&list->faults[i - 1], &list->faults[i]));
    }
}

static bsr_status read_list(bsr_fault_list *list, bsr_spaces *all, const bsr_run_options *o,
                            const void *data, size_t size)
{
    if (o->target == BSR_TARGET_WEIGHT)
        small_weights(all);
    else
        small_operands(all);
    int fd;
    bsr_status status = bsr_fault_list_read(list, put(&fd, data, size), all, o);
    close(fd);
    if (status == BSR_OK)
        check_list(list, all);
    return status;
}

static void check(bsr_target target, const char *format, const void *data, size_t size)
{
    bsr_run_options o = BSR_RUN_OPTIONS_INIT;
    bsr_fault_list list, again;
    bsr_spaces all, others;
    char *text;
    o.target = target;
    o.format = *format ? format : NULL;
    bsr_status status = read_list(&list, &all, &o, data, size);
    if (status == BSR_OK) {
        require(bsr_fault_list_text(&text, &list, &all, bsr_target_name(target), format) == BSR_OK);
        require(read_list(&again, &others, &o, text, strlen(text)) == BSR_OK);
        require(again.n == list.n);
        for (uint64_t i = 0; i < list.n; i++)
            require(!precedes(&list.faults[i], &again.faults[i]) &&
                    !precedes(&again.faults[i], &list.faults[i]));
        bsr_free(text);
        bsr_fault_list_clear(&again);
        bsr_spaces_clear(&others);
    } else {
        const char *message = bsr_error_message();
        require((status == BSR_EFORMAT || status == BSR_EINVAL) && !list.faults);
        require(*message && !strpbrk(message, "\r\n"));
    }
    bsr_fault_list_clear(&list);
    bsr_spaces_clear(&all);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static char summed[MAX_SIZE + SUM_LINE + 1];
    if (size > MAX_SIZE)
        return 0;
    check(BSR_TARGET_WEIGHT, "weight=int8", data, size);
    check(BSR_TARGET_OPERAND, "", data, size);
    char hex[65];
    bsr_sha256 h;
    bsr_sha256_init(&h);
    bsr_sha256_update(&h, data, size);
    bsr_sha256_final(&h, hex);
    if (size)
        memcpy(summed, data, size);
    size += (size_t)sprintf(summed + size, "sha256 %s\n", hex);
    check(BSR_TARGET_WEIGHT, "weight=int8", summed, size);
    check(BSR_TARGET_OPERAND, "", summed, size);
    return 0;
}
