/* SPDX-License-Identifier: MIT */
/* Header lines: name ':' value, the name as it came and in canonical case. */
#include "framing/http.h"
#include "framing/http_field.h"

/* Longer names are left in the case they came in. */
enum { CASED_SIZE_MAX = sizeof(((weir_http *)NULL)->as.header.field_text) };

static char to_upper(char c)
{
    return c >= 'a' && c <= 'z' ? (char)(c - 'a' + 'A') : c;
}

static char to_lower(char c)
{
    return c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
}

/* Upper case at the start and after a '-', except when that '-' itself was due for upper case. */
static void write_canonical(weir_slice name, char *text)
{
    bool upper = true;
    for (size_t i = 0; i < name.size; i++) {
        text[i] = upper ? to_upper(name.bytes[i]) : to_lower(name.bytes[i]);
        upper = !upper && text[i] == '-';
    }
}

static void set_field(weir_slice name, weir_http *http)
{
    http->as.header.original = name;
    http->as.header.number = 0;
    http->as.header.field = name;
    if (name.size > CASED_SIZE_MAX)
        return;
    const struct http_field *known = http_field_find(name.bytes, name.size);
    if (known) {
        http->as.header.number = known->number;
        http->as.header.field.bytes = known->name;
        return;
    }
    write_canonical(name, http->as.header.field_text);
    http->as.header.field.bytes = http->as.header.field_text;
}

bool http_parse_header(struct text line, weir_http *http)
{
    const uint8_t *from = line.at;
    text_skip(&line, TEXT_TOKEN);
    weir_slice name = text_slice(from, line.at);
    if (!text_skip_word(&line, ":", 1))
        return false;
    http->kind = WEIR_HTTP_HEADER;
    set_field(name, http);
    text_skip(&line, TEXT_BLANK);
    http->as.header.value = text_slice(line.at, line.end);
    return true;
}
