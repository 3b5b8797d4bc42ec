/* SPDX-License-Identifier: MIT */
/* CORBA's GIOP: magic, version (2), flags, type, size of the body (4). */
#include "base/bytes.h"
#include "framing/extent.h"
#include <string.h>

enum {
    HEADER_SIZE = 12,
    FLAGS_AT = 6,
    SIZE_AT = 8,
    LITTLE_ENDIAN_FLAG = 0x01,
};

static int cdr_measure(const uint8_t *bytes, size_t size, struct extent *extent)
{
    if (size < HEADER_SIZE)
        return WEIR_DECODE_MORE;
    if (memcmp(bytes, "GIOP", 4) != 0)
        return WEIR_DECODE_INVALID;
    extent->header_size = HEADER_SIZE;
    extent->body_size = bytes[FLAGS_AT] & LITTLE_ENDIAN_FLAG ? bytes_read_le32(bytes + SIZE_AT)
                                                             : bytes_read_be32(bytes + SIZE_AT);
    return WEIR_DECODE_OK;
}

EXTENT_DECODER(cdr_decode, cdr_measure)
