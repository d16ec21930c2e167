/* Matrix products in float32, and with bfloat16 inputs and float32 sums on processors with AMX or AVX512-BF16. Each hands the
 * blocks of its result to an epilogue; with `accumulate` the sums begin at what t->x has there. */
#pragma once
#include "epilogues.h"

/* A B (M x N) in float32; A[m, k] is at a[m * am + k * ak], so that A may be a transpose. M is even. */
INLINE void strip(int tall, int K, const float *a, int am, int ak, const float *b, int ldb, int accumulate, Epilogue *epilogue,
                  const Target *t, int row, int column) {
    vec sum[TALL][2];
#pragma GCC unroll 12
    for (int i = 0; i < tall; i++)
        for (int j = 0; j < 2; j++)
            sum[i][j] = accumulate ? *(vec *)(t->x + (size_t)(row + i) * t->apart_x + column + j * LANES) : (vec){0};
    for (int k = 0; k < K; k++) {
        vec b0 = *(const vec *)(b + (size_t)k * ldb), b1 = *(const vec *)(b + (size_t)k * ldb + LANES);
#pragma GCC unroll 12
        for (int i = 0; i < tall; i++) {
            float left = a[(size_t)i * am + (size_t)k * ak];
            sum[i][0] += left * b0;
            sum[i][1] += left * b1;
        }
    }
    epilogue(t, tall, row, column, sum);
}

INLINE void multiply_float(int M, int N, int K, const float *a, int am, int ak, const float *b, int ldb, int accumulate,
                           Epilogue *epilogue, const Target *t) {
    for (int n = 0; n < N; n += 2 * LANES) {
        int m = 0;
        for (; m + TALL <= M; m += TALL)
            strip(TALL, K, a + (size_t)m * am, am, ak, b + n, ldb, accumulate, epilogue, t, m, n);
        for (; m + 4 <= M; m += 4) strip(4, K, a + (size_t)m * am, am, ak, b + n, ldb, accumulate, epilogue, t, m, n);
        for (; m < M; m += 2) strip(2, K, a + (size_t)m * am, am, ak, b + n, ldb, accumulate, epilogue, t, m, n);
    }
}

/* A B (M x N), where the tiles of A are left + 16-row group * across_left + k / 32, and those of B right + 16-column group *
 * across_right + k / 32. All sizes are multiples of 32. A `turned` A lies as its transpose would as a right operand. */
