/* SPDX-License-Identifier: MIT */
#include "base/memory.h"
#include "lookup/answer.h"
#include "support/dns_message.h"
#include "support/guard.h"

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
    int result = answer_read(&answer, guard_copy(message.bytes, message.size), message.size);
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

/* A record more, as it stands in a message. */
static void add_bytes(const void *bytes, size_t size)
{
    memcpy(message.bytes + message.size, bytes, size);
    message.size += size;
    message.bytes[7]++;
}

#define ADD_BYTES(text) add_bytes(text, sizeof(text) - 1)

/* Where the question's name stands, as a pointer; an A and a PTR of it. */
#define TO_QUESTION   "\xc0\x0c"
#define A_OF_QUESTION TO_QUESTION "\0\1\0\1\0\0\0\x3c\0\4\xc0\0\2\1"

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

Test(answer, a_chain_of_as_many_as_are_followed)
{
    char from[32];
    char to[32];
    for (int count = 16; count <= 17; count++) {
        begin("0.test", ns_t_a);
        for (int i = 0; i < count; i++) {
            snprintf(from, sizeof(from), "%d.test", i);
            snprintf(to, sizeof(to), "%d.test", i + 1);
            dns_answer_add_name(&message, from, ns_t_cname, 60, to);
        }
        dns_answer_add_a(&message, to, 60, "192.0.2.1");
        const char *text = found("0.test", ns_t_a);
        cr_expect_eq(strncmp(text, "16.test 15.test", 15) == 0, count == 16, "%s", text);
        cr_expect_eq(strcmp(text, "nxdomain") == 0, count == 17, "%s", text);
    }
}

Test(answer, names_that_point_to_others)
{
    begin("x", ns_t_a);
    ADD_BYTES(A_OF_QUESTION);
    ADD_BYTES(A_OF_QUESTION);
    cr_expect_str_eq(found("x", ns_t_a), "x | 2 192.0.2.1");
    for (size_t size = message.size; size-- > 0;) {
        message.size = size;
        cr_expect_str_eq(found("x", ns_t_a), "ebadmsg", "cut to %zu", size);
    }
}

/* A name behind so many pointers, each to the one before it. */
static const char *found_behind(size_t count)
{
    uint8_t data[128] = "\1a";
    begin("x", ns_t_ptr);
    size_t data_at = message.size + 13;
    size_t size = 3;
    size_t to = data_at;
    for (size_t i = 1; i < count; i++) {
        data[size] = 0xc0;
        data[size + 1] = (uint8_t)to;
        to = data_at + size;
        size += 2;
    }
    dns_answer_add(&message, "x", ns_t_txt, 60, data, size);
    dns_answer_add(&message, "x", ns_t_ptr, 60, (const uint8_t[]){0xc0, (uint8_t)to}, 2);
    return found("x", ns_t_ptr);
}

Test(answer, so_many_pointers_and_no_more)
{
    cr_expect_str_eq(found_behind(32), "a | 1 192.0.2.1");
    cr_expect_str_eq(found_behind(33), "ebadmsg");
}

Test(answer, names_and_labels_that_are_too_long)
{
    uint8_t data[400];
    memset(data, 'a', sizeof(data));
    for (size_t at = 0; at <= 256; at += 64)
        data[at] = 63;
    data[256] = 0;
    begin("x", ns_t_ptr);
    dns_answer_add(&message, "x", ns_t_ptr, 60, data, 257);
    cr_expect_eq(strlen(found("x", ns_t_ptr)), 255 + strlen(" | 1 192.0.2.1"));
    data[256] = 1;
    data[258] = 0;
    begin("x", ns_t_ptr);
    dns_answer_add(&message, "x", ns_t_ptr, 60, data, 259);
    cr_expect_str_eq(found("x", ns_t_ptr), "ebadmsg", "a name");
    data[0] = 64;
    data[65] = 0;
    begin("x", ns_t_ptr);
    dns_answer_add(&message, "x", ns_t_ptr, 60, data, 66);
    cr_expect_str_eq(found("x", ns_t_ptr), "ebadmsg", "a label");
}

