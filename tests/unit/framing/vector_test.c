/* SPDX-License-Identifier: MIT */
/* Every vector, as one piece and in pieces, always right before a page that must not be read. */
#include "answer.h"
#include "guard.h"
#include "vectors.h"
#include <criterion/criterion.h>

enum { VECTOR_COUNT_MIN = 1100 };

static void check_whole(const struct vector *vector)
{
    enum weir_packet_type type;
    weir_decode_options options;
    if (!vector_arguments(vector, &type, &options)) {
        cr_assert_str_eq(vector->result, "{'EXIT',badarg}", "%s %s", vector->type, vector->options);
        return;
    }
    const uint8_t *input = guard_copy(vector->input, vector->input_size);
    struct answer answer = answer_of_decode(type, &options, input, vector->input_size);
    cr_assert_str_eq(answer.term, vector->result, "%s %s: got %s, want %s", vector->type,
                     vector->options, answer.term, vector->result);
    answer_free(&answer);
}

Test(vectors, each_as_one_piece)
{
    cr_assert_geq(vectors_each(check_whole), VECTOR_COUNT_MIN);
}

/* A framer that has seen less before must answer as a decoder that sees these bytes first. */
static int check_prefix(struct framer *framer, const struct vector *vector, size_t size)
{
    enum weir_packet_type type;
    weir_decode_options options;
    cr_assert(vector_arguments(vector, &type, &options));
    const uint8_t *input = guard_copy(vector->input, size);
    struct answer fresh = answer_of_decode(type, &options, input, size);
    struct answer resumed =
        answer_of_framer(framer, type, &options, (weir_slice){(const char *)input, size});
    cr_assert_str_eq(resumed.term, fresh.term, "%s %s, %zu bytes: %s after feeding, else %s",
                     vector->type, vector->options, size, resumed.term, fresh.term);
    answer_free(&fresh);
    answer_free(&resumed);
    return resumed.result;
}

static bool is_bad_argument(const struct vector *vector)
{
    enum weir_packet_type type;
    weir_decode_options options;
    return !vector_arguments(vector, &type, &options);
}

static void check_byte_by_byte(const struct vector *vector)
{
    struct framer framer = {0};
    int result = WEIR_DECODE_MORE;
    if (is_bad_argument(vector))
        return;
    for (size_t size = 0; size <= vector->input_size && result == WEIR_DECODE_MORE; size++)
        result = check_prefix(&framer, vector, size);
}

Test(vectors, each_byte_by_byte)
{
    cr_assert_geq(vectors_each(check_byte_by_byte), VECTOR_COUNT_MIN);
}

static void check_two_pieces(const struct vector *vector)
{
    if (is_bad_argument(vector))
        return;
    for (size_t first = 0; first <= vector->input_size; first++) {
        struct framer framer = {0};
        if (check_prefix(&framer, vector, first) == WEIR_DECODE_MORE)
            check_prefix(&framer, vector, vector->input_size);
    }
}

Test(vectors, each_in_two_pieces)
{
    cr_assert_geq(vectors_each(check_two_pieces), VECTOR_COUNT_MIN);
}
