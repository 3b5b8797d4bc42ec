/* SPDX-License-Identifier: MIT */
#include "http_line.h"

#include <string.h>
#include <strings.h>

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static bool is_alphanumeric(char c)
{
    char lower = (char)(c | 0x20);
    return is_digit(c) || (lower >= 'a' && lower <= 'z');
}

static bool is_one_of(char c, const char *set)
{
    return c && strchr(set, c);
}

static bool is_in_token(char c)
{
    return is_alphanumeric(c) || is_one_of(c, "!#$%&'*+-.^_`|~");
}

static bool is_blank(char c)
{
    return c == ' ' || c == '\t';
}

/* Bytes above 127 are nobody's characters, and are let pass. */
static bool is_visible(char c)
{
    return (uint8_t)c > ' ' && c != 0x7f;
}

static bool is_in_value(char c)
{
    return is_visible(c) || is_blank(c);
}

static bool is_in_name_of_host(char c)
{
    return is_alphanumeric(c) || is_one_of(c, "-._~%!$&'()*+,;=");
}

static bool is_in_literal(char c)
{
    return is_in_name_of_host(c) || c == ':';
}

typedef bool is_in(char c);

static weir_slice take_while(weir_slice *text, is_in *is)
{
    weir_slice taken = {text->bytes, 0};
    while (taken.size < text->size && is(text->bytes[taken.size]))
        taken.size++;
    text->bytes += taken.size;
    text->size -= taken.size;
    return taken;
}

static bool take(weir_slice *text, const char *word)
{
    size_t size = strlen(word);
    if (text->size < size || memcmp(text->bytes, word, size) != 0)
        return false;
    text->bytes += size;
    text->size -= size;
    return true;
}

weir_slice http_trim(weir_slice text)
{
    (void)take_while(&text, is_blank);
    while (text.size > 0 && is_blank(text.bytes[text.size - 1]))
        text.size--;
    return text;
}

bool http_line_text(const weir_packet *packet, weir_slice *line)
{
    *line = (weir_slice){(const char *)packet->bytes, packet->size};
    if (line->size == 0 || line->bytes[line->size - 1] != '\n')
        return false;
    line->size--;
    if (line->size > 0 && line->bytes[line->size - 1] == '\r')
        line->size--;
    return true;
}

/* "HTTP/" digit "." digit, to the end. */
static bool take_version(weir_slice *text, struct http_request_line *parsed)
{
    if (!take(text, "HTTP/") || text->size != 3 || !is_digit(text->bytes[0]) ||
        text->bytes[1] != '.' || !is_digit(text->bytes[2]))
        return false;
    parsed->major = (unsigned)(text->bytes[0] - '0');
    parsed->minor = (unsigned)(text->bytes[2] - '0');
    return true;
}

bool http_request_line_parse(weir_slice line, struct http_request_line *parsed)
{
    parsed->method = take_while(&line, is_in_token);
    if (parsed->method.size == 0 || !take(&line, " "))
        return false;
    parsed->target = take_while(&line, is_visible);
    if (parsed->target.size == 0)
        return false;
    parsed->major = 0;
    parsed->minor = 9;
    return line.size == 0 || (take(&line, " ") && take_version(&line, parsed));
}

bool http_field_parse(weir_slice line, struct http_field *field)
{
    field->name = take_while(&line, is_in_token);
    if (field->name.size == 0 || !take(&line, ":"))
        return false;
    field->value = http_trim(take_while(&line, is_in_value));
    return line.size == 0;
}

/* A digit of base 16, or 16. */
static unsigned digit_of(char c)
{
    static const char digits[] = "0123456789abcdef";
    const char *digit = c ? strchr(digits, c | 0x20) : NULL;
    return digit && is_alphanumeric(c) ? (unsigned)(digit - digits) : 16;
}

static bool take_number(weir_slice *text, unsigned base, uint64_t *number)
{
    size_t before = text->size;
    for (*number = 0; text->size > 0 && digit_of(*text->bytes) < base; text->bytes++, text->size--)
        if (__builtin_mul_overflow(*number, base, number) ||
            __builtin_add_overflow(*number, digit_of(*text->bytes), number))
            return false;
    return text->size < before;
}

/* More would leave no room to count what comes. */
enum { SIZE_BITS_MAX = 60 };

bool http_is_number(weir_slice text, uint64_t *number)
{
    return take_number(&text, 10, number) && text.size == 0 && *number >> SIZE_BITS_MAX == 0;
}

bool http_chunk_parse(weir_slice line, uint64_t *size, uint32_t *extension_bytes)
{
    if (!take_number(&line, 16, size) || *size >> SIZE_BITS_MAX != 0)
        return false;
    *extension_bytes = (uint32_t)line.size;
    (void)take_while(&line, is_blank);
    if (line.size > 0 && !take(&line, ";"))
        return false;
    (void)take_while(&line, is_in_value);
    return line.size == 0;
}

bool http_is_host(weir_slice text)
{
    bool is_literal = take(&text, "[");
    weir_slice name = take_while(&text, is_literal ? is_in_literal : is_in_name_of_host);
    if (is_literal && (name.size == 0 || !take(&text, "]")))
        return false;
    if (take(&text, ":"))
        (void)take_while(&text, is_digit);
    return text.size == 0;
}

bool http_is_word(weir_slice text, const char *word)
{
    size_t size = strlen(word);
    return text.size == size && strncasecmp(text.bytes, word, size) == 0;
}

weir_slice http_take_element(weir_slice *list)
{
    const char *comma = memchr(list->bytes, ',', list->size);
    size_t size = comma ? (size_t)(comma - list->bytes) : list->size;
    weir_slice element = {list->bytes, size};
    size_t taken = comma ? size + 1 : size;
    list->bytes += taken;
    list->size -= taken;
    return http_trim(element);
}