Test(answer, what_stands_beside_the_answer)
{
    begin("x", ns_t_a);
    ADD_BYTES(TO_QUESTION "\0\1\0\3\0\0\0\x3c\0\4\xc0\0\2\2"); /* of another class */
    ADD_BYTES(TO_QUESTION "\0\x10\0\1\0\0\0\1\0\0");           /* of another type */
    cr_expect_str_eq(found("x", ns_t_a), "nxdomain");
    ADD_BYTES(TO_QUESTION "\0\1\0\1\0\1\0\0\0\4\xc0\0\2\1");
    ADD_BYTES(TO_QUESTION "\0\x10\0\1\0\0\0\1\0\0"); /* without data, at the very end */
    cr_expect_str_eq(found("x", ns_t_a), "x | 1 192.0.2.1");
    cr_expect_eq(ttl_s, 65536u);
}

Test(answer, more_questions_than_one)
{
    begin("x", ns_t_a);
    message.bytes[5] = 2;
    memcpy(message.bytes + message.size, "\1y\0\0\1\0\1", 7);
    message.size += 7;
    dns_answer_add_a(&message, "x", 60, "192.0.2.1");
    cr_expect_str_eq(found("x", ns_t_a), "x | 1 192.0.2.1");
}

Test(answer, no_more_than_a_header)
{
    struct answer answer;
    begin("x", ns_t_a);
    message.bytes[3] |= ns_r_nxdomain;
    cr_expect_eq(answer_read(&answer, guard_copy(message.bytes, 12), 12), 0);
    cr_expect_eq(answer.code, ns_r_nxdomain);
    cr_expect_not(answer.truncated);
    dns_answer_truncated(&message);
    cr_expect_eq(answer_read(&answer, message.bytes, 12), 0);
    cr_expect(answer.truncated);
    cr_expect_eq(answer_read(&answer, guard_copy(message.bytes, 11), 11), -EBADMSG);
}

Test(answer, a_question_is_none)
{
    begin("x", ns_t_a);
    dns_answer_add_a(&message, "x", 60, "192.0.2.1");
    message.bytes[2] &= 0x7f;
    struct answer answer;
    cr_expect_eq(answer_read(&answer, message.bytes, message.size), -EBADMSG);
    cr_expect_str_eq(found("x", ns_t_a), "ebadmsg");
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

Test(answer, more_addresses_than_are_taken)
{
    dns_answer_begin(&message, 7, "", ns_t_a, 0);
    for (int i = 0; i < 4300; i++)
        dns_answer_add_a(&message, "", 60, "192.0.2.1");
    cr_expect_str_eq(found("", ns_t_a), " | 4096 192.0.2.1");
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
    cr_expect_str_eq(found("x", ns_t_a), "nxdomain", "no answer");
    message.bytes[12] = 0x80;
    cr_expect_str_eq(found("x", ns_t_a), "ebadmsg", "no question");
    begin("x", ns_t_a);
    dns_answer_add(&message, "x", ns_t_a, 60, "abc", 3);
    cr_expect_str_eq(found("x", ns_t_a), "ebadmsg", "an address of three bytes");
    begin("x", ns_t_ptr);
    dns_answer_add(&message, "x", ns_t_ptr, 60, "\1a", 2);
    dns_answer_add(&message, "x", ns_t_ptr, 60, "\1a", 2);
    cr_expect_str_eq(found("x", ns_t_ptr), "ebadmsg", "a name beyond its data");
    begin("x", ns_t_ptr);
    dns_answer_add(&message, "x", ns_t_ptr, 60, "\xff\xff", 2);
    cr_expect_str_eq(found("x", ns_t_ptr), "ebadmsg", "a pointer beyond the message");
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
