/* SPDX-License-Identifier: MIT */
/* UDP sockets beside plain ones: what gen_udp does. */
#include "integration/plain.h"

#include <errno.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/memory.h"

Test(udp, what_is_sent_arrives_with_its_source)
{
    struct loopback loopback = loopback_start(NULL);
    struct plain plain = plain_open();
    weir_socket socket = open_passive(&loopback);
    GIVES(weir_udp_send(socket, &plain.address, "ping", 4), 0);
    plain_expect(&plain, "ping");
    plain_say(&plain, socket, "pong");
    expect_receive(socket, &plain, "pong");
    weir_statistics statistics = statistics_of(socket);
    cr_expect(statistics.recv_cnt == 1 && statistics.recv_oct == 4);
    cr_expect(statistics.send_cnt == 1 && statistics.send_oct == 4);
    GIVES(weir_close(socket), 0);
    end(&loopback, &plain);
}

Test(udp, an_empty_datagram_is_a_message_and_no_end)
{
    struct loopback loopback = loopback_start(NULL);
    struct plain plain = plain_open();
    weir_socket socket = open_passive(&loopback);
    plain_say(&plain, socket, "");
    plain_say(&plain, socket, "after");
    plain_say(&plain, socket, "");
    expect_receive(socket, &plain, "");
    expect_receive(socket, &plain, "after");
    expect_receive(socket, &plain, "");
    GIVES(weir_udp_send(socket, &plain.address, "", 0), 0);
    plain_expect(&plain, "");
    end(&loopback, &plain);
}

Test(udp, nothing_is_lost_of_what_nobody_asked_for_yet)
{
    enum { COUNT = 16 };
    struct loopback loopback = loopback_start(NULL);
    struct plain plain = plain_open();
    weir_socket socket = open_with(&loopback,
                                   "[{ip,{127,0,0,1}},{active,false},{recbuf,200000},"
                                   "{buffer,2048}]",
                                   weir_owned_by_nobody());
    char text[32];
    for (int round = 0; round < 4; round++) {
        for (int i = 0; i < COUNT; i++) {
            snprintf(text, sizeof(text), "%d of %d", i, round);
            plain_say(&plain, socket, text);
        }
        for (int i = 0; i < COUNT; i++) {
            snprintf(text, sizeof(text), "%d of %d", i, round);
            expect_receive(socket, &plain, text);
        }
    }
    end(&loopback, &plain);
}

Test(udp, recv_waits_and_is_refused_as_the_document_says)
{
    struct loopback loopback = loopback_start(NULL);
    struct plain plain = plain_open();
    weir_socket socket = open_passive(&loopback);
    weir_packet packet;
    GIVES(weir_udp_recv(socket, 0, &packet), WEIR_TIMEOUT);
    GIVES(weir_udp_recv(socket, 20, &packet), WEIR_TIMEOUT);
    struct answer first = {0};
    struct answer second = {0};
    GIVES(weir_udp_recv_async(socket, WAIT_MS, answer_received, &first), 0);
    GIVES(weir_udp_recv_async(socket, WAIT_MS, answer_received, &second), 0);
    GIVES(answer_wait(&second), -EALREADY);
    plain_say(&plain, socket, "one");
    GIVES(answer_wait(&first), 0);
    cr_expect(first.size == 3 && memcmp(first.bytes, "one", 3) == 0);
    struct answer last = {0};
    GIVES(weir_udp_recv_async(socket, WEIR_INFINITY, answer_received, &last), 0);
    GIVES(weir_close(socket), 0);
    GIVES(answer_wait(&last), WEIR_CLOSED);
    GIVES(weir_udp_recv(socket, 0, &packet), WEIR_CLOSED);
    GIVES(weir_udp_send(socket, &plain.address, "a", 1), WEIR_CLOSED);
    end(&loopback, &plain);
}

