/* SPDX-License-Identifier: MIT */
/* listen, connect and open: defaults, own options, the local address and its family. */
#include "base/error.h"
#include "base/system.h"
#include "error_text.h"
#include "options/options.h"

#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <string.h>

static const weir_address v4 = {WEIR_INET, {127, 0, 0, 2}, 0, 0};
static const weir_address v6 = {WEIR_INET6, {0x20, 0x01, [15] = 7}, 0, 0};

static struct option_setup set_up(enum option_scope scope, const weir_option *options)
{
    struct option_setup setup;
    int result = options_set_up(&setup, scope, NULL, options);
    cr_assert(eq(int, result, 0), "%s", weir_last_error_text());
    return setup;
}

static void refused(enum option_scope scope, const weir_option *options, const char *text)
{
    struct option_setup setup;
    int result = options_set_up(&setup, scope, NULL, options);
    cr_expect(eq(int, result, WEIR_BADARG));
    expect_error_text(text);
}

Test(set_up, nothing_given)
{
    struct option_setup setup = set_up(OPTION_LISTEN, NULL);
    cr_expect(eq(int, setup.backlog, 5));
    cr_expect(eq(int, setup.fd, -1));
    cr_expect(eq(int, setup.local.family, WEIR_INET));
    cr_expect(not(setup.family_given));
    cr_expect(not(setup.has_local_address));
    cr_expect(not(setup.reuseport));
    cr_expect(eq(ptr, (void *)setup.netns, NULL));
}

Test(set_up, what_shapes_the_call_alone)
{
    struct option_setup setup = set_up(OPTION_LISTEN, NULL);
    cr_expect(not(setup.proxy_protocol));
    cr_expect(eq(u32, setup.proxy_timeout_ms, 5000));
    cr_expect(eq(u32, setup.max_connections, 0));
    cr_expect(not(setup.backlog_given));
    setup = set_up(OPTION_LISTEN,
                   WEIR_OPTIONS(WEIR_PROXY_PROTOCOL(true), WEIR_PROXY_TIMEOUT(7),
                                WEIR_MAX_CONNECTIONS(8), WEIR_BACKLOG(9), WEIR_FD(10),
                                WEIR_NETNS("/x"), WEIR_REUSEPORT(true), WEIR_REUSEADDR(true)));
    cr_expect(setup.proxy_protocol);
    cr_expect(eq(u32, setup.proxy_timeout_ms, 7));
    cr_expect(eq(u32, setup.max_connections, 8));
    cr_expect(setup.backlog_given);
    cr_expect(eq(int, setup.backlog, 9));
    cr_expect(eq(int, setup.fd, 10));
    cr_expect(eq(str, (char *)setup.netns, (char *)"/x"));
    cr_expect(setup.reuseport);
    cr_expect(setup.reuseaddr);
    setup = set_up(OPTION_CONNECT, WEIR_OPTIONS(WEIR_HAPPY_EYEBALLS(250)));
    cr_expect(eq(u32, setup.happy_eyeballs_ms, 250));
}

/* Raw ones by what the kernel calls them; memberships add up. */
Test(set_up, a_later_one_supersedes_what_is_the_same)
{
    const weir_address any = {WEIR_INET, {0}, 0, 0};
    const weir_option raw = WEIR_RAW(6, 8, NULL, 0);
    const weir_option membership = WEIR_ADD_MEMBERSHIP(any, any);
    cr_expect(options_supersede(WEIR_OPTIONS(WEIR_TTL(1), WEIR_RAW(6, 8, NULL, 0)), &raw));
    cr_expect(not(options_supersede(WEIR_OPTIONS(WEIR_RAW(6, 9, NULL, 0)), &raw)));
    cr_expect(not(options_supersede(WEIR_OPTIONS(WEIR_RAW(5, 8, NULL, 0)), &raw)));
    cr_expect(not(options_supersede(WEIR_OPTIONS(membership), &membership)));
    cr_expect(not(options_supersede(NULL, &raw)));
}

Test(set_up, last_of_duplicates_wins)
{
    struct option_setup setup;
    int result = options_set_up(&setup, OPTION_CONNECT, WEIR_OPTIONS(WEIR_HEADER(1)),
                                WEIR_OPTIONS(WEIR_HEADER(2), WEIR_HEADER(3)));
    cr_assert(eq(int, result, 0));
    cr_expect(eq(u32, setup.values.header, 3));
}

