/* SPDX-License-Identifier: MIT */
/* The nearest of some names to a mistyped one. */
#ifndef TOOLS_SUGGEST_H
#define TOOLS_SUGGEST_H

#include <stddef.h>

/* How many letters must be put in, taken out or changed to make one of the other. */
size_t suggest_distance(const char *a, const char *b);

#endif
