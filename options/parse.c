/* SPDX-License-Identifier: MIT */
#include "options/parse.h"

#include "base/error.h"
#include "base/memory.h"
#include "base/suggest.h"
#include "options/check.h"
#include "options/copy.h"
#include "options/word.h"

#include <errno.h>
#include <string.h>

struct list {
    weir_option *options;
    size_t length;
    size_t room;
};

int parse_unexpected(const struct parser *parser, const char *expected)
{
    return scan_unexpected(&parser->scanner, expected);
}

bool parse_at_mark(const struct parser *parser, char mark)
{
    return parser->scanner.token.kind == TOKEN_MARK && parser->scanner.token.mark == mark;
}

int parse_mark(struct parser *parser, char mark)
{
    char expected[] = {mark, '\0'};
    return parse_at_mark(parser, mark) ? scan(&parser->scanner)
                                       : parse_unexpected(parser, expected);
}

static int unknown(const struct parser *parser)
{
    char text[SUGGEST_TEXT_SIZE];
    const struct token *token = &parser->scanner.token;
    struct suggestion suggestion;
    suggest_begin(&suggestion, token->bytes, token->length);
    for (size_t i = 0; i < OPTION_ROW_COUNT; i++)
        suggest_look(&suggestion, option_rows[option_in_order(i)].atom);
    return scan_error(&parser->scanner, token->position, "there is no option '%.*s'%s",
                      (int)token->length, token->bytes, suggest_text(&suggestion, text));
}

/* The option that the present token names. */
static int parse_option_name(struct parser *parser, weir_option *option)
{
    const struct token *token = &parser->scanner.token;
    if (token->kind != TOKEN_ATOM)
        return parse_unexpected(parser, "the name of an option");
    *option = weir_option_number(option_by_name(token->bytes, token->length), 0);
    if (option->id == WEIR_OPTION_END)
        return unknown(parser);
    return scan(&parser->scanner);
}

/* Says of a value that parsed what is wrong with it, at its position. */
static int checked(const struct parser *parser, const weir_option *option, size_t position)
{
    char reason[ERROR_TEXT_SIZE];
    if (check_value(option) == 0)
        return 0;
    error_copy_text(reason);
    return scan_error(&parser->scanner, position, "%s", reason);
}

/* {name,Value}, or {raw,Level,Number,Bytes} */
static int parse_pair(struct parser *parser, weir_option *option)
{
    size_t start = parser->scanner.token.position;
    int result = parse_mark(parser, '{');
    if (result == 0)
        result = parse_option_name(parser, option);
    if (result == 0 && parser->request && option->id != WEIR_OPTION_RAW)
        return scan_error(&parser->scanner, start, "a request is a name without a value");
    if (result == 0)
        result = parse_mark(parser, ',');
    size_t position = parser->scanner.token.position;
    if (result == 0)
        result = parse_value(parser, option);
    if (result == 0 && !parser->request)
        result = checked(parser, option, position);
    return result < 0 ? result : parse_mark(parser, '}');
}

/* binary and list stand for {mode,_}; inet and inet6 are words of their own; a request is a name.
 */
static int parse_bare_word(struct parser *parser, weir_option *option)
{
    const struct token token = parser->scanner.token;
    int64_t mode;
    if (!parser->request && word_number(OPTION_MODE, token.bytes, token.length, &mode)) {
        *option = WEIR_MODE(mode);
        return scan(&parser->scanner);
    }
    int result = parse_option_name(parser, option);
    if (result < 0)
        return result;
    bool flag = option_row_of(option)->type == OPTION_FLAG;
    if (parser->request ? option->id == WEIR_OPTION_RAW : !flag)
        return scan_error(&parser->scanner, token.position, "%s needs a value",
                          option_row_of(option)->atom);
    option->value.number = flag;
    return 0;
}

static int no_memory(void)
{
    return error_say(-ENOMEM, "no memory for a list of options");
}

