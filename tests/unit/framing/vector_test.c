/* SPDX-License-Identifier: MIT */
/* Every vector, as one piece and in pieces, always right before a page that must not be read. */
#include "answer.h"
#include "decode_row.h"
#include "support/guard.h"
#include <criterion/criterion.h>
#include <string.h>

enum { ROW_COUNT_MIN = 1100 };

static struct question question_of(const struct decode_row *row, const uint8_t *bytes, size_t size)
{
    return (struct question){row->options.type, &row->options.limits, bytes, size};
}

static void check_whole(const struct decode_row *row)
{
    if (row->is_bad_argument) {
        cr_assert_str_eq(row->result, "{'EXIT',badarg}", "%s %s", row->type_name, row->option_text);
        return;
    }
    struct answer answer;
    const uint8_t *input = guard_copy(row->input, row->input_size);
    answer_decode(&answer, question_of(row, input, row->input_size));
    cr_assert_str_eq(answer.term, row->result, "%s %s: got %s, want %s", row->type_name,
                     row->option_text, answer.term, row->result);
    answer_free(&answer);
}

Test(vectors, each_as_one_piece)
{
    cr_assert_geq(decode_rows_each(check_whole), ROW_COUNT_MIN);
}

/* A framer that has seen less before must answer as a decoder that sees these bytes first. */
static int check_prefix(struct framer *framer, const struct decode_row *row, size_t size)
{
    const uint8_t *input = guard_copy(row->input, size);
    struct answer fresh, resumed;
    answer_decode(&fresh, question_of(row, input, size));
    answer_frame(&resumed, framer, question_of(row, input, size));
    cr_assert_str_eq(resumed.term, fresh.term, "%s %s, %zu bytes: %s after feeding, else %s",
                     row->type_name, row->option_text, size, resumed.term, fresh.term);
    answer_free(&fresh);
    answer_free(&resumed);
    return resumed.result;
}

static void check_byte_by_byte(const struct decode_row *row)
{
    struct framer framer = {0};
    int result = row->is_bad_argument ? WEIR_DECODE_INVALID : WEIR_DECODE_MORE;
    for (size_t size = 0; size <= row->input_size && result == WEIR_DECODE_MORE; size++)
        result = check_prefix(&framer, row, size);
}

Test(vectors, each_byte_by_byte)
{
    cr_assert_geq(decode_rows_each(check_byte_by_byte), ROW_COUNT_MIN);
}

static void check_two_pieces(const struct decode_row *row)
{
    for (size_t first = 0; first <= row->input_size && !row->is_bad_argument; first++) {
        struct framer framer = {0};
        if (check_prefix(&framer, row, first) == WEIR_DECODE_MORE)
            check_prefix(&framer, row, row->input_size);
    }
}

Test(vectors, each_in_two_pieces)
{
    cr_assert_geq(decode_rows_each(check_two_pieces), ROW_COUNT_MIN);
}

/* Rows where what lies behind the packet does matter: all the input is a line end, or is cut
 * before it is known that the line is too long. */
static bool depends_on_rest(const struct decode_row *row, const struct answer *answer)
{
    const weir_decoded *decoded = &answer->decoded;
    if (decoded->size == row->input_size && row->input_size <= 2)
        return true;
    return row->options.type == WEIR_RAW ||
           (row->options.type == WEIR_LINE && row->options.limits.packet_size &&
            decoded->bytes[decoded->size - 1] != row->options.limits.line_delimiter);
}

/* The packet that {ok,Packet,Rest} has before its rest. */
static void check_same_packet(const char *far, const char *near_end)
{
    size_t common = strlen(near_end) - strlen(strrchr(near_end, '<')) - 1;
    cr_assert_eq(strncmp(far, near_end, common), 0, "%s with more behind, else %s", far, near_end);
}

/* Far from the end of the input the decoders look at whole blocks; the packet must be the same. */
static void check_with_more_behind(const struct decode_row *row)
{
    enum { MORE_SIZE = 200 };
    if (row->is_bad_argument)
        return;
    struct answer near_end, far;
    uint8_t input[sizeof(row->input) + MORE_SIZE];
    memcpy(input, row->input, row->input_size);
    memset(input + row->input_size, 'x', MORE_SIZE);
    answer_decode(&near_end, question_of(row, row->input, row->input_size));
    answer_decode(&far, question_of(row, input, row->input_size + MORE_SIZE));
    if (near_end.result == WEIR_DECODE_OK && !depends_on_rest(row, &near_end)) {
        cr_assert_eq(far.result, WEIR_DECODE_OK, "%s %s %s", row->type_name, row->option_text,
                     near_end.term);
        cr_assert_eq(far.decoded.consumed, near_end.decoded.consumed);
        check_same_packet(far.term, near_end.term);
    }
    answer_free(&near_end);
    answer_free(&far);
}

Test(vectors, each_with_more_behind)
{
    cr_assert_geq(decode_rows_each(check_with_more_behind), ROW_COUNT_MIN);
}
