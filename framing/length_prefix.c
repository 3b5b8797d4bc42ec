/* SPDX-License-Identifier: MIT */
/* Types 1, 2 and 4: a big-endian length, stripped before delivery. */
#include "base/bytes.h"
#include "base/check.h"
#include "framing/extent.h"
#include <errno.h>

/* The size of a type's header, where sending writes one. */
static const uint8_t prefix_sizes[WEIR_PACKET_TYPE_COUNT] = {
    [WEIR_1] = 1, [WEIR_2] = 2, [WEIR_4] = 4};

/* What the receiving side takes: a 4-byte length is limited by EXTENT_MAX. */
static const uint32_t body_size_max[] = {[1] = UINT8_MAX, [2] = UINT16_MAX, [4] = EXTENT_MAX - 4};

static int set_extent(uint32_t prefix_size, uint32_t length, struct extent *extent)
{
    extent->header_size = prefix_size;
    extent->stripped_size = prefix_size;
    extent->body_size = length;
    return WEIR_DECODE_OK;
}

static int length_1_measure(const uint8_t *bytes, size_t size, struct extent *extent)
{
    return size < 1 ? WEIR_DECODE_MORE : set_extent(1, bytes[0], extent);
}

static int length_2_measure(const uint8_t *bytes, size_t size, struct extent *extent)
{
    return size < 2 ? WEIR_DECODE_MORE : set_extent(2, bytes_read_be16(bytes), extent);
}

static int length_4_measure(const uint8_t *bytes, size_t size, struct extent *extent)
{
    return size < 4 ? WEIR_DECODE_MORE : set_extent(4, bytes_read_be32(bytes), extent);
}

EXTENT_DECODER(length_1_decode, length_1_measure)
EXTENT_DECODER(length_2_decode, length_2_measure)
EXTENT_DECODER(length_4_decode, length_4_measure)

int framing_encode_header(enum weir_packet_type type, uint64_t body_size,
                          uint8_t header[FRAMING_HEADER_MAX])
{
    CHECK((unsigned)type < WEIR_PACKET_TYPE_COUNT);
    uint32_t prefix_size = prefix_sizes[type];
    if (prefix_size == 0)
        return 0;
    if (body_size > body_size_max[prefix_size])
        return -EMSGSIZE;
    /* Its bytes first, zeros behind them. */
    bytes_write_be32(header, (uint32_t)body_size << 8 * (FRAMING_HEADER_MAX - prefix_size));
    return (int)prefix_size;
}
