/* SPDX-License-Identifier: MIT */
/* Sun's record marking: one bit "last fragment", not looked at, and 31 bits of length. */
#include "base/bytes.h"
#include "framing/extent.h"

enum { HEADER_SIZE = 4, LENGTH_BITS = 0x7fffffff };

static int sunrm_measure(const uint8_t *bytes, size_t size, struct extent *extent)
{
    if (size < HEADER_SIZE)
        return WEIR_DECODE_MORE;
    extent->header_size = HEADER_SIZE;
    extent->body_size = bytes_read_be32(bytes) & LENGTH_BITS;
    return WEIR_DECODE_OK;
}

EXTENT_DECODER(sunrm_decode, sunrm_measure)
