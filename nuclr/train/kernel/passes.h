/* What happens to a slice of rows between the matrix products, forward and back. */
#pragma once
#include "memory.h"

/* First layer: x = SiLU of the sum of three lines of the tables, and its derivative. */
static void look_up(Work *w, Panel to, const int16_t *tokens[3]) {
    int d = w->shape.width;
    for (int row = 0; row < SLICE; row++) {
        const float *z = line(w, w->table[0], tokens[0][row]), *n = line(w, w->table[1], tokens[1][row]),
                    *t = line(w, w->table[2], tokens[2][row]);
        float *x = line(w, to, row), *slope = line(w, w->slope, row);
        for (int j = 0; j < d; j += LANES) {
            vec h = *(vec *)(z + j) + *(vec *)(n + j) + *(vec *)(t + j), gate = reciprocal(1.0f + exponential(-h));
            *(vec *)(x + j) = h * gate;
            *(vec *)(slope + j) = gate * (1.0f + h * (1.0f - gate));
        }
    }
}

/* x = x / its root mean square, row by row; for LAYER its mean is taken off before. */
static void normalise(const Work *w, Panel stream, float shrunk[SLICE]) {
    int d = w->shape.width;
    for (int row = 0; row < SLICE; row++) {
        float *x = line(w, stream, row);
        vec sum = {0}, square = {0};
        if (w->shape.norm == LAYER)
            for (int j = 0; j < d; j += LANES) sum += *(vec *)(x + j);
        float mean = total(sum) / d;
        for (int j = 0; j < d; j += LANES) {
            vec y = *(vec *)(x + j) - mean;
            square += y * y;
        }
        shrunk[row] = 1.0f / sqrtf(total(square) / d + 1e-5f);
        for (int j = 0; j < d; j += LANES) *(vec *)(x + j) = (*(vec *)(x + j) - mean) * shrunk[row];
    }
}

/* The gradient of the stream, from behind a norm (which gave `stream`) to before it. */
static void denormalise(const Work *w, Panel stream, const float shrunk[SLICE]) {
    int d = w->shape.width;
    for (int row = 0; row < SLICE; row++) {
        const float *x = line(w, stream, row);
        float *back = line(w, w->back, row);
        vec sum = {0}, along = {0};
        for (int j = 0; j < d; j += LANES) {
            if (w->shape.norm == LAYER) sum += *(vec *)(back + j);
            along += *(vec *)(back + j) * *(vec *)(x + j);
        }
        float mean = total(sum) / d, share = total(along) / d;
        for (int j = 0; j < d; j += LANES)
            *(vec *)(back + j) = (*(vec *)(back + j) - mean - *(vec *)(x + j) * share) * shrunk[row];
    }
}

/* The gradient of the stream, times the SiLU's derivative, to the lines of the tables that it came from. */
static void scatter(Work *w, const int16_t *tokens[3]) {
    int d = w->shape.width;
    for (int row = 0; row < SLICE; row++) {
        const float *back = line(w, w->back, row), *slope = line(w, w->slope, row);
        float *restrict z = line(w, w->d_table[0], tokens[0][row]), *restrict n = line(w, w->d_table[1], tokens[1][row]),
              *restrict t = line(w, w->d_table[2], tokens[2][row]);
        for (int j = 0; j < d; j++) {
            float x = back[j] * slope[j];
            z[j] += x, n[j] += x, t[j] += x;
        }
    }
}
