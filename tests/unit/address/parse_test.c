/* SPDX-License-Identifier: MIT */
#include "base/bytes.h"
#include "base/error.h"
#include "support/vectors.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <stdio.h>
#include <weir/address.h>

enum { INPUT, PARSED, STRICT, IPV4, IPV6, FORMATTED }; /* columns of address_vectors.tsv */
enum { ROW_COUNT = 129, PLUS_COUNT = 2 };

static size_t plus_count;

/* "<empty>" and "\n" stand for what a table cannot hold. */
static const char *input_of(const char *column, char *text, size_t size)
{
    if (strcmp(column, "<empty>") == 0)
        return "";
    snprintf(text, size, "%s", column);
    char *newline = strstr(text, "\\n");
    if (newline)
        memcpy(newline, "\n", sizeof("\n"));
    return text;
}

/* As Erlang's tuple has it: a scope is its second group. */
static unsigned group_of(const weir_address *address, int index)
{
    if (index == 1 && address->scope_id)
        return address->scope_id;
    return bytes_read_be16(address->bytes + 2 * index);
}

static void write_fields(const weir_address *address, FILE *to)
{
    bool inet = address->family == WEIR_INET;
    for (int i = 0; i < (inet ? 4 : 8); i++)
        fprintf(to, i ? ",%u" : "%u", inet ? address->bytes[i] : group_of(address, i));
}

static const char *term_of(int result, const weir_address *address, char *text, size_t size)
{
    FILE *to = fmemopen(text, size, "w");
    if (result == 0) {
        fputs("{ok,{", to);
        write_fields(address, to);
        fputs("}}", to);
    } else {
        fprintf(to, "{error,%s}", weir_error_name(result));
    }
    fclose(to);
    return text;
}

static void check_row(const struct vector *vector)
{
    static int (*const parsers[])(const char *, weir_address *) = {
        [PARSED] = weir_address_parse,
        [STRICT] = weir_address_parse_strict,
        [IPV4] = weir_address_parse_ipv4,
        [IPV6] = weir_address_parse_ipv6,
    };
    char text[256];
    char term[256];
    weir_address address;
    const char *input = input_of(vector->columns[INPUT], text, sizeof(text));
    bool plus = strchr(input, '+'); /* real OTP takes "+1.2.3.4"; weir does not */
    plus_count += plus;
    for (int column = PARSED; column <= IPV6; column++) {
        memset(&address, 0x5a, sizeof(address));
        int result = parsers[column](input, &address);
        cr_expect_str_eq(term_of(result, &address, term, sizeof(term)),
                         plus ? "{error,einval}" : vector->columns[column],
                         "line %zu column %d: '%s'", vector->line, column, input);
        cr_expect_eq(address.port, 0);
    }
    if (weir_address_parse(input, &address) == 0)
        cr_expect_str_eq(weir_address_format(&address, text), vector->columns[FORMATTED]);
}

Test(address, every_row_of_the_table)
{
    cr_expect_eq(vectors_each("address_vectors.tsv", check_row), ROW_COUNT);
    cr_expect_eq(plus_count, PLUS_COUNT);
}

/* Further inputs and what Erlang/OTP 25 answers. */
struct pair {
    const char *input;
    const char *expected; /* formatted; NULL: einval */
};

