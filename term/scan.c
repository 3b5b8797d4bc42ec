/* SPDX-License-Identifier: MIT */
#include "term/scan.h"

#include "base/error.h"

#include <errno.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

/* The C library's own character tests depend on the locale. */
static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static bool is_lower(char c)
{
    return c >= 'a' && c <= 'z';
}

static bool is_in_atom(char c)
{
    return is_lower(c) || is_digit(c) || (c >= 'A' && c <= 'Z') || c == '_' || c == '@';
}

static bool is_blank(char c)
{
    return c == ' ' || (c >= '\t' && c <= '\r');
}

/* Of UTF-8: all of a character's bytes but its first. */
static bool continues_character(char c)
{
    return ((uint8_t)c & 0xc0) == 0x80;
}

/* Words that are no atoms unless they are quoted. */
static bool is_reserved(const char *name, size_t length)
{
    static const char words[] =
        " after and andalso band begin bnot bor bsl bsr bxor case catch cond "
        "div end fun if let not of or orelse receive rem try when xor ";
    char word[16];
    if (length + 2 >= sizeof(word))
        return false;
    snprintf(word, sizeof(word), " %.*s ", (int)length, name);
    return strstr(words, word);
}

/* The value of a digit of any base up to 36, or 36. */
static int64_t digit_of(char c)
{
    if (is_digit(c))
        return c - '0';
    char lower = (char)(c | 0x20);
    return is_lower(lower) ? lower - 'a' + 10 : 36;
}

/* What a reader counts: characters from 1, not bytes. */
static size_t character_number(const char *text, size_t position)
{
    size_t number = 1;
    for (size_t i = 0; i < position; i++)
        number += !continues_character(text[i + 1]);
    return number;
}

static int say_line(const struct scanner *scanner, size_t position, const char *reason)
{
    const char *line = scanner->text;
    size_t number = 1;
    for (size_t i = 0; i < position; i++)
        if (scanner->text[i] == '\n') {
            line = scanner->text + i + 1;
            number++;
        }
    size_t column = character_number(line, (size_t)(scanner->text + position - line));
    return error_say(-EINVAL, "line %zu, column %zu: %s", number, column, reason);
}

int scan_error(const struct scanner *scanner, size_t position, const char *format, ...)
{
    char reason[ERROR_TEXT_SIZE];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(reason, sizeof(reason), format, arguments);
    va_end(arguments);
    if (scanner->is_file)
        return say_line(scanner, position, reason);
    return error_say(-EINVAL, "character %zu: %s", character_number(scanner->text, position),
                     reason);
}

int scan_unexpected(const struct scanner *scanner, const char *expected)
{
    static const char *const names[] = {
        [TOKEN_INTEGER] = "an integer",   [TOKEN_STRING] = "a string",
        [TOKEN_BINARY_OPEN] = "a binary", [TOKEN_BINARY_CLOSE] = "a binary",
        [TOKEN_FLOAT] = "a float",        [TOKEN_ARROW] = "=>",
        [TOKEN_STOP] = "a full stop",
    };
    const struct token *token = &scanner->token;
    size_t position = token->position;
    switch (token->kind) {
    case TOKEN_END:
        return scan_error(scanner, position, "%s has to follow, but the text ends", expected);
    case TOKEN_ATOM:
        return scan_error(scanner, position, "%s has to follow, not '%.*s'", expected,
                          (int)token->length, token->bytes);
    case TOKEN_MARK:
        return scan_error(scanner, position, "%s has to follow, not %c", expected, token->mark);
    default:
        return scan_error(scanner, position, "%s has to follow, not %s", expected,
                          names[token->kind]);
    }
}

static char peek(const struct scanner *scanner)
{
    return scanner->text[scanner->position];
}

static bool skip(struct scanner *scanner, const char *text)
{
    size_t length = strlen(text);
    if (strncmp(scanner->text + scanner->position, text, length) != 0)
        return false;
    scanner->position += length;
    return true;
}

/* 1_000: between two digits, one. */
static void skip_underscore(struct scanner *scanner, int64_t base)
{
    if (peek(scanner) == '_' && digit_of(scanner->text[scanner->position + 1]) < base)
        scanner->position++;
}

