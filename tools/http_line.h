/* SPDX-License-Identifier: MIT */
/* Lines of HTTP/1.1 as RFC 9112 writes them, and nothing that it does not: what one program reads
 * as a header and the next as something else is how requests are smuggled. */
#ifndef TOOLS_HTTP_LINE_H
#define TOOLS_HTTP_LINE_H

#include <stdbool.h>
#include <stdint.h>
#include <weir/packet.h>

/* The line without the LF, or CR LF, that ends it. False: it has no end, it is too long. */
bool http_line_text(const weir_packet *packet, weir_slice *line);

struct http_request_line {
    weir_slice method;
    weir_slice target;
    unsigned major; /* 0.9 when there is no version at all */
    unsigned minor;
};

/* method SP target SP version (section 3). */
bool http_request_line_parse(weir_slice line, struct http_request_line *parsed);

struct http_field {
    weir_slice name;
    weir_slice value; /* without the blanks around it */
};

/* name ":" value (section 5). */
bool http_field_parse(weir_slice line, struct http_field *field);

/* The size that a line of a chunked body begins with, and how long its extensions are (7.1). */
bool http_chunk_parse(weir_slice line, uint64_t *size, uint32_t *extension_bytes);

/* Whether the whole text is one of these: Host's value (3.2), a number of decimal digits, a word in
 * letters of either case. */
bool http_is_host(weir_slice text);
bool http_is_number(weir_slice text, uint64_t *number);
bool http_is_word(weir_slice text, const char *word);

/* The next element of a list with commas, taken off its front; it may be empty. */
weir_slice http_take_element(weir_slice *list);

/* Without the blanks at both ends. */
weir_slice http_trim(weir_slice text);

#endif
