/* Stands in for the tile unit (AMX) where there is none, so that the kernel's products in tiles can be tested on any processor
 * with AVX512-BF16: eight tiles of sixteen lines of 64 bytes, and the operations that the kernel asks of them. */
#pragma once
#include <immintrin.h>
#include <stdint.h>
#include <string.h>

#define __AMX_BF16__ 1
#undef _tile_loadconfig
#undef _tile_release
#undef _tile_zero
#undef _tile_loadd
#undef _tile_stored
#undef _tile_dpbf16ps

static uint32_t stand_in[8][16][16];

static inline void load_tile(int tile, const void *from, long apart) {
    for (int i = 0; i < 16; i++) memcpy(stand_in[tile][i], (const char *)from + i * apart, 64);
}

static inline void store_tile(int tile, void *to, long apart) {
    for (int i = 0; i < 16; i++) memcpy((char *)to + i * apart, stand_in[tile][i], 64);
}

static inline void multiply_tile(int sum, int left, int right) {
    for (int i = 0; i < 16; i++) {
        __m512 line = _mm512_loadu_ps(stand_in[sum][i]);
        for (int pair = 0; pair < 16; pair++)
            line = _mm512_dpbf16_ps(line, (__m512bh)_mm512_set1_epi32((int)stand_in[left][i][pair]),
                                    (__m512bh)_mm512_loadu_si512(stand_in[right][pair]));
        _mm512_storeu_ps(stand_in[sum][i], line);
    }
}

#define _tile_loadconfig(tiles) ((void)(tiles))
#define _tile_release() ((void)0)
#define _tile_zero(tile) memset(stand_in[tile], 0, sizeof stand_in[tile])
#define _tile_loadd(tile, from, apart) load_tile(tile, from, apart)
#define _tile_stored(tile, to, apart) store_tile(tile, to, apart)
#define _tile_dpbf16ps(sum, left, right) multiply_tile(sum, left, right)
