/* SPDX-License-Identifier: MIT */
#include "stream.h"
#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

static const struct {
    uint32_t packet_size;
    uint32_t line_length;
    const char *input;
    const char *terms;
} rows[] = {
    {0, 0, "a\r\nb\n\nc", "<<\"a\\r\\n\">> <<\"b\\n\">> <<\"\\n\">> {more,undefined}"},
    {0, 5, "abcdefghijkl\nx", "<<\"abcde\">> <<\"fghij\">> <<\"kl\\n\">> {more,undefined}"},
    {0, 5, "abcdefghij", "<<\"abcde\">> <<\"fghij\">>"},
    {0, 5, "abcd\n", "<<\"abcd\\n\">>"},
    {0, 5, "abcde\n", "<<\"abcde\">> <<\"\\n\">>"},
    {4, 0, "abc\n", "<<\"abc\\n\">>"},
    {4, 0, "abcd", "{more,undefined}"},
    {4, 0, "abcd\n", "{error,invalid}"},
    {4, 0, "abcde", "{error,invalid}"},
    {8, 4, "abcdefg\nx", "<<\"abcd\">> <<\"efg\\n\">> {more,undefined}"},
    {8, 4, "abcdefgh\n", "{error,invalid}"},
    {4, 8, "abc\nabcd\n", "<<\"abc\\n\">> {error,invalid}"},
    {4, 4, "abcd", "<<\"abcd\">>"},
};

Test(line, limits)
{
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct stream stream = {.type = WEIR_LINE,
                                .limits = {rows[i].packet_size, rows[i].line_length, '\n'}};
        stream_expect(&stream, rows[i].input, rows[i].terms);
    }
}

Test(line, any_byte_delimits)
{
    for (int delimiter = 0; delimiter < 256; delimiter++) {
        uint8_t input[80];
        weir_decoded decoded;
        const weir_decode_options options = {.line_delimiter = (uint8_t)delimiter};
        memset(input, delimiter ^ 0xff, sizeof(input));
        input[70] = (uint8_t)delimiter;
        int result = weir_decode_packet(WEIR_LINE, input, sizeof(input), &options, &decoded, NULL);
        cr_assert_eq(result, WEIR_DECODE_OK);
        cr_assert_eq(decoded.size, 71, "delimiter %d", delimiter);
    }
}

/* A piece is cut when the line goes on, and where: the rest must not be looked at again. */
Test(line, the_rest_of_a_cut_line_remembers_what_was_seen_of_it)
{
    struct framer framer = {0};
    weir_decoded decoded;
    const weir_decode_options limits = {100, 4, '\n'};
    const uint8_t *input = (const uint8_t *)"abcdefghij\n";
    cr_assert_eq(framer_next(&framer, WEIR_LINE, &limits, input, 10, &decoded, NULL),
                 WEIR_DECODE_OK);
    cr_assert_eq(framer.scanned, 6);
    cr_assert_eq(framer_next(&framer, WEIR_LINE, &limits, input + 4, 7, &decoded, NULL),
                 WEIR_DECODE_OK);
    cr_assert_eq(framer.scanned, 2);
    cr_assert_eq(framer_next(&framer, WEIR_LINE, &limits, input + 8, 3, &decoded, NULL),
                 WEIR_DECODE_OK);
    cr_assert_eq(decoded.size, 3);
    cr_assert_eq(framer.scanned, 0);
}
