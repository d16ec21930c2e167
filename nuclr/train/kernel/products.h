/* Matrix products in float32, and with bfloat16 inputs and float32 sums on processors with AMX or AVX512-BF16. */
#pragma once
#include "memory.h"

/* C (M x N) = or += A B in float32; A[m, k] is at a[m * am + k * ak], so that A may be a transpose. */
static inline __attribute__((always_inline)) void strip(int tall, int K, const float *a, int am, int ak, const float *b,
                                                        int ldb, float *c, int ldc, int accumulate) {
    vec sum[TALL][2];
#pragma GCC unroll 12
    for (int i = 0; i < tall; i++)
        for (int j = 0; j < 2; j++)
            sum[i][j] = accumulate ? *(vec *)(c + (size_t)i * ldc + j * LANES) : (vec){0};
    for (int k = 0; k < K; k++) {
        vec b0 = *(const vec *)(b + (size_t)k * ldb), b1 = *(const vec *)(b + (size_t)k * ldb + LANES);
#pragma GCC unroll 12
        for (int i = 0; i < tall; i++) {
            float left = a[(size_t)i * am + (size_t)k * ak];
            sum[i][0] += left * b0;
            sum[i][1] += left * b1;
        }
    }
#pragma GCC unroll 12
    for (int i = 0; i < tall; i++)
        for (int j = 0; j < 2; j++) *(vec *)(c + (size_t)i * ldc + j * LANES) = sum[i][j];
}

static void multiply_float(int M, int N, int K, const float *a, int am, int ak, const float *b, int ldb, float *c, int ldc,
                           int accumulate) {
    for (int n = 0; n < N; n += 2 * LANES) {
        int m = 0;
        for (; m + TALL <= M; m += TALL)
            strip(TALL, K, a + (size_t)m * am, am, ak, b + n, ldb, c + (size_t)m * ldc + n, ldc, accumulate);
        for (; m + 4 <= M; m += 4)
            strip(4, K, a + (size_t)m * am, am, ak, b + n, ldb, c + (size_t)m * ldc + n, ldc, accumulate);
        for (; m < M; m++) strip(1, K, a + (size_t)m * am, am, ak, b + n, ldb, c + (size_t)m * ldc + n, ldc, accumulate);
    }
}

#ifdef HAVE_BF16
/* c (M x N) = or += A B, where the tiles of A are left + 16-row group * across_left + k / 32, those of B right +
 * 16-column group * across_right + k / 32, and the rows of c lie `apart_c` apart. All sizes are multiples of 32. */
