/* SPDX-License-Identifier: MIT */
#include "term/term.h"

#include "base/memory.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <weir/error.h>

static void write_term(FILE *to, const struct term *term);

static void write_elements(FILE *to, const struct term *parent)
{
    for (const struct term *term = parent->first; term; term = term->next) {
        write_term(to, term);
        if (term->next)
            fputc(',', to);
    }
}

static void write_term(FILE *to, const struct term *term)
{
    switch (term->kind) {
    case TERM_ATOM:
        cr_expect_eq(strlen(term->bytes), term->length);
        fprintf(to, "'%s'", term->bytes);
        break;
    case TERM_INTEGER:
        fprintf(to, "%" PRId64, term->number);
        break;
    case TERM_STRING:
        cr_expect_eq(strlen(term->bytes), term->length);
        fprintf(to, "\"%s\"", term->bytes);
        break;
    case TERM_LIST:
    case TERM_TUPLE:
        fputc(term->kind == TERM_LIST ? '[' : '{', to);
        write_elements(to, term);
        fputc(term->kind == TERM_LIST ? ']' : '}', to);
        break;
    case TERM_OTHER:
        fputs("other", to);
        break;
    }
}

/* All terms of a text as this test writes them, or what is wrong with it. */
static const char *read(const char *text)
{
    static char answer[1024];
    struct terms terms;
    int64_t live = memory_live_count();
    int result = terms_read(&terms, text);
    FILE *to = fmemopen(answer, sizeof(answer), "w");
    if (result < 0)
        fprintf(to, "%s", weir_last_error_text());
    for (const struct term *term = terms.first; result == 0 && term; term = term->next) {
        write_term(to, term);
        fputc('.', to);
    }
    fclose(to);
    terms_free(&terms);
    cr_expect_eq(memory_live_count(), live);
    return answer;
}

/* Text may have any byte. */
Test(read, zero_bytes)
{
    struct terms terms;
    cr_assert_eq(terms_read(&terms, "[0,1]. \"\\0b\". \"\\^@b\"."), 0);
    for (const struct term *term = terms.first; term; term = term->next)
        cr_expect(term->kind == TERM_STRING && term->length == 2 && term->bytes[0] == '\0');
    cr_expect_eq(terms.first->bytes[1], '\1');
    terms_free(&terms);
}

Test(read, lists)
{
    static const struct {
        const char *text;
        bool is_list;
    } rows[] = {{"[].", true},     {"\"\".", true}, {"[x].", true}, {"[x,1].", true},
                {"\"a\".", false}, {"[1].", false}, {"a.", false},  {"{}.", false},
                {"0.", false},     {"<<>>.", false}};
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct terms terms;
        cr_assert_eq(terms_read(&terms, rows[i].text), 0);
        cr_expect_eq(term_is_list(terms.first), rows[i].is_list, "%s", rows[i].text);
        terms_free(&terms);
    }
}

struct pair {
    const char *text;
    const char *expected;
};

static const struct pair good[] = {
    {"", ""},
    {"% nothing\n", ""},
    {"clear_hosts.", "'clear_hosts'."},
    {"a. b.% c\n'D e'. \n", "'a'.'b'.'D e'."},
    {"{host,{127,0,0,1},[\"a\",\"b\"]}.", "{'host',{127,0,0,1},[\"a\",\"b\"]}."},
    {"{search,[]}. {a,\"\"}.", "{'search',\"\"}.{'a',\"\"}."},
    {"[104,$o,$\\n].", "\"ho\n\"."},
    {"\"a\" \"\" \"bc\"\n\"d\".", "\"abcd\"."},
    {"\"\" \"b\".", "\"b\"."},
    {"{-1,+2,16#ff,1_000}.", "{-1,2,255,1000}."},
    {"[256,1].", "[256,1]."},
    {"[[1,2],[]].", "[\"\1\2\",\"\"]."},
    {"{1.5,1.5e-3,-2.0,<<>>,<<1:2/little,\"a\">>,#{},#{a=>1,b=>2},[1|2]}.",
     "{other,other,other,other,other,other,other,other}."},
    {"a%b\n.", "'a'."},
    {"{aAZ,zAz_0@}.", "{'aAZ','zAz_0@'}."},
    {"a.\r\nb.\v\fc.\td.", "'a'.'b'.'c'.'d'."},
    {"a@B_9. 'it\\'s'.", "'a@B_9'.'it's'."},
    {"\"\\1234\\8\\x41\\x{42}\".", "\"S48AB\"."},
    {"\"\\^a\\^Z\\^_\\^?\\s\\q\\377\".", "\"\1\x1a\x1f\x7f q\xff\"."},
    {"[255,1]. [1,-1]. [1,256].", "\"\xff\1\".[1,-1].[1,256]."},
    {"36#z. 36#Z. 2#101. 1_0. $ . $\\x41. $\\101. $~.", "35.35.5.10.32.65.65.126."},
    {"1.5E+3. 1.5E-3. -1.5. +1.", "other.other.other.1."},
    {"9223372036854775807. -9223372036854775807.", "9223372036854775807.-9223372036854775807."},
    {"\"\\18\".", "\"\1"
                  "8\"."},
    {"$\x7f.", "127."},
    {"#{a=>#{},b=>[]}. <<1:8/a/b,2>>. [1,2|[]].", "other.other.other."},
};

