/* SPDX-License-Identifier: MIT */
/* Lists as a whole: checking per scope, copies, what they touch, what accept takes from them. */
#include "base/memory.h"
#include "base/system.h"
#include "error_text.h"
#include "options/option_block.h"
#include "options/row.h"
#include "subject.h"

#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>

static const weir_address v4 = {WEIR_INET, {224, 0, 0, 9}, 0, 0};
static const weir_address v6 = {WEIR_INET6, {0xff, 2}, 0, 3};
static const weir_address no_family = {3, {0}, 0, 0};
static const weir_address half_loopback = {0, {[3] = 1}, 0, 0};

static void refused(const weir_option *options, const char *text)
{
    cr_expect(eq(int, options_check(options, OPTION_SET_TCP), -EINVAL));
    expect_error_text(text);
}

static void badarg(const weir_option *options, const char *text)
{
    struct option_setup setup;
    cr_expect(eq(int, options_set_up(&setup, OPTION_UDP, NULL, options), WEIR_BADARG));
    expect_error_text(text);
    cr_expect(eq(int, options_set_up(&setup, OPTION_UDP, options, NULL), WEIR_BADARG));
}

Test(check, values_of_the_wrong_type_or_range)
{
    refused(WEIR_OPTIONS(WEIR_ACTIVE(-32769)), "option active: -32769 is out of range "
                                               "-32768..32767");
    refused(WEIR_OPTIONS(WEIR_ACTIVE(WEIR_ACTIVE_ONCE + 1)),
            "option active: 65539 is out of range -32768..32767");
    refused(WEIR_OPTIONS(WEIR_BIT8(4)), "option bit8: 4 is none of off, on, clear, set");
    refused(WEIR_OPTIONS(WEIR_NODELAY(2)), "option nodelay: 2 is none of false, true");
    refused(WEIR_OPTIONS(WEIR_NODELAY(-1)), "option nodelay: -1 is none of false, true");
    refused(WEIR_OPTIONS(WEIR_MODE(2)), "option mode: 2 is none of list, binary");
    refused(WEIR_OPTIONS(WEIR_DELIVER(-1)), "option deliver: -1 is none of term, port");
    refused(WEIR_OPTIONS(WEIR_SEND_TIMEOUT(-2)),
            "option send_timeout: -2 is out of range 0..4294967295");
    refused(WEIR_OPTIONS(WEIR_LINGER(true, -1)), "option linger: -1 is out of range 0..2147483647");
    refused(WEIR_OPTIONS(WEIR_BIND_TO_DEVICE("0123456789abcdef")),
            "option bind_to_device: the name is longer than 15 bytes");
    refused(WEIR_OPTIONS(WEIR_CONGESTION("0123456789abcdefg")),
            "option congestion: the name is longer than 15 bytes");
    refused(WEIR_OPTIONS(WEIR_RAW(6, 8, NULL, 4)), "option raw: there are no bytes");
    refused(WEIR_OPTIONS(WEIR_RAW(6, 8, &v4, 65523)),
            "option raw: size 65523 is out of range 0..65522");
    refused(WEIR_OPTIONS(WEIR_MULTICAST_IF(no_family)),
            "option multicast_if: 3 is not a family of addresses");
    refused(WEIR_OPTIONS(WEIR_ADD_MEMBERSHIP(no_family, no_family)),
            "option add_membership: group and interface are not of one family");
    refused(WEIR_OPTIONS(WEIR_DROP_MEMBERSHIP(v4, v6)),
            "option drop_membership: group and interface are not of one family");
    badarg(WEIR_OPTIONS(WEIR_IP(no_family)), "option ip: 3 is not a family of addresses");
    badarg(WEIR_OPTIONS(WEIR_IFADDR(half_loopback)),
           "option ifaddr: an address without a family is any or loopback");
    badarg(WEIR_OPTIONS(WEIR_NETNS(NULL)), "option netns: there is no path");
    badarg(WEIR_OPTIONS(WEIR_NETNS("")), "option netns: there is no path");
}

/* The document: if the first of the two is false, the second is ignored. */
Test(check, seconds_of_no_linger)
{
    cr_expect(eq(int, options_check(WEIR_OPTIONS(WEIR_LINGER(false, -1)), OPTION_SET_TCP), 0));
}

