/* SPDX-License-Identifier: MIT */
#include "framing/length_prefix.h"
#include "base/check.h"
#include <errno.h>

/* What the receiving side would take: a 4-byte length is limited by EXTENT_MAX. */
static uint64_t body_size_max(uint32_t prefix_size)
{
    return prefix_size == 4 ? EXTENT_MAX - 4u : (1u << 8 * prefix_size) - 1;
}

int framing_encode_header(enum weir_packet_type type, uint64_t body_size,
                          uint8_t header[FRAMING_HEADER_MAX])
{
    CHECK((unsigned)type < WEIR_PACKET_TYPE_COUNT);
    uint32_t prefix_size = length_prefix_size(type);
    if (prefix_size == 0)
        return 0;
    if (body_size > body_size_max(prefix_size))
        return -EMSGSIZE;
    for (uint32_t i = 0; i < prefix_size; i++)
        header[i] = (uint8_t)(body_size >> 8 * (prefix_size - 1 - i));
    return (int)prefix_size;
}
