/* SPDX-License-Identifier: MIT */
/* A stretch of text that is being parsed: from `at` up to `end`. */
#ifndef ADDRESS_SPAN_H
#define ADDRESS_SPAN_H

#include <stdbool.h>
#include <string.h>

struct span {
    const char *at;
    const char *end;
};

static inline struct span span_of(const char *text)
{
    return (struct span){text, text + strlen(text)};
}

static inline bool span_is_empty(const struct span *span)
{
    return span->at == span->end;
}

/* The next character; 0 at the end. */
static inline char span_peek(const struct span *span)
{
    return span_is_empty(span) ? '\0' : *span->at;
}

/* Steps over `c` if it is next. */
static inline bool span_skip(struct span *span, char c)
{
    if (span_is_empty(span) || *span->at != c)
        return false;
    span->at++;
    return true;
}

#endif
