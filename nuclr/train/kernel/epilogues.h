/* What becomes of a block of a matrix product before it leaves the registers: the passes of the network between its products. */
#pragma once
#include "operands.h"

typedef struct {
    const Work *w;
    Panel to, before;  /* `before`: what the block is added to */
    float *x;          /* plain float32, rows `apart_x` apart */
    int apart_x;
    const float *bias;
    float *d_bias;     /* the gradient of a bias */
    uint16_t *on;      /* which units are active */
} Target;

/* Of a block: `tall` rows and 2 * LANES columns, whose corner is at (row, column). */
typedef void Epilogue(const Target *t, int tall, int row, int column, vec x[][2]);

INLINE uint16_t *switches(const Target *t, int row, int column) {
    return t->on + row * (t->w->shape.width / LANES) + column / LANES;
}

INLINE void stored(const Target *t, int tall, int row, int column, vec x[][2]) {
#pragma GCC unroll 12
    for (int i = 0; i < tall; i++)
        for (int half = 0; half < 2; half++) *(vec *)(t->x + (size_t)(row + i) * t->apart_x + column + half * LANES) = x[i][half];
}

INLINE void activate(const Target *t, int tall, int row, int column, vec x[][2]) { /* x = relu(x + bias) */
#pragma GCC unroll 12
    for (int i = 0; i < tall; i++)
        for (int half = 0; half < 2; half++) {
            x[i][half] = rectified(x[i][half] + *(vec *)(t->bias + column + half * LANES));
            switches(t, row + i, column)[half] = positive(x[i][half]);
        }
}

/* The inner layer of a block. */
INLINE void activated(const Target *t, int tall, int row, int column, vec x[][2]) {
    activate(t, tall, row, column, x);
    keep(t->w, t->to, tall, row, column, x);
}

/* The outer layer of a block, joined to the residual stream. */
INLINE void joined(const Target *t, int tall, int row, int column, vec x[][2]) {
    activate(t, tall, row, column, x);
#pragma GCC unroll 12
    for (int i = 0; i < tall; i++) {
        float *before = line(t->w, t->before, row + i) + column, *after = line(t->w, t->to, row + i) + column;
        for (int half = 0; half < 2; half++) *(vec *)(after + half * LANES) = *(vec *)(before + half * LANES) + x[i][half];
    }
}

/* A gradient, back through a layer's units: none where they are not active. Its sum over the rows is that of the bias. */
INLINE void let_through(const Target *t, int tall, int row, int column, vec x[][2]) {
    vec *sum[2] = {(vec *)(t->d_bias + column), (vec *)(t->d_bias + column + LANES)};
    for (int half = 0; half < 2; half++) {
        vec all = *sum[half];
#pragma GCC unroll 12
        for (int i = 0; i < tall; i++) {
            x[i][half] = kept(x[i][half], switches(t, row + i, column)[half]);
            all += x[i][half];
        }
        *sum[half] = all;
    }
    keep(t->w, t->to, tall, row, column, x);
}

/* The same for a gradient that is no product: that of the residual stream. */
static void let_all_through(const Target *t, Panel from) {
    for (int row = 0; row < SLICE; row += 8)
        for (int j = 0; j < t->w->shape.width; j += 2 * LANES) {
            vec x[8][2];
            for (int i = 0; i < 8; i++)
                for (int half = 0; half < 2; half++) x[i][half] = *(vec *)(line(t->w, from, row + i) + j + half * LANES);
            let_through(t, 8, row, j, x);
        }
}