Test(set_up, active_in_the_defaults_is_dropped)
{
    struct option_setup setup;
    const weir_option *defaults = WEIR_OPTIONS(WEIR_ACTIVE(7), WEIR_DELAY_SEND(true));
    cr_assert(eq(int, options_set_up(&setup, OPTION_LISTEN, defaults, NULL), 0));
    cr_expect(eq(int, setup.values.active, WEIR_ACTIVE_TRUE));
    cr_expect(setup.values.delay_send);
    const weir_option *own = WEIR_OPTIONS(WEIR_ACTIVE(-3));
    cr_assert(eq(int, options_set_up(&setup, OPTION_CONNECT, defaults, own), 0));
    cr_expect(eq(int, setup.values.active, -3));
    cr_assert(eq(int, options_set_up(&setup, OPTION_LISTEN, defaults, own), 0));
    cr_expect(eq(int, setup.values.active, WEIR_ACTIVE_FALSE)); /* nobody is told */
    own = WEIR_OPTIONS(WEIR_ACTIVE(0));
    cr_assert(eq(int, options_set_up(&setup, OPTION_LISTEN, defaults, own), 0));
    cr_expect(eq(int, setup.values.active, WEIR_ACTIVE_FALSE));
}

Test(set_up, addresses_and_families)
{
    struct option_setup setup = set_up(OPTION_LISTEN, WEIR_OPTIONS(WEIR_PORT(80), WEIR_IP(v6)));
    cr_expect(eq(int, setup.local.family, WEIR_INET6));
    cr_expect(eq(int, setup.local.port, 80));
    cr_expect(eq(int, memcmp(setup.local.bytes, v6.bytes, 16), 0));
    cr_expect(setup.family_given);
    cr_expect(setup.has_local_address);

    setup = set_up(OPTION_CONNECT, WEIR_OPTIONS(WEIR_IP_LOOPBACK()));
    cr_expect(eq(int, setup.local.family, WEIR_INET));
    cr_expect(eq(int, memcmp(setup.local.bytes, "\x7f\0\0\1", 4), 0));
    cr_expect(not(setup.family_given));
    cr_expect(setup.is_loopback);

    setup = set_up(OPTION_UDP, WEIR_OPTIONS(WEIR_IP_LOOPBACK(), WEIR_INET6()));
    cr_expect(eq(int, setup.local.family, WEIR_INET6));
    cr_expect(eq(int, setup.local.bytes[15], 1));

    setup = set_up(OPTION_UDP, WEIR_OPTIONS(WEIR_INET(), WEIR_INET6(), WEIR_IFADDR(v4)));
    cr_expect(eq(int, setup.local.family, WEIR_INET));

    setup = set_up(OPTION_UDP, WEIR_OPTIONS(WEIR_IP_ANY()));
    cr_expect(setup.has_local_address && !setup.is_loopback);
    setup = set_up(OPTION_UDP, WEIR_OPTIONS(WEIR_IP(v6)));
    cr_expect(not(setup.is_loopback));
    setup = set_up(OPTION_UDP, WEIR_OPTIONS(WEIR_PORT(0)));
    cr_expect(setup.has_local_address && !setup.is_loopback);
}

/* Of each list; that of the call before the defaults'. */
Test(set_up, the_first_family_counts)
{
    struct option_setup setup = set_up(OPTION_LISTEN, WEIR_OPTIONS(WEIR_INET(), WEIR_INET6()));
    cr_expect(eq(int, setup.local.family, WEIR_INET));
    setup = set_up(OPTION_CONNECT, WEIR_OPTIONS(WEIR_INET6(), WEIR_PORT(1), WEIR_INET()));
    cr_expect(eq(int, setup.local.family, WEIR_INET6));

    const weir_option *defaults = WEIR_OPTIONS(WEIR_INET6(), WEIR_INET());
    cr_assert(eq(int, options_set_up(&setup, OPTION_LISTEN, defaults, NULL), 0));
    cr_expect(eq(int, setup.local.family, WEIR_INET6));
    cr_assert(
        eq(int, options_set_up(&setup, OPTION_LISTEN, defaults, WEIR_OPTIONS(WEIR_INET())), 0));
    cr_expect(eq(int, setup.local.family, WEIR_INET));
}

Test(set_up, addresses_of_the_wrong_family)
{
    refused(OPTION_LISTEN, WEIR_OPTIONS(WEIR_IP(v6), WEIR_INET()),
            "option ip: an address of inet6, but the socket is inet");
    refused(OPTION_CONNECT, WEIR_OPTIONS(WEIR_INET6(), WEIR_INET(), WEIR_IP(v4)),
            "option ip: an address of inet, but the socket is inet6");
}

Test(set_up, what_a_call_does_not_take)
{
    refused(OPTION_CONNECT, WEIR_OPTIONS(WEIR_BACKLOG(1)),
            "option backlog: connect does not take it");
    refused(OPTION_LISTEN, WEIR_OPTIONS(WEIR_LINE_DELIMITER(1)),
            "option line_delimiter: listen does not take it");
    refused(OPTION_UDP, WEIR_OPTIONS(WEIR_PACKET(1)), "option packet: open does not take it");
    refused(OPTION_UDP, WEIR_OPTIONS(WEIR_READ_PACKETS(0)),
            "option read_packets: 0 is less than 1");
    refused(OPTION_LISTEN, WEIR_OPTIONS(WEIR_PORT(65536)),
            "option port: 65536 is out of range 0..65535");
}

