/* SPDX-License-Identifier: MIT */
/* Packets decoded in one place and moved to another must read the same there. */
#include "answer.h"
#include "decode_row.h"
#include "term.h"
#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

static char *packet_term(enum weir_packet_type type, const weir_http *http)
{
    char *term;
    size_t size;
    FILE *to = open_memstream(&term, &size);
    cr_assert_not_null(to);
    struct term_packet packet = {type, NULL, http};
    term_write_packet(to, &packet);
    fclose(to);
    return term;
}

/* The struct is copied too, as keeping a packet does; then the first of both is destroyed. */
static void check_moved(const struct decode_row *row)
{
    if (row->is_bad_argument || !framing_is_http(row->options.type))
        return;
    uint8_t from[sizeof(row->input)], to[sizeof(row->input)];
    memcpy(from, row->input, sizeof(from));
    struct answer answer;
    answer_decode(
        &answer, (struct question){row->options.type, &row->options.limits, from, row->input_size});
    if (answer.result == WEIR_DECODE_OK) {
        char *before = packet_term(row->options.type, &answer.http);
        weir_http moved = answer.http;
        memcpy(to, from, answer.decoded.size);
        framing_rebase_http(&moved, from, to, answer.decoded.size);
        memset(from, 0xee, sizeof(from));
        memset(&answer.http, 0xee, sizeof(answer.http));
        char *after = packet_term(row->options.type, &moved);
        cr_assert_str_eq(after, before);
        free(before);
        free(after);
    }
    answer_free(&answer);
}

Test(rebase, every_http_vector_reads_the_same_elsewhere)
{
    cr_assert_geq(decode_rows_each(check_moved), 1000);
}

/* As bytes move within a buffer. */
static void check_moved_by_one(const struct decode_row *row)
{
    if (row->is_bad_argument || !framing_is_http(row->options.type))
        return;
    uint8_t bytes[sizeof(row->input) + 1];
    memcpy(bytes, row->input, row->input_size);
    struct answer answer;
    answer_decode(&answer, (struct question){row->options.type, &row->options.limits, bytes,
                                             row->input_size});
    if (answer.result == WEIR_DECODE_OK) {
        char *before = packet_term(row->options.type, &answer.http);
        memmove(bytes + 1, bytes, answer.decoded.size);
        framing_rebase_http(&answer.http, bytes, bytes + 1, answer.decoded.size);
        char *after = packet_term(row->options.type, &answer.http);
        cr_assert_str_eq(after, before);
        free(before);
        free(after);
    }
    answer_free(&answer);
}

Test(rebase, every_http_vector_reads_the_same_one_byte_further)
{
    cr_assert_geq(decode_rows_each(check_moved_by_one), 1000);
}

Test(rebase, a_path_that_is_not_in_the_packet_stays)
{
    weir_decoded decoded;
    weir_http http;
    const char line[] = "GET http://h HTTP/1.1\r\n";
    cr_assert_eq(weir_decode_packet(WEIR_HTTP, line, sizeof(line) - 1, NULL, &decoded, &http),
                 WEIR_DECODE_OK);
    const char *path = http.as.request.path.bytes;
    uint8_t to[sizeof(line)];
    framing_rebase_http(&http, (const uint8_t *)line, to, sizeof(line) - 1);
    cr_assert_eq(http.as.request.path.bytes, path);
    cr_assert_eq(http.as.request.host.bytes, (const char *)to + 11);
}
