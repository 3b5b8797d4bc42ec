/* SPDX-License-Identifier: MIT */
/* Who is asked for what and when, as the inet configuration says. */
#include "base/memory.h"
#include "play.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>
#include <weir/error.h>

#define DNS "{lookup,[dns]}. {resolv_conf,\"\"}. {nameserver,{10,0,0,1}}. "

static void add_address(struct dns_message *answer, const char *name, ns_type type, uint32_t ttl_s)
{
    if (type == ns_t_a)
        dns_answer_add_a(answer, name, ttl_s, "192.0.2.1");
    if (type == ns_t_aaaa)
        dns_answer_add_aaaa(answer, name, ttl_s, "2001:db8::1");
    if (type == ns_t_ptr)
        dns_answer_add_name(answer, name, ns_t_ptr, ttl_s, "found.example.com");
}

static enum reaction knows_all(const struct query_ask *ask, const char *question, ns_type type,
                               struct dns_message *answer)
{
    (void)ask;
    dns_answer_begin(answer, 0, question, (uint16_t)type, ns_r_noerror);
    add_address(answer, question, type, 60);
    return ANSWERS;
}

static enum reaction knows_for_a_second(const struct query_ask *ask, const char *question,
                                        ns_type type, struct dns_message *answer)
{
    (void)ask;
    dns_answer_begin(answer, 0, question, (uint16_t)type, ns_r_noerror);
    add_address(answer, question, type, 1);
    return ANSWERS;
}

static enum reaction knows_for_no_time(const struct query_ask *ask, const char *question,
                                       ns_type type, struct dns_message *answer)
{
    (void)ask;
    dns_answer_begin(answer, 0, question, (uint16_t)type, ns_r_noerror);
    add_address(answer, question, type, 0);
    return ANSWERS;
}

static enum reaction refuse_with(unsigned code, const char *question, ns_type type,
                                 struct dns_message *answer)
{
    dns_answer_begin(answer, 0, question, (uint16_t)type, code);
    return ANSWERS;
}

#define REFUSING(name, code)                                                                   \
    static enum reaction name(const struct query_ask *ask, const char *question, ns_type type, \
                              struct dns_message *answer)                                      \
    {                                                                                          \
        (void)ask;                                                                             \
        return refuse_with(code, question, type, answer);                                      \
    }

REFUSING(has_no_records, ns_r_noerror)
REFUSING(knows_nothing, ns_r_nxdomain)
REFUSING(fails, ns_r_servfail)
REFUSING(refuses, ns_r_refused)
REFUSING(calls_it_malformed, ns_r_formerr)

static enum reaction is_silent(const struct query_ask *ask, const char *question, ns_type type,
                               struct dns_message *answer)
{
    (void)ask;
    (void)question;
    (void)type;
    (void)answer;
    return STAYS_SILENT;
}

static enum reaction is_not_there(const struct query_ask *ask, const char *question, ns_type type,
                                  struct dns_message *answer)
{
    (void)ask;
    (void)question;
    (void)type;
    (void)answer;
    return IS_UNREACHABLE;
}

static enum reaction talks_nonsense(const struct query_ask *ask, const char *question, ns_type type,
                                    struct dns_message *answer)
{
    (void)ask;
    dns_answer_begin(answer, 0, question, (uint16_t)type, ns_r_noerror);
    add_address(answer, question, type, 60);
    answer->size -= 3;
    return ANSWERS;
}

/* Less than the head of a message, or a question. */
static enum reaction stammers(const struct query_ask *ask, const char *question, ns_type type,
                              struct dns_message *answer)
{
    (void)knows_all(ask, question, type, answer);
    answer->size = 11;
    return ANSWERS;
}

static enum reaction asks_back(const struct query_ask *ask, const char *question, ns_type type,
                               struct dns_message *answer)
{
    (void)knows_all(ask, question, type, answer);
    answer->bytes[2] &= 0x7f;
    return ANSWERS;
}

