/* SPDX-License-Identifier: MIT */
#include "address/proxy_header.h"

#include <arpa/inet.h>
#include <errno.h>
#include <string.h>

#include "address/number.h"
#include "base/bytes.h"

static const char line_start[] = "PROXY ";
enum { LINE_START_SIZE = sizeof(line_start) - 1 };

static const uint8_t signature[12] = {0x0d, 0x0a, 0x0d, 0x0a, 0x00, 0x0d,
                                      0x0a, 0x51, 0x55, 0x49, 0x54, 0x0a};
enum { FIXED_SIZE = 16 }; /* signature, version and command, family, length of the rest */

static bool begins_with(const uint8_t *bytes, size_t size, const void *what, size_t what_size)
{
    return memcmp(bytes, what, size < what_size ? size : what_size) == 0;
}

/* Up to the next space, which is taken too, or to the end of the line. */
static struct span take_word(struct span *line)
{
    struct span word = *line;
    const char *space = memchr(line->at, ' ', (size_t)(line->end - line->at));
    word.end = space ? space : line->end;
    line->at = space ? space + 1 : line->end;
    return word;
}

static bool is_word(struct span word, const char *text)
{
    size_t size = (size_t)(word.end - word.at);
    return strlen(text) == size && memcmp(word.at, text, size) == 0;
}

static bool read_text(struct span word, weir_address *address)
{
    char text[INET6_ADDRSTRLEN];
    size_t size = (size_t)(word.end - word.at);
    if (size >= sizeof(text) || memchr(word.at, '\0', size))
        return false;
    memcpy(text, word.at, size);
    text[size] = '\0';
    return inet_pton(address->family, text, address->bytes) == 1;
}

/* Without zeros in front. */
static bool read_port(struct span word, weir_address *address)
{
    uint32_t port;
    bool has_zero = word.end - word.at > 1 && *word.at == '0';
    bool is_number = number_take(&word, 10, UINT16_MAX, &port) && span_is_empty(&word);
    if (!is_number || has_zero)
        return false;
    address->port = (uint16_t)port;
    return true;
}

/* "SOURCE DESTINATION SOURCE-PORT DESTINATION-PORT" */
static bool read_endpoints(struct span *line, enum weir_family family, struct proxy_header *header)
{
    header->has_addresses = true;
    header->source.family = header->destination.family = (uint8_t)family;
    return read_text(take_word(line), &header->source) &&
           read_text(take_word(line), &header->destination) &&
           read_port(take_word(line), &header->source) && read_port(*line, &header->destination);
}

static bool read_line(struct span line, struct proxy_header *header)
{
    struct span family = take_word(&line);
    if (is_word(family, "UNKNOWN"))
        return true;
    if (is_word(family, "TCP4"))
        return read_endpoints(&line, WEIR_INET, header);
    return is_word(family, "TCP6") && read_endpoints(&line, WEIR_INET6, header);
}

static int read_version_1(struct proxy_header *header, const uint8_t *bytes, size_t size)
{
    size_t most = size < PROXY_LINE_MAX ? size : PROXY_LINE_MAX;
    const uint8_t *end = memchr(bytes, '\n', most);
    if (!end)
        return size < PROXY_LINE_MAX ? 0 : -EPROTO;
    struct span line = {(const char *)bytes + LINE_START_SIZE, (const char *)end - 1};
    bool is_line = line.end > line.at && *line.end == '\r';
    return is_line && read_line(line, header) ? (int)(end + 1 - bytes) : -EPROTO;
}

enum command { COMMAND_LOCAL, COMMAND_PROXY, COMMAND_COUNT };
enum { VERSION_2 = 2, FAMILY_COUNT = 4, PROTOCOL_COUNT = 3, PROTOCOL_STREAM = 1 };

/* How the addresses of a family stand in the header: both, then both ports. */
static const struct {
    enum weir_family family;
    uint8_t address_size;
    uint8_t size; /* of all of it */
} layouts[FAMILY_COUNT] = {
    {WEIR_ANY_FAMILY, 0, 0},
    {WEIR_INET, 4, 12},
    {WEIR_INET6, 16, 36},
    {WEIR_LOCAL, 108, 216},
};

