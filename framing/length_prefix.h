/* SPDX-License-Identifier: MIT */
/* Types 1, 2 and 4: a big-endian length, stripped before delivery. */
#ifndef FRAMING_LENGTH_PREFIX_H
#define FRAMING_LENGTH_PREFIX_H

#include "base/bytes.h"
#include "framing/extent.h"

/* The size of the type's header, which is also the type's number; 0 for all other types. */
static inline uint32_t length_prefix_size(enum weir_packet_type type)
{
    const uint32_t prefixed = 1u << WEIR_1 | 1u << WEIR_2 | 1u << WEIR_4;
    return prefixed >> type & 1 ? (uint32_t)type : 0;
}

static inline uint32_t length_prefix_read(const uint8_t *bytes, size_t size, uint32_t prefix_size)
{
    /* One load serves all three sizes; only the last bytes of a buffer are read one by one. */
    if (size >= 4)
        return bytes_read_be32(bytes) >> (32 - 8 * prefix_size);
    uint32_t length = 0;
    for (uint32_t i = 0; i < prefix_size; i++)
        length = length << 8 | bytes[i];
    return length;
}

static inline int length_prefix_decode(const uint8_t *bytes, size_t size, uint32_t prefix_size,
                                       uint32_t packet_size, weir_decoded *decoded)
{
    if (size < prefix_size)
        return decoded_more(decoded, 0);
    uint32_t length = length_prefix_read(bytes, size, prefix_size);
    struct extent extent = {.header_size = prefix_size, .body_size = length};
    if (!extent_is_allowed(&extent, packet_size))
        return WEIR_DECODE_INVALID;

    size_t total = (size_t)prefix_size + length;
    if (size < total)
        return decoded_more(decoded, total);
    decoded->bytes = bytes + prefix_size;
    decoded->size = length;
    decoded->consumed = total;
    return WEIR_DECODE_OK;
}

#endif
