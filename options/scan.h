/* SPDX-License-Identifier: MIT */
/* The tokens of Erlang terms, as far as options are written in them. */
#ifndef OPTIONS_SCAN_H
#define OPTIONS_SCAN_H

#include <stddef.h>
#include <stdint.h>

enum token_kind {
    TOKEN_END,
    TOKEN_ATOM,
    TOKEN_INTEGER,
    TOKEN_STRING,
    TOKEN_BINARY_OPEN,  /* << */
    TOKEN_BINARY_CLOSE, /* >> */
    TOKEN_MARK,         /* one of {}[],-+:/. */
};

struct token {
    enum token_kind kind;
    size_t position; /* of its first byte, from 0 */
    char mark;
    int64_t number;
    const char *bytes; /* atom, string: without quotes, escapes resolved; NUL behind them */
    size_t length;
};

struct scanner {
    const char *text;
    size_t position;
    char *place; /* where the next token's bytes go */
    struct token token;
};

/* Moves on to the next token. 0, or -EINVAL with position and reason in the error text. */
int scan(struct scanner *scanner);

/* Says "character N: ...", counted from 1 in characters of UTF-8, and returns -EINVAL.
 * `position` is that of a byte, from 0. */
int scan_error(const struct scanner *scanner, size_t position, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

#endif
