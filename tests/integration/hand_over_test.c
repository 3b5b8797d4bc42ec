/* SPDX-License-Identifier: MIT */
/* controlling_process: what waits for an owner goes to the next, in order. */
#include "support/loopback.h"

#include <string.h>

Test(hand_over, messages_move_along_in_order)
{
    struct loopback loopback = loopback_open("[{packet,1},{active,true}]");
    weir_mailbox *first = loopback.mailbox;
    weir_mailbox *second;
    weir_socket other_socket = loopback.socket;
    int other_peer = loopback.peer;
    GIVES(weir_mailbox_create(&second), 0);
    loopback.peer = peer_connect(weir_port(loopback.listener));
    GIVES(weir_tcp_accept(loopback.listener, weir_mailed_to(first), WAIT_MS, &loopback.socket), 0);
    for (char c = 'a'; c <= 'e'; c++) {
        char packet[2] = {1, c};
        peer_write(loopback.peer, packet, 2);
        peer_write(other_peer, packet, 2);
    }
    EVENTUALLY(weir_mailbox_count(first) == 10);
    GIVES(weir_controlling_process(loopback.socket, weir_mailed_to(first), weir_mailed_to(second)),
          0);
    cr_assert(weir_mailbox_count(first) == 5 && weir_mailbox_count(second) == 5);
    peer_say(loopback.peer, "\1f");
    loopback.mailbox = second;
    for (char c = 'a'; c <= 'f'; c++)
        expect_data(&loopback, &c, 1);
    struct loopback other = loopback;
    other.mailbox = first;
    other.socket = other_socket;
    for (char c = 'a'; c <= 'e'; c++)
        expect_data(&other, &c, 1);
    peer_leave(&other_peer);
    weir_mailbox_destroy(first);
    loopback_close(&loopback);
}

struct log {
    char bytes[32];
    uint32_t count;
    uint32_t closed;
};

static void log_packet(weir_socket socket, const weir_packet *packet, void *data)
{
    struct log *log = data;
    (void)socket;
    log->bytes[log->count] = (char)packet->bytes[0];
    __atomic_fetch_add(&log->count, 1, __ATOMIC_RELEASE);
}

static void log_closed(weir_socket socket, void *data)
{
    struct log *log = data;
    (void)socket;
    __atomic_fetch_add(&log->closed, 1, __ATOMIC_RELEASE);
}

static const weir_handler log_handler = {.packet = log_packet, .closed = log_closed};

Test(hand_over, from_a_mailbox_to_a_handler_and_back)
{
    struct loopback loopback = loopback_open("[{packet,1},{active,true}]");
    struct log log = {0};
    weir_owner mailbox = weir_mailed_to(loopback.mailbox);
    weir_owner handler = weir_handled_by(&log_handler, &log);
    peer_say(loopback.peer, "\1a\1b");
    EVENTUALLY(weir_mailbox_count(loopback.mailbox) == 2);
    GIVES(weir_controlling_process(loopback.socket, mailbox, handler), 0);
    peer_say(loopback.peer, "\1c");
    EVENTUALLY(__atomic_load_n(&log.count, __ATOMIC_ACQUIRE) == 3);
    cr_assert(memcmp(log.bytes, "abc", 3) == 0);
    expect_quiet(&loopback);
    GIVES(weir_controlling_process(loopback.socket, handler, mailbox), 0);
    peer_say(loopback.peer, "\1d");
    expect_text(&loopback, "d");
    loopback_close(&loopback);
}

/* At the first of the messages that it is handed over with, the handler does something. */
static void close_at_once(weir_socket socket, const weir_packet *packet, void *data)
{
    log_packet(socket, packet, data);
    weir_close(socket);
}

static void activate_at_once(weir_socket socket, const weir_packet *packet, void *data)
{
    log_packet(socket, packet, data);
    cr_assert(weir_setopts(socket, WEIR_OPTIONS(WEIR_ACTIVE(WEIR_ACTIVE_TRUE))) == 0);
}

/* Two packets wait in its mailbox, and a third is not asked for yet. */
static struct loopback with_packets_waiting(void)
{
    struct loopback loopback = loopback_open("[{packet,1},{active,2}]");
    peer_say(loopback.peer, "\1a\1b\1c");
    EVENTUALLY(weir_mailbox_count(loopback.mailbox) == 3); /* the last is `passive` */
    settle(loopback.socket);
    return loopback;
}

Test(hand_over, a_handler_that_closes_is_handed_nothing_more)
{
    static const weir_handler handler = {.packet = close_at_once, .closed = log_closed};
    struct loopback loopback = with_packets_waiting();
    struct log log = {0};
    GIVES(weir_controlling_process(loopback.socket, weir_mailed_to(loopback.mailbox),
                                   weir_handled_by(&handler, &log)),
          0);
    cr_assert(log.count == 1 && log.closed == 0);
    peer_expect_end(loopback.peer);
    loopback_close(&loopback);
}