Test(set_up, backlog_is_taken_as_16_bits)
{
    cr_expect(eq(int, set_up(OPTION_LISTEN, WEIR_OPTIONS(WEIR_BACKLOG(-1))).backlog, 65535));
}

static int number_of(int fd, int level, int name)
{
    int number = -1;
    socklen_t size = sizeof(number);
    cr_assert(eq(int, system_getsockopt(fd, level, name, &number, &size), 0));
    return number;
}

Test(prepare, the_last_one_reaches_the_kernel)
{
    /* {ttl,0} would be refused, but the later one stands in its place. */
    const weir_option *defaults = WEIR_OPTIONS(WEIR_TTL(0));
    const weir_option *own = WEIR_OPTIONS(WEIR_TTL(0), WEIR_NODELAY(true), WEIR_TTL(9));
    struct option_setup setup;
    cr_assert(eq(int, options_set_up(&setup, OPTION_CONNECT, defaults, own), 0));
    int fd = system_socket(AF_INET, SOCK_STREAM, NULL);
    cr_assert(eq(int, options_prepare(&setup, fd), 0));
    cr_expect(eq(int, number_of(fd, IPPROTO_IP, IP_TTL), 9));
    cr_expect(eq(int, number_of(fd, IPPROTO_TCP, TCP_NODELAY), 1));
    system_close(fd);
}

Test(prepare, failures_that_count_and_those_that_do_not)
{
    int fd = system_socket(AF_INET, SOCK_STREAM, NULL);
    struct option_setup setup = set_up(OPTION_CONNECT, WEIR_OPTIONS(WEIR_TTL(300)));
    cr_expect(eq(int, options_prepare(&setup, fd), -EINVAL));
    expect_error_text("option ttl: the kernel refuses it: invalid argument");
    int number = 1;
    setup = set_up(OPTION_CONNECT, WEIR_OPTIONS(WEIR_RAW(6, 9999, &number, sizeof(number))));
    cr_expect(eq(int, options_prepare(&setup, fd), 0));
    system_close(fd);
}

Test(prepare, udp_opens_with_its_own_recbuf)
{
    int fd = system_socket(AF_INET, SOCK_DGRAM, NULL);
    struct option_setup setup = set_up(OPTION_UDP, NULL);
    cr_assert(eq(int, options_prepare(&setup, fd), 0));
    cr_expect(eq(int, number_of(fd, SOL_SOCKET, SO_RCVBUF), 16384));
    setup = set_up(OPTION_UDP, WEIR_OPTIONS(WEIR_RECBUF(20000)));
    cr_assert(eq(int, options_prepare(&setup, fd), 0));
    cr_expect(eq(int, number_of(fd, SOL_SOCKET, SO_RCVBUF), 40000));
    cr_expect(eq(u32, setup.values.buffer, 20000));
    system_close(fd);
}

Test(set_up, local_addresses)
{
    struct option_setup setup =
        set_up(OPTION_LISTEN, WEIR_OPTIONS(WEIR_IP_LOCAL("/run/a", 6), WEIR_LOCAL(),
                                           WEIR_FILE_MODE(0600), WEIR_REUSEADDR(true)));
    cr_expect(setup.family_given && setup.has_local_address && setup.reuseaddr);
    cr_expect(eq(int, setup.local.family, WEIR_LOCAL));
    cr_expect(eq(int, setup.local_name.family, WEIR_LOCAL));
    cr_expect(eq(sz, setup.local_name.size, 6));
    cr_expect(eq(int, setup.file_mode, 0600));
    setup = set_up(OPTION_UDP, WEIR_OPTIONS(WEIR_LOCAL(), WEIR_INET()));
    cr_expect(eq(int, setup.local.family, WEIR_LOCAL));
    cr_expect(eq(int, setup.local_name.family, WEIR_ANY_FAMILY));
    cr_expect(not(setup.has_local_address));
    cr_expect(eq(int, setup.file_mode, -1));
    setup = set_up(OPTION_UDP, WEIR_OPTIONS(WEIR_IP_LOCAL("/run/a", 6), WEIR_IP(v4)));
    cr_expect(eq(int, setup.local.family, WEIR_INET)); /* the last one counts */
    cr_expect(eq(int, setup.local_name.family, WEIR_ANY_FAMILY));
    refused(OPTION_CONNECT, WEIR_OPTIONS(WEIR_INET6(), WEIR_IP_LOCAL("/run/a", 6)),
            "option ip: an address of local, but the socket is inet6");
    refused(OPTION_LISTEN, WEIR_OPTIONS(WEIR_LOCAL(), WEIR_IP(v4)),
            "option ip: an address of inet, but the socket is local");
    refused(OPTION_LISTEN, WEIR_OPTIONS(WEIR_LOCAL(), WEIR_PORT(7)),
            "option port: a local socket has none, not 7");
    refused(OPTION_LISTEN, WEIR_OPTIONS(WEIR_IP_LOCAL(NULL, 6)), "option ip: there is no path");
}
