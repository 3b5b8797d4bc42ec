/* SPDX-License-Identifier: MIT */
#include "framing/decoder.h"

ptrdiff_t raw_decode(struct framing_span input, const weir_decode_options *limits,
                     struct framer *framer, weir_decoded *decoded, weir_http *http)
{
    (void)limits;
    (void)framer;
    (void)http;
    return input.size ? decoded_whole(decoded, input.bytes, input.size) : decoded_more(decoded, 0);
}
