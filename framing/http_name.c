/* SPDX-License-Identifier: MIT */
#include "framing/http_name.h"
#include "framing/text.h"

static char to_upper(char c)
{
    return c >= 'a' && c <= 'z' ? (char)(c - 'a' + 'A') : c;
}

static char to_lower(char c)
{
    return c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
}

void http_name_write(const uint8_t *name, size_t size, char *text)
{
    bool upper = true;
    for (size_t i = 0; i < size; i++) {
        text[i] = upper ? to_upper((char)name[i]) : to_lower((char)name[i]);
        upper = !upper && text[i] == '-';
    }
}

#if defined(__SSE2__) && !defined(FRAMING_SCALAR)

static inline __m128i is_between(__m128i bytes, char first, char last)
{
    return _mm_and_si128(_mm_cmpgt_epi8(bytes, _mm_set1_epi8((char)(first - 1))),
                         _mm_cmplt_epi8(bytes, _mm_set1_epi8((char)(last + 1))));
}

static inline __m128i is_equal(__m128i bytes, char byte)
{
    return _mm_cmpeq_epi8(bytes, _mm_set1_epi8(byte));
}

/* What text_tokens leaves out. As signed bytes, those from 128 are below '!' as well. */
static inline __m128i is_special(__m128i bytes)
{
    __m128i low = _mm_or_si128(_mm_cmplt_epi8(bytes, _mm_set1_epi8('!')), is_equal(bytes, '"'));
    __m128i comma = _mm_or_si128(is_between(bytes, '(', ')'), is_equal(bytes, ','));
    __m128i colon = _mm_or_si128(is_equal(bytes, '/'), is_between(bytes, ':', '@'));
    __m128i brace = _mm_or_si128(is_equal(bytes, '{'), is_equal(bytes, '}'));
    __m128i high = _mm_or_si128(is_between(bytes, '[', ']'), brace);
    return _mm_or_si128(_mm_or_si128(low, comma), _mm_or_si128(colon, high));
}

/* Letters to lower case, those behind a '-' in `before` to upper case. */
static inline __m128i canonical(__m128i bytes, __m128i before)
{
    const __m128i case_bit = _mm_set1_epi8(0x20);
    __m128i lower = _mm_or_si128(bytes, case_bit);
    __m128i is_letter = is_between(lower, 'a', 'z');
    __m128i to_clear = _mm_and_si128(is_equal(before, '-'), case_bit);
    __m128i letter = _mm_andnot_si128(to_clear, lower);
    return _mm_or_si128(_mm_and_si128(is_letter, letter), _mm_andnot_si128(is_letter, bytes));
}

/* Those that are due for upper case, as the first character is and one after a '-'. */
static inline uint32_t odd_dashes(uint32_t dashes)
{
    return dashes & (dashes << 1 | 1);
}

bool http_name_write_block(struct block block, size_t size, char *text)
{
    uint32_t special = block_bits(is_special(block.low), is_special(block.high));
    uint32_t dashes = block_equal(block, '-');
    if ((special | odd_dashes(dashes)) & block_bits_before(size))
        return false;
    __m128i before_low = _mm_or_si128(_mm_slli_si128(block.low, 1), _mm_cvtsi32_si128('-'));
    __m128i before_high =
        _mm_or_si128(_mm_slli_si128(block.high, 1), _mm_srli_si128(block.low, 15));
    _mm_storeu_si128((__m128i *)text, canonical(block.low, before_low));
    _mm_storeu_si128((__m128i *)(text + BLOCK_HALF), canonical(block.high, before_high));
    return true;
}

#else

bool http_name_write_block(struct block block, size_t size, char *text)
{
    (void)block;
    (void)size;
    (void)text;
    return false;
}

#endif
