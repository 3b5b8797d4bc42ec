/* SPDX-License-Identifier: MIT */
/*
 * No byte is looked at twice for the end of a line or of an ASN.1 tag. The proof: after every MORE
 * the pages that have been scanned are taken away, so a second look ends the program.
 */
#include "base/check.h"
#include "framing/framing.h"
#include <criterion/criterion.h>
#include <string.h>
#include <sys/mman.h>

enum { PAGE_SIZE = 4096, STREAM_SIZE = 1 << 20 };

static uint8_t *map_stream(char fill, const char *start, const char *end)
{
    uint8_t *bytes =
        mmap(NULL, STREAM_SIZE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    CHECK(bytes != MAP_FAILED);
    memset(bytes, fill, STREAM_SIZE);
    memcpy(bytes, start, strlen(start));
    memcpy(bytes + STREAM_SIZE - strlen(end), end, strlen(end));
    return bytes;
}

/* Takes the pages away that lie between the two offsets. */
static void take_away(uint8_t *bytes, size_t from, size_t to)
{
    size_t first = from / PAGE_SIZE * PAGE_SIZE;
    size_t last = to / PAGE_SIZE * PAGE_SIZE;
    if (first < last)
        CHECK_EQ(mprotect(bytes + first, last - first, PROT_NONE), 0);
}

/* Feeds `step` bytes more each time until the packet is there; gives what it took. */
static size_t feed(enum weir_packet_type type, uint8_t *bytes, size_t step)
{
    static const weir_decode_options limits = {.line_delimiter = '\n'};
    struct framer framer = {0};
    weir_decoded decoded;
    weir_http http;
    size_t seen = 0;
    for (size_t size = step;; size += step) {
        CHECK_LE(size, (size_t)STREAM_SIZE);
        /* With the last bytes the packet is parsed, all of it, so it has to be there again. */
        if (size >= STREAM_SIZE - 4)
            CHECK_EQ(mprotect(bytes, STREAM_SIZE, PROT_READ), 0);
        int result = framer_next(&framer, type, &limits, bytes, size, &decoded, &http);
        if (result == WEIR_DECODE_OK)
            return decoded.consumed;
        cr_assert_eq(result, WEIR_DECODE_MORE);
        cr_assert(framer.scanned >= size - 1 || size >= STREAM_SIZE - 4);
        take_away(bytes, seen, framer.scanned);
        seen = framer.scanned;
    }
}

static const struct {
    enum weir_packet_type type;
    char fill;
    const char *start;
    const char *end;
    size_t consumed;
} rows[] = {
    {WEIR_LINE, 'x', "", "\n", STREAM_SIZE},
    {WEIR_HTTP, 'x', "GET /", " HTTP/1.1\r\n", STREAM_SIZE},
    {WEIR_HTTPH, 'x', "A: ", "\r\n\r\n", STREAM_SIZE - 2},
    {WEIR_HTTPH, 'x', "A: b\r\n c\r\n d", "\r\n\r\n", STREAM_SIZE - 2},
    {WEIR_HTTPH, 'x', "A: a line of 16\n and", "\r\n\r\n", STREAM_SIZE - 2},
    {WEIR_ASN1, '\xff', "\x1f", "\x7f\x01y", STREAM_SIZE},
};

static void check_step(size_t step)
{
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        uint8_t *bytes = map_stream(rows[i].fill, rows[i].start, rows[i].end);
        cr_assert_eq(feed(rows[i].type, bytes, step), rows[i].consumed, "row %zu", i);
        munmap(bytes, STREAM_SIZE);
    }
}

Test(once, in_pieces_of_64_kilobytes)
{
    check_step(1 << 16);
}

Test(once, in_pieces_of_16_bytes)
{
    check_step(16);
}

Test(once, byte_by_byte)
{
    check_step(1);
}
