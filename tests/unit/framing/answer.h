/* SPDX-License-Identifier: MIT */
/* One decode and its answer as an Erlang term, which makes answers easy to compare. */
#ifndef ANSWER_H
#define ANSWER_H

#include "framing/framing.h"

struct answer {
    int result;
    weir_decoded decoded;
    weir_http http;
    char *term; /* answer_free */
};

struct answer answer_of_decode(enum weir_packet_type type, const weir_decode_options *options,
                               const uint8_t *bytes, size_t size);
struct answer answer_of_framer(struct framer *framer, enum weir_packet_type type,
                               const weir_decode_options *options, weir_slice input);
void answer_free(struct answer *answer);

#endif
