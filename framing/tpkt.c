/* SPDX-License-Identifier: MIT */
/* TPKT (RFC 1006): version, reserved, length with the header (2). */
#include "base/bytes.h"
#include "framing/extent.h"

enum { HEADER_SIZE = 4, VERSION = 3, LENGTH_AT = 2 };

static int tpkt_measure(const uint8_t *bytes, size_t size, struct extent *extent)
{
    if (size < HEADER_SIZE)
        return WEIR_DECODE_MORE;
    uint32_t length = bytes_read_be16(bytes + LENGTH_AT);
    if (bytes[0] != VERSION || length < HEADER_SIZE)
        return WEIR_DECODE_INVALID;
    extent->header_size = HEADER_SIZE;
    extent->body_size = length - HEADER_SIZE;
    return WEIR_DECODE_OK;
}

EXTENT_DECODER(tpkt_decode, tpkt_measure)
