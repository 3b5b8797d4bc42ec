/* SPDX-License-Identifier: MIT */
/* Looking for the end of a line, each byte once however the stream was cut. */
#ifndef FRAMING_SCAN_H
#define FRAMING_SCAN_H

#include "framing/input.h"
#include <string.h>

#define SCAN_NOT_FOUND SIZE_MAX

static inline void framer_remember(struct framer *framer, size_t clean)
{
    framer->scanned = clean < UINT32_MAX ? (uint32_t)clean : UINT32_MAX;
}

/* The first `byte` that lies at or after what has been looked at, and before `limit`. */
static inline size_t scan_find(const struct input *input, size_t limit, uint8_t byte)
{
    size_t from = input->framer->scanned;
    if (from >= limit)
        return SCAN_NOT_FOUND;
    const uint8_t *found = memchr(input->bytes + from, byte, limit - from);
    return found ? (size_t)(found - input->bytes) : SCAN_NOT_FOUND;
}

#endif
