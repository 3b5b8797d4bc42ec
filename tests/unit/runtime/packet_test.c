/* SPDX-License-Identifier: MIT */
#include "runtime/buffer/packet.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <string.h>

#include "base/memory.h"
#include "framing/framing.h"
#include "options/options.h"
#include "runtime/buffer/buffer.h"
#include <weir/error.h>
#include <weir/udp.h>

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

/* From 4 KiB on a buffer of the pool is shared, as long as half of them are at hand; a block
 * always, and for a datagram from 4 KiB on; never a list, nor http, whose parts lie beside it. */
enum { BLOCK = 1, DATAGRAM = 2, HTTP = 4, LIST = 8 };

static const struct {
    const char *name;
    size_t size;
    uint32_t lent;
    unsigned of;
    bool shared;
} keepings[] = {
    {"large", 4096, 0, 0, true},
    {"small", 4095, 0, 0, false},
    {"large, of many", 4096, 49, 0, true},
    {"large, of most", 4096, 50, 0, false},
    {"a list", 4096, 0, LIST, false},
    {"http", 4096, 0, HTTP, false},
    {"small, in a block", 1, 0, BLOCK, true},
    {"a datagram", 4096, 0, BLOCK | DATAGRAM, true},
    {"a small datagram", 4095, 0, BLOCK | DATAGRAM, false},
};

static weir_packet packet_of(size_t row, weir_http *http, weir_datagram *datagram)
{
    return (weir_packet){
        .bytes = buffer.bytes,
        .size = keepings[row].size,
        .mode = keepings[row].of & LIST ? WEIR_LIST : WEIR_BINARY,
        .http = keepings[row].of & HTTP ? http : NULL,
        .datagram = keepings[row].of & DATAGRAM ? datagram : NULL,
        .buffer = &buffer,
        .lent = true,
    };
}

Test(packet, shares_its_buffer_where_that_is_cheaper)
{
    static uint8_t large[4096];
    struct buffer_pool pool = {.count = 100};
    struct weir_http http = {0};
    weir_datagram datagram = {0};
    int64_t blocks = memory_live_count();
    buffer_pool_own(&pool);
    for (size_t i = 0; i < sizeof(keepings) / sizeof(keepings[0]); i++) {
        weir_packet packet = packet_of(i, &http, &datagram);
        weir_packet kept;
        buffer.pool = keepings[i].of & BLOCK ? NULL : &pool;
        packet.bytes = buffer.bytes = large;
        atomic_init(&buffer.refs, 1);
        pool.lent = keepings[i].lent;
        cr_assert_eq(weir_packet_keep(&packet, &kept), 0);
        cr_expect_eq(kept.buffer == &buffer, keepings[i].shared, "%s", keepings[i].name);
        cr_expect(!kept.lent && kept.size == packet.size);
        weir_packet_release(&kept);
        cr_expect(kept.buffer == NULL && kept.bytes == NULL && kept.size == 0);
        cr_expect_eq(atomic_load(&buffer.refs), 1);
    }
    buffer_pool_own(NULL);
    cr_expect_eq(memory_live_count(), blocks);
}

/* What is known beside the bytes is the copy's own too. */
Test(packet, a_copy_needs_nothing_of_what_it_was_made_from)
{
    uint8_t raw[] = "header body padding";
    weir_local_address local = {.size = 3, .name = "abc"};
    weir_datagram datagram = {.local = &local};
    weir_packet packet = {.bytes = raw + 7,
                          .size = 5,
                          .header = raw,
                          .header_size = 7,
                          .padding_size = 7,
                          .datagram = &datagram,
                          .mode = WEIR_LIST,
                          .buffer = &buffer,
                          .lent = true};
    weir_packet kept;
    cr_assert_eq(weir_packet_keep(&packet, &kept), 0);
    memset(raw, 0, sizeof(raw));
    memset(&local, 0, sizeof(local));
    memset(&datagram, 0, sizeof(datagram));
    cr_expect(kept.bytes == kept.header + 7 && kept.header_size == 7 && kept.padding_size == 7);
    cr_expect_eq(memcmp(kept.header, "header body padding", 19), 0);
    cr_expect(kept.datagram->local != &local && kept.datagram->local->size == 3);
    cr_expect_eq(memcmp(kept.datagram->local->name, "abc", 3), 0);
    weir_packet again;
    cr_assert_eq(weir_packet_keep(&kept, &again), 0);
    cr_expect_eq(memcmp(again.bytes, "body ", 5), 0);
    weir_packet_release(&kept);
    cr_expect_eq(memcmp(again.header, "header body padding", 19), 0);
    cr_expect_eq(memcmp(again.datagram->local->name, "abc", 3), 0);
    weir_packet_release(&again);
}

Test(packet, of_http_is_read_where_it_was_kept)
{
    char line[] = "GET /a HTTP/1.1\r\n";
    weir_http http = {.kind = WEIR_HTTP_REQUEST};
    http.as.request.uri = WEIR_URI_PATH;
    http.as.request.path = (weir_slice){line + 4, 2};
    const weir_packet packet = {.bytes = (uint8_t *)line,
                                .size = sizeof(line) - 1,
                                .http = &http,
                                .buffer = &buffer,
                                .lent = true};
    weir_packet kept;
    cr_assert_eq(weir_packet_keep(&packet, &kept), 0);
    cr_expect(kept.http != &http);
    cr_expect_eq(kept.http->as.request.path.bytes, (const char *)kept.bytes + 4);
    weir_packet_release(&kept);
}

Test(packet, is_not_kept_without_memory)
{
    weir_packet packet = {.bytes = bytes, .size = 5, .mode = WEIR_LIST, .buffer = &buffer};
    weir_packet kept;
    memory_fail_nth(1);
    cr_expect_eq(weir_packet_keep(&packet, &kept), -ENOMEM);
    memory_fail_nth(0);
    cr_expect_not_null(strstr(weir_last_error_text(), "no memory for a packet"));
}
