/* SPDX-License-Identifier: MIT */
/* {proxy_protocol,true}: whose connection the header says it is, wherever it is cut, and what
 * becomes of those whose header is wrong, or does not come before its time or their service's end.
 */
#include "integration/local_peer.h"
#include "integration/proxied.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

/* Connections are the mailbox's. */
static struct loopback start_with(const weir_option *options, const char *address)
{
    struct loopback loopback = loopback_start(NULL);
    GIVES(weir_tcp_serve(loopback.runtime, address, 0, options, weir_mailed_to(loopback.mailbox),
                         &loopback.listener),
          0);
    return loopback;
}

/* What ends one of them is not its time. */
static struct loopback start(void)
{
    return start_with(WEIR_OPTIONS(WEIR_PROXY_PROTOCOL(true), WEIR_PROXY_TIMEOUT(3600000)),
                      "127.0.0.1");
}

static weir_socket next_accepted(const struct loopback *loopback)
{
    weir_message message = next_message(loopback->mailbox);
    cr_assert(message.kind == WEIR_MESSAGE_ACCEPTED);
    return message.socket;
}

static void expect_nobody(const struct loopback *loopback)
{
    weir_message message;
    GIVES(weir_mailbox_receive(loopback->mailbox, 0, &message), WEIR_TIMEOUT);
}

static const char *endpoint_of(int fd, bool of_peer)
{
    static char text[2][64];
    struct sockaddr_in address;
    socklen_t size = sizeof(address);
    struct sockaddr *to = (struct sockaddr *)&address;
    cr_assert((of_peer ? getpeername(fd, to, &size) : getsockname(fd, to, &size)) == 0);
    snprintf(text[of_peer], sizeof(text[0]), "%s:%d", inet_ntoa(address.sin_addr),
             ntohs(address.sin_port));
    return text[of_peer];
}

static void expect_connection(struct loopback *loopback, int *peer, const char *source,
                              const char *destination)
{
    loopback->socket = next_accepted(loopback);
    expect_talk(loopback, peer, source, destination);
}

static void expect_told_by(struct header header, const char *source, const char *destination)
{
    struct loopback loopback = start();
    char bytes[400];
    int peer = connect_to(&loopback);
    memcpy(bytes, header.bytes, header.size);
    memcpy(bytes + header.size, "behind", 6);
    peer_write(peer, bytes, header.size + 6);
    expect_connection(&loopback, &peer, source ? source : endpoint_of(peer, false),
                      destination ? destination : endpoint_of(peer, true));
    cr_expect(refused(&loopback) == 0);
    loopback_close(&loopback);
}

Test(proxy_protocol, names_are_the_headers)
{
    expect_told_by(LINE, CLIENT, FRONT);
    expect_told_by(BLOCK, CLIENT, FRONT);
    expect_told_by(HEADER("PROXY TCP6 2001:db8::1 ::1 65535 1\r\n"), "[2001:db8::1]:65535",
                   "[::1]:1");
}

Test(proxy_protocol, who_speaks_for_himself_keeps_his_own)
{
    expect_told_by(HEADER("PROXY UNKNOWN\r\n"), NULL, NULL);
    expect_told_by(HEADER("PROXY UNKNOWN 192.0.2.1 192.0.2.1 1 2\r\n"), NULL, NULL);
    expect_told_by(HEADER(SIGNATURE "\x20\0\0\0"), NULL, NULL);
    expect_told_by(HEADER(SIGNATURE "\x21\0\0\x2zz"), NULL, NULL);
}

/* The scheduler sees the first part alone. */
static void expect_whole_when_cut(struct loopback *loopback, struct header header)
{
    for (size_t cut = 0; cut <= header.size; cut++) {
        int peer = connect_to(loopback);
        peer_write(peer, header.bytes, cut);
        settle(loopback->listener);
        if (cut < header.size)
            expect_nobody(loopback);
        peer_write(peer, header.bytes + cut, header.size - cut);
        peer_say(peer, "behind");
        expect_connection(loopback, &peer, CLIENT, FRONT);
    }
}