Test(udp, a_datagram_longer_than_buffer_is_cut_and_told_so)
{
    struct loopback loopback = loopback_start(NULL);
    struct plain plain = plain_open();
    weir_socket socket = open_with(&loopback, "[{ip,{127,0,0,1}},{active,false},{buffer,5}]",
                                   weir_owned_by_nobody());
    weir_packet packet;
    plain_say(&plain, socket, "12345678");
    plain_say(&plain, socket, "abcde");
    GIVES(weir_udp_recv(socket, WAIT_MS, &packet), 0);
    cr_expect(packet.size == 5 && packet.datagram->truncated);
    weir_packet_release(&packet);
    expect_receive(socket, &plain, "abcde");
    cr_expect(statistics_of(socket).recv_oct == 10);
    end(&loopback, &plain);
}

Test(udp, the_largest_datagram_goes_both_ways)
{
    enum { SIZE = 65507 };
    struct loopback loopback = loopback_start(NULL);
    struct plain plain = plain_open();
    weir_socket socket = open_with(
        &loopback, "[{ip,{127,0,0,1}},binary,{active,false},{recbuf,300000},{sndbuf,300000}]",
        weir_owned_by_nobody());
    char *bytes = malloc(SIZE + 1);
    weir_packet packet;
    for (int i = 0; i < SIZE; i++)
        bytes[i] = (char)(i * 7);
    for (int round = 0; round < 3; round++) {
        plain_send(&plain, socket, bytes, SIZE);
        GIVES(weir_udp_recv(socket, WAIT_MS, &packet), 0);
        cr_assert(packet.size == SIZE && memcmp(packet.bytes, bytes, SIZE) == 0);
        cr_assert(weir_address_equal(&packet.datagram->source, &plain.address));
        weir_packet_release(&packet);
    }
    GIVES(weir_udp_send(socket, &plain.address, bytes, SIZE), 0);
    char *back = malloc(SIZE);
    cr_assert(recv(plain.fd, back, SIZE, 0) == SIZE && memcmp(back, bytes, SIZE) == 0);
    GIVES(weir_udp_send(socket, &plain.address, bytes, SIZE + 1), -EMSGSIZE);
    free(back);
    free(bytes);
    end(&loopback, &plain);
}

Test(udp, active_modes_count_messages_and_tell_when_they_are_over)
{
    struct loopback loopback = loopback_start(NULL);
    struct plain plain = plain_open();
    weir_socket socket = open_active(&loopback, "[{ip,{127,0,0,1}},{active,once}]");
    weir_packet packet;
    plain_say(&plain, socket, "a");
    expect_mail(&loopback, &plain, "a");
    cr_expect(get(socket, WEIR_OPTION_ACTIVE) == WEIR_ACTIVE_FALSE);
    plain_say(&plain, socket, "b");
    plain_say(&plain, socket, "c");
    plain_say(&plain, socket, "d");
    GIVES(set(socket, "[{active,2}]"), 0);
    expect_mail(&loopback, &plain, "b");
    expect_mail(&loopback, &plain, "c");
    expect_told(&loopback, WEIR_MESSAGE_PASSIVE, 0);
    GIVES(set(socket, "[{active,true}]"), 0);
    expect_mail(&loopback, &plain, "d");
    GIVES(weir_udp_recv(socket, 0, &packet), -EINVAL);
    GIVES(set(socket, "[{active,-3}]"), 0);
    expect_told(&loopback, WEIR_MESSAGE_PASSIVE, 0);
    end(&loopback, &plain);
}

Test(udp, open_counts_active_n_too)
{
    struct loopback loopback = loopback_start(NULL);
    struct plain plain = plain_open();
    weir_socket spent = open_active(&loopback, "[{ip,{127,0,0,1}},{active,0}]");
    expect_told(&loopback, WEIR_MESSAGE_PASSIVE, 0);
    GIVES(weir_close(spent), 0);
    weir_socket socket = open_active(&loopback, "[{ip,{127,0,0,1}},{active,1}]");
    plain_say(&plain, socket, "x");
    expect_mail(&loopback, &plain, "x");
    expect_told(&loopback, WEIR_MESSAGE_PASSIVE, 0);
    end(&loopback, &plain);
}

