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

/* What is decoded; an http packet may point into its own struct, so it is filled in place. */
struct question {
    enum weir_packet_type type;
    const weir_decode_options *limits;
    const uint8_t *bytes;
    size_t size;
};

void answer_decode(struct answer *answer, struct question question);
void answer_frame(struct answer *answer, struct framer *framer, struct question question);
void answer_free(struct answer *answer);

#endif