Test(hand_over, what_is_handed_over_comes_before_what_is_new)
{
    static const weir_handler handler = {.packet = activate_at_once};
    struct loopback loopback = with_packets_waiting();
    struct log log = {0};
    GIVES(weir_controlling_process(loopback.socket, weir_mailed_to(loopback.mailbox),
                                   weir_handled_by(&handler, &log)),
          0);
    EVENTUALLY(__atomic_load_n(&log.count, __ATOMIC_ACQUIRE) == 3);
    cr_assert(memcmp(log.bytes, "abc", 3) == 0, "%.3s", log.bytes);
    loopback_close(&loopback);
}

static void ask_for_passive(weir_socket socket, const weir_packet *packet, void *data)
{
    log_packet(socket, packet, data);
    GIVES(weir_setopts(socket, WEIR_OPTIONS(WEIR_ACTIVE(0))), 0);
}

static void log_passive(weir_socket socket, void *data)
{
    struct log *log = data;
    (void)socket;
    log->bytes[log->count++] = 'P';
}

/* Of {active,0} a handler is told behind what it is handed. */
Test(hand_over, a_handler_is_told_passive_behind_what_waited)
{
    static const weir_handler handler = {.packet = ask_for_passive, .passive = log_passive};
    struct loopback loopback = with_packets_waiting();
    struct log log = {0};
    GIVES(weir_controlling_process(loopback.socket, weir_mailed_to(loopback.mailbox),
                                   weir_handled_by(&handler, &log)),
          0);
    cr_assert(log.count == 5 && memcmp(log.bytes, "abPPP", 5) == 0, "%.5s", log.bytes);
    loopback_close(&loopback);
}

/* Hands the socket on at the first message, and asks for one that comes at once. */
struct hurry {
    weir_mailbox *next;
    weir_handler handler;
    size_t count; /* in the next mailbox then */
};

static void hand_on_at_once(weir_socket socket, const weir_packet *packet, void *data)
{
    struct hurry *hurry = data;
    (void)packet;
    GIVES(weir_controlling_process(socket, weir_handled_by(&hurry->handler, hurry),
                                   weir_mailed_to(hurry->next)),
          0);
    hurry->count = weir_mailbox_count(hurry->next);
    GIVES(weir_setopts(socket, WEIR_OPTIONS(WEIR_ACTIVE(0))), 0);
}

Test(hand_over, what_is_handed_on_meanwhile_comes_before_what_is_new)
{
    struct loopback loopback = with_packets_waiting();
    struct hurry hurry = {.handler = {.packet = hand_on_at_once}};
    weir_owner first = weir_mailed_to(loopback.mailbox);
    GIVES(weir_mailbox_create(&hurry.next), 0);
    GIVES(weir_controlling_process(loopback.socket, first, weir_handled_by(&hurry.handler, &hurry)),
          0);
    cr_assert(hurry.count == 2, "%zu", hurry.count);
    weir_mailbox *emptied = loopback.mailbox;
    loopback.mailbox = hurry.next;
    expect_text(&loopback, "b");
    expect_told(&loopback, WEIR_MESSAGE_PASSIVE, 0);
    expect_told(&loopback, WEIR_MESSAGE_PASSIVE, 0);
    weir_mailbox_destroy(emptied);
    loopback_close(&loopback);
}

/* Two handlers that hand a socket to each other are called in turn, and not one within the other.
 */
struct turns {
    const weir_handler *handlers[2];
    uint32_t depth;
    uint32_t deepest;
    uint32_t count;
};

static void pass_it_on(weir_socket socket, struct turns *turns, int here)
{
    turns->deepest = ++turns->depth > turns->deepest ? turns->depth : turns->deepest;
    turns->count++;
    GIVES(weir_controlling_process(socket, weir_handled_by(turns->handlers[here], turns),
                                   weir_handled_by(turns->handlers[!here], turns)),
          0);
    turns->depth--;
}

static void pass_to_second(weir_socket socket, const weir_packet *packet, void *data)
{
    (void)packet;
    pass_it_on(socket, data, 0);
}

static void pass_to_first(weir_socket socket, const weir_packet *packet, void *data)
{
    (void)packet;
    pass_it_on(socket, data, 1);
}

Test(hand_over, handing_over_does_not_nest)
{
    static const weir_handler handlers[] = {{.packet = pass_to_second}, {.packet = pass_to_first}};
    struct loopback loopback = with_packets_waiting();
    struct turns turns = {.handlers = {&handlers[0], &handlers[1]}};
    GIVES(weir_controlling_process(loopback.socket, weir_mailed_to(loopback.mailbox),
                                   weir_handled_by(&handlers[0], &turns)),
          0);
    cr_assert(turns.count == 2 && turns.deepest == 1);
    loopback_close(&loopback);
}
