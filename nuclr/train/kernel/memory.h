/* Sizes, the forms of a matrix, and the workspace of one run. */
#pragma once
#include <stdlib.h>
#include <string.h>

#include "vectors.h"

#if defined(__linux__)
#include <sys/mman.h>
#endif
#if defined(__AVX512BF16__)
#define HAVE_BF16 1 /* products with bfloat16 inputs: by tiles (AMX) where the processor has them, else by vectors */
#if defined(__AMX_BF16__) && defined(__linux__)
#define HAVE_TILES 1
#endif
#endif

/* A slice of rows goes forward and back through the network while it stays in the first-level cache; the gradients of the
 * weights are added up after each chunk of slices, which stays in the second-level cache. Heights are multiples of SLICE. */
enum { SLICE = 32, CHUNK = 128, MOST_BLOCKS = 8 };

enum { NO_NORM, RMS, LAYER };
enum { INNER, OUTER }; /* layers of a block */

typedef struct {
    int32_t width, depth, observables, protons, neutrons; /* the last three: rows of the token tables */
    int32_t bf16;                                         /* bfloat16 inputs of matrix products */
    int32_t norm;                                         /* of the stream after each block: NO_NORM, RMS or LAYER */
    int32_t free_biases;                                  /* which do not decay */
} Shape;

/* A tile, as the tile unit takes it: sixteen lines of 64 bytes. As a left operand a line holds 32 numbers of a row; as a right
 * operand it holds, for sixteen columns, the pairs of rows 2i and 2i + 1. */
typedef struct { _Alignas(64) uint32_t line[16][16]; } Tile;

/* A matrix in the forms that its products want. `x` is the float32 original. The bfloat16 forms are runs of tiles: `left` as
 * a left operand, [height / 16][width / 32]; `right` as a right one, [width / 16][height / 32]; `turned` transposed as a
 * left one (for the gradient of a weight, which only tiles want so: vectors take `right`), [width / 16][height / 32]. */
typedef struct {
    float *x;
    Tile *left, *right, *turned;
    int32_t height;
} Panel;

typedef struct { Panel plain, turned; } Weight; /* a (width x width) matrix and its transpose */

/* Where each parameter begins in the flat array, in the order of Network.rules(). */
typedef struct { size_t embedding[3], first, first_bias, block, block_size, readout, readout_bias, total; } Places;

typedef struct {
    Shape shape;
    Places at;
    int32_t height[3]; /* rows of the Z, N and observable tables, padded */
    Weight first[3], inner[MOST_BLOCKS], outer[MOST_BLOCKS];
    Panel embedding[3], table[3], d_table[3]; /* the embeddings, their products with the first layer, the gradients of those */
    Panel stream[MOST_BLOCKS + 1];            /* the residual stream before each block and after the last */
    Panel middle[MOST_BLOCKS];                /* each block's inner activations */
    Panel up[MOST_BLOCKS], in[MOST_BLOCKS];   /* gradients behind the outer and behind the inner layer of each block */
    uint16_t *on[MOST_BLOCKS][2];             /* which units of the inner and of the outer layer are active, a bit each */
    float shrunk[MOST_BLOCKS][SLICE];         /* what the norm after each block multiplied a row with */
    Panel back, slope;                        /* gradient of the stream; derivative of the first layer's SiLU */
    float *readout, *d_readout;               /* (observables, width): the readout transposed, and its gradient */
    char *arena;
    size_t used;
} Work;

/* Rows of a matrix lie a little further apart than its width, so that a column does not fall on a few sets of the cache. */
static inline int apart(int width) { return width + 32; }

/* The next `bytes` of the arena, or only their place when there is no arena yet. */
static void *take(Work *w, size_t bytes) {
    char *block = w->arena ? w->arena + w->used : NULL;
    w->used += (bytes + 63) / 64 * 64 + 192; /* blocks do not begin at equal places of their pages */
    return block;
}

static Panel plain(Work *w, int height) { /* no operand of a product: float32 alone */
    Panel p = {take(w, 4l * height * apart(w->shape.width)), 0, 0, 0, height};
    return p;
}

