/* SPDX-License-Identifier: MIT */
#include "answer.h"
#include "base/check.h"
#include "term.h"
#include <stdlib.h>

static void write_term(struct answer *answer, const struct question *question)
{
    size_t size;
    FILE *to = open_memstream(&answer->term, &size);
    CHECK(to);
    size_t consumed = answer->result == WEIR_DECODE_OK ? answer->decoded.consumed : 0;
    weir_slice rest = {(const char *)question->bytes + consumed, question->size - consumed};
    struct term_packet packet = {question->type, &answer->decoded, &answer->http};
    term_write_result(to, answer->result, &packet, rest);
    fclose(to);
}

void answer_decode(struct answer *answer, struct question question)
{
    answer->result = weir_decode_packet(question.type, question.bytes, question.size,
                                        question.limits, &answer->decoded, &answer->http);
    write_term(answer, &question);
}

void answer_frame(struct answer *answer, struct framer *framer, struct question question)
{
    answer->result = framer_next(framer, question.type, question.limits, question.bytes,
                                 question.size, &answer->decoded, &answer->http);
    write_term(answer, &question);
}

void answer_free(struct answer *answer)
{
    free(answer->term);
    answer->term = NULL;
}