/* 10.0.0.9 is the one that knows. */
static enum reaction one_of_them_knows(const struct query_ask *ask, const char *question,
                                       ns_type type, struct dns_message *answer)
{
    return ask->server.bytes[3] == 9 ? knows_all(ask, question, type, answer)
                                     : knows_nothing(ask, question, type, answer);
}

static enum reaction silent_but_one(const struct query_ask *ask, const char *question, ns_type type,
                                    struct dns_message *answer)
{
    return ask->server.bytes[3] == 9 ? knows_all(ask, question, type, answer) : STAYS_SILENT;
}

static enum reaction the_last_domain_exists(const struct query_ask *ask, const char *question,
                                            ns_type type, struct dns_message *answer)
{
    return strstr(question, ".b.test") ? knows_all(ask, question, type, answer)
                                       : knows_nothing(ask, question, type, answer);
}

static enum reaction truncates(const struct query_ask *ask, const char *question, ns_type type,
                               struct dns_message *answer)
{
    knows_all(ask, question, type, answer);
    if (!ask->tcp)
        dns_answer_truncated(answer);
    return ANSWERS;
}

static enum reaction has_no_edns(const struct query_ask *ask, const char *question, ns_type type,
                                 struct dns_message *answer)
{
    return ask->edns ? calls_it_malformed(ask, question, type, answer)
                     : knows_all(ask, question, type, answer);
}

static enum reaction fails_with_edns(const struct query_ask *ask, const char *question,
                                     ns_type type, struct dns_message *answer)
{
    return ask->edns ? fails(ask, question, type, answer) : knows_all(ask, question, type, answer);
}

static enum reaction refuses_edns(const struct query_ask *ask, const char *question, ns_type type,
                                  struct dns_message *answer)
{
    return ask->edns ? refuses(ask, question, type, answer)
                     : knows_all(ask, question, type, answer);
}

/* By UDP it has more to say, which it never does; another one knows. */
static enum reaction truncates_only(const struct query_ask *ask, const char *question, ns_type type,
                                    struct dns_message *answer)
{
    return ask->server.bytes[3] != 9 && ask->tcp ? STAYS_SILENT
           : ask->server.bytes[3] != 9           ? truncates(ask, question, type, answer)
                                                 : knows_all(ask, question, type, answer);
}

/* With or without EDNS it does not answer; another one does. */
static enum reaction wants_no_edns_and_refuses(const struct query_ask *ask, const char *question,
                                               ns_type type, struct dns_message *answer)
{
    return ask->server.bytes[3] == 9 ? knows_all(ask, question, type, answer)
           : ask->edns               ? calls_it_malformed(ask, question, type, answer)
                                     : refuses(ask, question, type, answer);
}

static enum reaction has_no_edns_by_tcp(const struct query_ask *ask, const char *question,
                                        ns_type type, struct dns_message *answer)
{
    return ask->tcp    ? calls_it_malformed(ask, question, type, answer)
           : ask->edns ? truncates(ask, question, type, answer)
                       : knows_all(ask, question, type, answer);
}

static enum reaction knows_something_else(const struct query_ask *ask, const char *question,
                                          ns_type type, struct dns_message *answer)
{
    (void)ask;
    dns_answer_begin(answer, 0, question, (uint16_t)type, ns_r_noerror);
    add_address(answer, "else.test", type, 60);
    return ANSWERS;
}

static enum reaction lacks_memory(const struct query_ask *ask, const char *question, ns_type type,
                                  struct dns_message *answer)
{
    (void)is_silent(ask, question, type, answer);
    return FINDS_NO_MEMORY;
}

/* Until 10.0.0.9 is asked. */
static enum reaction is_configured(const struct query_ask *ask, const char *question, ns_type type,
                                   struct dns_message *answer)
{
    return ask->server.bytes[3] == 9 ? knows_all(ask, question, type, answer) : CONFIGURES;
}

static enum reaction is_configured_too_late(const struct query_ask *ask, const char *question,
                                            ns_type type, struct dns_message *answer)
{
    (void)knows_all(ask, question, type, answer);
    return ask->server.bytes[3] == 9 ? ANSWERS : ANSWERS_TOO_LATE;
}

