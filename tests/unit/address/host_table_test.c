/* SPDX-License-Identifier: MIT */
#include "address/host_table.h"
#include "address/inet_config.h"
#include "base/memory.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <weir/error.h>

static struct host_table table;

static void load(const char *text)
{
    char copy[1024];
    snprintf(copy, sizeof(copy), "%s", text);
    host_table_clear(&table);
    cr_assert_eq(hosts_file_read(copy, &table), 0);
}

/* "name alias... address..." or the error's name. */
static const char *answer(int result, weir_hostent *hostent)
{
    static char text[512];
    char address[WEIR_ADDRESS_TEXT_SIZE];
    if (result < 0)
        return weir_error_name(result);
    int length = snprintf(text, sizeof(text), "%s", hostent->h_name);
    for (size_t i = 0; i < hostent->alias_count; i++)
        length +=
            snprintf(text + length, sizeof(text) - (size_t)length, " %s", hostent->h_aliases[i]);
    cr_expect_null(hostent->h_aliases[hostent->alias_count]);
    cr_expect_eq(hostent->h_length, hostent->h_addrtype == WEIR_INET ? 4 : 16);
    for (size_t i = 0; i < hostent->address_count; i++)
        length += snprintf(text + length, sizeof(text) - (size_t)length, " %s",
                           weir_address_format(&hostent->h_addr_list[i], address));
    weir_hostent_free(hostent);
    return text;
}

static const char *by_name(const char *name, enum weir_family family)
{
    weir_hostent *hostent = NULL;
    int result = host_table_by_name(&table, name, family, &hostent);
    return answer(result, hostent);
}

static const char *by_address(const char *text)
{
    weir_hostent *hostent = NULL;
    weir_address address;
    cr_assert_eq(weir_address_parse(text, &address), 0);
    int result = host_table_by_address(&table, &address, &hostent);
    return answer(result, hostent);
}

Test(host_table, names_without_regard_to_case)
{
    load("10.0.0.1 Www www.example.com # comment\n::1 www\nnonsense\n10.0.0.2\n");
    cr_expect_str_eq(by_name("wWW", WEIR_INET), "Www www.example.com 10.0.0.1");
    cr_expect_str_eq(by_name("WWW.EXAMPLE.COM", WEIR_INET), "Www www.example.com 10.0.0.1");
    cr_expect_str_eq(by_name("www", WEIR_INET6), "www ::1");
    cr_expect_str_eq(by_name("www.", WEIR_INET), "nxdomain");
    cr_expect_str_eq(by_address("10.0.0.1"), "Www www.example.com 10.0.0.1");
    cr_expect_str_eq(by_address("10.0.0.2"), "nxdomain");
    host_table_clear(&table);
    cr_expect_str_eq(by_name("www", WEIR_INET), "nxdomain");
    cr_expect_str_eq(by_address("10.0.0.1"), "nxdomain");
}

Test(host_table, lines_of_one_address_and_addresses_of_one_name)
{
    load("10.0.0.1 a b\n10.0.0.2 b c\n10.0.0.1 c d d\n");
    cr_expect_str_eq(by_name("b", WEIR_INET), "a b c d d 10.0.0.1 10.0.0.2");
    cr_expect_str_eq(by_name("c", WEIR_INET), "a b c d d 10.0.0.1 10.0.0.2");
    cr_expect_str_eq(by_name("d", WEIR_INET), "a b c d d 10.0.0.1");
    cr_expect_str_eq(by_address("10.0.0.1"), "a b c d d 10.0.0.1");
    load("10.0.0.1 x\n10.0.0.2 x\n10.0.0.3 x\n");
    cr_expect(strstr(by_name("x", WEIR_INET), " 10.0.0.1 10.0.0.2 10.0.0.3"));
    host_table_clear(&table);
}

/* Erlang/OTP can still find the old names. */
Test(host_table, names_that_are_replaced_are_gone)
{
    static const char *const before[] = {"old", "both"};
    static const char *const after[] = {"both", "new"};
    const weir_address address = {.family = WEIR_INET, .bytes = {10, 0, 0, 1}};
    cr_assert_eq(host_table_add(&table, HOST_REPLACE, &address, before, 2), 0);
    cr_assert_eq(host_table_add(&table, HOST_REPLACE, &address, after, 2), 0);
    cr_expect_str_eq(by_name("old", WEIR_INET), "nxdomain");
    cr_expect_str_eq(by_name("both", WEIR_INET), "both new 10.0.0.1");
    cr_expect_str_eq(by_address("10.0.0.1"), "both new 10.0.0.1");
    host_table_clear(&table);
}

