/* The optimizer. */
#pragma once
#include "memory.h"

typedef struct { float rate, decay, correction; } Pace;

static inline void descend_one(Pace pace, float *p, const float *g, float *first, float *second, size_t bytes) {
    vec x = {0}, slope = {0}, mean = {0}, square = {0};
    memcpy(&x, p, bytes), memcpy(&slope, g, bytes), memcpy(&mean, first, bytes), memcpy(&square, second, bytes);
    mean += 0.1f * (slope - mean);
    square += 0.001f * (slope * slope - square);
    x = x * pace.decay - pace.rate * mean * reciprocal_root(square * pace.correction + 1e-30f);
    memcpy(p, &x, bytes), memcpy(first, &mean, bytes), memcpy(second, &square, bytes);
}

static void descend(size_t count, Pace pace, float *p, const float *g, float *first, float *second) {
    size_t i = 0;
    for (; i + LANES <= count; i += LANES) descend_one(pace, p + i, g + i, first + i, second + i, sizeof(vec));
    if (i < count) descend_one(pace, p + i, g + i, first + i, second + i, 4 * (count - i));
}

/* One step of AdamW (betas 0.9 and 0.999, eps 1e-15) with muP's scaling: hidden matrices learn at rate * 32 / width and
 * decay at decay * width / 32; free biases do not decay. `step` counts from 1. */
static void update(const Work *w, double rate, double decay, int64_t step, float *p, const float *g, float *first,
                   float *second) {
    Shape s = w->shape;
    Places at = w->at;
    size_t matrix = (size_t)s.width * s.width;
    double scale = 32.0 / s.width, warm = 1 - pow(0.9, step), correction = 1 / (1 - pow(0.999, step));
    Pace vector = {rate / warm, 1 - rate * decay, correction}, hidden = {rate * scale / warm, 1 - rate * decay, correction};
    Pace bias = {vector.rate, s.free_biases ? 1 : vector.decay, correction};
    descend(at.first, vector, p, g, first, second);
    descend(3 * matrix, hidden, p + at.first, g + at.first, first + at.first, second + at.first);
    descend(s.width, bias, p + at.first_bias, g + at.first_bias, first + at.first_bias, second + at.first_bias);
    for (int half = 0; half < 2 * s.depth; half++) {
        size_t i = at.block + half * (matrix + s.width), j = i + matrix;
        descend(matrix, hidden, p + i, g + i, first + i, second + i);
        descend(s.width, bias, p + j, g + j, first + j, second + j);
    }
    size_t readout = at.readout_bias - at.readout, i = at.readout_bias;
    descend(readout, vector, p + at.readout, g + at.readout, first + at.readout, second + at.readout);
    descend(s.observables, bias, p + i, g + i, first + i, second + i);
}