Test(read, what_is_well_written)
{
    for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++)
        cr_expect_str_eq(read(good[i].text), good[i].expected, "%s gave %s", good[i].text,
                         read(good[i].text));
}

static const struct pair bad[] = {
    {"a", "line 1, column 2: a full stop has to follow, but the text ends"},
    {"a.b.", "line 1, column 2: '.' is not expected"},
    {"{a,\n b.", "line 2, column 3: , has to follow, not a full stop"},
    {"\n\n  Var.", "line 3, column 3: 'V' is not expected"},
    {"{a,}.", "line 1, column 4: a term has to follow, not }"},
    {"[1,2|].", "line 1, column 6: a term has to follow, not ]"},
    {"[|1].", "line 1, column 2: a term has to follow, not |"},
    {"\"abc.", "line 1, column 1: the quote is not closed"},
    {"end.", "line 1, column 1: 'end' is a reserved word: quote it"},
    {"a => b.", "line 1, column 3: a full stop has to follow, not =>"},
    {"#{a}.", "line 1, column 4: => has to follow, not }"},
    {"-\x01.", "line 1, column 2: byte 1 is not expected"},
    {"- a.", "line 1, column 3: a number has to follow, not 'a'"},
    {"$", "line 1, column 2: a character has to follow $"},
    {"1.5e.", "line 1, column 5: an exponent has to follow"},
    {"99999999999999999999.", "line 1, column 1: the integer is too large"},
    {"9223372036854775808.", "line 1, column 1: the integer is too large"},
    {"1__0.", "line 1, column 2: '_' is not expected"},
    {"1_a.", "line 1, column 2: '_' is not expected"},
    {"36#1__0.", "line 1, column 5: '_' is not expected"},
    {"37#1.", "line 1, column 1: a base is from 2 to 36"},
    {"1#0.", "line 1, column 1: a base is from 2 to 36"},
    {"2#2.", "line 1, column 3: a digit of base 2 has to follow"},
    {"\"\\x{41\".", "line 1, column 7: a } has to follow"},
    {"\"\\x{}\".", "line 1, column 5: a digit of base 16 has to follow"},
    {"\"\\x{100}\".", "line 1, column 2: a character above 255"},
    {"\"\\400\".", "line 1, column 2: a character above 255"},
    {"\"\\x4g\".", "line 1, column 5: a digit of base 16 has to follow"},
    {"\"\\^1\".", "line 1, column 4: a letter has to follow \\^"},
    {"\"\\^`\".", "line 1, column 4: a letter has to follow \\^"},
    {"\"a\\", "line 1, column 4: the text ends within an escape"},
    {"$\xc3\xa4.", "line 1, column 2: $ takes ASCII only"},
    {"\x7f.", "line 1, column 1: byte 127 is not expected"},
    {"!.", "line 1, column 1: '!' is not expected"},
    {"~.", "line 1, column 1: '~' is not expected"},
    {"% \xc3\xa4\n\xc3\xa4.", "line 2, column 1: byte 195 is not expected"},
    {"{\"\xc3\xa4\", V}.", "line 1, column 7: 'V' is not expected"},
    {"\"\xc3\xa4\\400\".", "line 1, column 3: a character above 255"},
    {"a b.", "line 1, column 3: a full stop has to follow, not 'b'"},
    {"{1 2}.", "line 1, column 4: , has to follow, not an integer"},
    {"{a \"b\"}.", "line 1, column 4: , has to follow, not a string"},
    {"{a <<>>}.", "line 1, column 4: , has to follow, not a binary"},
    {"{a 1.5}.", "line 1, column 4: , has to follow, not a float"},
    {"<<:2>>.", "line 1, column 3: a term has to follow, not :"},
    {"<<1,/a>>.", "line 1, column 5: a term has to follow, not /"},
    {"<<1 2>>.", "line 1, column 5: , has to follow, not an integer"},
    {"#a.", "line 1, column 2: { has to follow, not 'a'"},
    {"#{a=>1 b=>2}.", "line 1, column 8: , has to follow, not 'b'"},
    {"[1|2,3].", "line 1, column 5: ] has to follow, not ,"},
};

Test(read, what_is_not)
{
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
        cr_expect_str_eq(read(bad[i].text), bad[i].expected, "%s gave %s", bad[i].text,
                         read(bad[i].text));
}

Test(read, nothing_is_nested_so_deep_that_the_stack_ends)
{
    static char text[100001];
    memset(text, '{', sizeof(text) - 1);
    cr_expect_str_eq(read(text), "line 1, column 66: terms are nested more than 64 deep");
}

Test(read, many_terms)
{
    static char text[4000];
    for (size_t i = 0; i + 3 <= sizeof(text) - 1; i += 3)
        memcpy(text + i, "a. ", 4);
    struct terms terms;
    size_t count = 0;
    cr_assert_eq(terms_read(&terms, text), 0);
    for (const struct term *term = terms.first; term; term = term->next)
        count++;
    cr_expect_eq(count, (sizeof(text) - 1) / 3);
    terms_free(&terms);
}

Test(read, without_memory)
{
    struct terms terms;
    int result = -ENOMEM;
    for (uint64_t nth = 1; result < 0; nth++) {
        memory_fail_nth(nth);
        result = terms_read(&terms, "{a,[b,\"c\"]}.");
        terms_free(&terms);
        cr_assert(result == 0 || result == -ENOMEM);
        cr_assert_lt(nth, 10u);
    }
    memory_fail_nth(0);
}
