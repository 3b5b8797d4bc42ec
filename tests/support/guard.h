/* SPDX-License-Identifier: MIT */
/* Bytes that lie right before a page that nobody may touch. */
#ifndef SUPPORT_GUARD_H
#define SUPPORT_GUARD_H

#include <stddef.h>
#include <stdint.h>

enum { GUARD_SIZE = 1 << 21 };

/* A copy of the bytes, valid until the next one: reading behind it ends the program. */
const uint8_t *guard_copy(const void *bytes, size_t size);

#endif
