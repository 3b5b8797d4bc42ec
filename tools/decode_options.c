/* SPDX-License-Identifier: MIT */
#include "decode_options.h"
#include <string.h>

const weir_decode_options decode_options_default = {.line_delimiter = '\n'};

enum option { PACKET_SIZE, LINE_LENGTH, LINE_DELIMITER, OPTION_COUNT };

static const struct {
    const char *name;
    uint64_t max;
} rows[OPTION_COUNT] = {
    [PACKET_SIZE] = {"packet_size", UINT32_MAX},
    [LINE_LENGTH] = {"line_length", UINT32_MAX},
    [LINE_DELIMITER] = {"line_delimiter", UINT8_MAX},
};

const char *decode_option_names(void)
{
    return "packet_size, line_length, line_delimiter";
}

static bool has_option(enum weir_packet_type type, enum option option)
{
    return option != LINE_DELIMITER || type == WEIR_LINE;
}

static bool equals(weir_slice slice, const char *text)
{
    return slice.size == strlen(text) && memcmp(slice.bytes, text, slice.size) == 0;
}

static bool parse_number(weir_slice digits, uint64_t max, uint64_t *number)
{
    *number = 0;
    for (size_t i = 0; i < digits.size; i++) {
        if (digits.bytes[i] < '0' || digits.bytes[i] > '9')
            return false;
        *number = *number * 10 + (uint64_t)(digits.bytes[i] - '0');
        if (*number > max)
            return false;
    }
    return digits.size > 0;
}

static void store(struct decode_options *options, enum option option, uint64_t number)
{
    switch (option) {
    case PACKET_SIZE:
        options->limits.packet_size = (uint32_t)number;
        break;
    case LINE_LENGTH:
        options->limits.line_length = (uint32_t)number;
        break;
    case LINE_DELIMITER:
        options->limits.line_delimiter = (uint8_t)number;
        break;
    case OPTION_COUNT:
        break;
    }
}

bool decode_option_set(struct decode_options *options, weir_slice name, weir_slice value)
{
    for (enum option option = 0; option < OPTION_COUNT; option++) {
        uint64_t number;
        if (!equals(name, rows[option].name))
            continue;
        if (!has_option(options->type, option) || !parse_number(value, rows[option].max, &number))
            return false;
        store(options, option, number);
        return true;
    }
    return false;
}

static weir_slice trim(weir_slice text)
{
    while (text.size && text.bytes[0] == ' ') {
        text.bytes++;
        text.size--;
    }
    while (text.size && text.bytes[text.size - 1] == ' ')
        text.size--;
    return text;
}

/* "{name,value}" */
static bool set_tuple(weir_slice tuple, struct decode_options *options)
{
    if (tuple.size < 2 || tuple.bytes[0] != '{' || tuple.bytes[tuple.size - 1] != '}')
        return false;
    weir_slice name = {tuple.bytes + 1, tuple.size - 2};
    const char *comma = memchr(name.bytes, ',', name.size);
    if (!comma)
        return false;
    weir_slice value = {comma + 1, (size_t)(tuple.bytes + tuple.size - 1 - (comma + 1))};
    name.size = (size_t)(comma - name.bytes);
    return decode_option_set(options, trim(name), trim(value));
}

/* Up to the comma behind the tuple, which says that there is one more, or the end of the list. */
static bool take_element(weir_slice *list, weir_slice *element)
{
    const char *brace = memchr(list->bytes, '}', list->size);
    const char *from = brace ? brace : list->bytes;
    const char *end = list->bytes + list->size;
    const char *comma = memchr(from, ',', (size_t)(end - from));
    *element = trim((weir_slice){list->bytes, (size_t)((comma ? comma : end) - list->bytes)});
    list->bytes = comma ? comma + 1 : end;
    list->size = (size_t)(end - list->bytes);
    return comma;
}

bool decode_options_parse(const char *text, struct decode_options *options)
{
    weir_slice whole = trim((weir_slice){text, strlen(text)});
    options->limits = decode_options_default;
    if (whole.size < 2 || whole.bytes[0] != '[' || whole.bytes[whole.size - 1] != ']')
        return false;
    weir_slice list = trim((weir_slice){whole.bytes + 1, whole.size - 2});
    weir_slice element;
    for (bool more = list.size > 0; more;) {
        more = take_element(&list, &element);
        if (!set_tuple(element, options))
            return false;
    }
    return true;
}
