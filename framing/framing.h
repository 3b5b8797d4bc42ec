/* SPDX-License-Identifier: MIT */
/*
 * The framing engine: bytes in, packets out. Pure: no input or output, no allocation, no clock.
 */
#ifndef FRAMING_FRAMING_H
#define FRAMING_FRAMING_H

#include <weir/packet.h>

/* What a stream must remember between two looks at its unconsumed bytes. All zero at the start. */
struct framer {
    uint32_t scanned;    /* bytes of the packet known to hold no line end, or end of an ASN.1 tag */
    uint8_t http_header; /* http types: the next line is a header, not a start line */
};

/*
 * The first packet of the stream's unconsumed bytes, as weir_decode_packet gives it. Call it again
 * with the same bytes and more of them after MORE, with what follows `consumed` after OK. Only the
 * http types touch `http`, which may be NULL for all others.
 */
int framer_next(struct framer *framer, enum weir_packet_type type,
                const weir_decode_options *limits, const uint8_t *bytes, size_t size,
                weir_decoded *decoded, weir_http *http);

/* The type of the stream's packets, or the delimiter of its lines, has changed: its unconsumed
 * bytes are looked at afresh. The http state belongs to the socket and stays. */
static inline void framer_forget(struct framer *framer)
{
    framer->scanned = 0;
}

enum { FRAMING_HEADER_MAX = 4 };

/* Writes the header that sending puts before a body; returns its size (0 for most types), or
 * -EMSGSIZE when the body does not fit. */
int framing_encode_header(enum weir_packet_type type, uint64_t body_size,
                          uint8_t header[FRAMING_HEADER_MAX]);

static inline bool framing_is_http(enum weir_packet_type type)
{
    return type >= WEIR_HTTP && type <= WEIR_HTTPH_BIN;
}

/* `http` was decoded from bytes at `from`; afterwards its slices point to a copy at `to`. */
void framing_rebase_http(weir_http *http, const uint8_t *from, const uint8_t *to, size_t size);

#endif