Test(proxy_protocol, a_header_may_be_cut_anywhere)
{
    struct loopback loopback = start();
    expect_whole_when_cut(&loopback, LINE);
    expect_whole_when_cut(&loopback, BLOCK);
    cr_expect(refused(&loopback) == 0);
    loopback_close(&loopback);
}

Test(proxy_protocol, a_header_may_come_byte_by_byte)
{
    struct loopback loopback = start();
    struct header header = LINE;
    int peer = connect_to(&loopback);
    for (size_t i = 0; i < header.size; i++) {
        peer_write(peer, header.bytes + i, 1);
        settle(loopback.listener);
    }
    peer_say(peer, "behind");
    expect_connection(&loopback, &peer, CLIENT, FRONT);
    loopback_close(&loopback);
}

/* With as much behind the addresses as there may be. */
Test(proxy_protocol, a_header_may_be_long)
{
    enum { MOST = 65535, ADDRESSES = 12, FIXED = 16 };
    struct loopback loopback = start();
    struct header block = BLOCK;
    uint8_t *bytes = calloc(1, FIXED + MOST);
    int peer = connect_to(&loopback);
    memcpy(bytes, block.bytes, block.size);
    memset(bytes + 14, 0xff, 2);
    bytes[FIXED + ADDRESSES] = 0x04; /* of no meaning */
    bytes[FIXED + ADDRESSES + 1] = (MOST - ADDRESSES - 3) >> 8;
    bytes[FIXED + ADDRESSES + 2] = (uint8_t)(MOST - ADDRESSES - 3);
    peer_write(peer, bytes, FIXED + MOST);
    peer_say(peer, "behind");
    expect_connection(&loopback, &peer, CLIENT, FRONT);
    free(bytes);
    loopback_close(&loopback);
}

Test(proxy_protocol, what_is_no_header_is_closed_and_counted)
{
    static const struct header wrong[] = {
        {"GET / HTTP/1.1\r\n\r\n", 18},
        {"PROXY TCP4 192.0.2.1 198.51.100.2 056324 443\r\n", 46},
        {SIGNATURE "\x31", 13},
        {SIGNATURE "\x21\x11\0\x0b\xc0\0\x2\x1\xc6\x33\x64\x2\xdc\x04\x01", 27},
    };
    enum { COUNT = sizeof(wrong) / sizeof(wrong[0]) };
    struct loopback loopback = start();
    for (int i = 0; i < COUNT; i++) {
        int peer = connect_to(&loopback);
        say_header(peer, wrong[i]);
        expect_closed(&peer);
    }
    EVENTUALLY(refused(&loopback) == COUNT);
    expect_nobody(&loopback);
    loopback_close(&loopback);
}

Test(proxy_protocol, who_ends_before_his_header_does_is_counted)
{
    struct loopback loopback = start();
    int none = connect_to(&loopback);
    int half = connect_to(&loopback);
    int reset = connect_to(&loopback);
    peer_say(half, "PROXY TCP4 ");
    peer_finish(none);
    peer_finish(half);
    peer_reset(&reset);
    expect_closed(&none);
    expect_closed(&half);
    EVENTUALLY(refused(&loopback) == 3);
    expect_nobody(&loopback);
    loopback_close(&loopback);
}

Test(proxy_protocol, a_header_has_its_time)
{
    struct loopback loopback =
        start_with(WEIR_OPTIONS(WEIR_PROXY_PROTOCOL(true), WEIR_PROXY_TIMEOUT(50)), "127.0.0.1");
    int none = connect_to(&loopback);
    int half = connect_to(&loopback);
    peer_say(half, "PROXY TCP4 ");
    expect_closed(&none);
    expect_closed(&half);
    EVENTUALLY(refused(&loopback) == 2);
    expect_nobody(&loopback);
    loopback_close(&loopback);
}

Test(proxy_protocol, a_drain_waits_for_the_header)
{
    struct loopback loopback = start();
    int peer = begin_half(&loopback);
    GIVES(weir_drain(loopback.runtime, 0), WEIR_TIMEOUT);
    EVENTUALLY(weir_port(loopback.listener) == -EINVAL);
    end_half(peer);
    expect_connection(&loopback, &peer, CLIENT, FRONT);
    GIVES(weir_drain(loopback.runtime, AT_ONCE_MS), 0);
    loopback_close(&loopback);
}

