/* SPDX-License-Identifier: MIT */
/* The parts of the http decoder. */
#ifndef FRAMING_HTTP_H
#define FRAMING_HTTP_H

#include "framing/decoder.h"
#include "framing/text.h"

framing_decode_fn http_decode_start_line;
framing_decode_fn http_decode_header;

/* Sets what the form of URI has. The text is not empty. */
void http_parse_uri(weir_slice uri, weir_http *http);

/* Of the forms that have no host. */
static inline void http_set_uri(weir_http *http, enum weir_http_uri uri, weir_slice path)
{
    http->as.request.uri = uri;
    http->as.request.path = path;
}

/* The line without its end: LF, or CR LF. */
static inline struct text http_line_text(const weir_decoded *line)
{
    size_t size = line->size - 1;
    if (size && line->bytes[size - 1] == '\r')
        size--;
    return (struct text){line->bytes, line->bytes + size};
}

/* The whole line, its end included, is what is wrong. */
static inline ptrdiff_t http_set_error(const weir_decoded *line, weir_http *http)
{
    http->kind = WEIR_HTTP_ERROR;
    http->as.error = text_slice(line->bytes, line->bytes + line->size);
    return (ptrdiff_t)line->size;
}

#endif
