/* SPDX-License-Identifier: MIT */
/* http: a start line, header lines, an empty line, and over again. httph: header lines only. */
#include "framing/http.h"

/* The line without its end: LF, or CR LF. */
static struct text line_text(const weir_decoded *line)
{
    size_t size = line->size - 1;
    if (size && line->bytes[size - 1] == '\r')
        size--;
    return (struct text){line->bytes, line->bytes + size};
}

static int set_error(const weir_decoded *line, weir_http *http)
{
    http->kind = WEIR_HTTP_ERROR;
    http->as.error = text_slice(line->bytes, line->bytes + line->size);
    return WEIR_DECODE_OK;
}

static int decode_header(const struct input *input, weir_decoded *decoded)
{
    int result = http_cut_header_line(input, decoded);
    if (result != WEIR_DECODE_OK)
        return result;
    struct text line = line_text(decoded);
    if (text_left(&line) == 0) {
        input->framer->http_header = false;
        input->http->kind = WEIR_HTTP_EOH;
        return WEIR_DECODE_OK;
    }
    if (!http_parse_header(line, input->http))
        return set_error(decoded, input->http);
    return WEIR_DECODE_OK;
}

static int decode_start_line(const struct input *input, weir_decoded *decoded)
{
    int result = http_cut_start_line(input, decoded);
    if (result != WEIR_DECODE_OK)
        return result;
    if (!http_parse_start_line(line_text(decoded), input->http))
        return set_error(decoded, input->http);
    input->framer->http_header = true;
    return WEIR_DECODE_OK;
}

int http_decode(const struct input *input, weir_decoded *decoded)
{
    return input->framer->http_header ? decode_header(input, decoded)
                                      : decode_start_line(input, decoded);
}

int httph_decode(const struct input *input, weir_decoded *decoded)
{
    input->framer->http_header = true;
    return decode_header(input, decoded);
}
