/* SPDX-License-Identifier: MIT */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <weir/address.h>

#include "address/ipv6.h"
#include "base/bytes.h"

/* Where text is being written; WEIR_ADDRESS_TEXT_SIZE has room for all of it. */
struct writer {
    char *at;
    char *end;
};

__attribute__((format(printf, 2, 3))) static void write_text(struct writer *writer,
                                                             const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    writer->at += vsnprintf(writer->at, (size_t)(writer->end - writer->at), format, arguments);
    va_end(arguments);
}

struct run {
    int first;
    int count;
};

static uint32_t group_at(const uint8_t *bytes, int index)
{
    return bytes_read_be16(bytes + 2 * index);
}

static struct run zeros_from(const uint8_t *bytes, int first)
{
    struct run run = {first, 0};
    while (first + run.count < IPV6_GROUP_COUNT && group_at(bytes, first + run.count) == 0)
        run.count++;
    return run;
}

/* The longest run of zero groups, the first of equals; one alone is not shortened. */
static struct run longest_zeros(const uint8_t *bytes)
{
    struct run longest = {IPV6_GROUP_COUNT, 1};
    for (int i = 0; i < IPV6_GROUP_COUNT; i++) {
        struct run run = zeros_from(bytes, i);
        if (run.count > longest.count)
            longest = run;
    }
    return longest;
}

static void write_ipv4(struct writer *writer, const uint8_t *bytes)
{
    write_text(writer, "%u", bytes[0]);
    for (int i = 1; i < 4; i++)
        write_text(writer, ".%u", bytes[i]);
}

static void write_groups(struct writer *writer, const uint8_t *bytes)
{
    struct run zeros = longest_zeros(bytes);
    for (int i = 0; i < IPV6_GROUP_COUNT; i++) {
        if (i == zeros.first) {
            write_text(writer, ":");
            i += zeros.count - 1;
            if (i == IPV6_GROUP_COUNT - 1)
                write_text(writer, ":");
            continue;
        }
        write_text(writer, i == 0 ? "%x" : ":%x", group_at(bytes, i));
    }
}

/* ::a.b.c.d but not "::" and "::1", and ::ffff:a.b.c.d. */
static bool ends_in_ipv4(const uint8_t *bytes)
{
    int zeros = zeros_from(bytes, 0).count;
    if (zeros == 5)
        return group_at(bytes, 5) == 0xffff;
    return zeros == 6 || (zeros == 7 && group_at(bytes, 7) != 1);
}

static void write_ipv6(struct writer *writer, const weir_address *address)
{
    uint8_t bytes[16];
    memcpy(bytes, address->bytes, sizeof(bytes));
    if (ends_in_ipv4(bytes)) {
        write_text(writer, group_at(bytes, 5) ? "::ffff:" : "::");
        write_ipv4(writer, bytes + 12);
        return;
    }
    uint32_t scope_id = 0;
    if (ipv6_has_scope(group_at(bytes, 0))) {
        scope_id = address->scope_id ? address->scope_id : group_at(bytes, 1);
        bytes_write_be16(bytes + 2, 0);
    }
    write_groups(writer, bytes);
    if (scope_id)
        write_text(writer, "%%0%u", scope_id);
}

static void write_address(struct writer *writer, const weir_address *address)
{
    if (address->family == WEIR_INET)
        write_ipv4(writer, address->bytes);
    if (address->family == WEIR_INET6)
        write_ipv6(writer, address);
}

static struct writer writer_of(char *text)
{
    *text = '\0';
    return (struct writer){text, text + WEIR_ADDRESS_TEXT_SIZE};
}

const char *weir_address_format(const weir_address *address, char *text)
{
    struct writer writer = writer_of(text);
    write_address(&writer, address);
    return text;
}

const char *weir_address_format_endpoint(const weir_address *address, char *text)
{
    struct writer writer = writer_of(text);
    bool brackets = address->family == WEIR_INET6;
    if (brackets)
        write_text(&writer, "[");
    write_address(&writer, address);
    if (brackets)
        write_text(&writer, "]");
    if (writer.at > text)
        write_text(&writer, ":%u", address->port);
    return text;
}
