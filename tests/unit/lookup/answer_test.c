/* SPDX-License-Identifier: MIT */
#include "base/memory.h"
#include "lookup/answer.h"
#include "support/dns_message.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <weir/error.h>

static struct dns_message message;
static uint32_t ttl_s;

static const char *found(const char *name, ns_type type)
{
    static char text[2048];
    char address[WEIR_ADDRESS_TEXT_SIZE];
    struct answer answer;
    weir_hostent *hostent;
    const weir_address asked = {.family = WEIR_INET, .bytes = {192, 0, 2, 1}};
    int result = answer_read(&answer, message.bytes, message.size);
    if (result == 0)
        result = answer_find(&answer, name, type, &asked, &hostent, &ttl_s);
    if (result < 0)
        return weir_error_name(result);
    int length = snprintf(text, sizeof(text), "%s", hostent->h_name);
    for (size_t i = 0; i < hostent->alias_count; i++)
        length +=
            snprintf(text + length, sizeof(text) - (size_t)length, " %s", hostent->h_aliases[i]);
    length += snprintf(text + length, sizeof(text) - (size_t)length, " | %zu %s",
                       hostent->address_count, weir_address_format(hostent->h_addr_list, address));
    weir_hostent_free(hostent);
    return text;
}

static void begin(const char *name, ns_type type)
{
    dns_answer_begin(&message, 7, name, (uint16_t)type, 0);
}

Test(answer, addresses)
{
    begin("www.example.com", ns_t_a);
    dns_answer_add_a(&message, "WWW.example.com", 30, "192.0.2.1");
    dns_answer_add_a(&message, "www.example.com", 20, "192.0.2.2");
    dns_answer_add_a(&message, "other.example.com", 10, "192.0.2.3");
    cr_expect_str_eq(found("www.Example.com", ns_t_a), "www.Example.com | 2 192.0.2.1");
    cr_expect_eq(ttl_s, 20u);
    cr_expect_str_eq(found("www.example.com", ns_t_aaaa), "nxdomain");
    cr_expect_str_eq(found("third.example.com", ns_t_a), "nxdomain");
}

Test(answer, a_chain_of_names)
{
    begin("a.test", ns_t_aaaa);
    dns_answer_add_aaaa(&message, "c.test", 90, "2001:db8::1");
    dns_answer_add_name(&message, "b.test", ns_t_cname, 5, "C.test");
    dns_answer_add_name(&message, "a.test", ns_t_cname, 60, "b.test");
    cr_expect_str_eq(found("a.test", ns_t_aaaa), "C.test b.test a.test | 1 2001:db8::1");
    cr_expect_eq(ttl_s, 5u);
}

Test(answer, chains_that_lead_nowhere)
{
    begin("a.test", ns_t_a);
    dns_answer_add_name(&message, "a.test", ns_t_cname, 60, "b.test");
    cr_expect_str_eq(found("a.test", ns_t_a), "nxdomain");
    dns_answer_add_name(&message, "b.test", ns_t_cname, 60, "A.test");
    cr_expect_str_eq(found("a.test", ns_t_a), "nxdomain", "a loop");
    begin("s.test", ns_t_a);
    dns_answer_add_name(&message, "s.test", ns_t_cname, 60, "s.test");
    cr_expect_str_eq(found("s.test", ns_t_a), "nxdomain", "itself");
    begin("f.test", ns_t_a);
    dns_answer_add_name(&message, "f.test", ns_t_cname, 60, "g.test");
    dns_answer_add_name(&message, "f.test", ns_t_cname, 60, "h.test");
    dns_answer_add_a(&message, "g.test", 60, "192.0.2.1");
    cr_expect_str_eq(found("f.test", ns_t_a), "nxdomain", "a fork");
}