/* Each request has a buffer, and few characters ask for a large one. */
static int check_buffers(struct parser *parser, const weir_option *option, size_t position)
{
    enum { BUFFERS_SIZE_MAX = 1024 * 1024 };
    if (!parser->request || option->id != WEIR_OPTION_RAW)
        return 0;
    parser->buffers_size += option->value.raw.size;
    return parser->buffers_size <= BUFFERS_SIZE_MAX
               ? 0
               : scan_error(&parser->scanner, position, "the requests ask for more than %d bytes",
                            BUFFERS_SIZE_MAX);
}

static int append(struct list *list, const weir_option *option)
{
    if (list->length == list->room) {
        size_t room = list->room ? 2 * list->room : 8;
        weir_option *larger = memory_resize(list->options, room * sizeof(*larger));
        if (!larger)
            return no_memory();
        list->options = larger;
        list->room = room;
    }
    list->options[list->length++] = *option;
    return 0;
}

static int parse_option(struct parser *parser, struct list *list)
{
    weir_option option;
    size_t position = parser->scanner.token.position;
    bool bare = parser->scanner.token.kind == TOKEN_ATOM;
    if (!bare && !parse_at_mark(parser, '{'))
        return parse_unexpected(parser, "an option");
    int result = bare ? parse_bare_word(parser, &option) : parse_pair(parser, &option);
    if (result == 0)
        result = check_buffers(parser, &option, position);
    return result < 0 ? result : append(list, &option);
}

static int parse_options(struct parser *parser, struct list *list)
{
    int result = parse_option(parser, list);
    while (result == 0 && parse_at_mark(parser, ',')) {
        result = scan(&parser->scanner);
        if (result == 0)
            result = parse_option(parser, list);
    }
    return result;
}

/* A list, or one option without one. */
static int parse_text(struct parser *parser, struct list *list)
{
    int result = scan(&parser->scanner);
    if (result < 0)
        return result;
    if (!parse_at_mark(parser, '[')) {
        result = parse_option(parser, list);
    } else {
        result = scan(&parser->scanner);
        if (result == 0 && !parse_at_mark(parser, ']'))
            result = parse_options(parser, list);
        if (result == 0)
            result = parse_mark(parser, ']');
    }
    if (result == 0 && parse_at_mark(parser, '.'))
        result = scan(&parser->scanner);
    if (result == 0 && parser->scanner.token.kind != TOKEN_END)
        return parse_unexpected(parser, "the end");
    return result;
}

/* Texts and bytes are put together in `bytes`, and copied to stand behind the finished list. */
static int parse_into(const char *text, bool request, char *bytes, struct list *list)
{
    const weir_option end = {WEIR_OPTION_END, {0}};
    struct parser parser = {.scanner = {.text = text, .place = bytes}, .request = request};
    int result = parse_text(&parser, list);
    return result < 0 ? result : append(list, &end);
}

static int parse_list(const char *text, bool request, weir_option **options, size_t *count)
{
    struct list list = {NULL, 0, 0};
    *options = NULL;
    /* No text means more bytes than this: a segment 0:64 means eight. */
    char *bytes = memory_allocate(2 * strlen(text) + 1);
    if (!bytes)
        return no_memory();
    int result = parse_into(text, request, bytes, &list);
    if (result == 0) {
        *count = list.length - 1;
        *options = request ? copy_request(list.options) : options_copy(list.options);
        result = *options ? 0 : no_memory();
    }
    memory_free(list.options);
    memory_free(bytes);
    return result;
}

int weir_options_parse(const char *text, weir_option **options)
{
    size_t count;
    return parse_list(text, false, options, &count);
}

int weir_options_parse_request(const char *text, weir_option **options, size_t *count)
{
    *count = 0;
    return parse_list(text, true, options, count);
}

void weir_options_free(weir_option *options)
{
    memory_free(options);
}
