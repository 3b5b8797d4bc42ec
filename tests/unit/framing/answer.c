/* SPDX-License-Identifier: MIT */
#include "answer.h"
#include "base/check.h"
#include "term.h"
#include <stdlib.h>

static void write_term(struct answer *answer, enum weir_packet_type type, weir_slice input)
{
    size_t size;
    FILE *to = open_memstream(&answer->term, &size);
    CHECK(to);
    size_t consumed = answer->result == WEIR_DECODE_OK ? answer->decoded.consumed : 0;
    weir_slice rest = {input.bytes + consumed, input.size - consumed};
    struct term_packet packet = {type, &answer->decoded, &answer->http};
    term_write_result(to, answer->result, &packet, rest);
    fclose(to);
}

struct answer answer_of_decode(enum weir_packet_type type, const weir_decode_options *options,
                               const uint8_t *bytes, size_t size)
{
    struct answer answer;
    answer.result = weir_decode_packet(type, bytes, size, options, &answer.decoded, &answer.http);
    write_term(&answer, type, (weir_slice){(const char *)bytes, size});
    return answer;
}

struct answer answer_of_framer(struct framer *framer, enum weir_packet_type type,
                               const weir_decode_options *options, weir_slice input)
{
    struct answer answer;
    answer.result = framer_next(framer, type, options, (const uint8_t *)input.bytes, input.size,
                                &answer.decoded, &answer.http);
    write_term(&answer, type, input);
    return answer;
}

void answer_free(struct answer *answer)
{
    free(answer->term);
    answer->term = NULL;
}
