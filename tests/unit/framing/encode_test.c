/* SPDX-License-Identifier: MIT */
#include "framing/framing.h"
#include <criterion/criterion.h>
#include <errno.h>
#include <string.h>

static const struct {
    enum weir_packet_type type;
    uint64_t body_size;
    int result;
    uint8_t header[FRAMING_HEADER_MAX];
} rows[] = {
    {WEIR_1, 0, 1, {0}},
    {WEIR_1, 255, 1, {255}},
    {WEIR_1, 256, -EMSGSIZE, {0}},
    {WEIR_2, 0, 2, {0, 0}},
    {WEIR_2, 258, 2, {1, 2}},
    {WEIR_2, 65535, 2, {255, 255}},
    {WEIR_2, 65536, -EMSGSIZE, {0}},
    {WEIR_4, 0, 4, {0, 0, 0, 0}},
    {WEIR_4, 0x01020304, 4, {1, 2, 3, 4}},
    {WEIR_4, 0x7ffffffb, 4, {0x7f, 0xff, 0xff, 0xfb}},
    {WEIR_4, 0x7ffffffc, -EMSGSIZE, {0}},
    {WEIR_4, 0x100000001, -EMSGSIZE, {0}},
    {WEIR_4, UINT64_MAX, -EMSGSIZE, {0}},
    {WEIR_RAW, UINT64_MAX, 0, {0}},
    {WEIR_ASN1, 5, 0, {0}},
    {WEIR_LINE, 5, 0, {0}},
    {WEIR_HTTPH_BIN, 5, 0, {0}},
};

Test(encode, header_of_each_type_at_the_edges_of_its_sizes)
{
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        uint8_t header[FRAMING_HEADER_MAX] = {0};
        int result = framing_encode_header(rows[i].type, rows[i].body_size, header);
        cr_assert_eq(result, rows[i].result, "row %zu: %d", i, result);
        cr_assert_eq(memcmp(header, rows[i].header, sizeof(header)), 0, "row %zu", i);
    }
}

Test(encode, what_is_sent_is_received)
{
    const enum weir_packet_type types[] = {WEIR_1, WEIR_2, WEIR_4};
    for (size_t i = 0; i < 3; i++) {
        uint8_t packet[FRAMING_HEADER_MAX + 200];
        weir_decoded decoded;
        int header_size = framing_encode_header(types[i], 200, packet);
        cr_assert_gt(header_size, 0);
        memset(packet + header_size, 'b', 200);
        int result =
            weir_decode_packet(types[i], packet, (size_t)header_size + 200, NULL, &decoded, NULL);
        cr_assert_eq(result, WEIR_DECODE_OK);
        cr_assert_eq(decoded.size, 200);
        cr_assert_eq(decoded.bytes, packet + header_size);
    }
}