Test(udp, what_cannot_be_sent_is_refused)
{
    struct loopback loopback = loopback_start(NULL);
    struct plain plain = plain_open();
    weir_socket socket = open_passive(&loopback);
    weir_address none = plain.address;
    weir_address other;
    none.port = 0;
    GIVES(weir_address_parse("::1", &other), 0);
    other.port = 9;
    GIVES(weir_udp_send(socket, &none, "a", 1), -EINVAL);
    GIVES(weir_udp_send(socket, &other, "a", 1), -EAFNOSUPPORT);
    GIVES(weir_udp_send(socket, NULL, "a", 1), -EINVAL);
    GIVES(weir_udp_send(socket, &plain.address, NULL, 1), -EINVAL);
    GIVES(weir_udp_connect(socket, &other), -EAFNOSUPPORT);
    GIVES(weir_udp_send((weir_socket){0}, &plain.address, "a", 1), WEIR_CLOSED);
    weir_socket any = open_with(&loopback, "[{active,false}]", weir_owned_by_nobody());
    weir_address broadcast = {.family = WEIR_INET, .bytes = {255, 255, 255, 255}, .port = 9};
    GIVES(weir_udp_send(any, &broadcast, "a", 1), -EACCES);
    GIVES(weir_shutdown(socket, WEIR_WRITE), -ENOTCONN);
    GIVES(weir_peername(socket, &other), -ENOTCONN);
    end(&loopback, &plain);
}

Test(udp, a_connected_socket_sends_to_its_peer_and_hears_that_nobody_is_there)
{
    struct loopback loopback = loopback_start(NULL);
    struct plain plain = plain_open();
    weir_socket socket = open_passive(&loopback);
    weir_packet packet;
    weir_address peer;
    GIVES(weir_udp_connect(socket, &plain.address), 0);
    GIVES(weir_peername(socket, &peer), 0);
    cr_expect(weir_address_equal(&peer, &plain.address));
    GIVES(weir_udp_send(socket, NULL, "hello", 5), 0);
    plain_expect(&plain, "hello");
    close(plain.fd);
    GIVES(weir_udp_send(socket, NULL, "lost", 4), 0);
    GIVES(weir_udp_recv(socket, WAIT_MS, &packet), -ECONNREFUSED);
    GIVES(weir_udp_recv(socket, 0, &packet), WEIR_TIMEOUT);
    GIVES(weir_udp_send(socket, NULL, "lost", 4), 0);
    loopback_close(&loopback);
}

struct changing {
    weir_socket socket;
    const weir_address *peers;
};

/* In one turn, which sends all of them when it ends. */
static void change_peers(void *data)
{
    const struct changing *changing = data;
    GIVES(weir_udp_connect(changing->socket, &changing->peers[0]), 0);
    GIVES(weir_udp_send(changing->socket, NULL, "first", 5), 0);
    GIVES(weir_udp_connect(changing->socket, &changing->peers[1]), 0);
    GIVES(weir_udp_send(changing->socket, NULL, "second", 6), 0);
}

Test(udp, what_was_sent_before_another_is_connected_goes_to_the_peer_of_then)
{
    struct loopback loopback = loopback_start(NULL);
    struct plain first = plain_open();
    struct plain second = plain_open();
    const weir_address peers[] = {first.address, second.address};
    run_there(loopback.runtime, 0, change_peers,
              &(struct changing){open_passive(&loopback), peers});
    plain_expect(&first, "first");
    plain_expect(&second, "second");
    close(first.fd);
    end(&loopback, &second);
}

Test(udp, an_active_owner_is_told_of_errors_and_goes_on)
{
    enum { ROUNDS = 10 };
    struct loopback loopback = loopback_start(NULL);
    struct plain plain = plain_open();
    struct plain gone = plain_open();
    weir_totals totals;
    weir_socket socket = open_active(&loopback, "[{ip,{127,0,0,1}}]");
    close(gone.fd);
    for (int round = 0; round < ROUNDS; round++) {
        GIVES(weir_udp_connect(socket, &gone.address), 0);
        GIVES(weir_udp_send(socket, NULL, "lost", 4), 0);
        expect_told(&loopback, WEIR_MESSAGE_ERROR, -ECONNREFUSED);
        GIVES(weir_udp_connect(socket, &plain.address), 0);
        plain_say(&plain, socket, "here");
        expect_mail(&loopback, &plain, "here");
    }
    GIVES(weir_get_totals(loopback.runtime, -1, &totals), 0);
    cr_expect(totals.memory_pauses == 0, "it need not rest for one at a time");
    end(&loopback, &plain);
}