static void expect_name(const char *name, play_server *server, const char *result,
                        const char *asked)
{
    cr_expect_str_eq(play_name(name, WEIR_INET, server), result);
    cr_expect_str_eq(play_asked(), asked);
}

Test(order, a_name_with_a_dot_at_its_end_is_asked_for_as_it_is)
{
    play_configure(DNS "{search,[\"a.test\"]}.");
    expect_name("www.", knows_all, "www | 192.0.2.1", "0 10.0.0.1 www");
    expect_name("host.", knows_nothing, "nxdomain", "0 10.0.0.1 host");
    play_end();
}

Test(order, a_name_without_a_dot_is_searched_only)
{
    play_configure(DNS "{search,[\"a.test\",\"b.test\"]}.");
    expect_name("www", the_last_domain_exists, "www.b.test | 192.0.2.1",
                "0 10.0.0.1 www.a.test, 0 10.0.0.1 www.b.test");
    play_configure(DNS "{domain,\"b.test\"}.");
    expect_name("www", the_last_domain_exists, "www.b.test | 192.0.2.1", "0 10.0.0.1 www.b.test");
    play_configure(DNS);
    expect_name("www", knows_all, "www | 192.0.2.1", "0 10.0.0.1 www");
    play_configure(DNS "{search,[\".\"]}.");
    expect_name("www", knows_all, "www | 192.0.2.1", "0 10.0.0.1 www");
    play_end();
}

Test(order, each_time_dns_has_its_turn_all_is_asked)
{
    play_configure(DNS "{search,[\"a.test\",\"c.test\"]}. {lookup,[dns,dns]}.");
    expect_name("www", knows_nothing, "nxdomain",
                "0 10.0.0.1 www.a.test, 0 10.0.0.1 www.c.test, "
                "0 10.0.0.1 www.a.test, 0 10.0.0.1 www.c.test");
    play_end();
}

Test(order, a_name_with_dots_is_asked_for_as_it_is_first)
{
    play_configure(DNS "{search,[\"a.test\",\"b.test\"]}.");
    expect_name("www.x", knows_all, "www.x | 192.0.2.1", "0 10.0.0.1 www.x");
    expect_name("mail.x", the_last_domain_exists, "mail.x.b.test | 192.0.2.1",
                "0 10.0.0.1 mail.x, 0 10.0.0.1 mail.x.a.test, 0 10.0.0.1 mail.x.b.test");
    play_end();
}

Test(order, silent_servers_are_asked_in_rounds_that_double)
{
    play_configure(DNS "{timeout,100}.");
    expect_name("a.b", is_silent, "nxdomain",
                "0 10.0.0.1 a.b, 33 10.0.0.1 a.b, 99 10.0.0.1 a.b, "
                "232 10.0.0.1 a.b, 265 10.0.0.1 a.b, 331 10.0.0.1 "
                "a.b");
    play_configure(DNS "{timeout,100}. {retry,2}. {domain,\"d\"}. {nameserver,{10,0,0,2}}.");
    expect_name("a.", is_silent, "nxdomain",
                "0 10.0.0.1 a, 50 10.0.0.2 a, 100 10.0.0.1 a, 200 10.0.0.2 a");
    play_end();
}

Test(order, a_time_is_a_millisecond_at_least_and_a_day_at_most)
{
    play_configure(DNS "{timeout,1}.");
    expect_name("a.", is_silent, "nxdomain", "0 10.0.0.1 a, 1 10.0.0.1 a, 2 10.0.0.1 a");
    play_configure(DNS "{timeout,100000000}.");
    expect_name("a.", is_silent, "nxdomain",
                "0 10.0.0.1 a, 28800000 10.0.0.1 a, 86400000 10.0.0.1 a");
    play_configure(DNS "{timeout,50000000}. {retry,1}. {usevc,true}. {nameserver,{10,0,0,9}}.");
    expect_name("a.", silent_but_one, "a | 192.0.2.1", "0 10.0.0.1 tcp a, 86400000 10.0.0.9 tcp a");
    play_end();
}

