/* SPDX-License-Identifier: MIT */
#include "runtime/buffer/packet.h"

#include <criterion/criterion.h>
#include <string.h>

#include "framing/framing.h"
#include "options/options.h"
#include "runtime/buffer/buffer.h"

static struct weir_buffer buffer;
static uint8_t bytes[300];

/* Every bit of every byte, and not the one behind. */
Test(packet, bit8_is_found_wherever_it_is)
{
    memset(bytes, 0x7F, sizeof(bytes));
    for (size_t size = 0; size < sizeof(bytes); size++) {
        cr_assert(!packet_has_bit8(bytes, size), "%zu", size);
        for (size_t at = 0; at <= size; at++) {
            bytes[at] = 0x80;
            cr_assert_eq(packet_has_bit8(bytes, size), at < size, "%zu of %zu", at, size);
            bytes[at] = 0x7F;
        }
    }
}

static const struct {
    uint16_t header;
    uint8_t mode;
    size_t size;
    size_t header_size;
} headers[] = {
    {0, WEIR_BINARY, 10, 0},  {4, WEIR_BINARY, 10, 4}, {10, WEIR_BINARY, 10, 10},
    {11, WEIR_BINARY, 10, 0}, {4, WEIR_LIST, 10, 0},
};

Test(packet, has_the_header_that_was_asked_for)
{
    for (size_t i = 0; i < sizeof(headers) / sizeof(headers[0]); i++) {
        const struct option_values values = {.header = headers[i].header, .mode = headers[i].mode};
        const weir_decoded decoded = {
            .bytes = bytes, .size = headers[i].size, .consumed = headers[i].size + 7};
        weir_packet packet = packet_make(&decoded, NULL, &values, &buffer);
        cr_expect_eq(packet.header_size, headers[i].header_size, "row %zu", i);
        cr_expect_eq(packet.header, headers[i].header_size ? bytes : NULL, "row %zu", i);
        cr_expect_eq(packet.bytes, bytes + headers[i].header_size, "row %zu", i);
        cr_expect_eq(packet.size, headers[i].size - headers[i].header_size, "row %zu", i);
        cr_expect(packet.padding_size == 0 && packet.lent && packet.buffer == &buffer);
        weir_http http = {0};
        packet = packet_make(&decoded, &http, &values, &buffer);
        cr_expect(packet.header_size == 0 && !packet.header && packet.http == &http);
    }
    const struct option_values fcgi = {.packet = WEIR_FCGI, .mode = WEIR_BINARY};
    const weir_decoded padded = {.bytes = bytes, .size = 10, .consumed = 17};
    cr_expect_eq(packet_make(&padded, NULL, &fcgi, &buffer).padding_size, 7);
}