/* Every row with a range: its ends are taken, one beyond each is refused. */
Test(check, every_range)
{
    for (size_t id = WEIR_OPTION_END + 1; id < WEIR_OPTION_COUNT; id++) {
        const struct option_row *row = &option_rows[id];
        bool number = row->type == OPTION_INTEGER || row->type == OPTION_TIMEOUT ||
                      row->type == OPTION_ACTIVE;
        if (!number || !(row->scopes & OPTION_SCOPES_SET))
            continue;
        weir_option list[] = {{(enum weir_option_id)id, {0}}, {WEIR_OPTION_END, {0}}};
        list[0].value.number = row->least;
        cr_expect(eq(int, options_check(list, OPTION_SET_TCP), 0), "%s", row->atom);
        list[0].value.number = row->most;
        cr_expect(eq(int, options_check(list, OPTION_SET_UDP), 0), "%s", row->atom);
        list[0].value.number = row->most + 1;
        cr_expect(eq(int, options_check(list, OPTION_SET_TCP), -EINVAL), "%s", row->atom);
        /* -1 is infinity for a time-out */
        list[0].value.number = row->type == OPTION_TIMEOUT ? -2 : row->least - 1;
        cr_expect(eq(int, options_check(list, OPTION_SET_TCP), -EINVAL), "%s", row->atom);
    }
}

Test(check, the_whole_list_before_anything_is_applied)
{
    struct subject subject = subject_open(OPTION_CONNECT, "[]");
    weir_option *options;
    cr_assert(eq(int, weir_options_parse("[{header,7},{port,1}]", &options), 0));
    refused(options, "option port: setopts does not take it");
    weir_options_free(options);
    cr_expect(eq(int, subject_set(&subject, "[{header,7},{backlog,1}]"), -EINVAL));
    cr_expect(eq(u32, subject.values.header, 0));
    subject_close(&subject);
}

Test(check, ids_that_are_none)
{
    const weir_option wrong[] = {{WEIR_OPTION_COUNT, {0}}, {WEIR_OPTION_END, {0}}};
    const weir_option negative[] = {{(enum weir_option_id) - 1, {0}}, {WEIR_OPTION_END, {0}}};
    char text[64];
    snprintf(text, sizeof(text), "option %d: there is no such option", WEIR_OPTION_COUNT);
    refused(wrong, text);
    cr_expect(eq(int, options_check(negative, OPTION_SET_TCP), -EINVAL));
    cr_expect(eq(int, options_check(NULL, OPTION_SET_TCP), 0));
}

/* Which calls take which options, as the document's functions do: l, c, u create, v is
 * listening as a service, s sets. */
static const struct {
    const char *names;
    const char *calls;
} taken_by[] = {
    {"active bind_to_device bit8 buffer busy_poll deliver descriptors header high_msgq_watermark "
     "low_msgq_watermark mode priority raw recbuf recvtclass recvtos recvttl reuseaddr sndbuf "
     "tclass tos ttl",
     "lcus"},
    {"congestion delay_send exit_on_close high_watermark keepalive linger low_watermark nodelay "
     "idle_timeout nopush packet packet_size send_timeout send_timeout_close show_econnreset "
     "tcp_keepcnt "
     "tcp_keepidle tcp_keepintvl user_timeout",
     "lcs"},
    {"add_membership broadcast credentials dontroute drop_membership multicast_if multicast_loop "
     "multicast_ttl pktinfo read_packets timestamp udp_gro",
     "us"},
    {"fd file_mode ifaddr inet inet6 ip local netns port reuseport", "lcu"},
    {"backlog max_connections proxy_protocol proxy_timeout", "l"},
    {"fastopen", "ls"},
    {"happy_eyeballs", "c"},
    {"ipv6_v6only", "lus"},
    {"line_delimiter", "cs"},
};

static const char *calls_of(const char *name, size_t length)
{
    static char calls[8];
    unsigned scopes = option_rows[option_by_name(name, length)].scopes;
    snprintf(calls, sizeof(calls), "%s%s%s%s", scopes & OPTION_LISTEN ? "l" : "",
             scopes & OPTION_CONNECT ? "c" : "", scopes & OPTION_UDP ? "u" : "",
             scopes & OPTION_SCOPES_SET ? "s" : "");
    return calls;
}

Test(check, calls_take_what_the_documents_functions_take)
{
    size_t seen = 0;
    for (size_t i = 0; i < sizeof(taken_by) / sizeof(taken_by[0]); i++) {
        const char *name = taken_by[i].names;
        while (*name) {
            size_t length = strcspn(name, " ");
            cr_expect(strcmp(calls_of(name, length), taken_by[i].calls) == 0, "%.*s: %s",
                      (int)length, name, calls_of(name, length));
            name += length;
            name += strspn(name, " ");
            seen++;
        }
    }
    cr_expect(eq(sz, seen, WEIR_OPTION_COUNT - 1));
}

