/* SPDX-License-Identifier: MIT */
/* All packets of a stream, as one text of Erlang terms. */
#ifndef STREAM_H
#define STREAM_H

#include "framing/framing.h"

struct stream {
    struct framer framer;
    enum weir_packet_type type;
    weir_decode_options limits;
};

/* The packets of `input`, one term after the other with a space between, and what came last when
 * bytes are left over: "{more,undefined}", "{error,invalid}". For free(). */
char *stream_terms(struct stream *stream, const char *input, size_t size);

/* Fails the test when the terms are not these. */
void stream_expect(struct stream *stream, const char *input, const char *terms);

#endif
