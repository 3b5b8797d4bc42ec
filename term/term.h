/* SPDX-License-Identifier: MIT */
/* Erlang terms as a tree, as far as files of them are read. */
#ifndef TERM_TERM_H
#define TERM_TERM_H

#include "term/scan.h"

enum term_kind {
    TERM_ATOM,
    TERM_INTEGER,
    TERM_STRING, /* as in Erlang, a list of bytes is one, and "" is [] */
    TERM_LIST,
    TERM_TUPLE,
    TERM_OTHER, /* a float, a binary, a map, an improper list: well written and of no use */
};

struct term {
    enum term_kind kind;
    size_t position;   /* of its first byte in the text */
    int64_t number;    /* of an integer */
    const char *bytes; /* of an atom or a string, NUL behind them */
    size_t length;
    struct term *first; /* of a list or tuple */
    struct term *next;  /* beside this one */
    size_t count;       /* of elements */
};

/* Terms that were read from one text, which has to stay. */
struct terms {
    struct scanner scanner;
    struct term *first; /* the terms that stand one behind the other, each with a full stop */
    char *bytes;
    struct term_block *blocks;
};

enum { TERM_DEPTH_MAX = 64 };

/*
 * Reads the whole of a text. 0; -EINVAL with line, column and reason in the error text; -ENOMEM.
 * To be freed in any case.
 */
int terms_read(struct terms *terms, const char *text);
void terms_free(struct terms *terms);

bool term_is_atom(const struct term *term, const char *name);

/* A list that may be empty: [] is a string as well. */
bool term_is_list(const struct term *term);

#endif
