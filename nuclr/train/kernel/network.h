/* The network forward and back (nuclr/model/network.py has the same function in torch). */
#pragma once
#include "passes.h"
#include "products.h"

static void turn(const float *x, int rows, int columns, int apart_x, float *y, int apart_y) {
    for (int i = 0; i < rows; i += 16)
        for (int j = 0; j < columns; j += 16)
            for (int b = j; b < columns && b < j + 16; b++)
                for (int a = i; a < rows && a < i + 16; a++) y[(size_t)b * apart_y + a] = x[(size_t)a * apart_x + b];
}

static void copy_lines(const Work *w, Panel to, const float *from, int height) {
    for (int row = 0; row < height; row++) memcpy(line(w, to, row), from + (size_t)row * w->shape.width, 4l * w->shape.width);
}

/* A weight and, for the backward pass, its transpose. */
static void bring(const Work *w, Weight to, const float *from, int backward) {
    int d = w->shape.width, ld = apart(d);
#ifdef HAVE_BF16
    if (w->shape.bf16) {
        form_from(w, from, d, to.plain, d);
        for (int i = 0; backward && i < d / 16; i++)
            for (int j = 0; j < d / 32; j++) /* two neighbours in a row are a pair of the transpose */
                transpose_tile(to.plain.left + i * (d / 32) + j, to.turned.right + i * (d / 32) + j);
        return;
    }
#endif
    copy_lines(w, to.plain, from, d);
    if (backward) turn(from, d, d, d, to.turned.x, ld);
}

/* Weights in the forms that products want, and the three tables of the first layer. */
static void prepare(Work *w, const float *parameters, int backward) {
    Shape s = w->shape;
    Places at = w->at;
    int d = s.width, heights[3] = {s.protons, s.neutrons, s.observables};
    for (int i = 0; i < 3; i++) {
        bring(w, w->first[i], parameters + at.first + (size_t)i * d * d, backward);
        copy_lines(w, w->embedding[i], parameters + at.embedding[i], heights[i]);
        form(w, w->embedding[i], w->height[i]);
        if (backward) form_turned(w, w->embedding[i], w->height[i]);
        product_to(w, w->height[i], w->embedding[i], w->first[i].plain, w->table[i], 0);
    }
    for (int t = 0; t < s.observables; t++)
        for (int j = 0; j < d; j++) line(w, w->table[2], t)[j] += parameters[at.first_bias + j];
    for (int b = 0; b < s.depth; b++) {
        const float *block = parameters + at.block + b * at.block_size;
        bring(w, w->inner[b], block, backward);
        bring(w, w->outer[b], block + (size_t)d * d + d, backward);
    }
    turn(parameters + at.readout, d, s.observables, s.observables, w->readout, d);
}

/* A slice that begins at row `start` of the chunk through the network, up to the end of the residual stream. */
static void forward(Work *w, const float *parameters, int start, const int16_t *tokens[3], int backward) {
    Shape s = w->shape;
    Places at = w->at;
    size_t matrix = (size_t)s.width * s.width;
    Panel stream = slice(w, w->stream[0], start);
    look_up(w, stream, tokens);
    for (int b = 0; b < s.depth; b++) {
        const float *inner_bias = parameters + at.block + b * at.block_size + matrix, *outer_bias = inner_bias + s.width + matrix;
        Panel middle = slice(w, w->middle[b], start);
        Panel next = b + 1 < s.depth ? slice(w, w->stream[b + 1], start) : w->stream[s.depth];
        Target inner = {.w = w, .to = middle, .bias = inner_bias, .on = w->on[b][INNER]};
        Target outer = {.w = w, .to = next, .before = stream, .bias = outer_bias, .on = w->on[b][OUTER]};
        form(w, stream, SLICE);
        product(w, SLICE, stream, w->inner[b].plain, 0, activated, &inner);
        product(w, SLICE, middle, w->outer[b].plain, 0, joined, &outer);
        if (backward) form_turned(w, stream, SLICE), form_turned(w, middle, SLICE);
        if (s.norm != NO_NORM) normalise(w, next, w->shrunk[b]);
        stream = next;
    }
}

/* From the slice's gradient of the stream in w->back to the gradients of the biases, added to g, of the tables, and behind
 * each layer, which are kept for the gradients of the weights. */
static void backward(Work *w, float *g, int start, const int16_t *tokens[3]) {
    Shape s = w->shape;
    Places at = w->at;
    size_t matrix = (size_t)s.width * s.width;
    for (int b = s.depth - 1; b >= 0; b--) {
        float *inner_bias = g + at.block + b * at.block_size + matrix, *outer_bias = inner_bias + s.width + matrix;
        Panel up = slice(w, w->up[b], start), in = slice(w, w->in[b], start);
        Panel next = b + 1 < s.depth ? slice(w, w->stream[b + 1], start) : w->stream[s.depth];
        Target outer = {.w = w, .to = up, .d_bias = outer_bias, .on = w->on[b][OUTER]};
        Target inner = {.w = w, .to = in, .d_bias = inner_bias, .on = w->on[b][INNER]};
        if (s.norm != NO_NORM) denormalise(w, next, w->shrunk[b]);
        let_all_through(&outer, w->back);
        product(w, SLICE, up, w->outer[b].turned, 0, let_through, &inner);
        product_to(w, SLICE, in, w->inner[b].turned, w->back, 1);
    }
    scatter(w, tokens);
}

/* From the gradients of the tables to those of the embeddings and of the first layer; the readout's turned back. */
static void finish(Work *w, float *g) {
    Shape s = w->shape;
    Places at = w->at;
    int d = s.width, heights[3] = {s.protons, s.neutrons, s.observables};
    for (int i = 0; i < 3; i++) {
        form(w, w->d_table[i], w->height[i]);
        gradient(w, w->height[i], w->embedding[i], w->d_table[i], g + at.first + (size_t)i * d * d, 0);
        product_to(w, w->height[i], w->d_table[i], w->first[i].turned, w->table[i], 0);
        for (int row = 0; row < heights[i]; row++)
            memcpy(g + at.embedding[i] + (size_t)row * d, line(w, w->table[i], row), 4l * d);
    }
    for (int t = 0; t < s.observables; t++)
        for (int j = 0; j < d; j++) g[at.first_bias + j] += line(w, w->d_table[2], t)[j];
    turn(w->d_readout, s.observables, d, d, g + at.readout, s.observables);
}
