/* SPDX-License-Identifier: MIT */
/* Looking for the end of a line, each byte once however the stream was cut. */
#ifndef FRAMING_SCAN_H
#define FRAMING_SCAN_H

#include "framing/block.h"
#include "framing/decoder.h"
#include <string.h>

#define SCAN_NOT_FOUND SIZE_MAX

/* Kept out of the functions that run for every line, which then need no registers saved. */
#define SCAN_FAR __attribute__((noinline))

enum { SCAN_NEAR_BLOCKS = 4 };

static inline void framer_remember(struct framer *framer, size_t clean)
{
    framer->scanned = clean < UINT32_MAX ? (uint32_t)clean : UINT32_MAX;
}

/* Is there a limit, and does the byte at `index` lie beyond it? */
static inline bool scan_is_beyond(size_t index, size_t limit)
{
    return index > limit - 1; /* no limit, 0, becomes SIZE_MAX */
}

/* What has to be looked at: nothing behind the limit, if there is one. */
static inline struct framing_span scan_part(struct framing_span input, size_t limit)
{
    if (scan_is_beyond(input.size, limit))
        input.size = limit;
    return input;
}

/* The first `byte` in the next blocks, where most lines end: looking there costs less than the
 * call of memchr, which is faster from there on. */
static inline size_t scan_near(struct framing_span part, size_t from, uint8_t byte)
{
    for (int i = 1; i < SCAN_NEAR_BLOCKS && from + BLOCK_SIZE <= part.size; i++) {
        uint32_t found = block_equal(block_load(part.bytes + from), byte);
        if (found)
            return from + block_first(found);
        from += BLOCK_SIZE;
    }
    return SCAN_NOT_FOUND;
}

/* The first `byte` behind what scan_near has looked at. */
static inline size_t scan_far(struct framing_span part, const struct framer *framer, uint8_t byte)
{
    size_t from = framer->scanned;
    if (from >= part.size)
        return SCAN_NOT_FOUND;
    const uint8_t *found = memchr(part.bytes + from, byte, part.size - from);
    return found ? (size_t)(found - part.bytes) : SCAN_NOT_FOUND;
}

#endif
