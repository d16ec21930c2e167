/* A matrix from float32 into the forms that products with bfloat16 inputs want. In float32 there is nothing to do. */
#pragma once
#include "memory.h"

#define INLINE static inline __attribute__((always_inline))

#ifdef HAVE_BF16
INLINE void transpose16(__m512i r[16]) { /* sixteen rows of sixteen 32-bit numbers */
    __m512i t[16];
    for (int i = 0; i < 8; i++) {
        t[2 * i] = _mm512_unpacklo_epi32(r[2 * i], r[2 * i + 1]);
        t[2 * i + 1] = _mm512_unpackhi_epi32(r[2 * i], r[2 * i + 1]);
    }
    for (int i = 0; i < 4; i++) {
        r[4 * i] = _mm512_unpacklo_epi64(t[4 * i], t[4 * i + 2]);
        r[4 * i + 1] = _mm512_unpackhi_epi64(t[4 * i], t[4 * i + 2]);
        r[4 * i + 2] = _mm512_unpacklo_epi64(t[4 * i + 1], t[4 * i + 3]);
        r[4 * i + 3] = _mm512_unpackhi_epi64(t[4 * i + 1], t[4 * i + 3]);
    }
    for (int i = 0; i < 4; i++) {
        t[i] = _mm512_shuffle_i32x4(r[i], r[i + 4], 0x88);
        t[i + 4] = _mm512_shuffle_i32x4(r[i], r[i + 4], 0xdd);
        t[i + 8] = _mm512_shuffle_i32x4(r[i + 8], r[i + 12], 0x88);
        t[i + 12] = _mm512_shuffle_i32x4(r[i + 8], r[i + 12], 0xdd);
    }
    for (int i = 0; i < 8; i++) {
        r[i] = _mm512_shuffle_i32x4(t[i], t[i + 8], 0x88);
        r[i + 8] = _mm512_shuffle_i32x4(t[i], t[i + 8], 0xdd);
    }
}

INLINE void transpose_tile(const Tile *from, Tile *to) {
    __m512i block[16];
#pragma GCC unroll 16
    for (int i = 0; i < 16; i++) block[i] = _mm512_load_si512(from->line[i]);
    transpose16(block);
#pragma GCC unroll 16
    for (int i = 0; i < 16; i++) _mm512_store_si512(to->line[i], block[i]);
}
#endif

/* Keep a block of `tall` rows and 2 * LANES columns, whose corner is at (row, column), as an operand of products. */
INLINE void keep(const Work *w, Panel to, int tall, int row, int column, vec x[][2]) {
#ifdef HAVE_BF16
    if (w->shape.bf16) {
        const __m512i pairs = _mm512_set_epi16(47, 15, 46, 14, 45, 13, 44, 12, 43, 11, 42, 10, 41, 9, 40, 8, 39, 7, 38, 6, 37, 5,
                                               36, 4, 35, 3, 34, 2, 33, 1, 32, 0);
        const __m512i later = _mm512_add_epi16(pairs, _mm512_set1_epi16(16));
        Tile *left = to.left + row / 16 * (w->shape.width / 32) + column / 32;
        Tile *right = to.right + column / 16 * (to.height / 32) + row / 32, *next = right + to.height / 32;
#pragma GCC unroll 12
        for (int i = 0; i < tall; i += 2) { /* a right operand holds the rows in pairs */
            __m512i even = (__m512i)_mm512_cvtne2ps_pbh((__m512)x[i][1], (__m512)x[i][0]);
            __m512i odd = (__m512i)_mm512_cvtne2ps_pbh((__m512)x[i + 1][1], (__m512)x[i + 1][0]);
            _mm512_store_si512(left->line[(row + i) % 16], even);
            _mm512_store_si512(left->line[(row + i + 1) % 16], odd);
            _mm512_store_si512(right->line[(row + i) % 32 / 2], _mm512_permutex2var_epi16(even, pairs, odd));
            _mm512_store_si512(next->line[(row + i) % 32 / 2], _mm512_permutex2var_epi16(even, later, odd));
        }
        return;
    }
#endif
#pragma GCC unroll 12
    for (int i = 0; i < tall; i++) {
        float *y = line(w, to, row + i) + column;
        *(vec *)y = x[i][0], *(vec *)(y + LANES) = x[i][1];
    }
}

/* `height` rows of float32, whose rows lie `apart_x` apart, as an operand of products. */
static void form_from(const Work *w, const float *from, int apart_x, Panel to, int height) {
    if (!w->shape.bf16) return;
    for (int row = 0; row < height; row += 8)
        for (int j = 0; j < w->shape.width; j += 2 * LANES) {
            vec x[8][2];
            for (int i = 0; i < 8; i++)
                for (int half = 0; half < 2; half++) x[i][half] = *(vec *)(from + (size_t)(row + i) * apart_x + j + half * LANES);
            keep(w, to, 8, row, j, x);
        }
}

static void form(const Work *w, Panel p, int height) { form_from(w, p.x, apart(w->shape.width), p, height); }

/* What else tiles want of the left operand of a gradient. */
static void form_turned(const Work *w, Panel p, int height) {
#ifdef HAVE_TILES
    for (int i = 0; w->shape.bf16 && i < w->shape.width / 16; i++)
        for (int k = 0; k < height / 32; k++)
            transpose_tile(p.right + i * (p.height / 32) + k, p.turned + i * (p.height / 32) + k);
#endif
    (void)w, (void)p, (void)height;
}