Test(udp, ports_and_options_that_open_refuses)
{
    struct loopback loopback = loopback_start(NULL);
    weir_socket socket = open_passive(&loopback);
    weir_socket other;
    uint16_t port = (uint16_t)weir_port(socket);
    GIVES(weir_udp_open(loopback.runtime, port,
                        WEIR_OPTIONS(WEIR_ACTIVE(WEIR_ACTIVE_FALSE), WEIR_IP_LOOPBACK()),
                        weir_owned_by_nobody(), &other),
          -EADDRINUSE);
    GIVES(weir_udp_open(loopback.runtime, 0, WEIR_OPTIONS(WEIR_PACKET(4)),
                        weir_mailed_to(loopback.mailbox), &other),
          WEIR_BADARG);
    GIVES(weir_udp_open(loopback.runtime, 0, NULL, weir_owned_by_nobody(), &other), WEIR_BADARG);
    GIVES(weir_udp_open(loopback.runtime, 0, WEIR_OPTIONS(WEIR_FD(0)),
                        weir_mailed_to(loopback.mailbox), &other),
          -ENOTSOCK);
    GIVES(weir_close(socket), 0);
    GIVES(weir_udp_open(loopback.runtime, port,
                        WEIR_OPTIONS(WEIR_ACTIVE(WEIR_ACTIVE_FALSE), WEIR_IP_LOOPBACK()),
                        weir_owned_by_nobody(), &other),
          0);
    cr_expect(get(other, WEIR_OPTION_BUFFER) == 8192);
    cr_expect(get(other, WEIR_OPTION_RECBUF) == 16384);
    cr_expect(get(other, WEIR_OPTION_READ_PACKETS) == 5);
    GIVES(set(other, "[{nodelay,true},{high_watermark,5},{read_packets,7}]"), 0);
    cr_expect(get(other, WEIR_OPTION_READ_PACKETS) == 7);
    loopback_close(&loopback);
}

Test(udp, what_the_kernel_knows_of_a_datagram_is_there_when_it_is_asked_for)
{
    struct loopback loopback = loopback_start(NULL);
    struct plain plain = plain_open();
    weir_socket socket = open_passive(&loopback);
    const int tos = 16;
    weir_packet packet;
    cr_assert(setsockopt(plain.fd, IPPROTO_IP, IP_TOS, &tos, sizeof(tos)) == 0);
    plain_say(&plain, socket, "plain");
    GIVES(weir_udp_recv(socket, WAIT_MS, &packet), 0);
    cr_expect(packet.datagram->tos == -1 && packet.datagram->ttl == -1);
    cr_expect(packet.datagram->received_ns == 0);
    cr_expect(packet.datagram->destination.family == WEIR_ANY_FAMILY);
    weir_packet_release(&packet);
    GIVES(set(socket, "[{recvtos,true},{recvttl,true},{pktinfo,true},{timestamp,true}]"), 0);
    plain_say(&plain, socket, "rich");
    GIVES(weir_udp_recv(socket, WAIT_MS, &packet), 0);
    cr_expect(packet.datagram->tos == 16);
    cr_expect(packet.datagram->ttl == 64);
    cr_expect(packet.datagram->received_ns > 1000000000u * UINT64_C(1000000000));
    cr_expect(packet.datagram->destination.family == WEIR_INET);
    cr_expect(packet.datagram->destination.bytes[0] == 127);
    cr_expect(packet.datagram->interface == 1);
    weir_packet_release(&packet);
    end(&loopback, &plain);
}

static void echo(weir_socket socket, const weir_packet *packet, void *data)
{
    atomic_int *failures = data;
    if (weir_send_packet(socket, packet) < 0)
        atomic_fetch_add(failures, 1);
}

static const weir_handler echo_handler = {.packet = echo};

