/* SPDX-License-Identifier: MIT */
#include "term/term.h"

#include <errno.h>
#include <string.h>

#include "base/memory.h"

enum { BLOCK_TERM_COUNT = 64 };

struct term_block {
    struct term_block *next;
    size_t used;
    struct term terms[BLOCK_TERM_COUNT];
};

static int advance(struct terms *terms)
{
    return scan(&terms->scanner);
}

static const struct token *token_of(const struct terms *terms)
{
    return &terms->scanner.token;
}

static bool at_mark(const struct terms *terms, char mark)
{
    return token_of(terms)->kind == TOKEN_MARK && token_of(terms)->mark == mark;
}

static int take_mark(struct terms *terms, char mark)
{
    char expected[] = {mark, '\0'};
    return at_mark(terms, mark) ? advance(terms) : scan_unexpected(&terms->scanner, expected);
}

static struct term *new_term(struct terms *terms, enum term_kind kind)
{
    struct term_block *block = terms->blocks;
    if (!block || block->used == BLOCK_TERM_COUNT) {
        block = memory_allocate_zeroed(1, sizeof(*block));
        if (!block)
            return NULL;
        block->next = terms->blocks;
        terms->blocks = block;
    }
    struct term *term = &block->terms[block->used++];
    term->kind = kind;
    term->position = token_of(terms)->position;
    return term;
}

/* `length` bytes of `from` with a NUL behind them, kept with the terms. */
static const char *keep_bytes(struct terms *terms, const char *from, size_t length)
{
    char *place = terms->scanner.place;
    memmove(place, from, length);
    place[length] = '\0';
    terms->scanner.place += length + 1;
    return place;
}

static int read_term(struct terms *terms, size_t depth, struct term **out);

/* Terms with commas between, up to `end`, which stays. */
static int read_elements(struct terms *terms, size_t depth, struct term *parent,
                         bool (*at_end)(const struct terms *terms))
{
    struct term **place = &parent->first;
    while (!at_end(terms)) {
        int result = parent->count > 0 ? take_mark(terms, ',') : 0;
        if (result == 0)
            result = read_term(terms, depth + 1, place);
        if (result < 0)
            return result;
        place = &(*place)->next;
        parent->count++;
    }
    return 0;
}

static bool at_tuple_end(const struct terms *terms)
{
    return at_mark(terms, '}');
}

static bool at_list_end(const struct terms *terms)
{
    return at_mark(terms, ']') || at_mark(terms, '|');
}

static int read_tuple(struct terms *terms, size_t depth, struct term *tuple)
{
    int result = advance(terms);
    if (result == 0)
        result = read_elements(terms, depth, tuple, at_tuple_end);
    return result < 0 ? result : advance(terms);
}

static bool is_text(const struct term *list)
{
    for (const struct term *term = list->first; term; term = term->next)
        if (term->kind != TERM_INTEGER || term->number < 0 || term->number > UINT8_MAX)
            return false;
    return true;
}

/* [104,111] is "ho". */
static void make_string(struct terms *terms, struct term *list)
{
    char *place = terms->scanner.place;
    list->kind = TERM_STRING;
    list->bytes = place;
    list->length = list->count;
    for (const struct term *term = list->first; term; term = term->next)
        *place++ = (char)term->number;
    *place++ = '\0';
    terms->scanner.place = place;
}

/* [1|2]: whatever its tail is, it is nothing that a configuration has. */
static int read_tail(struct terms *terms, size_t depth, struct term *list)
{
    struct term *tail;
    if (list->count == 0)
        return scan_unexpected(&terms->scanner, "a term");
    int result = advance(terms);
    list->kind = TERM_OTHER;
    return result < 0 ? result : read_term(terms, depth + 1, &tail);
}

static int read_list(struct terms *terms, size_t depth, struct term *list)
{
    int result = advance(terms);
    if (result == 0)
        result = read_elements(terms, depth, list, at_list_end);
    if (result == 0 && at_mark(terms, '|'))
        result = read_tail(terms, depth, list);
    if (result == 0 && list->kind == TERM_LIST && is_text(list))
        make_string(terms, list);
    return result < 0 ? result : take_mark(terms, ']');
}

/* #{Key => Value, ...} */
static int read_map(struct terms *terms, size_t depth)
{
    struct term *unused;
    int result = advance(terms);
    if (result == 0)
        result = take_mark(terms, '{');
    for (bool first = true; result == 0 && !at_mark(terms, '}'); first = false) {
        if (!first)
            result = take_mark(terms, ',');
        if (result == 0)
            result = read_term(terms, depth + 1, &unused);
        if (result == 0)
            result = token_of(terms)->kind == TOKEN_ARROW ? advance(terms)
                                                          : scan_unexpected(&terms->scanner, "=>");
        if (result == 0)
            result = read_term(terms, depth + 1, &unused);
    }
    return result < 0 ? result : advance(terms);
}

