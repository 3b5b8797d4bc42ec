/* SPDX-License-Identifier: MIT */
/* http: a start line, header lines, an empty line, and over again. httph: header lines only. */
#include "framing/http.h"

ptrdiff_t http_decode(struct framing_span input, const weir_decode_options *limits,
                      struct framer *framer, weir_decoded *decoded, weir_http *http)
{
    if (framer->http_header)
        return http_decode_header(input, limits, framer, decoded, http);
    return http_decode_start_line(input, limits, framer, decoded, http);
}

ptrdiff_t httph_decode(struct framing_span input, const weir_decode_options *limits,
                       struct framer *framer, weir_decoded *decoded, weir_http *http)
{
    /* No bytes yet may mean that there will be some of another type. */
    if (input.size == 0)
        return decoded_more(decoded, 0);
    framer->http_header = true;
    return http_decode_header(input, limits, framer, decoded, http);
}
