/* SPDX-License-Identifier: MIT */
/* Values, one function per type. */
#include "options/parse.h"

#include "base/bytes.h"
#include "options/word.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

static int advance(struct parser *parser)
{
    return scan(&parser->scanner);
}

static const struct token *token_of(const struct parser *parser)
{
    return &parser->scanner.token;
}

static bool token_is(const struct parser *parser, const char *atom)
{
    const struct token *token = token_of(parser);
    return token->kind == TOKEN_ATOM && token->length == strlen(atom) &&
           memcmp(token->bytes, atom, token->length) == 0;
}

/* A sign is a token of its own, as in Erlang. */
static int parse_integer(struct parser *parser, int64_t *number)
{
    bool negative = parse_at_mark(parser, '-');
    int result = negative || parse_at_mark(parser, '+') ? advance(parser) : 0;
    if (result < 0)
        return result;
    if (token_of(parser)->kind != TOKEN_INTEGER)
        return parse_unexpected(parser, "an integer");
    *number = negative ? -token_of(parser)->number : token_of(parser)->number;
    return advance(parser);
}

static int parse_integer_within(struct parser *parser, int64_t least, int64_t most, int64_t *number)
{
    size_t position = token_of(parser)->position;
    int result = parse_integer(parser, number);
    if (result < 0)
        return result;
    if (*number < least || *number > most)
        return scan_error(&parser->scanner, position,
                          "%" PRId64 " is out of range %" PRId64 "..%" PRId64, *number, least,
                          most);
    return 0;
}

static int parse_word(struct parser *parser, enum option_type type, int64_t *number)
{
    char list[WORD_LIST_SIZE];
    const struct token *token = token_of(parser);
    if (token->kind != TOKEN_ATOM)
        return parse_unexpected(parser, word_list(type, list));
    if (!word_number(type, token->bytes, token->length, number))
        return scan_error(&parser->scanner, token->position, "'%.*s' is none of %s",
                          (int)token->length, token->bytes, word_list(type, list));
    return advance(parser);
}

static int parse_number_value(struct parser *parser, weir_option *option)
{
    return parse_integer(parser, &option->value.number);
}

static int parse_word_value(struct parser *parser, weir_option *option)
{
    return parse_word(parser, (enum option_type)option_row_of(option)->type, &option->value.number);
}

/* A number that only stands for a word, as -1 does for infinity, is written as that word. */
static int parse_word_or_number(struct parser *parser, weir_option *option)
{
    const struct option_row *row = option_row_of(option);
    size_t position = token_of(parser)->position;
    if (token_of(parser)->kind == TOKEN_ATOM)
        return parse_word_value(parser, option);
    int result = parse_number_value(parser, option);
    if (result < 0 || !word_exists((enum option_type)row->type, option->value.number))
        return result;
    return scan_error(&parser->scanner, position,
                      "option %s: %" PRId64 " is out of range %" PRId64 "..%" PRId64, row->atom,
                      option->value.number, row->least, row->most);
}

/* 0, 1, 2 and 4 are words that happen to be numbers. */
static int parse_packet(struct parser *parser, weir_option *option)
{
    char digits[24];
    size_t position = token_of(parser)->position;
    int64_t number = 0;
    if (token_of(parser)->kind == TOKEN_ATOM)
        return parse_word_value(parser, option);
    int result = parse_integer(parser, &number);
    if (result < 0)
        return result;
    size_t length = (size_t)snprintf(digits, sizeof(digits), "%" PRId64, number);
    char list[WORD_LIST_SIZE];
    if (!word_number(OPTION_PACKET, digits, length, &option->value.number))
        return scan_error(&parser->scanner, position, "%s is none of %s", digits,
                          word_list(OPTION_PACKET, list));
    return 0;
}

