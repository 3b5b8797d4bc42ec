/* SPDX-License-Identifier: MIT */
/* The nearest of some names to a mistyped one: begin, look at each name, and `nearest` is it. */
#ifndef BASE_SUGGEST_H
#define BASE_SUGGEST_H

#include <stddef.h>

enum { SUGGEST_LENGTH_MAX = 31 };

struct suggestion {
    char typed[SUGGEST_LENGTH_MAX + 1];
    const char *nearest; /* NULL: none is near enough */
    size_t distance;     /* a nearer one has to be less far than this */
};

/* The name that was typed, which need not end with NUL. */
void suggest_begin(struct suggestion *suggestion, const char *typed, size_t length);
void suggest_look(struct suggestion *suggestion, const char *name);

/* "; did you mean 'NAME'?" or "", into `text`, which is returned. */
enum { SUGGEST_TEXT_SIZE = 64 };
const char *suggest_text(const struct suggestion *suggestion, char text[SUGGEST_TEXT_SIZE]);

#endif
