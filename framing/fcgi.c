/* SPDX-License-Identifier: MIT */
/* Fast CGI: version, type, request id (2), content length (2), padding length, reserved. */
#include "base/bytes.h"
#include "framing/extent.h"

enum {
    HEADER_SIZE = 8,
    VERSION = 1,
    CONTENT_LENGTH_AT = 4,
    PADDING_LENGTH_AT = 6,
};

static int fcgi_measure(const uint8_t *bytes, size_t size, struct extent *extent)
{
    if (size < HEADER_SIZE)
        return WEIR_DECODE_MORE;
    if (bytes[0] != VERSION)
        return WEIR_DECODE_INVALID;
    extent->header_size = HEADER_SIZE;
    extent->padding_size = bytes[PADDING_LENGTH_AT];
    extent->body_size = bytes_read_be16(bytes + CONTENT_LENGTH_AT) + extent->padding_size;
    return WEIR_DECODE_OK;
}

EXTENT_DECODER(fcgi_decode, fcgi_measure)