/* A,B,C,D} or A,B,C,D,E,F,G,H}: how many numbers there were. */
static int parse_numbers(struct parser *parser, int64_t numbers[8], size_t positions[8])
{
    int count = 0;
    int result = 0;
    while (result == 0) {
        if (count == 8)
            return parse_unexpected(parser, "an address of 4 or 8 numbers");
        positions[count] = token_of(parser)->position;
        result = parse_integer(parser, &numbers[count++]);
        if (result < 0 || !parse_at_mark(parser, ','))
            break;
        result = advance(parser);
    }
    if (result == 0)
        result = parse_mark(parser, '}');
    return result < 0 ? result : count;
}

/* As in Erlang/OTP, the second number of a link-local address is the interface's. */
static void take_scope(weir_address *address)
{
    uint32_t first = bytes_read_be16(address->bytes);
    if (address->family != WEIR_INET6 || (first != 0xfe80 && first != 0xff02))
        return;
    address->scope_id = bytes_read_be16(address->bytes + 2);
    bytes_write_be16(address->bytes + 2, 0);
}

/* What follows the { at `start`. */
static int parse_rest_of_tuple(struct parser *parser, size_t start, weir_address *address)
{
    int64_t numbers[8];
    size_t positions[8];
    int count = parse_numbers(parser, numbers, positions);
    if (count < 0)
        return count;
    if (count != 4 && count != 8)
        return scan_error(&parser->scanner, start, "an address has 4 or 8 numbers, not %d", count);
    int64_t most = count == 4 ? UINT8_MAX : UINT16_MAX;
    *address = (weir_address){.family = count == 4 ? WEIR_INET : WEIR_INET6};
    for (int i = 0; i < count; i++) {
        if (numbers[i] < 0 || numbers[i] > most)
            return scan_error(&parser->scanner, positions[i],
                              "%" PRId64 " is out of range 0..%" PRId64, numbers[i], most);
        if (count == 4)
            address->bytes[i] = (uint8_t)numbers[i];
        else
            bytes_write_be16(address->bytes + 2 * i, (uint32_t)numbers[i]);
    }
    return 0;
}

static int parse_tuple(struct parser *parser, weir_address *address)
{
    size_t start = token_of(parser)->position;
    int result = parse_mark(parser, '{');
    return result < 0 ? result : parse_rest_of_tuple(parser, start, address);
}

/* An address for inet, an index for inet6. */
static int parse_interface(struct parser *parser, weir_address *interface)
{
    int64_t index = 0;
    size_t position = token_of(parser)->position;
    if (!parse_at_mark(parser, '{')) {
        int result = parse_integer_within(parser, 0, UINT32_MAX, &index);
        if (result == 0)
            *interface = (weir_address){.family = WEIR_INET6, .scope_id = (uint32_t)index};
        return result;
    }
    int result = parse_tuple(parser, interface);
    if (result == 0 && interface->family != WEIR_INET)
        return scan_error(&parser->scanner, position, "the interface of inet6 is an index");
    return result;
}

static int parse_interface_value(struct parser *parser, weir_option *option)
{
    return parse_interface(parser, &option->value.address);
}

static int parse_membership(struct parser *parser, weir_option *option)
{
    weir_address group;
    weir_address interface;
    int result = parse_mark(parser, '{');
    if (result == 0)
        result = parse_tuple(parser, &group);
    if (result == 0)
        result = parse_mark(parser, ',');
    if (result == 0)
        result = parse_interface(parser, &interface);
    if (result < 0)
        return result;
    *option = weir_option_membership(option->id, group, interface);
    return parse_mark(parser, '}');
}

static int parse_linger(struct parser *parser, weir_option *option)
{
    int64_t on = 0;
    int64_t seconds = 0;
    int result = parse_mark(parser, '{');
    if (result == 0)
        result = parse_word(parser, OPTION_BOOLEAN, &on);
    if (result == 0)
        result = parse_mark(parser, ',');
    if (result == 0)
        result = parse_integer_within(parser, 0, INT32_MAX, &seconds);
    if (result < 0)
        return result;
    option->value.linger = (weir_linger){on != 0, (int32_t)seconds};
    return parse_mark(parser, '}');
}

