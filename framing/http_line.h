/* SPDX-License-Identifier: MIT */
/* Where a line of http ends. Lines are never cut: one above the limit is invalid. */
#ifndef FRAMING_HTTP_LINE_H
#define FRAMING_HTTP_LINE_H

#include "framing/scan.h"
#include "framing/text.h"

enum { HTTP_UNFOLDED_SIZE = 2 }; /* no line this short can be folded */

/* Cut a line off, wherever it ends; looking goes on where the framer has come to. */
ptrdiff_t http_cut_start_line(struct framing_span input, size_t limit, struct framer *framer,
                              weir_decoded *decoded);
ptrdiff_t http_cut_header_line(struct framing_span input, size_t limit, struct framer *framer,
                               weir_decoded *decoded);

static inline size_t http_line_limit(const weir_decode_options *limits)
{
    return limits->packet_size ? limits->packet_size : limits->line_length;
}

static inline ptrdiff_t http_cut(struct framing_span input, size_t size, struct framer *framer,
                                 weir_decoded *decoded)
{
    framer_forget(framer);
    return decoded_whole(decoded, input.bytes, size);
}

/* The line goes on when a blank follows its end. */
static inline bool http_is_folded(struct framing_span input, size_t size)
{
    return size > HTTP_UNFOLDED_SIZE && text_is_blank(input.bytes[size]);
}

#endif
