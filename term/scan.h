/* SPDX-License-Identifier: MIT */
/* The tokens of Erlang terms, as far as options and the inet configuration are written in them. */
#ifndef TERM_SCAN_H
#define TERM_SCAN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum token_kind {
    TOKEN_END,
    TOKEN_ATOM,
    TOKEN_INTEGER,
    TOKEN_STRING,
    TOKEN_BINARY_OPEN,  /* << */
    TOKEN_BINARY_CLOSE, /* >> */
    TOKEN_MARK,         /* one of {}[],-+:/. and, in a file, |# */
    TOKEN_FLOAT,        /* in a file; its value is nobody's business */
    TOKEN_ARROW,        /* in a file: => */
    TOKEN_STOP,         /* in a file: the full stop that ends a term */
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
    char *place;  /* where the next token's bytes go; no text means more than itself and a NUL */
    bool is_file; /* of terms that end in full stops; errors say line and column */
    struct token token;
};

/* Moves on to the next token. 0, or -EINVAL with position and reason in the error text. */
int scan(struct scanner *scanner);

/* Says "character N: ...", in a file "line N, column N: ...", counted from 1 in characters of
 * UTF-8, and returns -EINVAL. `position` is that of a byte, from 0. */
int scan_error(const struct scanner *scanner, size_t position, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* Says that `expected` has to follow, and what stands there instead. -EINVAL. */
int scan_unexpected(const struct scanner *scanner, const char *expected);

#endif
