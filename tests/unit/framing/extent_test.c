/* SPDX-License-Identifier: MIT */
/* Every type whose header tells the length, against every edge of its limits. */
#include "framing/framing.h"
#include "support/guard.h"
#include <criterion/criterion.h>
#include <string.h>
#include <sys/mman.h>
#include <weir/packet.h>

enum { LARGEST_TOTAL = 0x7fffffff };

struct measured {
    enum weir_packet_type type;
    uint32_t header_size;
    uint32_t body_max; /* what the header can say */
    uint32_t extra;    /* added to the body in the field */
    uint32_t field_at; /* big-endian */
    uint32_t field_size;
    const char *header;
    bool is_stripped;
};

static const struct measured rows[] = {
    {WEIR_1, 1, 255, 0, 0, 1, "\0", true},
    {WEIR_2, 2, 65535, 0, 0, 2, "\0\0", true},
    {WEIR_4, 4, UINT32_MAX, 0, 0, 4, "\0\0\0\0", true},
    {WEIR_SUNRM, 4, LARGEST_TOTAL, 0, 0, 4, "\0\0\0\0", false},
    {WEIR_ASN1, 3, 255, 0, 2, 1, "\x30\x81\0", false},
    {WEIR_ASN1, 7, UINT32_MAX, 0, 3, 4, "\x1f\x01\x84\0\0\0\0", false},
    {WEIR_CDR, 12, UINT32_MAX, 0, 8, 4, "GIOP\1\0\0\0\0\0\0\0", false},
    {WEIR_FCGI, 8, 65535, 0, 4, 2, "\1\6\0\1\0\0\0\0", false},
    {WEIR_TPKT, 4, 65531, 4, 2, 2, "\3\0\0\0", false},
};

static const struct measured *row;

static void write_packet(uint32_t body_size, uint8_t *packet)
{
    uint32_t field = body_size + row->extra;
    memcpy(packet, row->header, row->header_size);
    for (uint32_t i = 0; i < row->field_size; i++)
        packet[row->field_at + i] = (uint8_t)(field >> 8 * (row->field_size - 1 - i));
}

static int decode(uint32_t body_size, size_t input_size, uint32_t packet_size,
                  weir_decoded *decoded)
{
    uint8_t packet[512];
    weir_decode_options limits = {.packet_size = packet_size};
    memset(packet, 'b', sizeof(packet));
    write_packet(body_size, packet);
    return weir_decode_packet(row->type, guard_copy(packet, input_size), input_size, &limits,
                              decoded, NULL);
}

static void each_row(void (*check)(void))
{
    for (row = rows; row < rows + sizeof(rows) / sizeof(rows[0]); row++)
        check();
}

static void check_every_size(void)
{
    enum { BODY_SIZE = 100, INPUT_SIZE = 130 };
    for (size_t size = 0; size <= INPUT_SIZE; size++) {
        weir_decoded decoded;
        size_t total = row->header_size + BODY_SIZE;
        int result = decode(BODY_SIZE, size, 0, &decoded);
        if (size < total) {
            cr_assert_eq(result, WEIR_DECODE_MORE, "%s", weir_packet_type_name(row->type));
            cr_assert_eq(decoded.needed, size < row->header_size ? 0 : total);
            continue;
        }
        cr_assert_eq(result, WEIR_DECODE_OK);
        cr_assert_eq(decoded.consumed, total);
        cr_assert_eq(decoded.size, row->is_stripped ? BODY_SIZE : total);
        cr_assert_eq(decoded.bytes[decoded.size - 1], 'b');
    }
}

Test(extent, more_until_the_last_byte_is_there)
{
    each_row(check_every_size);
}

static void check_empty_body(void)
{
    weir_decoded decoded;
    cr_assert_eq(decode(0, row->header_size, 1, &decoded), WEIR_DECODE_OK);
    cr_assert_eq(decoded.consumed, row->header_size);
    cr_assert_eq(decoded.size, row->is_stripped ? 0 : row->header_size);
}

Test(extent, an_empty_body_is_a_packet)
{
    each_row(check_empty_body);
}

static void check_packet_size(void)
{
    weir_decoded decoded;
    for (uint32_t body_size = 1; body_size <= 200; body_size++) {
        size_t total = row->header_size + body_size;
        cr_assert_eq(decode(body_size, total, body_size, &decoded), WEIR_DECODE_OK);
        cr_assert_eq(decode(body_size, total, body_size + 1, &decoded), WEIR_DECODE_OK);
        if (body_size > 1)
            cr_assert_eq(decode(body_size, total, body_size - 1, &decoded), WEIR_DECODE_INVALID);
        /* Known as soon as the header is there. */
        if (body_size > 1)
            cr_assert_eq(decode(body_size, row->header_size, body_size - 1, &decoded),
                         WEIR_DECODE_INVALID);
    }
}

Test(extent, packet_size_limits_the_body_alone)
{
    each_row(check_packet_size);
}

static void check_largest(void)
{
    weir_decoded decoded;
    uint32_t largest = LARGEST_TOTAL - row->header_size;
    if (row->body_max < largest)
        return;
    cr_assert_eq(decode(largest, row->header_size, 0, &decoded), WEIR_DECODE_MORE);
    cr_assert_eq(decoded.needed, LARGEST_TOTAL);
    cr_assert_eq(decode(largest + 1, row->header_size, 0, &decoded), WEIR_DECODE_INVALID);
    cr_assert_eq(decode(largest + 1, row->header_size, UINT32_MAX, &decoded), WEIR_DECODE_INVALID);
    cr_assert_eq(decode(row->body_max, row->header_size, 0, &decoded), WEIR_DECODE_INVALID);
}

Test(extent, header_and_body_are_at_most_2_gigabytes)
{
    each_row(check_largest);
}

/* A tag has no limit of its own. Of this one all but its end has been looked at before. */
Test(extent, a_tag_that_leaves_no_room_for_a_body)
{
    enum { PAGE_SIZE = 65536 };
    const size_t end = (size_t)LARGEST_TOTAL + 1;
    uint8_t *bytes = mmap(NULL, end, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    cr_assert_neq(bytes, MAP_FAILED);
    cr_assert_eq(mprotect(bytes + end - PAGE_SIZE, PAGE_SIZE, PROT_READ | PROT_WRITE), 0);
    for (uint32_t size = LARGEST_TOTAL; size <= (uint32_t)end; size++) {
        const weir_decode_options limits = {0};
        struct framer framer = {.scanned = size - 2};
        weir_decoded decoded;
        int result = framer_next(&framer, WEIR_ASN1, &limits, bytes, size, &decoded, NULL);
        cr_assert_eq(result, size == LARGEST_TOTAL ? WEIR_DECODE_OK : WEIR_DECODE_INVALID);
    }
    munmap(bytes, end);
}
