/* SPDX-License-Identifier: MIT */
#include "framing/http_line.h"

static ptrdiff_t without_end(struct framing_span input, size_t limit, struct framer *framer,
                             weir_decoded *decoded)
{
    if (limit && input.size >= limit)
        return FRAMING_INVALID;
    framer_remember(framer, input.size);
    return decoded_more(decoded, 0);
}

/* All the input is a line end: no limit applies, nor is a look at the byte after it needed. */
static bool is_lone_line_end(struct framing_span input)
{
    return (input.size == 1 && input.bytes[0] == '\n') ||
           (input.size == 2 && memcmp(input.bytes, "\r\n", 2) == 0);
}

ptrdiff_t http_cut_start_line(struct framing_span input, size_t limit, struct framer *framer,
                              weir_decoded *decoded)
{
    if (is_lone_line_end(input))
        return http_cut(input, input.size, framer, decoded);
    size_t end = scan_far(scan_part(input, limit), framer, '\n');
    if (end == SCAN_NOT_FOUND)
        return without_end(input, limit, framer, decoded);
    return http_cut(input, end + 1, framer, decoded);
}

ptrdiff_t http_cut_header_line(struct framing_span input, size_t limit, struct framer *framer,
                               weir_decoded *decoded)
{
    if (is_lone_line_end(input))
        return http_cut(input, input.size, framer, decoded);
    struct framing_span part = scan_part(input, limit);
    size_t end;
    while ((end = scan_far(part, framer, '\n')) != SCAN_NOT_FOUND) {
        size_t size = end + 1;
        if (size == input.size) {
            /* The byte after the line end decides: look at the line end once more. */
            framer_remember(framer, end);
            return decoded_more(decoded, 0);
        }
        if (!http_is_folded(input, size))
            return http_cut(input, size, framer, decoded);
        framer_remember(framer, size);
    }
    return without_end(input, limit, framer, decoded);
}