Test(udp, a_handler_answers_in_place_and_runs_come_back_apart)
{
    enum { COUNT = 20, ROUNDS = 50 };
    struct loopback loopback = loopback_start(NULL);
    struct plain plain = plain_open();
    atomic_int failures = 0;
    weir_socket socket = open_with(&loopback, "[{ip,{127,0,0,1}},{recbuf,200000},{buffer,2000}]",
                                   weir_handled_by(&echo_handler, &failures));
    static const char *const pads[] = {"", "00000", "0000000000"}; /* three sizes, in runs */
    char text[32];
    for (int round = 0; round < ROUNDS; round++) {
        for (int i = 0; i < COUNT; i++) {
            snprintf(text, sizeof(text), "%s%d", pads[i / 7], i % 7);
            plain_say(&plain, socket, text);
        }
        for (int i = 0; i < COUNT; i++) {
            snprintf(text, sizeof(text), "%s%d", pads[i / 7], i % 7);
            plain_expect(&plain, text);
        }
    }
    cr_expect(atomic_load(&failures) == 0);
    cr_expect(statistics_of(socket).send_cnt == COUNT * ROUNDS);
    EVENTUALLY(statistics_of(socket).send_pend == 0);
    end(&loopback, &plain);
}

Test(udp, inet6_has_its_own_addresses)
{
    struct loopback loopback = loopback_start(NULL);
    weir_socket a = open_with(&loopback,
                              "[inet6,{ip,loopback},{active,false},{recvtclass,true},"
                              "{pktinfo,true}]",
                              weir_owned_by_nobody());
    weir_socket b = open_with(&loopback, "[inet6,{ip,loopback},{active,false},{tclass,32}]",
                              weir_owned_by_nobody());
    weir_address to = address_of(a);
    weir_address from = address_of(b);
    weir_packet packet;
    GIVES(weir_udp_send(b, &to, "six", 3), 0);
    GIVES(weir_udp_recv(a, WAIT_MS, &packet), 0);
    cr_expect(weir_address_equal(&packet.datagram->source, &from));
    cr_expect(packet.datagram->tclass == 32);
    cr_expect(packet.datagram->destination.family == WEIR_INET6);
    GIVES(weir_send_packet(a, &packet), 0);
    weir_packet_release(&packet);
    GIVES(weir_udp_recv(b, WAIT_MS, &packet), 0);
    cr_expect(weir_address_equal(&packet.datagram->source, &to));
    weir_packet_release(&packet);
    loopback_close(&loopback);
}

Test(udp, who_controls_it_gets_what_waits)
{
    struct loopback loopback = loopback_start(NULL);
    struct plain plain = plain_open();
    weir_mailbox *other;
    GIVES(weir_mailbox_create(&other), 0);
    weir_socket socket = open_active(&loopback, "[{ip,{127,0,0,1}}]");
    plain_say(&plain, socket, "one");
    EVENTUALLY(weir_mailbox_count(loopback.mailbox) == 1);
    GIVES(weir_controlling_process(socket, weir_mailed_to(other), weir_mailed_to(other)),
          WEIR_NOT_OWNER);
    GIVES(weir_controlling_process(socket, weir_mailed_to(loopback.mailbox), weir_mailed_to(other)),
          0);
    weir_message message = next_message(other);
    expect_from(&message.packet, &plain, "one");
    weir_packet_release(&message.packet);
    GIVES(weir_mailbox_destroy(other), 0);
    GIVES(weir_udp_send(socket, &plain.address, "a", 1), WEIR_CLOSED);
    end(&loopback, &plain);
}

static void count_gone(weir_socket socket, void *data)
{
    (void)socket;
    atomic_fetch_add((atomic_int *)data, 1);
}

static const weir_handler gone_handler = {.gone = count_gone};

