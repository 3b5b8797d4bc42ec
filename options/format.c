/* SPDX-License-Identifier: MIT */
/* Options as Erlang terms: what parse.c reads. */
#include "base/bytes.h"
#include "base/check.h"
#include "base/error.h"
#include "options/check.h"
#include "options/word.h"

#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

/* As snprintf: what does not fit is counted and not written. */
struct writer {
    char *text;
    size_t size;
    size_t length;
};

__attribute__((format(printf, 2, 3))) static void write_text(struct writer *writer,
                                                             const char *format, ...)
{
    size_t room = writer->length < writer->size ? writer->size - writer->length : 0;
    va_list arguments;
    va_start(arguments, format);
    writer->length +=
        (size_t)vsnprintf(room ? writer->text + writer->length : NULL, room, format, arguments);
    va_end(arguments);
}

static int write_number(struct writer *writer, const weir_option *option)
{
    write_text(writer, "%" PRId64, option->value.number);
    return 0;
}

static int write_word(struct writer *writer, const weir_option *option)
{
    const struct option_row *row = option_row_of(option);
    const char *word = word_of((enum option_type)row->type, option->value.number);
    CHECK(word != NULL);
    write_text(writer, "%s", word);
    return 0;
}

static int write_word_or_number(struct writer *writer, const weir_option *option)
{
    const char *word = word_of((enum option_type)option_row_of(option)->type, option->value.number);
    return word ? write_word(writer, option) : write_number(writer, option);
}

static void write_inet(struct writer *writer, const uint8_t *bytes)
{
    write_text(writer, "{%u,%u,%u,%u}", bytes[0], bytes[1], bytes[2], bytes[3]);
}

/* As in Erlang/OTP, a scope is the second number. */
static void write_inet6(struct writer *writer, const uint8_t *bytes, uint32_t scope_id)
{
    for (int i = 0; i < 8; i++) {
        uint32_t group = bytes_read_be16(bytes + 2 * i);
        write_text(writer, "%c%" PRIu32, i ? ',' : '{', i == 1 && scope_id ? scope_id : group);
    }
    write_text(writer, "}");
}

static int no_text(const weir_option *option, const char *what)
{
    return error_say(-EINVAL, "option %s: %s has no text", option_row_of(option)->atom, what);
}

/* In text the second number of a link-local address is its scope: such an address has none of its
 * own, and others have no scope. */
static bool address_has_text(const weir_address *address)
{
    uint32_t first = bytes_read_be16(address->bytes);
    bool is_link_local = address->family == WEIR_INET6 && (first == 0xfe80 || first == 0xff02);
    if (!is_link_local)
        return address->scope_id == 0;
    return address->scope_id <= UINT16_MAX && bytes_read_be16(address->bytes + 2) == 0;
}

static int write_interface(struct writer *writer, const weir_option *option)
{
    const weir_address *address = &option->value.address;
    if (address->family == WEIR_ANY_FAMILY)
        return no_text(option, "an interface without a family");
    if (address->family == WEIR_INET6)
        write_text(writer, "%" PRIu32, address->scope_id);
    else
        write_inet(writer, address->bytes);
    return 0;
}

static int write_membership(struct writer *writer, const weir_option *option)
{
    const weir_membership *membership = &option->value.membership;
    write_text(writer, "{");
    if (membership->family == WEIR_INET6) {
        write_inet6(writer, membership->group, 0);
        write_text(writer, ",%" PRIu32, membership->index);
    } else {
        write_inet(writer, membership->group);
        write_text(writer, ",");
        write_inet(writer, membership->interface);
    }
    write_text(writer, "}");
    return 0;
}

static int write_linger(struct writer *writer, const weir_option *option)
{
    const weir_linger *linger = &option->value.linger;
    if (linger->seconds < 0)
        return no_text(option, "a negative time");
    write_text(writer, "{%s,%" PRId32 "}", linger->on ? "true" : "false", linger->seconds);
    return 0;
}

static void write_quoted(struct writer *writer, const char *text, size_t length)
{
    write_text(writer, "\"");
    for (size_t i = 0; i < length && text[i]; i++) {
        unsigned byte = (uint8_t)text[i];
        bool escape = byte == '"' || byte == '\\';
        if (byte >= 32 && byte < 127)
            write_text(writer, escape ? "\\%c" : "%c", (int)byte);
        else
            write_text(writer, "\\x%02x", byte);
    }
    write_text(writer, "\"");
}