/* What stands behind an integer's size: "/native", "/little", "/big". Without, it is big. */
static int parse_endianness(struct parser *parser, bool *little)
{
    *little = false;
    if (!parse_at_mark(parser, '/'))
        return 0;
    int result = advance(parser);
    if (result < 0)
        return result;
    bool native = token_is(parser, "native");
    *little = token_is(parser, "little") || (native && __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__);
    if (!*little && !native && !token_is(parser, "big"))
        return parse_unexpected(parser, "native, little or big");
    return advance(parser);
}

/* The document writes raw options so: <<30:32/native>>. */
static int parse_sized_integer(struct parser *parser, int64_t number)
{
    int64_t bits = 0;
    bool little = false;
    int result = parse_mark(parser, ':');
    size_t position = token_of(parser)->position;
    if (result == 0)
        result = parse_integer(parser, &bits);
    if (result == 0)
        result = parse_endianness(parser, &little);
    if (result < 0)
        return result;
    if (bits < 8 || bits > 64 || bits % 8 != 0)
        return scan_error(&parser->scanner, position, "%" PRId64 " bits are not 1 to 8 whole bytes",
                          bits);
    for (int64_t shift = 0; shift < bits; shift += 8)
        *parser->scanner.place++ = (char)(number >> (little ? shift : bits - 8 - shift));
    return 0;
}

/* The bytes of one segment of a binary follow those of the one before it. */
static int parse_segment(struct parser *parser)
{
    int64_t number = 0;
    size_t position = token_of(parser)->position;
    if (token_of(parser)->kind == TOKEN_STRING) {
        parser->scanner.place--; /* the NUL */
        return advance(parser);
    }
    int result = parse_integer(parser, &number);
    if (result < 0)
        return result;
    if (parse_at_mark(parser, ':'))
        return parse_sized_integer(parser, number);
    if (number < 0 || number > UINT8_MAX)
        return scan_error(&parser->scanner, position, "%" PRId64 " is out of range 0..255", number);
    *parser->scanner.place++ = (char)number;
    return 0;
}

/* <<>>, <<1,2>>, <<"abc",0>>: `*bytes` ends with a NUL that is not counted. */
static int parse_binary(struct parser *parser, const char **bytes, size_t *size)
{
    if (token_of(parser)->kind != TOKEN_BINARY_OPEN)
        return parse_unexpected(parser, "a binary, <<...>>");
    *bytes = parser->scanner.place;
    int result = advance(parser);
    bool first = true;
    while (result == 0 && token_of(parser)->kind != TOKEN_BINARY_CLOSE) {
        if (!first)
            result = parse_mark(parser, ',');
        if (result == 0)
            result = parse_segment(parser);
        first = false;
    }
    if (result < 0)
        return result;
    *size = (size_t)(parser->scanner.place - *bytes);
    *parser->scanner.place++ = '\0';
    return advance(parser);
}

/* A string or a binary. */
static int parse_local_name(struct parser *parser, weir_local_name *local)
{
    const struct token token = *token_of(parser);
    if (token.kind != TOKEN_STRING)
        return parse_binary(parser, &local->name, &local->size);
    local->name = token.bytes;
    local->size = token.length;
    return advance(parser);
}

/* {local,Path}, from the word on. */
static int parse_local(struct parser *parser, weir_option *option)
{
    weir_local_name local = {.family = WEIR_LOCAL};
    int result = advance(parser);
    if (result == 0)
        result = parse_mark(parser, ',');
    if (result == 0)
        result = parse_local_name(parser, &local);
    if (result == 0)
        result = parse_mark(parser, '}');
    option->value.local = local;
    return result;
}

static int parse_braced_address(struct parser *parser, weir_option *option)
{
    size_t start = token_of(parser)->position;
    int result = parse_mark(parser, '{');
    if (result == 0 && token_is(parser, "local"))
        return parse_local(parser, option);
    if (result == 0)
        result = parse_rest_of_tuple(parser, start, &option->value.address);
    if (result == 0)
        take_scope(&option->value.address);
    return result;
}

