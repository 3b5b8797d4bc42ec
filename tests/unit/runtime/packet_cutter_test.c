/* SPDX-License-Identifier: MIT */
/* The next packet by a connection's options: raw bytes, and headers that never end. */
#include "runtime/stream/packet_cutter.h"

#include <criterion/criterion.h>
#include <string.h>

enum { MOST = 100 };

static const struct {
    size_t size;
    size_t length;
    int result;
    size_t taken; /* or needed */
} raws[] = {
    {1, 0, WEIR_DECODE_OK, 1},         {MOST - 1, 0, WEIR_DECODE_OK, MOST - 1},
    {MOST, 0, WEIR_DECODE_OK, MOST},   {MOST + 1, 0, WEIR_DECODE_OK, MOST},
    {9, 10, WEIR_DECODE_MORE, 10},     {10, 10, WEIR_DECODE_OK, 10},
    {11, 10, WEIR_DECODE_OK, 10},      {300, 200, WEIR_DECODE_OK, 200},
    {199, 200, WEIR_DECODE_MORE, 200}, {1, 1, WEIR_DECODE_OK, 1},
};

Test(packet_cutter, gives_raw_bytes_as_asked_for)
{
    static const uint8_t bytes[300];
    const struct option_values values = {.packet = WEIR_RAW, .buffer = MOST};
    for (size_t i = 0; i < sizeof(raws) / sizeof(raws[0]); i++) {
        struct framer framer = {0};
        const struct packet_cutter cutter = {&values, &framer, raws[i].length};
        weir_decoded decoded;
        int result = packet_cutter_next(&cutter, bytes, raws[i].size, &decoded, NULL);
        cr_assert_eq(result, raws[i].result, "row %zu", i);
        if (result == WEIR_DECODE_MORE)
            cr_expect_eq(decoded.needed, raws[i].taken, "row %zu", i);
        else
            cr_expect(decoded.bytes == bytes && decoded.size == raws[i].taken &&
                          decoded.consumed == raws[i].taken,
                      "row %zu", i);
    }
}

/* An ASN.1 tag of many bytes does not say how long its packet is, nor does a line that goes on,
 * which has a limit of its own. */
static const struct {
    const char *name;
    uint8_t packet;
    uint32_t limit;
    size_t size;
    int result;
} headers[] = {
    {"asn1, not all of the buffer", WEIR_ASN1, 20, 19, WEIR_DECODE_MORE},
    {"asn1, all of it", WEIR_ASN1, 20, 20, WEIR_DECODE_INVALID},
    {"asn1, more than it", WEIR_ASN1, 20, 21, WEIR_DECODE_INVALID},
    {"a line, not all of the buffer", WEIR_LINE, 20, 19, WEIR_DECODE_MORE},
    {"a line, all of it", WEIR_LINE, 20, 20, WEIR_DECODE_OK},
    {"asn1, no room at all", WEIR_ASN1, 0, 1, WEIR_DECODE_INVALID},
};

Test(packet_cutter, a_header_that_fills_the_buffer_is_too_long)
{
    uint8_t bytes[32];
    memset(bytes, 0xff, sizeof(bytes));
    for (size_t i = 0; i < sizeof(headers) / sizeof(headers[0]); i++) {
        const struct option_values values = {
            .packet = headers[i].packet,
            .buffer = headers[i].limit,
            .limits = {.line_length = headers[i].limit, .line_delimiter = '\n'}};
        struct framer framer = {0};
        const struct packet_cutter cutter = {&values, &framer, 0};
        weir_decoded decoded;
        int result = packet_cutter_next(&cutter, bytes, headers[i].size, &decoded, NULL);
        cr_expect_eq(result, headers[i].result, "%s: %d", headers[i].name, result);
    }
}

/* However its bytes come: a header that the buffer does not hold is too long with its packet, too.
 */
static const struct {
    uint8_t packet;
    uint32_t limit;
    int result;
} whole[] = {
    {WEIR_CDR, 12, WEIR_DECODE_OK},     {WEIR_CDR, 11, WEIR_DECODE_INVALID},
    {WEIR_CDR, 1, WEIR_DECODE_INVALID}, {WEIR_4, 4, WEIR_DECODE_OK},
    {WEIR_4, 3, WEIR_DECODE_INVALID},   {WEIR_1, 1, WEIR_DECODE_OK},
};

Test(packet_cutter, a_header_that_the_buffer_cuts_is_too_long)
{
    static const uint8_t cdr[] = {'G', 'I', 'O', 'P', 1, 0, 0, 0, 0, 0, 0, 3, 'a', 'b', 'c'};
    static const uint8_t four[] = {0, 0, 0, 3, 'a', 'b', 'c'};
    static const uint8_t one[] = {3, 'a', 'b', 'c'};
    for (size_t i = 0; i < sizeof(whole) / sizeof(whole[0]); i++) {
        const struct option_values values = {.packet = whole[i].packet,
                                             .limits.line_length = whole[i].limit};
        struct framer framer = {0};
        const struct packet_cutter cutter = {&values, &framer, 0};
        bool is_cdr = whole[i].packet == WEIR_CDR;
        bool is_four = whole[i].packet == WEIR_4;
        weir_decoded decoded;
        int result = packet_cutter_next(&cutter,
                                        is_cdr    ? cdr
                                        : is_four ? four
                                                  : one,
                                        is_cdr    ? sizeof(cdr)
                                        : is_four ? sizeof(four)
                                                  : sizeof(one),
                                        &decoded, NULL);
        cr_expect_eq(result, whole[i].result, "row %zu: %d", i, result);
    }
}

/* A line is cut at its own limit, and what is short of the limit may still become a header. */
Test(packet_cutter, only_a_header_is_cut)
{
    static const uint8_t line[] = "123456789\n";
    static const uint8_t beginning[] = {0, 0, 0, 3, 'a', 'b', 'c'};
    weir_decoded decoded;
    struct framer framer = {0};
    struct option_values values = {.packet = WEIR_LINE,
                                   .limits = {.line_length = 5, .line_delimiter = '\n'}};
    const struct packet_cutter cutter = {&values, &framer, 0};
    int result = packet_cutter_next(&cutter, line, sizeof(line) - 1, &decoded, NULL);
    cr_expect(result == WEIR_DECODE_OK && decoded.size == 5);
    values.packet = WEIR_4;
    values.limits.line_length = 3;
    framer = (struct framer){0};
    cr_expect_eq(packet_cutter_next(&cutter, beginning, 2, &decoded, NULL), WEIR_DECODE_MORE);
}