Test(order, rounds_double_no_more_than_twenty_times)
{
    play_configure(DNS "{timeout,23}. {retry,23}.");
    cr_expect_str_eq(play_name("a.", WEIR_INET, is_silent), "nxdomain");
    const char *last = strstr(play_asked(), " 1048575 ");
    cr_assert_not_null(last, "%s", play_asked());
    cr_expect_str_eq(last, " 1048575 10.0.0.1 a, 2097151 10.0.0.1 a, 3145727 10.0.0.1 a");
    play_end();
}

Test(order, a_server_that_fails_is_asked_again_later)
{
    play_configure(DNS "{servfail_retry_timeout,0}.");
    expect_name("a.", fails, "nxdomain", "0 10.0.0.1 a, 0 10.0.0.1 a, 0 10.0.0.1 a");
    play_configure(DNS "{servfail_retry_timeout,50}.");
    expect_name("a.", fails, "nxdomain", "0 10.0.0.1 a, 50 10.0.0.1 a, 100 10.0.0.1 a");
    play_end();
}

Test(order, a_server_that_refuses_is_asked_once)
{
    play_configure(DNS);
    expect_name("a.", refuses, "nxdomain", "0 10.0.0.1 a");
    expect_name("a.", is_not_there, "nxdomain", "0 10.0.0.1 a");
    expect_name("a.", calls_it_malformed, "nxdomain", "0 10.0.0.1 a");
    expect_name("a.", talks_nonsense, "einval", "0 10.0.0.1 a");
    expect_name("a.", stammers, "einval", "0 10.0.0.1 a");
    expect_name("a.", asks_back, "einval", "0 10.0.0.1 a");
    play_end();
}

Test(order, as_many_servers_as_there_may_be)
{
    char text[1024] = "{lookup,[dns]}. {resolv_conf,\"\"}. {timeout,32}. {retry,1}. ";
    size_t length = strlen(text);
    for (int i = SERVERS_MAX; i > 0; i--)
        length += (size_t)snprintf(text + length, sizeof(text) - length,
                                   "{nameserver,{10,0,0,%d}}. ", 8 + i);
    play_configure(text);
    expect_name("a.", knows_all, "a | 192.0.2.1", "0 10.0.0.40 a");
    cr_expect_str_eq(play_name("b.", WEIR_INET, silent_but_one), "b | 192.0.2.1");
    cr_expect(strstr(play_asked(), ", 960 10.0.0.10 b, 992 10.0.0.9 b"), "%s", play_asked());
    play_end();
}

Test(order, that_a_name_does_not_exist_ends_the_question)
{
    play_configure(DNS "{nameserver,{10,0,0,9}}.");
    expect_name("a.", one_of_them_knows, "nxdomain", "0 10.0.0.1 a");
    play_end();
}

Test(order, alternatives_are_asked_when_the_others_know_nothing)
{
    play_configure(DNS "{alt_nameserver,{10,0,0,9}}. {search,[\"s\"]}.");
    expect_name("a.", one_of_them_knows, "a | 192.0.2.1", "0 10.0.0.1 a, 0 10.0.0.9 a");
    expect_name("a.b", has_no_records, "nxdomain",
                "0 10.0.0.1 a.b, 0 10.0.0.9 a.b, 0 10.0.0.1 a.b.s");
    expect_name("b", one_of_them_knows, "nxdomain", "0 10.0.0.1 b.s");
    expect_name("c.", refuses, "nxdomain", "0 10.0.0.1 c");
    expect_name("e.", knows_something_else, "nxdomain", "0 10.0.0.1 e");
    cr_expect_str_eq(play_address("10.0.0.1", one_of_them_knows), "found.example.com | 10.0.0.1");
    cr_expect_str_eq(play_asked(), "0 10.0.0.1 1.0.0.10.in-addr.arpa, "
                                   "0 10.0.0.9 1.0.0.10.in-addr.arpa");
    play_configure(DNS "{alt_nameserver,{10,0,0,9}}. {lookup,[dns,dns]}.");
    expect_name("f.", knows_nothing, "nxdomain",
                "0 10.0.0.1 f, 0 10.0.0.9 f, 0 10.0.0.1 f, 0 10.0.0.9 f");
    play_configure(DNS "{alt_nameserver,{10,0,0,9}}. {timeout,100}. {retry,1}.");
    expect_name("d.", silent_but_one, "d | 192.0.2.1", "0 10.0.0.1 d, 100 10.0.0.9 d");
    play_end();
}