static int write_name(struct writer *writer, const weir_option *option)
{
    if (!option->value.name[0]) {
        write_text(writer, "<<>>");
        return 0;
    }
    write_text(writer, "<<");
    write_quoted(writer, option->value.name, WEIR_OPTION_NAME_SIZE);
    write_text(writer, ">>");
    return 0;
}

static int write_path(struct writer *writer, const weir_option *option)
{
    write_quoted(writer, option->value.path, strlen(option->value.path));
    return 0;
}

static void write_bytes(struct writer *writer, const uint8_t *bytes, size_t size)
{
    write_text(writer, "<<");
    for (size_t i = 0; i < size; i++)
        write_text(writer, "%s%u", i ? "," : "", bytes[i]);
    write_text(writer, ">>");
}

static int write_local(struct writer *writer, const weir_local_name *local)
{
    write_text(writer, "{local,");
    if (local->size > 0 && memchr(local->name, '\0', local->size))
        write_bytes(writer, (const uint8_t *)local->name, local->size);
    else
        write_quoted(writer, local->name, local->size);
    write_text(writer, "}");
    return 0;
}

static int write_address(struct writer *writer, const weir_option *option)
{
    const weir_address *address = &option->value.address;
    if (address->family == WEIR_LOCAL)
        return write_local(writer, &option->value.local);
    if (!address_has_text(address))
        return no_text(option, "an address with that scope");
    if (address->family == WEIR_ANY_FAMILY)
        write_text(writer, address->bytes[15] ? "loopback" : "any");
    else if (address->family == WEIR_INET6)
        write_inet6(writer, address->bytes, address->scope_id);
    else
        write_inet(writer, address->bytes);
    return 0;
}

static int write_raw(struct writer *writer, const weir_option *option)
{
    const weir_raw *raw = &option->value.raw;
    write_text(writer, "%" PRId32 ",%" PRId32 ",", raw->level, raw->number);
    write_bytes(writer, raw->bytes, raw->size);
    return 0;
}

typedef int write_value(struct writer *writer, const weir_option *option);

static write_value *const writers[OPTION_TYPE_COUNT] = {
    [OPTION_BOOLEAN] = write_word,
    [OPTION_INTEGER] = write_number,
    [OPTION_TIMEOUT] = write_word_or_number,
    [OPTION_ACTIVE] = write_word_or_number,
    [OPTION_BIT8] = write_word,
    [OPTION_DELIVER] = write_word,
    [OPTION_MODE] = write_word,
    [OPTION_PACKET] = write_word,
    [OPTION_ADDRESS] = write_address,
    [OPTION_INTERFACE] = write_interface,
    [OPTION_MEMBERSHIP] = write_membership,
    [OPTION_LINGER] = write_linger,
    [OPTION_NAME] = write_name,
    [OPTION_PATH] = write_path,
    [OPTION_RAW] = write_raw,
};

static int write_option(struct writer *writer, const weir_option *option)
{
    if (!option_known(option))
        return error_say(-EINVAL, "option %d: there is no such option", (int)option->id);
    const struct option_row *row = option_row_of(option);
    int result = check_value(option);
    if (result < 0)
        return result;
    if (row->type == OPTION_FLAG) {
        write_text(writer, "%s", row->atom);
        return 0;
    }
    write_text(writer, "{%s,", row->atom);
    result = writers[row->type](writer, option);
    write_text(writer, "}");
    return result;
}

int weir_options_format(const weir_option *options, char *text, size_t size)
{
    struct writer writer = {text, size, 0};
    write_text(&writer, "[");
    for (const weir_option *option = options; option_follows(option); option++) {
        if (option != options)
            write_text(&writer, ",");
        int result = write_option(&writer, option);
        if (result < 0)
            return result;
    }
    write_text(&writer, "]");
    if (writer.length > INT_MAX)
        return error_say(-EINVAL, "the text of the list is longer than %d bytes", INT_MAX);
    return (int)writer.length;
}