Test(proxy_protocol, a_service_that_leaves_waits_for_the_header)
{
    struct loopback loopback = start();
    int peer = begin_half(&loopback);
    GIVES(weir_leave(loopback.listener), 0);
    EVENTUALLY(weir_port(loopback.listener) == -EINVAL);
    end_half(peer);
    expect_connection(&loopback, &peer, CLIENT, FRONT);
    loopback_close(&loopback);
}

Test(proxy_protocol, a_stop_waits_for_none)
{
    struct loopback loopback = start();
    int peer = begin_half(&loopback);
    GIVES(weir_stop(loopback.runtime), 0);
    expect_closed(&peer);
    expect_nobody(&loopback);
    GIVES(weir_start(&loopback.runtime, NULL), 0);
    loopback_close(&loopback);
}

Test(proxy_protocol, who_is_not_there_when_the_service_is_closed_is_closed)
{
    struct loopback loopback = start();
    int peer = begin_half(&loopback);
    GIVES(weir_close(loopback.listener), 0);
    expect_closed(&peer);
    expect_nobody(&loopback);
    cr_expect(refused(&loopback) == 0);
    loopback_close(&loopback);
}

static void expect_closed_with_its_owner(bool after_its_listener)
{
    struct loopback loopback = start();
    int peer = begin_half(&loopback);
    if (after_its_listener) {
        GIVES(weir_leave(loopback.listener), 0);
        EVENTUALLY(weir_port(loopback.listener) == -EINVAL);
    }
    GIVES(weir_mailbox_destroy(loopback.mailbox), 0);
    expect_closed(&peer);
    GIVES(weir_mailbox_create(&loopback.mailbox), 0);
    loopback_close(&loopback);
}

Test(proxy_protocol, who_is_not_there_when_the_owner_dies_is_closed)
{
    expect_closed_with_its_owner(false);
    expect_closed_with_its_owner(true);
}

/* It has a place, which the next gets when it is refused, and its connection when it is not. */
Test(proxy_protocol, who_is_not_there_has_a_place)
{
    struct loopback loopback =
        start_with(WEIR_OPTIONS(WEIR_PROXY_PROTOCOL(true), WEIR_MAX_CONNECTIONS(1)), "127.0.0.1");
    int first = begin_half(&loopback);
    int second = connect_to(&loopback);
    int third = connect_to(&loopback);
    say_all(second);
    say_all(third);
    EVENTUALLY(totals_of(&loopback).limited > 0);
    expect_nobody(&loopback);
    peer_say(first, "\n");
    expect_closed(&first);
    expect_connection(&loopback, &second, CLIENT, FRONT);
    expect_connection(&loopback, &third, CLIENT, FRONT);
    cr_expect(refused(&loopback) == 1);
    loopback_close(&loopback);
}

Test(proxy_protocol, a_proxy_may_come_by_a_local_socket)
{
    char name[64];
    snprintf(name, sizeof(name), "unix:@weir proxied %d", (int)getpid());
    struct loopback loopback = start_with(WEIR_OPTIONS(WEIR_PROXY_PROTOCOL(true)), name);
    int peer = local_peer(name, SOCK_STREAM, connect);
    say_all(peer);
    expect_connection(&loopback, &peer, CLIENT, FRONT);
    loopback_close(&loopback);
}

Test(proxy_protocol, has_a_time_and_is_there_from_the_beginning)
{
    struct loopback loopback = loopback_start(NULL);
    weir_option proxied[] = {WEIR_PROXY_PROTOCOL(true), WEIR_REQUEST(END)};
    weir_option timed[] = {WEIR_PROXY_TIMEOUT(0), WEIR_REQUEST(END)};
    GIVES(weir_tcp_serve(loopback.runtime, "127.0.0.1", 0, timed, weir_mailed_to(loopback.mailbox),
                         NULL),
          WEIR_BADARG);
    GIVES(weir_tcp_serve(loopback.runtime, "127.0.0.1", 0, proxied,
                         weir_mailed_to(loopback.mailbox), &loopback.listener),
          0);
    GIVES(weir_setopts(loopback.listener, proxied), -EINVAL);
    loopback_close(&loopback);
}
