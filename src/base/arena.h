/* Many allocations with one end of life. */
#ifndef BSR_BASE_ARENA_H
#define BSR_BASE_ARENA_H

#include <stddef.h>

typedef struct bsr_arena bsr_arena;

/* NULL on failure. */
bsr_arena *bsr_arena_new(void);

/* Zeroed room for n items of `size` bytes, or a copy of a string; NULL on failure. Lives until the
 * arena is freed. */
void *bsr_arena_calloc(bsr_arena *arena, size_t n, size_t size);
char *bsr_arena_strdup(bsr_arena *arena, const char *s);

/* NULL is fine. */
void bsr_arena_free(bsr_arena *arena);

#endif
