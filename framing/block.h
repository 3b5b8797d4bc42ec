/* SPDX-License-Identifier: MIT */
/* Looking at 32 bytes at once: bit n of an answer is about byte n. */
#ifndef FRAMING_BLOCK_H
#define FRAMING_BLOCK_H

#include <stddef.h>
#include <stdint.h>

enum { BLOCK_SIZE = 32 };

#if defined(__SSE2__) && !defined(FRAMING_SCALAR)
#include <emmintrin.h>

static inline __m128i block_load(const void *half)
{
    return _mm_loadu_si128((const __m128i *)half);
}

static inline uint32_t block_bits(__m128i low, __m128i high)
{
    return (uint32_t)_mm_movemask_epi8(low) | (uint32_t)_mm_movemask_epi8(high) << 16;
}

/* Which bytes are equal to `byte`. */
static inline uint32_t block_equal(const uint8_t *bytes, uint8_t byte)
{
    __m128i wanted = _mm_set1_epi8((char)byte);
    return block_bits(_mm_cmpeq_epi8(block_load(bytes), wanted),
                      _mm_cmpeq_epi8(block_load(bytes + 16), wanted));
}

/* Which bytes are `byte` or less. */
static inline uint32_t block_at_most(const uint8_t *bytes, uint8_t byte)
{
    __m128i most = _mm_set1_epi8((char)byte);
    __m128i low = block_load(bytes);
    __m128i high = block_load(bytes + 16);
    return block_bits(_mm_cmpeq_epi8(_mm_min_epu8(low, most), low),
                      _mm_cmpeq_epi8(_mm_min_epu8(high, most), high));
}

#else

static inline uint32_t block_equal(const uint8_t *bytes, uint8_t byte)
{
    uint32_t found = 0;
    for (uint32_t i = 0; i < BLOCK_SIZE; i++)
        found |= (uint32_t)(bytes[i] == byte) << i;
    return found;
}

static inline uint32_t block_at_most(const uint8_t *bytes, uint8_t byte)
{
    uint32_t found = 0;
    for (uint32_t i = 0; i < BLOCK_SIZE; i++)
        found |= (uint32_t)(bytes[i] <= byte) << i;
    return found;
}

#endif

/* The first of `found`, which is not 0. */
static inline uint32_t block_first(uint32_t found)
{
    return (uint32_t)__builtin_ctz(found);
}

/* The bits of the first `size` bytes, fewer than BLOCK_SIZE. */
static inline uint32_t block_bits_before(size_t size)
{
    return (1u << size) - 1;
}

#endif