#if defined(HAVE_TILES)
INLINE void multiply_tiles(int M, int N, int K, const Tile *left, int across_left, int turned, const Tile *right,
                           int across_right, int accumulate, Epilogue *epilogue, const Target *t) {
    _Alignas(64) float block[32][32];
    long apart_c = 4l * t->apart_x;
    __asm__ volatile("" ::: "memory"); /* gcc's tile intrinsics do not say that they read and write memory */
    for (int n = 0; n < N; n += 32)
        for (int m = 0; m < M; m += 32) {
            float *c = t->x + (size_t)m * t->apart_x + n, *below = c + 16 * (size_t)t->apart_x;
            const Tile *a0 = left + m / 16 * across_left, *a1 = a0 + across_left;
            const Tile *b0 = right + n / 16 * across_right, *b1 = b0 + across_right;
            if (accumulate) {
                _tile_loadd(0, c, apart_c);
                _tile_loadd(1, c + 16, apart_c);
                _tile_loadd(2, below, apart_c);
                _tile_loadd(3, below + 16, apart_c);
            } else {
                _tile_zero(0);
                _tile_zero(1);
                _tile_zero(2);
                _tile_zero(3);
            }
            for (int k = 0; k < K / 32; k++) {
                _tile_loadd(4, a0 + k, 64);
                _tile_loadd(6, b0 + k, 64);
                _tile_dpbf16ps(0, 4, 6);
                _tile_loadd(7, b1 + k, 64);
                _tile_dpbf16ps(1, 4, 7);
                _tile_loadd(5, a1 + k, 64);
                _tile_dpbf16ps(2, 5, 6);
                _tile_dpbf16ps(3, 5, 7);
            }
            if (epilogue == stored) { /* straight there */
                _tile_stored(0, c, apart_c);
                _tile_stored(1, c + 16, apart_c);
                _tile_stored(2, below, apart_c);
                _tile_stored(3, below + 16, apart_c);
                continue;
            }
            _tile_stored(0, block[0], 128);
            _tile_stored(1, block[0] + 16, 128);
            _tile_stored(2, block[16], 128);
            _tile_stored(3, block[16] + 16, 128);
            __asm__ volatile("" ::: "memory");
            for (int i = 0; i < 32; i += 8) {
                vec x[8][2];
                for (int j = 0; j < 8; j++) x[j][0] = *(vec *)block[i + j], x[j][1] = *(vec *)(block[i + j] + LANES);
                epilogue(t, 8, m + i, n, x);
            }
        }
    __asm__ volatile("" ::: "memory");
    (void)turned;
}
#elif defined(HAVE_BF16)
INLINE void multiply_tiles(int M, int N, int K, const Tile *left, int across_left, int turned, const Tile *right,
                           int across_right, int accumulate, Epilogue *epilogue, const Target *t) {
    for (int n = 0; n < N; n += 32)
        for (int m = 0; m < M; m += 8) { /* sixteen sums, which with their operands fit the registers */
            const Tile *a = left + m / 16 * across_left, *b0 = right + n / 16 * across_right, *b1 = b0 + across_right;
            vec sum[8][2];
#pragma GCC unroll 8
            for (int i = 0; i < 8; i++)
                for (int j = 0; j < 2; j++)
                    sum[i][j] = accumulate ? *(vec *)(t->x + (size_t)(m + i) * t->apart_x + n + 16 * j) : (vec){0};
            for (int k = 0; k < K / 32; k++)
                for (int pair = 0; pair < 16; pair++) {
                    __m512bh r0 = (__m512bh)_mm512_load_si512(b0[k].line[pair]), r1 = (__m512bh)_mm512_load_si512(b1[k].line[pair]);
#pragma GCC unroll 8
                    for (int i = 0; i < 8; i++) {
                        uint32_t number = turned ? a[k].line[pair][m % 16 + i] : a[k].line[m % 16 + i][pair];
                        __m512bh l = (__m512bh)_mm512_set1_epi32((int)number);
                        sum[i][0] = (vec)_mm512_dpbf16_ps((__m512)sum[i][0], l, r0);
                        sum[i][1] = (vec)_mm512_dpbf16_ps((__m512)sum[i][1], l, r1);
                    }
                }
            epilogue(t, 8, m, n, sum);
        }
}
#endif

/* left right, of `height` rows, where right is a (d x d) weight. */
INLINE void product(const Work *w, int height, Panel left, Panel right, int accumulate, Epilogue *epilogue, const Target *t) {
    int d = w->shape.width, ld = apart(d);
#ifdef HAVE_BF16
    if (w->shape.bf16) {
        multiply_tiles(height, d, d, left.left, d / 32, 0, right.right, d / 32, accumulate, epilogue, t);
        return;
    }
#endif
    multiply_float(height, d, d, left.x, ld, 1, right.x, ld, accumulate, epilogue, t);
}

/* to = or += left right */
static void product_to(const Work *w, int height, Panel left, Panel right, Panel to, int accumulate) {
    Target t = {.w = w, .x = to.x, .apart_x = apart(w->shape.width)};
    product(w, height, left, right, accumulate, stored, &t);
}

/* g (d x d, contiguous) = or += transposed left times right, over `height` rows: the gradient of a weight. */
static void gradient(const Work *w, int height, Panel left, Panel right, float *g, int accumulate) {
    int d = w->shape.width, ld = apart(d);
    Target t = {.w = w, .x = g, .apart_x = d};
#ifdef HAVE_BF16
    if (w->shape.bf16) {
        int across = left.height / 32;
#ifdef HAVE_TILES
        const Tile *tiles = left.turned;
#else
        const Tile *tiles = left.right;
#endif
        multiply_tiles(d, d, height, tiles, across, 1, right.right, right.height / 32, accumulate, stored, &t);
        return;
    }
#endif
    multiply_float(d, d, height, left.x, 1, ld, right.x, ld, accumulate, stored, &t);
}
