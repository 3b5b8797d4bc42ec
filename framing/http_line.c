/* SPDX-License-Identifier: MIT */
/* Where a line of http ends. Lines are never cut: one above the limit is invalid. */
#include "framing/http.h"
#include "framing/scan.h"

static size_t line_limit(const weir_decode_options *limits)
{
    return limits->packet_size ? limits->packet_size : limits->line_length;
}

/* A line end behind the limit is none. */
static size_t scan_size(const struct input *input)
{
    size_t limit = line_limit(input->limits);
    return limit && limit < input->size ? limit : input->size;
}

static int without_end(const struct input *input, size_t clean, weir_decoded *decoded)
{
    size_t limit = line_limit(input->limits);
    if (limit && input->size >= limit)
        return WEIR_DECODE_INVALID;
    framer_remember(input->framer, clean);
    return decoded_more(decoded, 0);
}

static int cut(const struct input *input, size_t size, weir_decoded *decoded)
{
    framer_forget(input->framer);
    return decoded_whole(decoded, input->bytes, size);
}

/* All the input is a line end: no limit applies, nor is a look at the byte after it needed. */
static bool is_lone_line_end(const uint8_t *bytes, size_t size)
{
    return (size == 1 && bytes[0] == '\n') || (size == 2 && memcmp(bytes, "\r\n", 2) == 0);
}

int http_cut_start_line(const struct input *input, weir_decoded *decoded)
{
    if (is_lone_line_end(input->bytes, input->size))
        return cut(input, input->size, decoded);
    size_t limit = scan_size(input);
    size_t end = scan_find(input, limit, '\n');
    if (end == SCAN_NOT_FOUND)
        return without_end(input, limit, decoded);
    return cut(input, end + 1, decoded);
}

/* No line this short can be folded. */
enum { UNFOLDED_SIZE = 2 };

int http_cut_header_line(const struct input *input, weir_decoded *decoded)
{
    if (is_lone_line_end(input->bytes, input->size))
        return cut(input, input->size, decoded);
    size_t limit = scan_size(input);
    for (;;) {
        size_t end = scan_find(input, limit, '\n');
        if (end == SCAN_NOT_FOUND)
            return without_end(input, limit, decoded);
        size_t size = end + 1;
        framer_remember(input->framer, end);
        if (size == input->size)
            return decoded_more(decoded, 0);
        if (size <= UNFOLDED_SIZE || !text_is(input->bytes[size], TEXT_BLANK))
            return cut(input, size, decoded);
        framer_remember(input->framer, size);
    }
}
