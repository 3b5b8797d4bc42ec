/* SPDX-License-Identifier: MIT */
/* All decoders, and the answers they give. */
#ifndef FRAMING_DECODER_H
#define FRAMING_DECODER_H

#include "framing/framing.h"

framing_decode_fn raw_decode;
framing_decode_fn length_1_decode;
framing_decode_fn length_2_decode;
framing_decode_fn length_4_decode;
framing_decode_fn asn1_decode;
framing_decode_fn cdr_decode;
framing_decode_fn fcgi_decode;
framing_decode_fn sunrm_decode;
framing_decode_fn tpkt_decode;
framing_decode_fn line_decode;
framing_decode_fn http_decode;
framing_decode_fn httph_decode;

static inline ptrdiff_t decoded_more(weir_decoded *decoded, size_t needed)
{
    decoded->needed = needed;
    return FRAMING_MORE;
}

/* All that is taken is the packet. */
static inline ptrdiff_t decoded_whole(weir_decoded *decoded, const uint8_t *bytes, size_t size)
{
    decoded->bytes = bytes;
    decoded->size = size;
    return (ptrdiff_t)size;
}

#endif