static int parse_address(struct parser *parser, weir_option *option)
{
    bool loopback = token_is(parser, "loopback");
    if (token_of(parser)->kind != TOKEN_ATOM)
        return parse_braced_address(parser, option);
    if (!loopback && !token_is(parser, "any"))
        return parse_unexpected(parser, "an address, any or loopback");
    option->value.address = weir_address_of_number(loopback);
    return advance(parser);
}

static int parse_name(struct parser *parser, weir_option *option)
{
    const char *bytes = NULL;
    size_t size = 0;
    size_t position = token_of(parser)->position;
    int result = parse_binary(parser, &bytes, &size);
    if (result < 0)
        return result;
    if (size >= WEIR_OPTION_NAME_SIZE)
        return scan_error(&parser->scanner, position, "the name is longer than %d bytes",
                          WEIR_OPTION_NAME_SIZE - 1);
    if (memchr(bytes, '\0', size))
        return scan_error(&parser->scanner, position, "a zero byte in a name");
    memcpy(option->value.name, bytes, size + 1);
    return 0;
}

static int parse_path(struct parser *parser, weir_option *option)
{
    const struct token token = *token_of(parser);
    if (token.kind != TOKEN_STRING)
        return parse_unexpected(parser, "a string");
    if (memchr(token.bytes, '\0', token.length))
        return scan_error(&parser->scanner, token.position, "a zero byte in a path");
    option->value.path = token.bytes;
    return advance(parser);
}

/* A request may give only the size of what is to be read. */
static int parse_raw_bytes(struct parser *parser, weir_raw *raw)
{
    const char *bytes = NULL;
    int64_t size = 0;
    if (!parser->request || token_of(parser)->kind == TOKEN_BINARY_OPEN) {
        int result = parse_binary(parser, &bytes, &raw->size);
        raw->bytes = bytes;
        return result;
    }
    int result = parse_integer_within(parser, 0, WEIR_RAW_SIZE_MAX, &size);
    raw->size = result < 0 ? 0 : (size_t)size;
    return result;
}

static int parse_raw(struct parser *parser, weir_option *option)
{
    weir_raw *raw = &option->value.raw;
    int64_t level = 0;
    int64_t number = 0;
    *raw = (weir_raw){.size = 0};
    int result = parse_integer_within(parser, INT32_MIN, INT32_MAX, &level);
    if (result == 0)
        result = parse_mark(parser, ',');
    if (result == 0)
        result = parse_integer_within(parser, INT32_MIN, INT32_MAX, &number);
    if (result == 0)
        result = parse_mark(parser, ',');
    if (result < 0)
        return result;
    raw->level = (int32_t)level;
    raw->number = (int32_t)number;
    return parse_raw_bytes(parser, raw);
}

typedef int parse(struct parser *parser, weir_option *option);

static parse *const parsers[OPTION_TYPE_COUNT] = {
    [OPTION_BOOLEAN] = parse_word_value,
    [OPTION_INTEGER] = parse_number_value,
    [OPTION_TIMEOUT] = parse_word_or_number,
    [OPTION_ACTIVE] = parse_word_or_number,
    [OPTION_BIT8] = parse_word_value,
    [OPTION_DELIVER] = parse_word_value,
    [OPTION_MODE] = parse_word_value,
    [OPTION_PACKET] = parse_packet,
    [OPTION_ADDRESS] = parse_address,
    [OPTION_INTERFACE] = parse_interface_value,
    [OPTION_MEMBERSHIP] = parse_membership,
    [OPTION_LINGER] = parse_linger,
    [OPTION_NAME] = parse_name,
    [OPTION_PATH] = parse_path,
    [OPTION_RAW] = parse_raw,
};

int parse_value(struct parser *parser, weir_option *option)
{
    const struct option_row *row = option_row_of(option);
    if (!parsers[row->type])
        return scan_error(&parser->scanner, token_of(parser)->position,
                          "%s is a word without a value", row->atom);
    return parsers[row->type](parser, option);
}