/* Castagnoli's, bit by bit; it is asked for once in a connection's life, if at all. The checksum's
 * own place counts as zeros. */
static uint32_t checksum(const uint8_t *bytes, size_t size, size_t own_at)
{
    uint32_t sum = UINT32_MAX;
    for (size_t i = 0; i < size; i++) {
        sum ^= i - own_at < 4 ? 0 : bytes[i];
        for (int bit = 0; bit < 8; bit++)
            sum = sum >> 1 ^ (sum & 1 ? 0x82f63b78 : 0);
    }
    return ~sum;
}

/* What stands behind the addresses: each a type, a size and as many bytes. */
static bool check_extensions(const uint8_t *bytes, size_t size, size_t at)
{
    enum { HEAD_SIZE = 3, TYPE_CHECKSUM = 3 };
    while (at < size) {
        if (size - at < HEAD_SIZE)
            return false;
        uint8_t type = bytes[at];
        size_t length = bytes_read_be16(bytes + at + 1);
        at += HEAD_SIZE;
        if (size - at < length)
            return false;
        if (type == TYPE_CHECKSUM &&
            (length != 4 || checksum(bytes, size, at) != bytes_read_be32(bytes + at)))
            return false;
        at += length;
    }
    return true;
}

static void take_addresses(struct proxy_header *header, const uint8_t *bytes, unsigned family)
{
    size_t size = layouts[family].address_size;
    const uint8_t *ports = bytes + 2 * size;
    header->has_addresses = true;
    header->source.family = header->destination.family = (uint8_t)layouts[family].family;
    memcpy(header->source.bytes, bytes, size);
    memcpy(header->destination.bytes, bytes + size, size);
    header->source.port = (uint16_t)bytes_read_be16(ports);
    header->destination.port = (uint16_t)bytes_read_be16(ports + 2);
}

static bool read_block(struct proxy_header *header, const uint8_t *bytes, size_t size)
{
    unsigned family = bytes[13] >> 4;
    unsigned protocol = bytes[13] & 15;
    if (family >= FAMILY_COUNT || protocol >= PROTOCOL_COUNT ||
        size - FIXED_SIZE < layouts[family].size)
        return false;
    if (family == 0) /* nobody says where what follows begins */
        return true;
    if (!check_extensions(bytes, size, FIXED_SIZE + layouts[family].size))
        return false;
    if (protocol == PROTOCOL_STREAM && layouts[family].family != WEIR_LOCAL)
        take_addresses(header, bytes + FIXED_SIZE, family);
    return true;
}

static int read_version_2(struct proxy_header *header, const uint8_t *bytes, size_t size)
{
    if (size <= sizeof(signature))
        return 0;
    unsigned command = bytes[12] & 15;
    if (bytes[12] >> 4 != VERSION_2 || command >= COMMAND_COUNT)
        return -EPROTO;
    size_t whole = proxy_header_most(bytes, size);
    if (size < FIXED_SIZE || size < whole)
        return 0;
    return command == COMMAND_LOCAL || read_block(header, bytes, whole) ? (int)whole : -EPROTO;
}

int proxy_header_read(struct proxy_header *header, const uint8_t *bytes, size_t size)
{
    *header = (struct proxy_header){0};
    if (size == 0)
        return 0;
    if (begins_with(bytes, size, signature, sizeof(signature)))
        return read_version_2(header, bytes, size);
    if (!begins_with(bytes, size, line_start, LINE_START_SIZE))
        return -EPROTO;
    return read_version_1(header, bytes, size);
}

size_t proxy_header_most(const uint8_t *bytes, size_t size)
{
    bool is_known = size >= FIXED_SIZE && begins_with(bytes, size, signature, sizeof(signature));
    return is_known ? FIXED_SIZE + bytes_read_be16(bytes + 14) : PROXY_LINE_MAX;
}