Test(answer, a_chain_without_an_end)
{
    char from[32];
    char to[32];
    begin("0.test", ns_t_a);
    for (int i = 0; i < 1000; i++) {
        snprintf(from, sizeof(from), "%d.test", i);
        snprintf(to, sizeof(to), "%d.test", i + 1);
        dns_answer_add_name(&message, from, ns_t_cname, 60, to);
    }
    cr_expect_str_eq(found("0.test", ns_t_a), "nxdomain");
}

Test(answer, names_of_addresses)
{
    begin("1.2.0.192.in-addr.arpa", ns_t_ptr);
    dns_answer_add_name(&message, "1.2.0.192.in-addr.arpa", ns_t_cname, 60, "1.sub.arpa");
    dns_answer_add_name(&message, "1.sub.arpa", ns_t_ptr, 60, "www.example.com");
    cr_expect_str_eq(found("1.2.0.192.in-addr.arpa", ns_t_ptr), "www.example.com | 1 192.0.2.1");
    dns_answer_add_name(&message, "1.sub.arpa", ns_t_ptr, 60, "mail.example.com");
    cr_expect_str_eq(found("1.2.0.192.in-addr.arpa", ns_t_ptr), "nxdomain", "several names");
}

Test(answer, labels_with_dots_and_worse)
{
    begin("x", ns_t_ptr);
    dns_answer_add(&message, "x", ns_t_ptr, 60, "\4a.b\\\1c", 8);
    cr_expect_str_eq(found("x", ns_t_ptr), "a\\.b\\\\.c | 1 192.0.2.1");
    begin("x", ns_t_ptr);
    dns_answer_add(&message, "x", ns_t_ptr, 60, "\3a\0b", 5);
    cr_expect_str_eq(found("x", ns_t_ptr), "ebadmsg", "a NUL");
}

Test(answer, as_large_as_it_gets)
{
    begin("x", ns_t_a);
    while (message.size + 30 < DNS_MESSAGE_SIZE_MAX)
        dns_answer_add_a(&message, "x", 60, "192.0.2.1");
    cr_expect_str_eq(found("x", ns_t_a), "x | 3853 192.0.2.1", "%s", found("x", ns_t_a));
}

Test(answer, what_is_malformed)
{
    begin("x", ns_t_a);
    dns_answer_add_a(&message, "x", 60, "192.0.2.1");
    for (size_t size = message.size; size-- > 0;) {
        message.size = size;
        cr_expect_str_eq(found("x", ns_t_a), "ebadmsg", "cut to %zu", size);
    }
    begin("x", ns_t_a);
    dns_answer_add(&message, "x", ns_t_a, 60, "abc", 3);
    cr_expect_str_eq(found("x", ns_t_a), "ebadmsg", "an address of three bytes");
    begin("x", ns_t_ptr);
    dns_answer_add(&message, "x", ns_t_ptr, 60, "\1a", 2);
    dns_answer_add(&message, "x", ns_t_ptr, 60, "\1a", 2);
    cr_expect_str_eq(found("x", ns_t_ptr), "ebadmsg", "a name beyond its data");
    begin("x", ns_t_ptr);
    uint8_t itself[2] = {0xc0, (uint8_t)(message.size + 13)};
    dns_answer_add(&message, "x", ns_t_ptr, 60, itself, 2);
    cr_expect_str_eq(found("x", ns_t_ptr), "ebadmsg", "a pointer to itself");
}

Test(answer, without_memory)
{
    begin("x", ns_t_a);
    dns_answer_add_a(&message, "x", 60, "192.0.2.1");
    for (uint64_t nth = 1; nth <= 3; nth++) {
        memory_fail_nth(nth);
        cr_expect_str_eq(found("x", ns_t_a), "enomem", "allocation %lu", (unsigned long)nth);
    }
    memory_fail_nth(4);
    cr_expect_str_eq(found("x", ns_t_a), "x | 1 192.0.2.1");
    memory_fail_nth(0);
    cr_expect_eq(memory_live_count(), 0);
}