Test(touch, values)
{
    cr_expect(options_touch_values(WEIR_OPTIONS(WEIR_TOS(1), WEIR_HEADER(1))));
    cr_expect(options_touch_values(WEIR_OPTIONS(WEIR_RECBUF(1))));
    cr_expect(options_touch_values(WEIR_OPTIONS(WEIR_SNDBUF(1))));
    cr_expect(options_touch_values(WEIR_OPTIONS(WEIR_BIT8(WEIR_BIT8_ON))));
    cr_expect(not(options_touch_values(
        WEIR_OPTIONS(WEIR_ACTIVE(1), WEIR_NODELAY(true), WEIR_RAW(1, 2, NULL, 0)))));
    cr_expect(not(options_touch_values(WEIR_OPTIONS())));
    cr_expect(not(options_touch_values(NULL)));
}

Test(touch, inherited)
{
    cr_expect(options_touch_inherited(WEIR_OPTIONS(WEIR_HEADER(1), WEIR_NODELAY(true))));
    cr_expect(options_touch_inherited(WEIR_OPTIONS(WEIR_KEEPALIVE(true))));
    cr_expect(options_touch_inherited(WEIR_OPTIONS(WEIR_PRIORITY(1))));
    cr_expect(options_touch_inherited(WEIR_OPTIONS(WEIR_LINGER(true, 1))));
    cr_expect(options_touch_inherited(WEIR_OPTIONS(WEIR_TOS(1))));
    cr_expect(options_touch_inherited(WEIR_OPTIONS(WEIR_TTL(1))));
    cr_expect(not(options_touch_inherited(
        WEIR_OPTIONS(WEIR_RECBUF(1), WEIR_SNDBUF(1), WEIR_REUSEADDR(true), WEIR_PACKET(1)))));
}

Test(inherit, what_the_kernel_forgets)
{
    const weir_option priority = WEIR_PRIORITY(1);
    const weir_option tos = WEIR_TOS(1);
    cr_expect(options_forgotten(&priority));
    cr_expect(not(options_forgotten(&tos)));
}

Test(inherit, sets_what_accept_copies_and_nothing_else)
{
    struct subject subject = subject_open(OPTION_CONNECT, "[]");
    const weir_option *options =
        WEIR_OPTIONS(WEIR_NODELAY(true), WEIR_REUSEADDR(true), WEIR_TTL(300), WEIR_TTL(7),
                     WEIR_HEADER(3), WEIR_LINGER(true, 4), WEIR_TCP_KEEPIDLE(11));
    options_inherit(options, subject.fd, WEIR_INET);
    subject_expect(
        &subject, "[nodelay,reuseaddr,ttl,linger,tcp_keepidle]",
        "[{nodelay,true},{reuseaddr,false},{ttl,7},{linger,{true,4}},{tcp_keepidle,11}]");
    subject_close(&subject);
}

/* The kernel passes on to an accepted socket what the rows say that it passes on. */
Test(inherit, through_the_kernel)
{
    struct subject listener = subject_open(
        OPTION_LISTEN, "[{recbuf,7000},{sndbuf,7000},{reuseaddr,true},{recvtos,true},"
                       "{recvttl,true},{congestion,<<\"reno\">>},{user_timeout,9000}]");
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t size = sizeof(address);
    cr_assert(eq(int, system_bind(listener.fd, (struct sockaddr *)&address, size), 0));
    cr_assert(eq(int, system_listen(listener.fd, 1), 0));
    cr_assert(eq(int, system_getsockname(listener.fd, (struct sockaddr *)&address, &size), 0));
    struct subject client = subject_open(OPTION_CONNECT, "[]");
    cr_assert(eq(int, connect(client.fd, (struct sockaddr *)&address, size), 0));
    struct subject accepted = listener;
    accepted.fd = accept(listener.fd, NULL, NULL);
    cr_assert(ge(int, accepted.fd, 0));
    subject_expect(&accepted, "[recbuf,sndbuf,reuseaddr,recvtos,recvttl,congestion,user_timeout]",
                   "[{recbuf,14000},{sndbuf,14000},{reuseaddr,true},{recvtos,true},"
                   "{recvttl,true},{congestion,<<\"reno\">>},{user_timeout,9000}]");
    subject_close(&accepted);
    subject_close(&client);
    subject_close(&listener);
}

