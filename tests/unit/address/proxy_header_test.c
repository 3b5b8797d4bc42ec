/* SPDX-License-Identifier: MIT */
/* Headers of both versions: what is one, where it ends wherever it is cut, and what is none. */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>

#include <errno.h>
#include <string.h>

#include "address/proxy_header.h"

#define SIGNATURE "\r\n\r\n\0\r\nQUIT\n"
#define BLOCK(text)                               \
    (const struct block)                          \
    {                                             \
        (const uint8_t *)(text), sizeof(text) - 1 \
    }

struct block {
    const uint8_t *bytes;
    size_t size;
};

static struct block line(const char *text)
{
    return (struct block){(const uint8_t *)text, strlen(text)};
}

static const char *endpoint(const weir_address *address)
{
    static char text[2][WEIR_ADDRESS_TEXT_SIZE];
    static int next;
    return weir_address_format_endpoint(address, text[next++ % 2]);
}

/* Whatever there is of it, it is not whole before its end, and what follows does not matter. */
static struct proxy_header whole(struct block block)
{
    struct proxy_header header;
    uint8_t more[300] = {0};
    cr_assert(lt(sz, block.size, sizeof(more)));
    for (size_t size = 0; size < block.size; size++) {
        memcpy(more, block.bytes, size);
        cr_assert(eq(int, proxy_header_read(&header, more, size), 0), "%zu of %.*s", size,
                  (int)block.size, (const char *)block.bytes);
        cr_assert(le(sz, size, proxy_header_most(more, size)));
    }
    memcpy(more, block.bytes, block.size);
    cr_assert(eq(int, proxy_header_read(&header, more, sizeof(more)), (int)block.size));
    cr_assert(eq(int, proxy_header_read(&header, more, block.size), (int)block.size));
    return header;
}

static void tells(struct block block, const char *source, const char *destination)
{
    struct proxy_header header = whole(block);
    cr_assert(header.has_addresses);
    cr_expect(eq(str, (char *)endpoint(&header.source), (char *)source));
    cr_expect(eq(str, (char *)endpoint(&header.destination), (char *)destination));
}

static void tells_nothing(struct block block)
{
    cr_expect(not(whole(block).has_addresses));
}

/* At the end of all at the latest. */
static void is_none(struct block block)
{
    struct proxy_header header;
    cr_expect(eq(int, proxy_header_read(&header, block.bytes, block.size), -EPROTO), "%.*s",
              (int)block.size, (const char *)block.bytes);
}

Test(proxy_header, lines)
{
    tells(line("PROXY TCP4 192.0.2.1 198.51.100.255 56324 443\r\n"), "192.0.2.1:56324",
          "198.51.100.255:443");
    tells(line("PROXY TCP4 0.0.0.0 255.255.255.255 0 65535\r\n"), "0.0.0.0:0",
          "255.255.255.255:65535");
    tells(line("PROXY TCP6 2001:db8::1 ::1 65535 1\r\n"), "[2001:db8::1]:65535", "[::1]:1");
    tells(line("PROXY TCP6 ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff "
               "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff 65535 65535\r\n"),
          "[ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff]:65535",
          "[ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff]:65535");
    tells_nothing(line("PROXY UNKNOWN\r\n"));
    tells_nothing(line("PROXY UNKNOWN what ever\r\n"));
    tells_nothing(line("PROXY UNKNOWN ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff "
                       "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff 65535 65535\r\n"));
}

