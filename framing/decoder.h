/* SPDX-License-Identifier: MIT */
/* What a decoder is given, and the form that all decoders have. */
#ifndef FRAMING_DECODER_H
#define FRAMING_DECODER_H

#include "framing/framing.h"

/* By value, so that it travels in two registers. */
struct span {
    const uint8_t *bytes;
    size_t size;
};

/* Sets bytes, size and consumed before OK, needed before MORE. The arguments
 * fit into registers, so that framer_next only has to jump. */
typedef int decode_fn(struct span input, const weir_decode_options *limits, struct framer *framer,
                      weir_decoded *decoded, weir_http *http);

decode_fn raw_decode;
decode_fn length_1_decode;
decode_fn length_2_decode;
decode_fn length_4_decode;
decode_fn asn1_decode;
decode_fn cdr_decode;
decode_fn fcgi_decode;
decode_fn sunrm_decode;
decode_fn tpkt_decode;
decode_fn line_decode;
decode_fn http_decode;
decode_fn httph_decode;

static inline int decoded_more(weir_decoded *decoded, size_t needed)
{
    decoded->needed = needed;
    return WEIR_DECODE_MORE;
}

static inline int decoded_whole(weir_decoded *decoded, const uint8_t *bytes, size_t size)
{
    decoded->bytes = bytes;
    decoded->size = size;
    decoded->consumed = size;
    return WEIR_DECODE_OK;
}

#endif
