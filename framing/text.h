/* SPDX-License-Identifier: MIT */
/* Walking over one line of http. */
#ifndef FRAMING_TEXT_H
#define FRAMING_TEXT_H

#include <stdbool.h>
#include <stdint.h>
#include <string.h>
#include <weir/packet.h>

enum text_class {
    TEXT_TOKEN = 1, /* may stand in a method or a field's name */
    TEXT_DIGIT = 2,
    TEXT_BLANK = 4, /* space, tab */
};

extern const uint8_t text_classes[256];

/* What of a line is still to be read. */
struct text {
    const uint8_t *at;
    const uint8_t *end;
};

static inline bool text_is(uint8_t byte, enum text_class class)
{
    return text_classes[byte] & class;
}

static inline size_t text_left(const struct text *text)
{
    return (size_t)(text->end - text->at);
}

static inline bool text_next_is(const struct text *text, enum text_class class)
{
    return text->at < text->end && text_is(*text->at, class);
}

static inline void text_skip(struct text *text, enum text_class class)
{
    while (text_next_is(text, class))
        text->at++;
}

static inline weir_slice text_slice(const uint8_t *from, const uint8_t *to)
{
    return (weir_slice){(const char *)from, (size_t)(to - from)};
}

static inline bool text_skip_word(struct text *text, const char *word, size_t size)
{
    if (text_left(text) < size || memcmp(text->at, word, size) != 0)
        return false;
    text->at += size;
    return true;
}

/* Digits as a number, of which 32 bits are kept. No digits are 0. */
static inline uint32_t text_number(struct text *text)
{
    uint32_t number = 0;
    for (; text_next_is(text, TEXT_DIGIT); text->at++)
        number = number * 10 + (*text->at - '0');
    return number;
}

#endif