Test(udp, gone_comes_once_and_nothing_is_left)
{
    enum { ROUNDS = 200 };
    struct loopback loopback = loopback_start(NULL);
    struct plain plain = plain_open();
    atomic_int gone = 0;
    int64_t blocks = 0;
    for (int i = 0; i < ROUNDS; i++) {
        weir_socket socket =
            open_with(&loopback, "[{ip,{127,0,0,1}}]", weir_handled_by(&gone_handler, &gone));
        GIVES(weir_udp_send(socket, &plain.address, "abc", 3), 0);
        plain_expect(&plain, "abc");
        plain_say(&plain, socket, "def");
        GIVES(weir_close(socket), 0);
        EVENTUALLY(atomic_load(&gone) == i + 1);
        if (i == ROUNDS / 2)
            blocks = memory_live_count();
    }
    EVENTUALLY(memory_live_count() <= blocks);
    end(&loopback, &plain);
}

Test(udp, bit8_is_seen)
{
    struct loopback loopback = loopback_start(NULL);
    struct plain plain = plain_open();
    weir_socket socket = open_passive(&loopback);
    cr_expect(get(socket, WEIR_OPTION_BIT8) == WEIR_BIT8_OFF);
    GIVES(set(socket, "[{bit8,on}]"), 0);
    plain_say(&plain, socket, "a");
    expect_receive(socket, &plain, "a");
    cr_expect(get(socket, WEIR_OPTION_BIT8) == WEIR_BIT8_CLEAR);
    plain_say(&plain, socket, "\377");
    expect_receive(socket, &plain, "\377");
    plain_say(&plain, socket, "a");
    expect_receive(socket, &plain, "a");
    cr_expect(get(socket, WEIR_OPTION_BIT8) == WEIR_BIT8_SET);
    GIVES(set(socket, "[{bit8,clear}]"), 0);
    cr_expect(get(socket, WEIR_OPTION_BIT8) == WEIR_BIT8_CLEAR);
    socket = open_with(&loopback, "[{ip,{127,0,0,1}},{active,false},{bit8,set}]",
                       weir_owned_by_nobody());
    cr_expect(get(socket, WEIR_OPTION_BIT8) == WEIR_BIT8_SET);
    end(&loopback, &plain);
}

static void note_and_close(weir_socket socket, void *data)
{
    atomic_fetch_add((atomic_int *)data, 1);
    GIVES(weir_close(socket), 0);
}

/* Of a stop, which finds it closed then. */
Test(udp, a_handler_closes_what_it_is_told_is_closed)
{
    static const weir_handler handler = {.closed = note_and_close};
    struct loopback loopback = loopback_start(NULL);
    atomic_int told = 0;
    (void)open_with(&loopback, "[{ip,{127,0,0,1}}]", weir_handled_by(&handler, &told));
    loopback_close(&loopback);
    cr_expect(atomic_load(&told) == 1);
}

Test(udp, a_descriptor_that_is_there_is_taken)
{
    struct loopback loopback = loopback_start(NULL);
    struct plain plain = plain_open();
    struct plain mine = plain_open();
    weir_socket socket;
    GIVES(weir_udp_open(loopback.runtime, 0,
                        WEIR_OPTIONS(WEIR_FD(mine.fd), WEIR_ACTIVE(WEIR_ACTIVE_FALSE)),
                        weir_owned_by_nobody(), &socket),
          0);
    cr_expect(weir_port(socket) == mine.address.port);
    plain_say(&plain, socket, "taken");
    expect_receive(socket, &plain, "taken");
    end(&loopback, &plain);
}

Test(udp, async_sends_say_what_the_kernel_said)
{
    struct loopback loopback = loopback_start(NULL);
    struct plain plain = plain_open();
    weir_socket socket = open_with(&loopback, "[{active,false}]", weir_owned_by_nobody());
    weir_address broadcast = {.family = WEIR_INET, .bytes = {255, 255, 255, 255}, .port = 9};
    struct answer good = {0};
    struct answer bad = {0};
    GIVES(weir_udp_send_async(socket, &plain.address, "abc", 3, answer_sent, &good), 0);
    GIVES(weir_udp_send_async(socket, &broadcast, "abc", 3, answer_sent, &bad), 0);
    GIVES(answer_wait(&good), 0);
    GIVES(answer_wait(&bad), -EACCES);
    plain_expect(&plain, "abc");
    end(&loopback, &plain);
}
