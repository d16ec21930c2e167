/* Vectors of as many float32 numbers as the processor takes at once, and the functions that the network needs of them. */
#pragma once
#include <math.h>
#include <stdint.h>

#if defined(__x86_64__)
#include <immintrin.h>
#endif

#if defined(__AVX512F__)
enum { LANES = 16, TALL = 12 };
#elif defined(__AVX__)
enum { LANES = 8, TALL = 6 };
#else
enum { LANES = 4, TALL = 6 };
#endif
typedef float vec __attribute__((vector_size(4 * LANES), aligned(4)));
typedef int32_t bits __attribute__((vector_size(4 * LANES), aligned(4)));

static inline vec spread(float x) { return x - (vec){0}; }

static inline vec reciprocal(vec x) {
#if defined(__AVX512F__)
    vec y = (vec)_mm512_rcp14_ps((__m512)x);
    return y * (2.0f - x * y); /* a Newton step: the division unit is several times slower */
#else
    return 1.0f / x;
#endif
}

/* 1 / sqrt(x) for x > 0. */
static inline vec reciprocal_root(vec x) {
    vec y;
#if defined(__AVX512F__)
    y = (vec)_mm512_rsqrt14_ps((__m512)x);
    return y * (1.5f - 0.5f * x * y * y);
#else
    for (int i = 0; i < LANES; i++) y[i] = 1.0f / sqrtf(x[i]);
    return y;
#endif
}

static inline vec chosen(bits where, vec x, vec otherwise) { return (vec)((where & (bits)x) | (~where & (bits)otherwise)); }

/* exp with a relative error of about 1e-7; a NaN stays one. */
static inline vec exponential(vec x) {
    x = chosen(x < -87.0f, spread(-87.0f), chosen(x > 87.0f, spread(87.0f), x));
    vec n = (x * 1.44269504f + 12582912.0f) - 12582912.0f, r = x - n * 0.693359375f + n * 2.12194440e-4f;
    vec p = r * 1.9875691500e-4f + 1.3981999507e-3f;
    p = p * r + 8.3334519073e-3f;
    p = p * r + 4.1665795894e-2f;
    p = p * r + 1.6666665459e-1f;
    p = p * r + 5.0000001201e-1f;
    p = p * (r * r) + r + 1.0f;
    return p * (vec)((__builtin_convertvector(n, bits) + 127) << 23);
}

static inline vec rectified(vec x) { return (vec)((bits)x & ~(x < 0.0f)); } /* a NaN stays one */

/* Which numbers are positive, a bit each; and the numbers whose bit is set, the others 0. */
#if defined(__AVX512F__)
static inline uint16_t positive(vec x) { return _mm512_cmp_ps_mask((__m512)x, _mm512_setzero_ps(), _CMP_GT_OQ); }
static inline vec kept(vec x, uint16_t which) { return (vec)_mm512_maskz_mov_ps(which, (__m512)x); }
#else
static inline uint16_t positive(vec x) {
#if defined(__AVX__)
    return _mm256_movemask_ps(_mm256_cmp_ps((__m256)x, _mm256_setzero_ps(), _CMP_GT_OQ));
#elif defined(__SSE__)
    return _mm_movemask_ps(_mm_cmpgt_ps((__m128)x, _mm_setzero_ps()));
#else
    uint16_t which = 0;
    for (int j = 0; j < LANES; j++) which |= (uint16_t)((x[j] > 0.0f) << j);
    return which;
#endif
}
static inline vec kept(vec x, uint16_t which) {
    bits one;
    for (int j = 0; j < LANES; j++) one[j] = 1 << j;
    return (vec)((bits)x & ((one & which) != 0));
}
#endif

static inline float total(vec x) {
    float sum = 0;
    for (int j = 0; j < LANES; j++) sum += x[j];
    return sum;
}

static inline float dot(const float *x, const float *y, int d) {
    vec sum = {0};
    for (int j = 0; j < d; j += LANES) sum += *(const vec *)(x + j) * *(const vec *)(y + j);
    return total(sum);
}
