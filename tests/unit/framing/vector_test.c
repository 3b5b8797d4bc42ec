/* SPDX-License-Identifier: MIT */
/* Every vector, as one piece and in pieces, always right before a page that must not be read. */
#include "answer.h"
#include "decode_row.h"
#include "guard.h"
#include <criterion/criterion.h>

enum { ROW_COUNT_MIN = 1100 };

static void check_whole(const struct decode_row *row)
{
    if (row->is_bad_argument) {
        cr_assert_str_eq(row->result, "{'EXIT',badarg}", "%s %s", row->type_name, row->option_text);
        return;
    }
    const uint8_t *input = guard_copy(row->input, row->input_size);
    struct answer answer =
        answer_of_decode(row->options.type, &row->options.limits, input, row->input_size);
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
    struct answer fresh = answer_of_decode(row->options.type, &row->options.limits, input, size);
    struct answer resumed = answer_of_framer(framer, row->options.type, &row->options.limits,
                                             (weir_slice){(const char *)input, size});
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