static Panel operand(Work *w, int height) { /* the forms of products alone */
    size_t bytes = 2l * height * w->shape.width;
    Panel p = {0, 0, 0, 0, height};
    if (!w->shape.bf16) return plain(w, height);
    p.left = take(w, bytes), p.right = take(w, bytes);
#ifdef HAVE_TILES
    p.turned = take(w, bytes);
#endif
    return p;
}

static Panel panel(Work *w, int height) { /* both */
    Panel p = operand(w, height);
    if (w->shape.bf16) p.x = plain(w, height).x;
    return p;
}

static Weight weight(Work *w) {
    Weight matrix = {operand(w, w->shape.width), operand(w, w->shape.width)};
    return matrix;
}

static Places places(const Shape *s) {
    size_t d = s->width, heights[3] = {s->protons, s->neutrons, s->observables}, at = 0;
    Places p;
    for (int i = 0; i < 3; i++) p.embedding[i] = at, at += heights[i] * d;
    p.first = at, at += 3 * d * d;
    p.first_bias = at, at += d;
    p.block = at, p.block_size = 2 * (d * d + d), at += s->depth * p.block_size;
    p.readout = at, at += d * s->observables;
    p.readout_bias = at, at += s->observables;
    p.total = at;
    return p;
}

static void lay_out(Work *w) {
    Shape s = w->shape;
    int32_t heights[3] = {s.protons, s.neutrons, s.observables};
    w->used = 0;
    w->at = places(&w->shape);
    for (int i = 0; i < 3; i++) {
        w->height[i] = (heights[i] + SLICE - 1) / SLICE * SLICE;
        w->first[i] = weight(w);
        w->embedding[i] = panel(w, w->height[i]);
        w->table[i] = plain(w, w->height[i]);
        w->d_table[i] = panel(w, w->height[i]);
    }
    for (int b = 0; b < s.depth; b++) {
        w->inner[b] = weight(w), w->outer[b] = weight(w);
        w->stream[b] = panel(w, CHUNK), w->middle[b] = operand(w, CHUNK);
        w->up[b] = operand(w, CHUNK), w->in[b] = operand(w, CHUNK);
        for (int layer = 0; layer < 2; layer++) w->on[b][layer] = take(w, 2l * SLICE * s.width / LANES);
    }
    w->stream[s.depth] = plain(w, SLICE);
    w->back = plain(w, SLICE), w->slope = plain(w, SLICE);
    w->readout = take(w, 4l * s.observables * s.width), w->d_readout = take(w, 4l * s.observables * s.width);
}

void nuclr_close(Work *w) {
    free(w->arena);
    free(w);
}

/* A workspace for networks of this shape; NULL when there is no memory for it, or the shape is none that the kernel can. */
Work *nuclr_open(const Shape *shape) {
    if (shape->width % 32 || shape->depth > MOST_BLOCKS) return NULL;
    Work *w = calloc(1, sizeof(Work));
    if (!w) return NULL;
    w->shape = *shape;
#ifndef HAVE_BF16
    w->shape.bf16 = 0;
#endif
    lay_out(w);
    size_t huge = 2l << 20, bytes = (w->used + huge - 1) / huge * huge;
    w->arena = aligned_alloc(huge, bytes);
    if (!w->arena) {
        free(w);
        return NULL;
    }
#if defined(MADV_HUGEPAGE)
    madvise(w->arena, bytes, MADV_HUGEPAGE); /* fewer misses of the address translation; without them it only gets slower */
#endif
    memset(w->arena, 0, bytes);
    lay_out(w);
    return w;
}

static inline float *line(const Work *w, Panel p, int row) { return p.x + (size_t)row * apart(w->shape.width); }

/* The slice of a panel that begins at `row`. In bfloat16 only the forms for gradients are read again after the slice, so all
 * slices share the place of the others, which then stays in the nearest cache. */
static inline Panel slice(const Work *w, Panel p, int row) {
    if (!w->shape.bf16) {
        p.x += (size_t)row * apart(w->shape.width);
        return p;
    }
    p.right += row / 32;
#ifdef HAVE_TILES
    p.turned += row / 32;
#endif
    return p;
}
