/* SPDX-License-Identifier: MIT */
/* The 52 header fields that have a number. */
#ifndef FRAMING_HTTP_FIELD_H
#define FRAMING_HTTP_FIELD_H

#include "framing/block.h"
#include <stdbool.h>

enum { HTTP_FIELD_SLOT_COUNT = 256 };

struct http_field {
    char name[BLOCK_SIZE]; /* in canonical case */
    uint8_t size;
    uint8_t number;
};

/* Where a name is in the table, by three things that tell all 52 apart: the first character, the
 * last but one, and the size. The factors were found by trying. */
#define HTTP_FIELD_SLOT(first, last_but_one, size) \
    ((((first)&31u) + 47 * ((last_but_one)&31u) + 16 * (uint32_t)(size)) % HTTP_FIELD_SLOT_COUNT)

extern const struct http_field http_fields[HTTP_FIELD_SLOT_COUNT];

enum { HTTP_FIELD_HALF = BLOCK_SIZE / 2 };

#if defined(__SSE2__) && !defined(FRAMING_SCALAR)

/* Which of 16 bytes are the canonical ones or, if letters, those in the other case. */
static inline uint32_t http_field_equal(const uint8_t *half, const char *name)
{
    __m128i canonical = block_load(name);
    __m128i is_letter = _mm_cmpgt_epi8(canonical, _mm_set1_epi8('@'));
    __m128i case_bit = _mm_and_si128(is_letter, _mm_set1_epi8(0x20));
    __m128i difference = _mm_andnot_si128(case_bit, _mm_xor_si128(block_load(half), canonical));
    return (uint32_t)_mm_movemask_epi8(_mm_cmpeq_epi8(difference, _mm_setzero_si128()));
}

#else

static inline uint32_t http_field_equal(const uint8_t *half, const char *name)
{
    uint32_t equal = 0;
    for (uint32_t i = 0; i < HTTP_FIELD_HALF; i++) {
        uint32_t case_bit = name[i] > '@' ? 0x20 : 0;
        equal |= (uint32_t)(((half[i] ^ (uint8_t)name[i]) & ~case_bit) == 0) << i;
    }
    return equal;
}

#endif

/* Most names are in the first half of the block. */
static inline bool http_field_matches(const uint8_t *block, size_t size,
                                      const struct http_field *field)
{
    uint32_t different = ~http_field_equal(block, field->name);
    if (size <= HTTP_FIELD_HALF)
        return (different & block_bits_before(size)) == 0;
    uint32_t behind = ~http_field_equal(block + HTTP_FIELD_HALF, field->name + HTTP_FIELD_HALF);
    return (different & block_bits_before(HTTP_FIELD_HALF)) == 0 &&
           (behind & block_bits_before(size - HTTP_FIELD_HALF)) == 0;
}

/* The field of that name, in any case; NULL when it has no number. The name has fewer than
 * BLOCK_SIZE bytes and stands at the start of a block. */
static inline const struct http_field *http_field_find(const uint8_t *block, size_t size)
{
    if (size < 2)
        return NULL;
    const struct http_field *field = &http_fields[HTTP_FIELD_SLOT(block[0], block[size - 2], size)];
    return field->size == size && http_field_matches(block, size, field) ? field : NULL;
}

#endif