Test(proxy_header, lines_that_are_none)
{
    static const char *const lines[] = {
        "GET / HTTP/1.1\r\n",
        "PROXY\r\n",
        "proxy TCP4 1.2.3.4 1.2.3.4 1 2\r\n",
        "PROXY \r\n",
        "PROXY \n",
        "PROXY  TCP4 1.2.3.4 1.2.3.4 1 2\r\n",
        "PROXY UNKNOWN\n",
        "PROXY UNKNOWNS\r\n",
        "PROXY UNKNOWNS\n",
        "PROXY TCP4 1.2.3.4 1.2.3.4 1 22\n",
        "PROXY TCP5 1.2.3.4 1.2.3.4 1 2\r\n",
        "PROXY TCP4\r\n",
        "PROXY TCP4 1.2.3.4 1.2.3.4 1\r\n",
        "PROXY TCP4 1.2.3.4 1.2.3.4 1 \r\n",
        "PROXY TCP4 1.2.3.4 1.2.3.4 1 2 \r\n",
        "PROXY TCP4 1.2.3.4 1.2.3.4 1 2 3\r\n",
        "PROXY TCP4 1.2.3.4  1.2.3.4 1 2\r\n",
        "PROXY TCP4 1.2.3.4 1.2.3.4 1 65536\r\n",
        "PROXY TCP4 1.2.3.4 1.2.3.4 01 2\r\n",
        "PROXY TCP4 1.2.3.4 1.2.3.4 +1 2\r\n",
        "PROXY TCP4 1.2.3.4 1.2.3.4 1 -2\r\n",
        "PROXY TCP4 1.2.3.04 1.2.3.4 1 2\r\n",
        "PROXY TCP4 1.2.3 1.2.3.4 1 2\r\n",
        "PROXY TCP4 1.2.3.256 1.2.3.4 1 2\r\n",
        "PROXY TCP4 ::1 ::1 1 2\r\n",
        "PROXY TCP6 1.2.3.4 1.2.3.4 1 2\r\n",
        "PROXY TCP6 ::1%lo ::1 1 2\r\n",
        "PROXY TCP6 ::1::2 ::1 1 2\r\n",
        "PROXY TCP4 1.2.3.4\r1.2.3.4 1 2\r\n",
        "PROXY TCP4 1.2.3.4 1.2.3.4 1 2\n\r\n",
    };
    for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++)
        is_none(line(lines[i]));
    is_none(BLOCK("PROXY TCP4 1.2.3.4\0 1.2.3.4 1 2\r\n"));
}

/* It is not waited for longer than a line may be, nor when it begins otherwise. */
Test(proxy_header, lines_that_are_too_long)
{
    uint8_t bytes[PROXY_LINE_MAX + 1];
    struct proxy_header header;
    memset(bytes, 'x', sizeof(bytes));
    memcpy(bytes, "PROXY UNKNOWN ", 14);
    cr_expect(eq(int, proxy_header_read(&header, bytes, PROXY_LINE_MAX - 1), 0));
    cr_expect(eq(int, proxy_header_read(&header, bytes, PROXY_LINE_MAX), -EPROTO));
    memcpy(bytes + PROXY_LINE_MAX - 1, "\r\n", 2);
    cr_expect(eq(int, proxy_header_read(&header, bytes, sizeof(bytes)), -EPROTO));
    memcpy(bytes + PROXY_LINE_MAX - 2, "\r\n", 2);
    cr_expect(eq(int, proxy_header_read(&header, bytes, PROXY_LINE_MAX), PROXY_LINE_MAX));
    is_none(line("x"));
    is_none(line("PROX "));
    is_none(BLOCK("\r\n\r\n\0\r\nQUIT\r"));
}

#define INET4 "\x7f\0\0\x2\x0a\0\0\x1\x30\x39\x01\xbb"
#define INET6                                   \
    "\x20\x01\x0d\xb8\0\0\0\0\0\0\0\0\0\0\0\x1" \
    "\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\x1"         \
    "\0\x1\xff\xff"

Test(proxy_header, blocks)
{
    tells(BLOCK(SIGNATURE "\x21\x11\0\x0c" INET4), "127.0.0.2:12345", "10.0.0.1:443");
    tells(BLOCK(SIGNATURE "\x21\x21\0\x24" INET6), "[2001:db8::1]:1", "[::1]:65535");
    tells_nothing(BLOCK(SIGNATURE "\x20\0\0\0"));
    tells_nothing(BLOCK(SIGNATURE "\x20\xff\0\x3"
                                  "abc")); /* its own: the rest does not matter */
    tells_nothing(BLOCK(SIGNATURE "\x21\0\0\x2"
                                  "ab"));
    tells_nothing(BLOCK(SIGNATURE "\x21\x12\0\x0c" INET4)); /* datagrams */
    tells_nothing(BLOCK(SIGNATURE "\x21\x10\0\x0c" INET4));
}

Test(proxy_header, blocks_of_local_sockets)
{
    uint8_t bytes[16 + 216] = SIGNATURE "\x21\x31\0\xd8"
                                        "/run/client";
    tells_nothing((struct block){bytes, sizeof(bytes)});
    bytes[15] = 0xd7;
    is_none((struct block){bytes, sizeof(bytes)});
}

Test(proxy_header, blocks_that_are_none)
{
    is_none(BLOCK(SIGNATURE "\x11"));
    is_none(BLOCK(SIGNATURE "\x31"));
    is_none(BLOCK(SIGNATURE "\x22"));
    is_none(BLOCK(SIGNATURE "\x2f"));
    is_none(BLOCK(SIGNATURE "\x21\x41\0\0"));
    for (size_t size = 253; size <= 255; size++) { /* of a family of another day */
        uint8_t large[16 + 255] = SIGNATURE "\x21\x41";
        large[15] = (uint8_t)size;
        is_none((struct block){large, 16 + size});
    }
    is_none(BLOCK(SIGNATURE "\x21\x13\0\x0c" INET4));
    is_none(BLOCK(SIGNATURE "\x21\x11\0\x0b" INET4));
    is_none(BLOCK(SIGNATURE "\x21\x21\0\x23" INET6));
}