Test(order, a_truncated_answer_is_asked_for_by_tcp)
{
    play_configure(DNS);
    expect_name("a.", truncates, "a | 192.0.2.1", "0 10.0.0.1 a, 0 10.0.0.1 tcp a");
    play_configure(DNS "{usevc,true}. {timeout,100}. {retry,1}.");
    expect_name("a.", knows_all, "a | 192.0.2.1", "0 10.0.0.1 tcp a");
    expect_name("b.", is_silent, "nxdomain", "0 10.0.0.1 tcp b");
    play_end();
}

Test(order, who_does_not_know_edns_is_asked_without)
{
    play_configure(DNS "{edns,0}.");
    expect_name("a.", has_no_edns, "a | 192.0.2.1", "0 10.0.0.1 edns a, 0 10.0.0.1 a");
    expect_name("b.", knows_all, "b | 192.0.2.1", "0 10.0.0.1 edns b");
    expect_name("d.", fails_with_edns, "d | 192.0.2.1", "0 10.0.0.1 edns d, 0 10.0.0.1 d");
    expect_name("e.", refuses_edns, "e | 192.0.2.1", "0 10.0.0.1 edns e, 0 10.0.0.1 e");
    expect_name("f.", knows_nothing, "nxdomain", "0 10.0.0.1 edns f");
    expect_name("g.", is_not_there, "nxdomain", "0 10.0.0.1 edns g");
    expect_name("c.", has_no_edns_by_tcp, "c | 192.0.2.1",
                "0 10.0.0.1 edns c, 0 10.0.0.1 tcp edns c, 0 10.0.0.1 c");
    play_end();
}

Test(order, the_next_server_is_asked_as_if_it_were_the_first)
{
    play_configure(DNS "{nameserver,{10,0,0,9}}. {timeout,100}. {retry,1}.");
    expect_name("a.", truncates_only, "a | 192.0.2.1",
                "0 10.0.0.1 a, 0 10.0.0.1 tcp a, 500 10.0.0.9 a");
    play_configure(DNS "{nameserver,{10,0,0,9}}. {edns,0}.");
    expect_name("a.", wants_no_edns_and_refuses, "a | 192.0.2.1",
                "0 10.0.0.1 edns a, 0 10.0.0.1 a, 0 10.0.0.9 edns a");
    play_end();
}

Test(order, what_ends_a_look_up_although_another_method_knows)
{
    play_configure(DNS "{retry,1}. {lookup,[dns,file]}. {host,{10,1,1,1},[\"rc\"]}.");
    expect_name("rc", refuses, "rc | 10.1.1.1", "0 10.0.0.1 rc");
    expect_name("rc", talks_nonsense, "einval", "0 10.0.0.1 rc");
    expect_name("rc", lacks_memory, "enomem", "0 10.0.0.1 rc");
    cr_expect_str_eq(play_address("10.1.1.1", knows_nothing), "rc | 10.1.1.1");
    cr_expect_str_eq(play_address("10.1.1.1", is_silent), "timeout");
    play_end();
}

Test(order, a_new_configuration_has_it_begin_again)
{
    play_configure(DNS "{search,[\"a\",\"b\"]}.");
    play_configure_then("{lookup,[file,dns]}. {resolv_conf,\"\"}. {nameserver,{10,0,0,9}}. "
                        "{search,[\"c\"]}.");
    expect_name("www", is_configured, "www.c | 192.0.2.1", "0 10.0.0.1 www.a, 0 10.0.0.9 www.c");
    play_configure(DNS);
    cr_expect_str_eq(play_address("10.0.0.1", is_configured), "found.example.com | 10.0.0.1");
    play_configure(DNS);
    expect_name("a.", is_configured_too_late, "a | 192.0.2.1", "0 10.0.0.1 a");
    play_configure(DNS);
    play_configure_then("{lookup,[file]}. {host,{10,1,1,1},[\"a\"]}.");
    expect_name("a", is_configured_too_late, "a | 10.1.1.1", "0 10.0.0.1 a");
    play_end();
}

