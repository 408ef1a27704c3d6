#include "base/arena.h"

#include <string.h>

#include "base/alloc.h"

/* Every allocation starts with a link to the one before. */
typedef union link {
    union link *before;
    max_align_t align;
} link;

struct bsr_arena {
    link *last;
};

bsr_arena *bsr_arena_new(void)
{
    return bsr_calloc_array(1, sizeof(bsr_arena));
}

void *bsr_arena_calloc(bsr_arena *arena, size_t n, size_t size)
{
    size_t extra = size ? sizeof(link) / size + 1 : 0;
    link *l = size ? bsr_calloc_array(n + extra, size) : bsr_calloc_array(1, sizeof *l);
    if (!l)
        return NULL;
    l->before = arena->last;
    arena->last = l;
    return l + 1;
}

char *bsr_arena_strdup(bsr_arena *arena, const char *s)
{
    size_t n = strlen(s) + 1;
    char *copy = bsr_arena_calloc(arena, n, 1);
    if (copy)
        memcpy(copy, s, n);
    return copy;
}

void bsr_arena_free(bsr_arena *arena)
{
    if (!arena)
        return;
    for (link *l = arena->last; l;) {
        link *before = l->before;
        bsr_free(l);
        l = before;
    }
    bsr_free(arena);
}
