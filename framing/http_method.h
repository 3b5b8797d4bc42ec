/* SPDX-License-Identifier: MIT */
/* The seven methods that have a number. */
#ifndef FRAMING_HTTP_METHOD_H
#define FRAMING_HTTP_METHOD_H

#include "framing/decoder.h"
#include <string.h>

enum { HTTP_METHOD_COUNT = 7, HTTP_METHOD_WORD_SIZE = 8 };

struct http_method {
    char word[HTTP_METHOD_WORD_SIZE]; /* the name and a space */
    char mask[HTTP_METHOD_WORD_SIZE]; /* all ones where the word is */
    uint8_t size;                     /* of the name */
    enum weir_http_method method;
};

/* The common ones first: for seven words this is faster than a hash. */
extern const struct http_method http_methods[HTTP_METHOD_COUNT];

static inline uint64_t http_method_word(const void *bytes)
{
    uint64_t word;
    memcpy(&word, bytes, sizeof(word));
    return word;
}

/* The known method that the line begins with, a space behind it; or NULL. The line has as many
 * bytes as a word at least. */
static inline const struct http_method *http_method_at(const uint8_t *line)
{
    uint64_t word = http_method_word(line);
    for (size_t i = 0; i < HTTP_METHOD_COUNT; i++) {
        uint64_t difference = word ^ http_method_word(http_methods[i].word);
        if ((difference & http_method_word(http_methods[i].mask)) == 0)
            return &http_methods[i];
    }
    return NULL;
}

enum weir_http_method http_method_find(weir_slice name);

#endif