/* Buckets are there for the names that there are, not for those that there were. */
Test(host_table, replacing_takes_no_room)
{
    const char *const names[] = {"a", "b"};
    const weir_address address = {.family = WEIR_INET, .bytes = {10, 0, 0, 1}};
    for (int i = 0; i < 100; i++)
        cr_assert_eq(host_table_add(&table, HOST_REPLACE, &address, names, 2), 0);
    cr_expect_eq(table.bucket_count, 16u);
    host_table_clear(&table);
}

Test(host_table, without_memory)
{
    const char *const names[] = {"a", "b"};
    const weir_address address = {.family = WEIR_INET, .bytes = {10, 0, 0, 1}};
    for (uint64_t nth = 1; nth <= 5; nth++) {
        memory_fail_nth(nth);
        cr_expect_eq(host_table_add(&table, HOST_MERGE, &address, names, 2), -ENOMEM);
        host_table_clear(&table);
        cr_expect_eq(memory_live_count(), 0);
    }
    load("10.0.0.1 a\n10.0.0.2 a\n");
    for (uint64_t nth = 1; nth <= 4; nth++) {
        memory_fail_nth(nth);
        cr_expect_str_eq(by_name("a", WEIR_INET), "enomem", "allocation %lu", (unsigned long)nth);
    }
    for (uint64_t nth = 1; nth <= 2; nth++) {
        memory_fail_nth(nth);
        cr_expect_str_eq(by_address("10.0.0.1"), "enomem", "allocation %lu", (unsigned long)nth);
    }
    memory_fail_nth(0);
    host_table_clear(&table);
    cr_expect_eq(memory_live_count(), 0);
}

Test(host_table, many)
{
    for (uint32_t i = 0; i < 100000; i++) {
        char name[32];
        const char *names[] = {name, "all"};
        const weir_address address = {.family = WEIR_INET,
                                      .bytes = {10, i >> 16, i >> 8 & 255, i & 255}};
        snprintf(name, sizeof(name), "host%u", i);
        cr_assert_eq(host_table_add(&table, HOST_MERGE, &address, names, i % 1000 ? 1 : 2), 0);
    }
    cr_expect_str_eq(by_name("host77777", WEIR_INET), "host77777 10.1.47.209");
    weir_hostent *hostent;
    cr_assert_eq(host_table_by_name(&table, "all", WEIR_INET, &hostent), 0);
    cr_expect_eq(hostent->address_count, 100u);
    weir_hostent_free(hostent);
    host_table_clear(&table);
    cr_expect_eq(memory_live_count(), 0);
}

/* Also those that were there before there was room for so many. */
Test(host_table, each_of_some)
{
    enum { COUNT = 100 };
    char name[16];
    const char *const names[] = {name};
    weir_address address = {.family = WEIR_INET, .bytes = {10}};
    for (uint8_t i = 0; i < COUNT; i++) {
        address.bytes[3] = i;
        snprintf(name, sizeof(name), "host%u", i);
        cr_assert_eq(host_table_add(&table, HOST_MERGE, &address, names, 1), 0);
    }
    for (uint8_t i = 0; i < COUNT; i++) {
        char expected[64];
        char text[16];
        snprintf(name, sizeof(name), "host%u", i);
        snprintf(text, sizeof(text), "10.0.0.%u", i);
        snprintf(expected, sizeof(expected), "%s %s", name, text);
        cr_expect_str_eq(by_name(name, WEIR_INET), expected);
        cr_expect_str_eq(by_address(text), expected);
    }
    host_table_clear(&table);
}

/* Hosts that share a bucket, at most. */
static size_t longest_chain(void)
{
    size_t longest = 0;
    for (size_t i = 0; i < table.bucket_count; i++) {
        size_t length = 0;
        for (const struct host *host = table.by_address[i]; host; host = host->next_in_bucket)
            length++;
        longest = length > longest ? length : longest;
    }
    return longest;
}

/* As blocklists have them; one that is looked for is found among few. */
Test(host_table, many_addresses_are_spread)
{
    enum { COUNT = 4096 };
    for (uint32_t i = 0; i < COUNT; i++) {
        weir_address address = {.family = WEIR_INET,
                                .bytes = {10, 0, (uint8_t)(i >> 8), (uint8_t)i}};
        char text[16];
        const char *const names[] = {text};
        snprintf(text, sizeof(text), "host%u", i);
        cr_assert_eq(host_table_add(&table, HOST_MERGE, &address, names, 1), 0);
    }
    cr_expect_leq(longest_chain(), 16, "%zu", longest_chain());
    host_table_clear(&table);
}