/* The addresses of a client behind a name and a checksum, as HAProxy sends them. */
#define NOTHING   "\x04\0\x2zz"
#define AUTHORITY "\x02\0\x4test"

Test(proxy_header, extensions)
{
    tells(BLOCK(SIGNATURE "\x21\x11\0\x18" INET4 AUTHORITY NOTHING), "127.0.0.2:12345",
          "10.0.0.1:443");
    tells(BLOCK(SIGNATURE "\x21\x11\0\x0f" INET4 "\xee\0\0"), "127.0.0.2:12345", "10.0.0.1:443");
    is_none(BLOCK(SIGNATURE "\x21\x11\0\x0d" INET4 "\x04"));
    is_none(BLOCK(SIGNATURE "\x21\x11\0\x0e" INET4 "\x04\0"));
    is_none(BLOCK(SIGNATURE "\x21\x11\0\x10" INET4 "\x04\0\x2z"));
    is_none(BLOCK(SIGNATURE "\x21\x12\0\x10" INET4 "\x04\0\x2z"));
    is_none(BLOCK(SIGNATURE "\x21\x11\0\x10" INET4 "\x03\0\x1z"));
}

/* Written down beside: Castagnoli's polynomial by its table of 4 bits. */
static uint32_t castagnoli(const uint8_t *bytes, size_t size)
{
    static const uint32_t table[16] = {
        0x00000000, 0x105ec76f, 0x20bd8ede, 0x30e349b1, 0x417b1dbc, 0x5125dad3,
        0x61c69362, 0x7198540d, 0x82f63b78, 0x92a8fc17, 0xa24bb5a6, 0xb21572c9,
        0xc38d26c4, 0xd3d3e1ab, 0xe330a81a, 0xf36e6f75,
    };
    uint32_t sum = UINT32_MAX;
    for (size_t i = 0; i < size; i++) {
        sum = table[(sum ^ bytes[i]) & 15] ^ sum >> 4;
        sum = table[(sum ^ bytes[i] >> 4) & 15] ^ sum >> 4;
    }
    return ~sum;
}

Test(proxy_header, checksums)
{
    uint8_t bytes[] = SIGNATURE "\x21\x11\0\x1a" INET4 AUTHORITY "\x03\0\x4\0\0\0\0";
    size_t size = sizeof(bytes) - 1;
    cr_assert(eq(u32, castagnoli((const uint8_t *)"123456789", 9), 0xe3069283));
    uint32_t sum = castagnoli(bytes, size);
    for (int i = 0; i < 4; i++)
        bytes[size - 1 - (size_t)i] = (uint8_t)(sum >> 8 * i);
    tells((struct block){bytes, size}, "127.0.0.2:12345", "10.0.0.1:443");
    for (size_t i = 16; i < 28; i++) {
        bytes[i] ^= 1;
        is_none((struct block){bytes, size});
        bytes[i] ^= 1;
    }
    bytes[size - 1] ^= 1;
    is_none((struct block){bytes, size});
}

Test(proxy_header, a_checksum_is_of_what_follows_it_too)
{
    uint8_t bytes[] = SIGNATURE "\x21\x11\0\x1a" INET4 "\x03\0\x4\0\0\0\0" AUTHORITY;
    const size_t size = sizeof(bytes) - 1;
    const size_t sum_at = 28 + 3;
    uint32_t sum = castagnoli(bytes, size);
    for (size_t i = 0; i < 4; i++)
        bytes[sum_at + i] = (uint8_t)(sum >> (24 - 8 * i));
    tells((struct block){bytes, size}, "127.0.0.2:12345", "10.0.0.1:443");
    bytes[size - 1] ^= 1;
    is_none((struct block){bytes, size});
}

Test(proxy_header, most)
{
    uint8_t bytes[16] = SIGNATURE "\x21\x11\xff\xff";
    cr_expect(eq(sz, proxy_header_most(bytes, 15), PROXY_LINE_MAX));
    cr_expect(eq(sz, proxy_header_most(bytes, 16), 65551));
    cr_expect(eq(sz, proxy_header_most((const uint8_t *)"PROXY UNKNOWN xx", 16), PROXY_LINE_MAX));
}