Test(copy, is_deep)
{
    char path[] = "/run/netns/blue";
    char bytes[] = {1, 2, 3};
    weir_option list[] = {WEIR_NETNS(path), WEIR_RAW(6, 8, bytes, 3), WEIR_RAW(6, 9, bytes, 0),
                          WEIR_PACKET(4), WEIR_REQUEST(END)};
    weir_option *copy = options_copy(list);
    memset(path, 'x', sizeof(path));
    memset(bytes, 'x', sizeof(bytes));
    memset(list, 'x', sizeof(list));
    char text[128];
    cr_assert(gt(int, weir_options_format(copy, text, sizeof(text)), 0));
    cr_expect(eq(str, text,
                 (char *)"[{netns,\"/run/netns/blue\"},{raw,6,8,<<1,2,3>>},{raw,6,9,<<>>},"
                         "{packet,4}]"));
    memory_free(copy);
    copy = options_copy(NULL);
    cr_expect(eq(int, copy[0].id, WEIR_OPTION_END));
    memory_free(copy);
    memory_fail_nth(1);
    cr_expect(eq(ptr, options_copy(NULL), NULL));
}

/* They may point to what the list outlives. */
Test(copy, of_no_bytes_points_nowhere)
{
    char bytes[] = {1};
    const weir_option *list = WEIR_OPTIONS(WEIR_RAW(6, 9, bytes, 0), WEIR_IP_LOCAL(bytes, 0));
    weir_option *copy = options_copy(list);
    cr_expect(eq(ptr, (void *)copy[0].value.raw.bytes, NULL));
    cr_expect(eq(ptr, (void *)copy[1].value.local.name, NULL));
    memory_free(copy);
}

Test(copy, of_as_many_bytes_as_there_may_be)
{
    static uint8_t bytes[WEIR_RAW_SIZE_MAX + 1];
    memset(bytes, 7, sizeof(bytes));
    weir_option list[] = {WEIR_RAW(6, 9, bytes, WEIR_RAW_SIZE_MAX), WEIR_REQUEST(END)};
    weir_option *copy = options_copy(list);
    cr_expect(eq(int, options_check(copy, OPTION_CONNECT), 0));
    cr_expect(ne(ptr, (void *)copy[0].value.raw.bytes, bytes));
    cr_expect(eq(int, memcmp(copy[0].value.raw.bytes, bytes, WEIR_RAW_SIZE_MAX), 0));
    memory_free(copy);
    list[0].value.raw.size++;
    cr_expect(eq(int, options_check(list, OPTION_CONNECT), -EINVAL));
}

/* Those who share a block are many until one wants to change its own. */
Test(block, is_copied_for_one_of_several_and_freed_by_the_last)
{
    const struct option_values values = {.header = 7};
    int64_t live = memory_live_count();
    struct option_block *one = option_block_create(&values);
    struct option_block *other = option_block_share(one);
    memory_fail_nth(1);
    cr_expect(eq(int, option_block_own(&other), -ENOMEM));
    cr_expect(eq(ptr, other, one));
    cr_expect(eq(int, option_block_own(&other), 0));
    cr_expect(ne(ptr, other, one));
    cr_expect(eq(u32, other->values.header, 7));
    struct option_block *same = one;
    cr_expect(eq(int, option_block_own(&same), 0));
    cr_expect(eq(ptr, same, one));
    option_block_drop(one);
    option_block_drop(other);
    cr_expect(eq(i64, memory_live_count(), live));
}

Test(copy, of_what_a_check_refuses)
{
    weir_option list[] = {{(enum weir_option_id)9999, {0}},
                          WEIR_RAW(6, 8, NULL, 4),
                          WEIR_RAW(6, 8, list, SIZE_MAX),
                          WEIR_NETNS(NULL),
                          WEIR_REQUEST(END)};
    weir_option *copy = options_copy(list);
    cr_expect(eq(int, copy[0].id, 9999));
    cr_expect(eq(ptr, (void *)copy[1].value.raw.bytes, NULL));
    cr_expect(eq(sz, copy[1].value.raw.size, 4));
    cr_expect(eq(sz, copy[2].value.raw.size, SIZE_MAX));
    cr_expect(eq(ptr, (void *)copy[3].value.path, NULL));
    cr_expect(eq(int, copy[4].id, WEIR_OPTION_END));
    for (int i = 0; i < 4; i++)
        cr_expect(eq(int, options_check(copy + i, OPTION_CONNECT), -EINVAL));
    memory_free(copy);
}

/* The sum would be a small one. */
Test(copy, of_more_than_memory_has)
{
    const weir_option list[] = {WEIR_IP_LOCAL("x", SIZE_MAX), WEIR_REQUEST(END)};
    cr_expect(eq(ptr, options_copy(list), NULL));
}
