/* SPDX-License-Identifier: MIT */
/* What callers give to be sent. */
#ifndef RUNTIME_GIVEN_H
#define RUNTIME_GIVEN_H

#include <stddef.h>

/* 0, or -EINVAL for bytes that are NULL, or more than memory has: a number below 0, most likely. */
int given_check(const void *bytes, size_t size);

#endif