static int scan_digits(struct scanner *scanner, int64_t base, int64_t *number)
{
    size_t start = scanner->position;
    *number = 0;
    for (; digit_of(peek(scanner)) < base; scanner->position++, skip_underscore(scanner, base))
        if (__builtin_mul_overflow(*number, base, number) ||
            __builtin_add_overflow(*number, digit_of(peek(scanner)), number))
            return scan_error(scanner, start, "the integer is too large");
    if (scanner->position == start)
        return scan_error(scanner, start, "a digit of base %d has to follow", (int)base);
    return 0;
}

static void skip_digits(struct scanner *scanner)
{
    while (is_digit(peek(scanner)))
        scanner->position++;
}

/* What follows a float's integer: .5, .5e-3. */
static int scan_fraction(struct scanner *scanner)
{
    scanner->token.kind = TOKEN_FLOAT;
    scanner->position++;
    skip_digits(scanner);
    if (!skip(scanner, "e") && !skip(scanner, "E"))
        return 0;
    if (!skip(scanner, "-"))
        skip(scanner, "+");
    if (!is_digit(peek(scanner)))
        return scan_error(scanner, scanner->position, "an exponent has to follow");
    skip_digits(scanner);
    return 0;
}

static int scan_integer(struct scanner *scanner)
{
    struct token *token = &scanner->token;
    token->kind = TOKEN_INTEGER;
    int result = scan_digits(scanner, 10, &token->number);
    if (result == 0 && scanner->is_file && peek(scanner) == '.' &&
        is_digit(scanner->text[scanner->position + 1]))
        return scan_fraction(scanner);
    if (result < 0 || !skip(scanner, "#"))
        return result;
    if (token->number < 2 || token->number > 36)
        return scan_error(scanner, token->position, "a base is from 2 to 36");
    return scan_digits(scanner, token->number, &token->number);
}

static void scan_octal(struct scanner *scanner, int64_t *byte)
{
    *byte = 0;
    for (int i = 0; i < 3 && digit_of(peek(scanner)) < 8; i++, scanner->position++)
        *byte = *byte * 8 + digit_of(peek(scanner));
}

/* \xHH or \x{H...} */
static int scan_hex(struct scanner *scanner, int64_t *byte)
{
    if (skip(scanner, "{")) {
        int result = scan_digits(scanner, 16, byte);
        if (result == 0 && !skip(scanner, "}"))
            return scan_error(scanner, scanner->position, "a } has to follow");
        return result;
    }
    *byte = 0;
    for (int i = 0; i < 2; i++, scanner->position++) {
        if (digit_of(peek(scanner)) >= 16)
            return scan_error(scanner, scanner->position, "a digit of base 16 has to follow");
        *byte = *byte * 16 + digit_of(peek(scanner));
    }
    return 0;
}

/* \^A is what the control key makes of A. */
static int scan_control(struct scanner *scanner, int64_t *byte)
{
    char c = peek(scanner);
    if (c != '?' && (c < '@' || c > '_') && !is_lower(c))
        return scan_error(scanner, scanner->position, "a letter has to follow \\^");
    *byte = c == '?' ? 0x7f : c & 0x1f;
    scanner->position++;
    return 0;
}

/* What stands behind a backslash. Letters without a meaning of their own stand for themselves. */
static int scan_escape(struct scanner *scanner, int64_t *byte)
{
    static const char letters[] = "bdefnrstv";
    static const char meanings[] = "\b\x7f\x1b\f\n\r \t\v";
    size_t start = scanner->position - 1;
    char c = peek(scanner);
    if (digit_of(c) < 8) {
        scan_octal(scanner, byte);
    } else if (c == 'x') {
        scanner->position++;
        int result = scan_hex(scanner, byte);
        if (result < 0)
            return result;
    } else if (c == '^') {
        scanner->position++;
        return scan_control(scanner, byte);
    } else if (c) {
        const char *letter = strchr(letters, c);
        *byte = (uint8_t)(letter ? meanings[letter - letters] : c);
        scanner->position++;
    } else {
        return scan_error(scanner, scanner->position, "the text ends within an escape");
    }
    return *byte <= 255 ? 0 : scan_error(scanner, start, "a character above 255");
}

/* Blanks, and comments to the end of their line. */
static void skip_blanks(struct scanner *scanner)
{
    for (;;) {
        while (is_blank(peek(scanner)))
            scanner->position++;
        if (peek(scanner) != '%')
            return;
        scanner->position += strcspn(scanner->text + scanner->position, "\n");
    }
}