static void expect_with_enough_memory(const char *name, play_server *server, const char *expected)
{
    const char *found = "enomem";
    uint64_t nth;
    for (nth = 1; nth < 100 && strcmp(found, "enomem") == 0; nth++) {
        uint64_t before = memory_allocation_count();
        memory_fail_nth(nth);
        found = play_name(name, WEIR_INET, server);
        cr_expect(strcmp(found, "enomem") == 0 || memory_allocation_count() - before < nth,
                  "allocation %lu is not missed", (unsigned long)nth);
    }
    memory_fail_nth(0);
    cr_expect_str_eq(found, expected);
    cr_expect_gt(nth, 4u);
}

Test(order, without_memory_it_says_so)
{
    play_configure(DNS "{domain,\"d\"}.");
    expect_with_enough_memory("a.b", the_last_domain_exists, "nxdomain");
    play_configure(DNS "{search,[\"a.test\",\"b.test\"]}. {cache_size,0}.");
    expect_with_enough_memory("www", knows_all, "www.a.test | 192.0.2.1");
    play_end();
}

Test(order, methods_in_turn)
{
    play_configure("{lookup,[file,dns,native]}. {resolv_conf,\"\"}. {nameserver,{10,0,0,1}}. "
                   "{host,{10,1,1,1},[\"rc\",\"rc-alias\"]}.");
    play_hosts_file("10.1.1.2 file file-alias\n10.1.1.3 rc\n");
    expect_name("RC", knows_all, "rc rc-alias | 10.1.1.1", "");
    expect_name("file-alias", knows_all, "file file-alias | 10.1.1.2", "");
    expect_name("other.x", knows_all, "other.x | 192.0.2.1", "0 10.0.0.1 other.x");
    expect_name("none.x", knows_nothing, "nxdomain",
                "0 10.0.0.1 none.x, 0 10.0.0.1 none.x, system");
    play_end();
}

Test(order, what_the_c_library_knows)
{
    play_configure("{lookup,[file,native,dns]}. {resolv_conf,\"\"}. {nameserver,{10,0,0,1}}.");
    play_system_knows();
    expect_name("a.b", knows_all, "system | 10.2.2.2", "system");
    play_end();
}

Test(order, literals_come_before_everything)
{
    play_configure(DNS);
    expect_name("127.1", knows_all, "127.1 | 127.0.0.1", "");
    expect_name("::1", knows_all, "nxdomain", "");
    cr_expect_str_eq(play_name("::1", WEIR_INET6, knows_all), "::1 | ::1");
    cr_expect_str_eq(play_name("127.0.0.1", WEIR_INET6, knows_all), "nxdomain");
    play_configure("{lookup,[]}.");
    expect_name("10.0.0.1", knows_all, "10.0.0.1 | 10.0.0.1", "");
    play_end();
}

Test(order, this_machine_knows_itself)
{
    play_configure("{lookup,[file]}. {domain,\"test\"}.");
    expect_name("ME", knows_all, "me | 127.0.0.1", "");
    expect_name("me.TEST", knows_all, "me.test | 127.0.0.1", "");
    expect_name("you", knows_all, "nxdomain", "");
    cr_expect_str_eq(play_address("127.0.0.1", knows_all), "me.test me | 127.0.0.1");
    cr_expect_str_eq(play_address("::1", knows_all), "me.test me | ::1");
    cr_expect_str_eq(play_address("127.0.0.2", knows_all), "nxdomain");
    play_end();
}

