/* SPDX-License-Identifier: MIT */
/* The parts of the http decoder. Lines come without their end; false means http_error. */
#ifndef FRAMING_HTTP_H
#define FRAMING_HTTP_H

#include "framing/input.h"
#include "framing/text.h"

/* Cut the next line off the stream. A header line may be folded. */
int http_cut_start_line(const struct input *input, weir_decoded *decoded);
int http_cut_header_line(const struct input *input, weir_decoded *decoded);

bool http_parse_start_line(struct text line, weir_http *http);
bool http_parse_header(struct text line, weir_http *http);

/* Sets uri, host, path and the port. The text is not empty. */
void http_parse_uri(weir_slice uri, weir_http *http);

#endif