static const struct pair pairs[] = {
    {"fe80::1%0a", NULL},
    {"fe80::1%01a", NULL},
    {"fe80::1%00", "fe80::1"},
    {"fe80::1%001", "fe80::1%01"},
    {"fe80::1%0+1", NULL},
    {"fe80::1%0-1", NULL},
    {"fe80::1%099999999999999999999", NULL},
    {"fe80::1%%01", "fe80::1"},
    {"fe80::1%01%", NULL},
    {"fe80:1::1", "fe80::1%01"},
    {"::1%", NULL},
    {":1::", NULL},
    {":", NULL},
    {"::%", NULL},
    {"%01", NULL},
    {"fe80::1.2.3.4%01", NULL},
    {"fe80:1:2:3:4:5:6:7:%1", NULL},
    {"0.0.0.0x1", "0.0.0.1"},
    {"::2", "::0.0.0.2"},
    {"::1:2", "::0.1.0.2"},
    {"::1:0", "::0.1.0.0"},
    {"::ffff:0:1:2", "::ffff:0:1:2"},
    {"1:0:0:2::3", "1:0:0:2::3"},
    {"1::2:3:0:0:4", "1::2:3:0:0:4"},
    {"0:0:1::", "0:0:1::"},
    {"::ffff:1", "::255.255.0.1"},
    {"18446744073709551617", NULL},
    {"0x100000000", NULL},
    {"0x0", NULL},
    {"1.0x000.2", NULL},
    {"0x0001", "0.0.0.1"},
    {"1:2:3:4:5:6:7:8:", NULL},
    {"::1:", NULL},
    {"1::2::3", NULL},
    {"12345::", NULL},
    {"1:2:3:4:5:6:7:8:9", NULL},
    {"1.2.3.4.0", NULL},
    {"1.2.3.4.", NULL},
    {":::1", NULL},
    {"1:::2", NULL},
    {"1:::", NULL},
    {"1:g::", NULL},
    {"::g", NULL},
};

Test(address, further_answers)
{
    for (size_t i = 0; i < sizeof(pairs) / sizeof(pairs[0]); i++) {
        char text[WEIR_ADDRESS_TEXT_SIZE];
        weir_address address;
        int result = weir_address_parse(pairs[i].input, &address);
        cr_expect_eq(result, pairs[i].expected ? 0 : -EINVAL, "%s", pairs[i].input);
        if (pairs[i].expected && result == 0)
            cr_expect_str_eq(weir_address_format(&address, text), pairs[i].expected, "%s gave %s",
                             pairs[i].input, text);
    }
}

Test(address, null_is_no_address)
{
    weir_address address;
    cr_expect_eq(weir_address_parse(NULL, &address), -EINVAL);
    cr_expect_eq(weir_address_parse_strict(NULL, &address), -EINVAL);
    cr_expect_eq(weir_address_parse_ipv4(NULL, &address), -EINVAL);
    cr_expect_eq(weir_address_parse_ipv6(NULL, &address), -EINVAL);
}

Test(address, a_refusal_names_the_text)
{
    weir_address address;
    cr_expect_eq(weir_address_parse("1.2.3.x", &address), -EINVAL);
    cr_expect_str_eq(weir_last_error_text(), "'1.2.3.x' is not an address");
}

/* What is formatted reads back as the same address, whatever the bits. */
Test(address, format_and_parse_agree)
{
    uint32_t state = 12345;
    for (int round = 0; round < 20000; round++) {
        weir_address address = {.family = round % 2 ? WEIR_INET : WEIR_INET6};
        weir_address back;
        char text[WEIR_ADDRESS_TEXT_SIZE];
        for (size_t i = 0; i < (address.family == WEIR_INET ? 4 : 16); i += 2) {
            state = state * 1664525 + 1013904223;
            bytes_write_be16(address.bytes + i, state >> 30 ? 0 : state >> 12);
        }
        cr_assert_eq(weir_address_parse(weir_address_format(&address, text), &back), 0, "%s", text);
        cr_assert(weir_address_equal(&address, &back), "round %d: %s", round, text);
    }
}

Test(address, the_longest_fits_its_room)
{
    weir_address address = {.family = WEIR_INET6, .port = 65535, .scope_id = UINT32_MAX};
    char text[WEIR_ADDRESS_TEXT_SIZE];
    memset(address.bytes, 0xff, sizeof(address.bytes));
    bytes_write_be16(address.bytes, 0xff02);
    cr_expect_str_eq(weir_address_format_endpoint(&address, text),
                     "[ff02:0:ffff:ffff:ffff:ffff:ffff:ffff%04294967295]:65535");
    address.family = 77;
    cr_expect_str_eq(weir_address_format(&address, text), "");
    cr_expect_str_eq(weir_address_format_endpoint(&address, text), "");
}

/* Where the kernel looks for it, and nowhere else. */
Test(address, a_scope_in_the_second_group_is_taken_out_of_it)
{
    weir_address address;
    cr_assert_eq(weir_address_parse("fe80:5::1", &address), 0);
    cr_expect_eq(address.scope_id, 5);
    cr_expect(bytes_read_be16(address.bytes) == 0xfe80 && bytes_read_be16(address.bytes + 2) == 0);
}
