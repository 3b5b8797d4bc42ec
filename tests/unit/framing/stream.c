/* SPDX-License-Identifier: MIT */
#include "stream.h"
#include "base/check.h"
#include "support/guard.h"
#include "term.h"
#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

static int write_packets(struct stream *stream, weir_slice *input, weir_decoded *decoded, FILE *to)
{
    weir_http http;
    struct term_packet packet = {stream->type, decoded, &http};
    for (const char *space = "";; space = " ") {
        int result = framer_next(&stream->framer, stream->type, &stream->limits,
                                 (const uint8_t *)input->bytes, input->size, decoded, &http);
        if (result != WEIR_DECODE_OK) {
            if (input->size)
                fputs(space, to);
            return result;
        }
        fputs(space, to);
        term_write_packet(to, &packet);
        input->bytes += decoded->consumed;
        input->size -= decoded->consumed;
    }
}

char *stream_terms(struct stream *stream, const char *input, size_t size)
{
    char *terms;
    size_t terms_size;
    weir_decoded decoded;
    struct term_packet packet = {stream->type, &decoded, NULL};
    FILE *to = open_memstream(&terms, &terms_size);
    CHECK(to);
    weir_slice left = {(const char *)guard_copy(input, size), size};
    int result = write_packets(stream, &left, &decoded, to);
    if (left.size)
        term_write_result(to, result, &packet, (weir_slice){0});
    fclose(to);
    return terms;
}

void stream_expect(struct stream *stream, const char *input, const char *terms)
{
    char *got = stream_terms(stream, input, strlen(input));
    cr_assert_str_eq(got, terms, "got %s, want %s", got, terms);
    free(got);
}
