/* SPDX-License-Identifier: MIT */
/*
 * The framing engine: bytes in, packets out. Pure: no input or output, no allocation, no clock.
 */
#ifndef FRAMING_FRAMING_H
#define FRAMING_FRAMING_H

#include "base/check.h"
#include <weir/packet.h>

/* What a stream must remember between two looks at its unconsumed bytes. All zero at the start. */
struct framer {
    uint32_t scanned;    /* bytes of the packet known to hold no line end, or end of an ASN.1 tag */
    uint8_t http_header; /* http types: the next line is a header, not a start line */
};

/* By value, so that it travels in two registers. */
struct framing_span {
    const uint8_t *bytes;
    size_t size;
};

enum { FRAMING_MORE = 0, FRAMING_INVALID = -1 };

/*
 * Gives how many bytes the packet takes, its bytes and size set; or one of the two above, before
 * MORE with `needed` set. The arguments fit into registers, and so does the answer: the next packet
 * cannot be looked at before it is known where that begins, and memory would tell later. Measured,
 * a third of the time of a packet of 16 bytes.
 */
typedef ptrdiff_t framing_decode_fn(struct framing_span input, const weir_decode_options *limits,
                                    struct framer *framer, weir_decoded *decoded, weir_http *http);

extern framing_decode_fn *const framing_decoders[WEIR_PACKET_TYPE_COUNT];

/*
 * The first packet of the stream's unconsumed bytes, as weir_decode_packet gives it. Call it again
 * with the same bytes and more of them after MORE, with what follows `consumed` after OK. Only the
 * http types touch `http`, which may be NULL for all others.
 *
 * Inline, as it has one argument more than there are registers: measured, an eighth of the
 * instructions of a short http request.
 */
static inline int framer_next(struct framer *framer, enum weir_packet_type type,
                              const weir_decode_options *limits, const uint8_t *bytes, size_t size,
                              weir_decoded *decoded, weir_http *http)
{
    CHECK((unsigned)type < WEIR_PACKET_TYPE_COUNT);
    ptrdiff_t taken =
        framing_decoders[type]((struct framing_span){bytes, size}, limits, framer, decoded, http);
    if (taken <= 0)
        return taken == FRAMING_MORE ? WEIR_DECODE_MORE : WEIR_DECODE_INVALID;
    decoded->consumed = (size_t)taken;
    return WEIR_DECODE_OK;
}

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
