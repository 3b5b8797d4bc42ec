/* SPDX-License-Identifier: MIT */
/* Walking over one line of http. */
#ifndef FRAMING_TEXT_H
#define FRAMING_TEXT_H

#include <stdbool.h>
#include <stdint.h>
#include <string.h>
#include <weir/packet.h>

/* Which characters may stand in a method or a field's name. */
extern const bool text_tokens[256];

/* What of a line is still to be read. */
struct text {
    const uint8_t *at;
    const uint8_t *end;
};

/* Most bytes are above both, so that one comparison is enough. */
static inline bool text_is_blank(uint8_t byte)
{
    return byte <= ' ' && (byte == ' ' || byte == '\t');
}

static inline bool text_is_digit(uint8_t byte)
{
    return byte >= '0' && byte <= '9';
}

static inline size_t text_left(struct text text)
{
    return (size_t)(text.end - text.at);
}

static inline bool text_next_is_blank(struct text text)
{
    return text.at < text.end && text_is_blank(*text.at);
}

static inline bool text_next_is_digit(struct text text)
{
    return text.at < text.end && text_is_digit(*text.at);
}

static inline void text_skip_blanks(struct text *text)
{
    while (text_next_is_blank(*text))
        text->at++;
}

static inline weir_slice text_slice(const uint8_t *from, const uint8_t *to)
{
    return (weir_slice){(const char *)from, (size_t)(to - from)};
}

/* All up to the first character that may not stand in a token. */
static inline weir_slice text_take_token(struct text *text)
{
    const uint8_t *from = text->at;
    while (text->at < text->end && text_tokens[*text->at])
        text->at++;
    return text_slice(from, text->at);
}

static inline weir_slice text_take_to_blank(struct text *text)
{
    const uint8_t *from = text->at;
    while (text->at < text->end && !text_is_blank(*text->at))
        text->at++;
    return text_slice(from, text->at);
}

static inline bool text_skip_word(struct text *text, const char *word, size_t size)
{
    if (text_left(*text) < size || memcmp(text->at, word, size) != 0)
        return false;
    text->at += size;
    return true;
}

/* Digits as a number, of which 32 bits are kept. No digits are 0. */
static inline uint32_t text_take_number(struct text *text)
{
    uint32_t number = 0;
    for (; text_next_is_digit(*text); text->at++)
        number = number * 10 + (*text->at - '0');
    return number;
}

#endif
