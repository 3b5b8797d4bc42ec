/* SPDX-License-Identifier: MIT */
/* Packets whose header tells where they end: each type measures, this cuts. */
#ifndef FRAMING_EXTENT_H
#define FRAMING_EXTENT_H

#include "framing/decoder.h"

/* No packet with its header is larger: the lengths of the document are signed 32-bit integers. */
enum { EXTENT_MAX = INT32_MAX };

struct extent {
    uint32_t header_size;
    uint32_t body_size;
    uint32_t stripped_size; /* the start that is consumed but not delivered */
    uint32_t padding_size;  /* the end of the body that is consumed but not delivered */
};

/* Reads a header: OK, MORE when it is not all there, INVALID. */
typedef int measure_fn(const uint8_t *bytes, size_t size, struct extent *extent);

static inline bool extent_is_allowed(const struct extent *extent, uint32_t packet_size)
{
    return (uint64_t)extent->header_size + extent->body_size <= EXTENT_MAX &&
           (packet_size == 0 || extent->body_size <= packet_size);
}

/* The packet that was measured with this result. */
static inline ptrdiff_t extent_cut(int result, const struct extent *extent,
                                   struct framing_span input, uint32_t packet_size,
                                   weir_decoded *decoded)
{
    if (result == WEIR_DECODE_MORE)
        return decoded_more(decoded, 0);
    if (result == WEIR_DECODE_INVALID || !extent_is_allowed(extent, packet_size))
        return FRAMING_INVALID;

    size_t total = (size_t)extent->header_size + extent->body_size;
    if (input.size < total)
        return decoded_more(decoded, total);
    decoded->bytes = input.bytes + extent->stripped_size;
    decoded->size = total - extent->stripped_size - extent->padding_size;
    return (ptrdiff_t)total;
}

/* Always inlined, so that `measure` is no call through a pointer. */
static inline __attribute__((always_inline)) ptrdiff_t extent_decode(measure_fn *measure,
                                                                     struct framing_span input,
                                                                     uint32_t packet_size,
                                                                     weir_decoded *decoded)
{
    struct extent extent = {0};
    int result = measure(input.bytes, input.size, &extent);
    return extent_cut(result, &extent, input, packet_size, decoded);
}

/* Defines the decoder of a type that is measured and has nothing to remember. */
#define EXTENT_DECODER(name, measure)                                             \
    ptrdiff_t name(struct framing_span input, const weir_decode_options *limits,  \
                   struct framer *framer, weir_decoded *decoded, weir_http *http) \
    {                                                                             \
        (void)framer;                                                             \
        (void)http;                                                               \
        return extent_decode(measure, input, limits->packet_size, decoded);       \
    }

#endif
