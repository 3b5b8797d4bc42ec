/* SPDX-License-Identifier: MIT */
/* The 52 header fields that have a number. */
#ifndef FRAMING_HTTP_FIELD_H
#define FRAMING_HTTP_FIELD_H

#include "framing/block.h"
#include <stdbool.h>

enum { HTTP_FIELD_SLOT_COUNT = 256 };

/* A block, to be compared with that at the start of a line. */
struct http_field {
    char name[BLOCK_SIZE - 1]; /* in canonical case, a colon behind it */
    uint8_t number;
};

/* Where a name is in the table, by three things that tell all 52 apart: the first character, the
 * last but one, and the size. The factors were found by trying; with a multiple of 8 the case of a
 * letter makes no difference. */
#define HTTP_FIELD_SLOT(first, last_but_one, size) \
    ((16 * ((first)-3 * (uint32_t)(last_but_one)) + (uint32_t)(size)) % HTTP_FIELD_SLOT_COUNT)

extern const struct http_field http_fields[HTTP_FIELD_SLOT_COUNT];

#if defined(__SSE2__) && !defined(FRAMING_SCALAR)

/* Which of 16 bytes are the canonical ones or, if letters, those in the other case. */
static inline uint32_t http_field_equal(__m128i half, const uint8_t *of_field)
{
    __m128i canonical = block_load_half(of_field);
    __m128i is_letter = _mm_cmpgt_epi8(canonical, _mm_set1_epi8('@'));
    __m128i case_bit = _mm_and_si128(is_letter, _mm_set1_epi8(0x20));
    __m128i difference = _mm_andnot_si128(case_bit, _mm_xor_si128(half, canonical));
    return (uint32_t)_mm_movemask_epi8(_mm_cmpeq_epi8(difference, _mm_setzero_si128()));
}

/* How many bytes are the field's, up to the first that is not. Most names are in the first half. */
static inline size_t http_field_match(struct block block, const struct http_field *field)
{
    const uint8_t *of_field = (const uint8_t *)field;
    size_t size = block_first(~http_field_equal(block.low, of_field));
    if (size < BLOCK_HALF)
        return size;
    return size + block_first(~http_field_equal(block.high, of_field + BLOCK_HALF));
}

#else

static inline size_t http_field_match(struct block block, const struct http_field *field)
{
    for (size_t size = 0; size < sizeof(field->name); size++) {
        uint8_t case_bit = field->name[size] > '@' ? 0x20 : 0;
        if ((block.bytes[size] ^ field->name[size]) & ~case_bit)
            return size;
    }
    return sizeof(field->name);
}

#endif

/* The field of that name, in any case; NULL when it has no number. The name, fewer than BLOCK_SIZE
 * bytes, and a colon behind it stand at the start of the block too. */
static inline const struct http_field *http_field_find(const uint8_t *name, size_t size,
                                                       struct block block)
{
    if (size < 2)
        return NULL;
    const struct http_field *field = &http_fields[HTTP_FIELD_SLOT(name[0], name[size - 2], size)];
    return http_field_match(block, field) > size ? field : NULL;
}

#endif