#ifdef HAVE_TILES
static void multiply_tiles(int M, int N, int K, const Tile *left, int across_left, const Tile *right, int across_right,
                           float *c, int apart_c, int accumulate) {
    __asm__ volatile("" ::: "memory"); /* gcc's tile intrinsics do not say that they read and write memory */
    long bytes = 4l * apart_c;
    for (int n = 0; n < N; n += 32)
        for (int m = 0; m < M; m += 32) {
            float *c0 = c + (size_t)m * apart_c + n, *c1 = c0 + 16 * (size_t)apart_c;
            const Tile *a0 = left + m / 16 * across_left, *a1 = a0 + across_left;
            const Tile *b0 = right + n / 16 * across_right, *b1 = b0 + across_right;
            if (accumulate) {
                _tile_loadd(0, c0, bytes);
                _tile_loadd(1, c0 + 16, bytes);
                _tile_loadd(2, c1, bytes);
                _tile_loadd(3, c1 + 16, bytes);
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
            _tile_stored(0, c0, bytes);
            _tile_stored(1, c0 + 16, bytes);
            _tile_stored(2, c1, bytes);
            _tile_stored(3, c1 + 16, bytes);
        }
    __asm__ volatile("" ::: "memory");
}
#else
static void multiply_tiles(int M, int N, int K, const Tile *left, int across_left, const Tile *right, int across_right,
                           float *c, int apart_c, int accumulate) {
    for (int n = 0; n < N; n += 32)
        for (int m = 0; m < M; m += 8) { /* sixteen sums, which with their operands fit the registers */
            float *to = c + (size_t)m * apart_c + n;
            const Tile *a = left + m / 16 * across_left, *b0 = right + n / 16 * across_right, *b1 = b0 + across_right;
            __m512 sum[8][2];
#pragma GCC unroll 8
            for (int i = 0; i < 8; i++)
                for (int j = 0; j < 2; j++)
                    sum[i][j] = accumulate ? _mm512_loadu_ps(to + (size_t)i * apart_c + 16 * j) : _mm512_setzero_ps();
            for (int k = 0; k < K / 32; k++)
                for (int pair = 0; pair < 16; pair++) {
                    __m512bh r0 = (__m512bh)_mm512_load_si512(b0[k].line[pair]), r1 = (__m512bh)_mm512_load_si512(b1[k].line[pair]);
#pragma GCC unroll 8
                    for (int i = 0; i < 8; i++) {
                        __m512bh l = (__m512bh)_mm512_set1_epi32((int)a[k].line[m % 16 + i][pair]);
                        sum[i][0] = _mm512_dpbf16_ps(sum[i][0], l, r0);
                        sum[i][1] = _mm512_dpbf16_ps(sum[i][1], l, r1);
                    }
                }
#pragma GCC unroll 8
            for (int i = 0; i < 8; i++)
                for (int j = 0; j < 2; j++) _mm512_storeu_ps(to + (size_t)i * apart_c + 16 * j, sum[i][j]);
        }
}
#endif

static inline __m512i widened(const float *x) {
    return _mm512_cvtepu16_epi32((__m256i)_mm512_cvtneps_pbh(_mm512_loadu_ps(x)));
}

static inline __attribute__((always_inline)) void transpose16(__m512i r[16]) { /* sixteen rows of sixteen 32-bit numbers */
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
#endif

enum { LEFT = 1, RIGHT = 2, TURNED = 4 };

/* The wanted bfloat16 forms of `height` rows from float32, whose rows lie `apart_x` apart. */
static void form_from(const Work *w, const float *from, int apart_x, Panel p, int height, int wanted) {
#ifdef HAVE_BF16
    int d = w->shape.width, across = p.height / 32;
    for (int row = 0; row < height; row += 32)
        for (int j = 0; j < d; j += 32) {
            const float *x = from + (size_t)row * apart_x + j;
            if (wanted & LEFT)
                for (int i = 0; i < 32; i++) {
                    Tile *to = p.left + (row + i) / 16 * (d / 32) + j / 32;
                    __m512 low = _mm512_loadu_ps(x + (size_t)i * apart_x), high = _mm512_loadu_ps(x + (size_t)i * apart_x + 16);
                    _mm512_store_si512(to->line[i % 16], (__m512i)_mm512_cvtne2ps_pbh(high, low));
                }
            if (wanted & (RIGHT | TURNED))
                for (int half = 0; half < 2; half++) {
                    int at = (j / 16 + half) * across + row / 32;
                    __m512i pair[16];
#pragma GCC unroll 16
                    for (int i = 0; i < 16; i++) {
                        const float *even = x + (size_t)2 * i * apart_x + 16 * half;
                        pair[i] = _mm512_or_si512(widened(even), _mm512_slli_epi32(widened(even + apart_x), 16));
                        if (wanted & RIGHT) _mm512_store_si512(p.right[at].line[i], pair[i]);
                    }
                    if (wanted & TURNED) {
                        transpose16(pair);
#pragma GCC unroll 16
                        for (int i = 0; i < 16; i++) _mm512_store_si512(p.turned[at].line[i], pair[i]);
                    }
                }
        }
#endif
    (void)w, (void)from, (void)apart_x, (void)p, (void)height, (void)wanted;
}

/* Bring the wanted forms up to date with p.x. Nothing to do in float32. */
static void form(const Work *w, Panel p, int height, int wanted) {
    if (w->shape.bf16) form_from(w, p.x, apart(w->shape.width), p, height, wanted);
}

/* to (height x d) = or += left right, where right is a (d x d) weight. */
static void product(const Work *w, int height, Panel left, Panel right, Panel to, int accumulate) {
    int d = w->shape.width, ld = apart(d);
#ifdef HAVE_BF16
    if (w->shape.bf16) {
        multiply_tiles(height, d, d, left.left, d / 32, right.right, d / 32, to.x, ld, accumulate);
        return;
    }
#endif
    multiply_float(height, d, d, left.x, ld, 1, right.x, ld, to.x, ld, accumulate);
}

/* g (d x d, contiguous) = or += transposed left times right, over `height` rows: the gradient of a weight. */
static void gradient(const Work *w, int height, Panel left, Panel right, float *g, int accumulate) {
    int d = w->shape.width, ld = apart(d);
#ifdef HAVE_BF16
    if (w->shape.bf16) {
        multiply_tiles(d, d, height, left.turned, left.height / 32, right.right, right.height / 32, g, d, accumulate);
        return;
    }
#endif
    multiply_float(d, d, height, left.x, 1, ld, right.x, ld, g, d, accumulate);
}