/* Up to the mark that it begins with, and over that. */
static int scan_between_quotes(struct scanner *scanner)
{
    size_t start = scanner->position;
    char quote = peek(scanner);
    scanner->position++;
    while (peek(scanner) != quote) {
        if (!peek(scanner))
            return scan_error(scanner, start, "the quote is not closed");
        int64_t byte = (uint8_t)peek(scanner);
        scanner->position++;
        if (byte == '\\') {
            int result = scan_escape(scanner, &byte);
            if (result < 0)
                return result;
        }
        *scanner->place++ = (char)byte;
    }
    scanner->position++;
    return 0;
}

/* A quoted atom, or strings that stand side by side, which are one. */
static int scan_quoted(struct scanner *scanner, enum token_kind kind)
{
    struct token *token = &scanner->token;
    int result;
    token->kind = kind;
    token->bytes = scanner->place;
    do {
        result = scan_between_quotes(scanner);
        skip_blanks(scanner);
    } while (result == 0 && kind == TOKEN_STRING && peek(scanner) == '"');
    token->length = (size_t)(scanner->place - token->bytes);
    *scanner->place++ = '\0';
    return result;
}

/* $a, $\n: a character's number. */
static int scan_character(struct scanner *scanner)
{
    struct token *token = &scanner->token;
    token->kind = TOKEN_INTEGER;
    scanner->position++;
    char c = peek(scanner);
    if (!c)
        return scan_error(scanner, scanner->position, "a character has to follow $");
    scanner->position++;
    if (c == '\\')
        return scan_escape(scanner, &token->number);
    if ((uint8_t)c > 127)
        return scan_error(scanner, scanner->position - 1, "$ takes ASCII only");
    token->number = (uint8_t)c;
    return 0;
}

static int scan_atom(struct scanner *scanner)
{
    struct token *token = &scanner->token;
    token->kind = TOKEN_ATOM;
    token->bytes = scanner->text + scanner->position;
    while (is_in_atom(peek(scanner)))
        scanner->position++;
    token->length = (size_t)(scanner->text + scanner->position - token->bytes);
    if (scanner->is_file && is_reserved(token->bytes, token->length))
        return scan_error(scanner, token->position, "'%.*s' is a reserved word: quote it",
                          (int)token->length, token->bytes);
    return 0;
}

static bool is_mark(const struct scanner *scanner, char c)
{
    return scanner->is_file ? strchr("{}[],-+:/|#", c) : strchr("{}[],-+:/.", c);
}

/* A full stop ends a term only in front of a blank, a comment or the end. */
static bool skip_stop(struct scanner *scanner)
{
    if (!scanner->is_file || peek(scanner) != '.')
        return false;
    char next = scanner->text[scanner->position + 1];
    if (next && next != '%' && !is_blank(next))
        return false;
    scanner->position++;
    return true;
}

static int scan_mark(struct scanner *scanner)
{
    struct token *token = &scanner->token;
    if (skip(scanner, "<<")) {
        token->kind = TOKEN_BINARY_OPEN;
    } else if (skip(scanner, ">>")) {
        token->kind = TOKEN_BINARY_CLOSE;
    } else if (scanner->is_file && skip(scanner, "=>")) {
        token->kind = TOKEN_ARROW;
    } else if (skip_stop(scanner)) {
        token->kind = TOKEN_STOP;
    } else if (is_mark(scanner, peek(scanner))) {
        token->kind = TOKEN_MARK;
        token->mark = peek(scanner);
        scanner->position++;
    } else {
        unsigned byte = (uint8_t)peek(scanner);
        bool printable = byte > 32 && byte < 127;
        return printable ? scan_error(scanner, token->position, "'%c' is not expected", (int)byte)
                         : scan_error(scanner, token->position, "byte %u is not expected", byte);
    }
    return 0;
}

int scan(struct scanner *scanner)
{
    skip_blanks(scanner);
    char c = peek(scanner);
    scanner->token = (struct token){.kind = TOKEN_END, .position = scanner->position};
    if (!c)
        return 0;
    if (is_digit(c))
        return scan_integer(scanner);
    if (is_lower(c))
        return scan_atom(scanner);
    if (c == '$')
        return scan_character(scanner);
    if (c == '\'')
        return scan_quoted(scanner, TOKEN_ATOM);
    if (c == '"')
        return scan_quoted(scanner, TOKEN_STRING);
    return scan_mark(scanner);
}