/* <<1,2:16,"ab">> */
static int read_binary(struct terms *terms, size_t depth)
{
    struct term *unused;
    int result = advance(terms);
    for (bool first = true; result == 0 && token_of(terms)->kind != TOKEN_BINARY_CLOSE;
         first = false) {
        if (!first)
            result = take_mark(terms, ',');
        if (result == 0)
            result = read_term(terms, depth + 1, &unused);
        while (result == 0 && (at_mark(terms, ':') || at_mark(terms, '/'))) {
            result = advance(terms);
            if (result == 0)
                result = read_term(terms, depth + 1, &unused);
        }
    }
    return result < 0 ? result : advance(terms);
}

static int read_signed(struct terms *terms, struct term *term)
{
    bool negative = at_mark(terms, '-');
    int result = advance(terms);
    if (result < 0)
        return result;
    if (token_of(terms)->kind == TOKEN_FLOAT)
        term->kind = TERM_OTHER;
    else if (token_of(terms)->kind != TOKEN_INTEGER)
        return scan_unexpected(&terms->scanner, "a number");
    term->number = negative ? -token_of(terms)->number : token_of(terms)->number;
    return advance(terms);
}

static int read_mark(struct terms *terms, size_t depth, struct term *term)
{
    switch (token_of(terms)->mark) {
    case '{':
        term->kind = TERM_TUPLE;
        return read_tuple(terms, depth, term);
    case '[':
        term->kind = TERM_LIST;
        return read_list(terms, depth, term);
    case '#':
        return read_map(terms, depth);
    case '-':
    case '+':
        term->kind = TERM_INTEGER;
        return read_signed(terms, term);
    default:
        return scan_unexpected(&terms->scanner, "a term");
    }
}

static int fill_term(struct terms *terms, size_t depth, struct term *term)
{
    const struct token *token = token_of(terms);
    switch (token->kind) {
    case TOKEN_ATOM:
        term->kind = TERM_ATOM;
        term->bytes = keep_bytes(terms, token->bytes, token->length);
        term->length = token->length;
        return advance(terms);
    case TOKEN_INTEGER:
        term->kind = TERM_INTEGER;
        term->number = token->number;
        return advance(terms);
    case TOKEN_STRING:
        term->kind = TERM_STRING;
        term->bytes = token->bytes;
        term->length = token->length;
        return advance(terms);
    case TOKEN_FLOAT:
        return advance(terms);
    case TOKEN_BINARY_OPEN:
        return read_binary(terms, depth);
    case TOKEN_MARK:
        return read_mark(terms, depth, term);
    default:
        return scan_unexpected(&terms->scanner, "a term");
    }
}

static int read_term(struct terms *terms, size_t depth, struct term **out)
{
    if (depth > TERM_DEPTH_MAX)
        return scan_error(&terms->scanner, token_of(terms)->position,
                          "terms are nested more than %d deep", TERM_DEPTH_MAX);
    *out = new_term(terms, TERM_OTHER);
    return *out ? fill_term(terms, depth, *out) : -ENOMEM;
}

int terms_read(struct terms *terms, const char *text)
{
    *terms = (struct terms){.scanner = {.text = text, .is_file = true}};
    struct term **place = &terms->first;
    /* An atom without quotes and a list of numbers are copied: each byte with a NUL. */
    terms->bytes = memory_allocate(3 * strlen(text) + 1);
    if (!terms->bytes)
        return -ENOMEM;
    terms->scanner.place = terms->bytes;
    int result = advance(terms);
    while (result == 0 && token_of(terms)->kind != TOKEN_END) {
        result = read_term(terms, 0, place);
        if (result == 0 && token_of(terms)->kind != TOKEN_STOP)
            result = scan_unexpected(&terms->scanner, "a full stop");
        if (result == 0)
            result = advance(terms);
        if (result == 0)
            place = &(*place)->next;
    }
    return result;
}

void terms_free(struct terms *terms)
{
    while (terms->blocks) {
        struct term_block *block = terms->blocks;
        terms->blocks = block->next;
        memory_free(block);
    }
    memory_free(terms->bytes);
}

bool term_is_atom(const struct term *term, const char *name)
{
    return term->kind == TERM_ATOM && strcmp(term->bytes, name) == 0;
}

bool term_is_list(const struct term *term)
{
    return term->kind == TERM_LIST || (term->kind == TERM_STRING && term->length == 0);
}
