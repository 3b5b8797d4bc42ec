/* SPDX-License-Identifier: MIT */
/* Reads the tab-separated tables of tests/vectors. Aborts when one cannot be read. */
#ifndef SUPPORT_VECTORS_H
#define SUPPORT_VECTORS_H

#include <stddef.h>

enum { VECTOR_COLUMNS_MAX = 8 };

struct vector {
    size_t line;                             /* in the file, the first being 1 */
    const char *columns[VECTOR_COLUMNS_MAX]; /* those that the line lacks are "" */
};

/* Calls `check` for each line below the column names. How many there were. */
size_t vectors_each(const char *file, void (*check)(const struct vector *vector));

#endif