Test(order, addresses_by_their_names_in_arpa)
{
    play_configure(DNS "{timeout,100}. {retry,1}.");
    cr_expect_str_eq(play_address("192.0.2.7", knows_all), "found.example.com | 192.0.2.7");
    cr_expect_str_eq(play_asked(), "0 10.0.0.1 7.2.0.192.in-addr.arpa");
    cr_expect_str_eq(play_address("2001:db8::f7", knows_all), "found.example.com | 2001:db8::f7");
    cr_expect_str_eq(play_asked(), "0 10.0.0.1 7.f.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.8.b."
                                   "d.0.1.0.0.2.ip6.arpa");
    cr_expect_str_eq(play_address("::ffff:1.2.3.4", knows_all), "found.example.com | "
                                                                "::ffff:1.2.3.4");
    cr_expect_str_eq(play_asked(), "0 10.0.0.1 4.3.2.1.in-addr.arpa");
    cr_expect_str_eq(play_address("1.2.3.4", is_silent), "found.example.com | 1.2.3.4");
    cr_expect_str_eq(play_asked(), "", "the same name, which is remembered");
    cr_expect_str_eq(play_address("192.0.2.8", knows_nothing), "nxdomain");
    cr_expect_str_eq(play_address("192.0.2.8", is_silent), "timeout");
    play_end();
}

Test(order, answers_are_remembered_for_their_time)
{
    play_configure(DNS "{search,[\"s\"]}.");
    expect_name("a.b", knows_for_a_second, "a.b | 192.0.2.1", "0 10.0.0.1 a.b");
    play_sleep(900);
    expect_name("A.b", is_silent, "a.b | 192.0.2.1", "");
    cr_expect_str_eq(play_name("a.b", WEIR_INET6, knows_all), "a.b | 2001:db8::1");
    play_sleep(200);
    expect_name("a.b", knows_for_no_time, "a.b | 192.0.2.1", "0 10.0.0.1 a.b");
    expect_name("a.b", knows_all, "a.b | 192.0.2.1", "0 10.0.0.1 a.b");
    expect_name("a", knows_all, "a.s | 192.0.2.1", "0 10.0.0.1 a.s");
    expect_name("a", is_silent, "a.s | 192.0.2.1", "");
    play_configure(DNS "{search,[\"a.test\",\"b.test\"]}.");
    expect_name("www", the_last_domain_exists, "www.b.test | 192.0.2.1",
                "0 10.0.0.1 www.a.test, 0 10.0.0.1 www.b.test");
    expect_name("www", is_silent, "www.b.test | 192.0.2.1", "");
    play_configure(DNS);
    expect_name("none.", knows_nothing, "nxdomain", "0 10.0.0.1 none");
    expect_name("none.", knows_nothing, "nxdomain", "0 10.0.0.1 none");
    play_configure(DNS "{cache_size,0}.");
    expect_name("a.", knows_all, "a | 192.0.2.1", "0 10.0.0.1 a");
    expect_name("a.", knows_all, "a | 192.0.2.1", "0 10.0.0.1 a");
    play_end();
}

Test(order, names_that_no_message_carries)
{
    static char label[80];
    static char name[300];
    memset(label, 'a', 64);
    memset(name, 'a', 260);
    for (size_t i = 50; i < 260; i += 50)
        name[i] = '.';
    play_configure(DNS);
    expect_name(label, knows_all, "nxdomain", "");
    expect_name(name, knows_all, "nxdomain", "");
    expect_name("a..b", knows_all, "nxdomain", "");
    expect_name(".", knows_all, "nxdomain", "");
    expect_name("", knows_all, "nxdomain", "");
    expect_name("a b", knows_all, "einval", "");
    play_end();
}

Test(order, without_a_hosts_file)
{
    play_configure("{lookup,[file]}. {host,{10,1,1,1},[\"rc\"]}.");
    play_no_hosts_file();
    expect_name("rc", knows_all, "rc | 10.1.1.1", "");
    expect_name("other", knows_all, "nxdomain", "");
    cr_expect_str_eq(play_address("10.1.1.2", knows_all), "nxdomain");
    play_end();
}

Test(order, without_name_servers)
{
    play_configure("{lookup,[dns]}. {resolv_conf,\"\"}.");
    expect_name("a.b", knows_all, "nxdomain", "");
    cr_expect_str_eq(play_address("192.0.2.8", knows_all), "nxdomain");
    play_end();
}
