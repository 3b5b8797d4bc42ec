/* SPDX-License-Identifier: MIT */
/* Lines up to and with the delimiter; longer ones are cut at line_length, refused at packet_size.
 */
#include "framing/scan.h"

/* Where it is decided whether a line is too long: nothing behind needs a look. */
static size_t scan_size(const struct input *input)
{
    const weir_decode_options *limits = input->limits;
    size_t limit = limits->packet_size ? limits->packet_size : limits->line_length;
    return limit && limit < input->size ? limit : input->size;
}

static int cut(const struct input *input, size_t clean, weir_decoded *decoded)
{
    size_t length = input->limits->line_length;
    /* The rest of the line is a line too, of which this much has been looked at. */
    framer_remember(input->framer, clean - length);
    return decoded_whole(decoded, input->bytes, length);
}

static int without_delimiter(const struct input *input, weir_decoded *decoded)
{
    const weir_decode_options *limits = input->limits;
    if (limits->packet_size && input->size > limits->packet_size)
        return WEIR_DECODE_INVALID;
    size_t clean = scan_size(input);
    if (limits->line_length && input->size >= limits->line_length)
        return cut(input, clean, decoded);
    framer_remember(input->framer, clean);
    return decoded_more(decoded, 0);
}

int line_decode(const struct input *input, weir_decoded *decoded)
{
    size_t end = scan_find(input, scan_size(input), input->limits->line_delimiter);
    if (end == SCAN_NOT_FOUND)
        return without_delimiter(input, decoded);
    size_t limit = input->limits->line_length;
    if (limit && end + 1 > limit)
        return cut(input, end, decoded);
    framer_forget(input->framer);
    return decoded_whole(decoded, input->bytes, end + 1);
}
