/* SPDX-License-Identifier: MIT */
/*
 * The next packet of a connection's bytes, by its options. Pure, so that a thread may cut packets
 * for itself. Inline, as it is done for every packet.
 */
#ifndef RUNTIME_STREAM_PACKET_CUTTER_H
#define RUNTIME_STREAM_PACKET_CUTTER_H

#include "framing/framing.h"
#include "options/options.h"

struct packet_cutter {
    const struct option_values *values;
    struct framer *framer;
    size_t length; /* raw bytes that a recv asks for; 0: what there is */
};

static inline int packet_cutter_raw(const struct packet_cutter *cutter, const uint8_t *bytes,
                                    size_t size, weir_decoded *decoded)
{
    size_t length = cutter->length;
    size_t most = cutter->values->buffer;
    if (size < length) {
        *decoded = (weir_decoded){.needed = length};
        return WEIR_DECODE_MORE;
    }
    if (length == 0)
        length = size < most ? size : most;
    *decoded = (weir_decoded){.bytes = bytes, .size = length, .consumed = length};
    return WEIR_DECODE_OK;
}

/* A header that fills the socket's buffer and still does not say how long its packet is, is too
 * long. Lines have limits of their own. */
static inline bool packet_cutter_header_is_too_long(const struct option_values *values, size_t size)
{
    return values->packet < WEIR_LINE && size >= values->limits.line_length;
}

/* The longest header of a size of its own, cdr's. */
enum { PACKET_CUTTER_HEADER_MAX = 12 };

/* The same when the header has come at once, with what follows it: how bytes come never matters. */
static inline bool packet_cutter_header_is_cut(const struct option_values *values,
                                               const uint8_t *bytes, size_t size)
{
    size_t limit = values->limits.line_length;
    weir_decoded decoded;
    if (limit >= PACKET_CUTTER_HEADER_MAX || size <= limit || values->packet >= WEIR_LINE)
        return false;
    int result = weir_decode_packet((enum weir_packet_type)values->packet, bytes, limit,
                                    &values->limits, &decoded, NULL);
    return result == WEIR_DECODE_MORE && decoded.needed == 0;
}

static inline int packet_cutter_next(const struct packet_cutter *cutter, const uint8_t *bytes,
                                     size_t size, weir_decoded *decoded, weir_http *http)
{
    const struct option_values *values = cutter->values;
    if (values->packet == WEIR_RAW)
        return packet_cutter_raw(cutter, bytes, size, decoded);
    if (packet_cutter_header_is_cut(values, bytes, size))
        return WEIR_DECODE_INVALID;
    int result = framer_next(cutter->framer, (enum weir_packet_type)values->packet, &values->limits,
                             bytes, size, decoded, http);
    if (result == WEIR_DECODE_MORE && decoded->needed == 0 &&
        packet_cutter_header_is_too_long(values, size))
        return WEIR_DECODE_INVALID;
    return result;
}

#endif
