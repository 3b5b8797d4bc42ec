/* SPDX-License-Identifier: MIT */
/* Lines up to and with the delimiter; longer ones are cut at line_length, refused at packet_size.
 */
#include "framing/scan.h"

/* The rest of the line is a line too, of which `clean` less what is cut has been looked at. */
static ptrdiff_t cut(struct framing_span input, size_t length, size_t clean, struct framer *framer,
                     weir_decoded *decoded)
{
    framer_remember(framer, clean - length);
    return decoded_whole(decoded, input.bytes, length);
}

static ptrdiff_t without_delimiter(struct framing_span input, const weir_decode_options *limits,
                                   struct framer *framer, weir_decoded *decoded)
{
    size_t length = limits->line_length;
    size_t clean = scan_part(input, limits->packet_size ? limits->packet_size : length).size;
    if (limits->packet_size && input.size > limits->packet_size)
        return FRAMING_INVALID;
    if (length && input.size >= length)
        return cut(input, length, clean, framer, decoded);
    framer_remember(framer, clean);
    return decoded_more(decoded, 0);
}

/* `end` is where the delimiter stands. */
static inline ptrdiff_t with_delimiter(struct framing_span input, size_t end, uint32_t line_length,
                                       struct framer *framer, weir_decoded *decoded)
{
    if (scan_is_beyond(end, line_length))
        return cut(input, line_length, end, framer, decoded);
    framer_forget(framer);
    return decoded_whole(decoded, input.bytes, end + 1);
}

ptrdiff_t line_decode(struct framing_span input, const weir_decode_options *limits,
                      struct framer *framer, weir_decoded *decoded, weir_http *http)
{
    (void)http;
    /* Where it is decided whether a line is too long: nothing behind needs a look. */
    size_t limit = limits->packet_size ? limits->packet_size : limits->line_length;
    size_t end = scan_far(scan_part(input, limit), framer, limits->line_delimiter);
    if (end == SCAN_NOT_FOUND)
        return without_delimiter(input, limits, framer, decoded);
    return with_delimiter(input, end, limits->line_length, framer, decoded);
}
