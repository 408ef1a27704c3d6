/* Error distribution maps, candidate values and the walk over them, as DeepVigor+ has them
 * (Ahmadilivani et al., arXiv 2410.15742, sections III-B and III-C; docs/theory/deepvigor.md). */
#ifndef BSR_ANALYSIS_EDM_H
#define BSR_ANALYSIS_EDM_H

#include <stdint.h>

/* Edges of the map, ascending: -2^10, -2^9, ... -2^-10, 0, 2^-10, ... 2^10. */
#define BSR_EDM_EDGES 43
enum {
    BSR_EDM_FIRST = 0,
    BSR_EDM_MINUS_ONE = 10,
    BSR_EDM_ZERO = 21,
    BSR_EDM_ONE = 32,
    BSR_EDM_LAST = BSR_EDM_EDGES - 1
};
float bsr_edm_edge(int i);

/* Errors by bin: bin i holds those in [edge i - 1, edge i), bin 0 those below all edges, the last
 * one those from 2^10 on. */
typedef struct bsr_edm {
    uint64_t bin[BSR_EDM_EDGES + 1];
} bsr_edm;

/* Bin of an error. NaN counts as 10^4, infinities as the largest numbers of their sign. */
int bsr_edm_bin(float error);

/* Errors below edge i: F of the paper, not divided by their number. */
uint64_t bsr_edm_below(const bsr_edm *map, int i);
uint64_t bsr_edm_total(const bsr_edm *map);

/* Vulnerability value search space: edges with errors in their bin, in four lists of ascending
 * value; -2^10 and 2^10 are always among them. */
typedef enum bsr_vvss_part {
    BSR_VVSS_BELOW_MINUS_ONE, /* (-inf, -1) */
    BSR_VVSS_FROM_MINUS_ONE,  /* [-1, 0) */
    BSR_VVSS_TO_ONE,          /* (0, 1] */
    BSR_VVSS_ABOVE_ONE,       /* (1, inf) */
    BSR_VVSS_PARTS
} bsr_vvss_part;

typedef struct bsr_vvss {
    int n[BSR_VVSS_PARTS];
    int8_t edge[BSR_VVSS_PARTS][11];
} bsr_vvss;
void bsr_vvss_init(bsr_vvss *space, const bsr_edm *map);

/* Search on one side in one image: from the middle of a list towards 0 while the values flip the
 * class, away from 0 until one does. `edge` is the result: the flipping value nearest to 0 of those
 * looked at. */
typedef struct bsr_vvss_walk {
    const bsr_vvss *space;
    int part, at; /* position in the list by growing |value| */
    int way;      /* -1 towards 0, 1 away from it, 0 not known yet */
    int open, edge;
} bsr_vvss_walk;

/* side: 0 below 0, 1 above. flips: the value -1 or 1 of the side, which was tried before, flips the
 * class: the list up to it is searched and the result is that value unless a smaller one flips;
 * else the list beyond, and the result is -2^10 or 2^10 unless a smaller one flips. */
void bsr_vvss_walk_start(bsr_vvss_walk *walk, const bsr_vvss *space, int side, int flips);

/* Edge to try next, or -1: the search is over. */
int bsr_vvss_walk_ask(const bsr_vvss_walk *walk);
void bsr_vvss_walk_tell(bsr_vvss_walk *walk, int flips);

#endif
