/* SPDX-License-Identifier: MIT */
/* The words that values of a type may be: true, once, infinity, line, ... */
#ifndef OPTIONS_WORD_H
#define OPTIONS_WORD_H

#include "options/row.h"

/* Whether a number has a word. */
bool word_exists(enum option_type type, int64_t number);

/* The word of a number, or NULL. Where two words mean one number, the one that reading gives. */
const char *word_of(enum option_type type, int64_t number);

/* Whether `name`, of `length` bytes, is a word of this type, and what it stands for. */
bool word_number(enum option_type type, const char *name, size_t length, int64_t *number);

/* All words of a type, for people: "false, true, once". Empty when it has none. */
enum { WORD_LIST_SIZE = 128 };
const char *word_list(enum option_type type, char text[WORD_LIST_SIZE]);

#endif
