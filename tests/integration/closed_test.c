/* SPDX-License-Identifier: MIT */
/* How connections end, what is told of it, and the two ways of being closed. */
#include "support/loopback.h"

#include <errno.h>
#include <string.h>

static uint64_t bytes_received(const weir_runtime *runtime)
{
    weir_totals totals;
    GIVES(weir_get_totals(runtime, -1, &totals), 0);
    return totals.bytes_received;
}

/* A handle that is dead. */
static void expect_dead(weir_socket socket)
{
    weir_packet packet;
    weir_address address;
    weir_statistics statistics;
    weir_option option = WEIR_REQUEST(PACKET);
    GIVES(weir_send(socket, "a", 1), WEIR_CLOSED);
    GIVES(weir_recv(socket, 0, 0, &packet), WEIR_CLOSED);
    GIVES(weir_tcp_accept(socket, weir_owned_by_nobody(), 0, &socket), WEIR_CLOSED);
    GIVES(weir_shutdown(socket, WEIR_WRITE), WEIR_CLOSED);
    GIVES(weir_controlling_process(socket, weir_owned_by_nobody(), weir_owned_by_nobody()),
          WEIR_CLOSED);
    GIVES(set(socket, "[{active,once}]"), -EINVAL);
    GIVES(weir_getopts(socket, &option, 1), -EINVAL);
    GIVES(weir_getstat(socket, &statistics), -EINVAL);
    GIVES(weir_peername(socket, &address), -EINVAL);
    GIVES(weir_sockname(socket, &address), -EINVAL);
    GIVES(weir_port(socket), -EINVAL);
    GIVES(weir_close(socket), 0);
    GIVES(weir_close(socket), 0);
}

/* A handle that lives, whose descriptor is gone; what send and recv say is used up already. */
static void expect_gone(struct loopback *loopback)
{
    weir_socket socket = loopback->socket;
    weir_packet packet;
    weir_address address;
    weir_option options[] = {WEIR_REQUEST(NODELAY), WEIR_REQUEST(PACKET), WEIR_REQUEST(SNDBUF)};
    GIVES(weir_send(socket, "a", 1), -ENOTCONN);
    GIVES(weir_recv(socket, 0, 0, &packet), -ENOTCONN);
    GIVES(weir_peername(socket, &address), -ENOTCONN);
    GIVES(weir_sockname(socket, &address), -EBADF);
    GIVES(weir_port(socket), -EBADF);
    GIVES(weir_shutdown(socket, WEIR_READ_WRITE), -ENOTCONN);
    (void)statistics_of(socket);
    GIVES(weir_getopts(socket, options, 3), 1);
    cr_assert(options[0].id == WEIR_OPTION_PACKET);
    GIVES(set(socket, "[{packet,raw},{nodelay,true}]"), 0);
    expect_quiet(loopback);
    GIVES(weir_close(socket), 0);
}

Test(closed, the_end_of_an_active_socket)
{
    struct loopback loopback = loopback_open("[{packet,1},{active,true}]");
    peer_say(loopback.peer, "\1a\1b\5half");
    peer_leave(&loopback.peer);
    expect_text(&loopback, "a");
    expect_text(&loopback, "b");
    expect_told(&loopback, WEIR_MESSAGE_CLOSED, 0);
    expect_quiet(&loopback);
    expect_dead(loopback.socket);
    loopback_close(&loopback);
}

Test(closed, the_end_of_a_passive_socket)
{
    struct loopback loopback = loopback_open("[{packet,1},{active,false}]");
    weir_packet packet;
    peer_say(loopback.peer, "\1a\1b\5half");
    peer_leave(&loopback.peer);
    expect_received(loopback.socket, 0, "a");
    expect_received(loopback.socket, 0, "b");
    GIVES(weir_recv(loopback.socket, 0, WAIT_MS, &packet), WEIR_CLOSED);
    GIVES(weir_send(loopback.socket, "a", 1), WEIR_CLOSED); /* armed by the recv, once */
    expect_gone(&loopback);
    loopback_close(&loopback);
}

Test(closed, the_end_of_a_passive_socket_told_to_recv_alone)
{
    struct loopback loopback = loopback_open("[{active,false}]");
    weir_packet packet;
    peer_leave(&loopback.peer);
    GIVES(weir_recv(loopback.socket, 0, WAIT_MS, &packet), WEIR_CLOSED);
    GIVES(weir_recv(loopback.socket, 0, WAIT_MS, &packet), -ENOTCONN);
    GIVES(weir_send(loopback.socket, "a", 1), WEIR_CLOSED);
    expect_gone(&loopback);
    loopback_close(&loopback);
}

Test(closed, a_send_that_fails_answers_itself_and_the_next_recv)
{
    struct loopback loopback = loopback_open("[{active,false}]");
    weir_packet packet;
    peer_reset(&loopback.peer);
    GIVES(weir_send(loopback.socket, "a", 1), WEIR_CLOSED);
    GIVES(weir_send(loopback.socket, "a", 1), -ENOTCONN);
    GIVES(weir_recv(loopback.socket, 0, WAIT_MS, &packet), WEIR_CLOSED);
    expect_gone(&loopback);
    loopback_close(&loopback);
}

Test(closed, the_peer_is_gone_first_send_succeeds)
{
    struct loopback loopback = loopback_open("[{active,false}]");
    peer_leave(&loopback.peer);
    GIVES(weir_send(loopback.socket, "a", 1), 0); /* which the peer's kernel resets */
    GIVES(send_until_it_fails(loopback.socket), WEIR_CLOSED);
    GIVES(weir_send(loopback.socket, "a", 1), -ENOTCONN);
    loopback_close(&loopback);
}

static void finish_passive_then(const char *active)
{
    struct loopback loopback = loopback_open("[{active,false}]");
    peer_leave(&loopback.peer);
    settle(loopback.socket);
    GIVES(set(loopback.socket, active), 0);
    expect_told(&loopback, WEIR_MESSAGE_CLOSED, 0);
    expect_quiet(&loopback);
    expect_dead(loopback.socket);
    loopback_close(&loopback);
}

Test(closed, an_unread_end_is_told_once)
{
    finish_passive_then("[{active,once}]");
}

Test(closed, an_unread_end_is_told_true)
{
    finish_passive_then("[{active,true}]");
}

Test(closed, an_end_that_recv_saw_is_told_again)
{
    struct loopback loopback = loopback_open("[{active,false}]");
    weir_packet packet;
    peer_leave(&loopback.peer);
    GIVES(weir_recv(loopback.socket, 0, WAIT_MS, &packet), WEIR_CLOSED);
    GIVES(set(loopback.socket, "[{active,once}]"), 0);
    expect_told(&loopback, WEIR_MESSAGE_CLOSED, 0);
    expect_quiet(&loopback);
    expect_dead(loopback.socket);
    loopback_close(&loopback);
}

Test(closed, a_reset_is_an_end)
{
    struct loopback loopback = loopback_open("[{active,true}]");
    peer_reset(&loopback.peer);
    expect_told(&loopback, WEIR_MESSAGE_CLOSED, 0);
    expect_dead(loopback.socket);
    loopback_close(&loopback);
}

Test(closed, a_reset_is_shown_to_an_owner)
{
    struct loopback loopback = loopback_open("[{active,true},{show_econnreset,true}]");
    peer_reset(&loopback.peer);
    expect_told(&loopback, WEIR_MESSAGE_ERROR, -ECONNRESET);
    expect_told(&loopback, WEIR_MESSAGE_CLOSED, 0);
    expect_dead(loopback.socket);
    loopback_close(&loopback);
}

Test(closed, a_reset_is_shown_to_recv)
{
    struct loopback loopback = loopback_open("[{active,false},{show_econnreset,true}]");
    weir_packet packet;
    peer_reset(&loopback.peer);
    GIVES(weir_recv(loopback.socket, 0, WAIT_MS, &packet), -ECONNRESET);
    GIVES(weir_send(loopback.socket, "a", 1), -ENOTCONN);
    GIVES(weir_recv(loopback.socket, 0, WAIT_MS, &packet), -ENOTCONN);
    loopback_close(&loopback);
}

Test(closed, a_reset_is_shown_to_send)
{
    struct loopback loopback = loopback_open("[{active,false},{show_econnreset,true}]");
    peer_reset(&loopback.peer);
    GIVES(weir_send(loopback.socket, "a", 1), -ECONNRESET);
    GIVES(weir_send(loopback.socket, "a", 1), -ENOTCONN);
    GIVES(set(loopback.socket, "[{active,once}]"), 0);
    expect_told(&loopback, WEIR_MESSAGE_ERROR, -ECONNRESET);
    expect_told(&loopback, WEIR_MESSAGE_CLOSED, 0);
    expect_dead(loopback.socket);
    loopback_close(&loopback);
}

/* {exit_on_close,false} keeps nothing when a send finds the peer gone. */
Test(closed, a_send_to_a_peer_that_is_gone_ends_what_stays)
{
    struct loopback loopback = loopback_open("[{active,false},{exit_on_close,false}]");
    weir_packet packet;
    peer_say(loopback.peer, "abc");
    peer_reset(&loopback.peer);
    GIVES(weir_send(loopback.socket, "a", 1), WEIR_CLOSED);
    GIVES(weir_send(loopback.socket, "a", 1), -ENOTCONN);
    GIVES(weir_port(loopback.socket), -EBADF);
    GIVES(weir_recv(loopback.socket, 0, 0, &packet), WEIR_CLOSED);
    GIVES(weir_recv(loopback.socket, 0, 0, &packet), -ENOTCONN);
    loopback_close(&loopback);
}

Test(closed, data_before_a_reset_comes_first)
{
    struct loopback loopback = loopback_open("[{packet,1},{active,true},{show_econnreset,true}]");
    peer_say(loopback.peer, "\1a");
    expect_text(&loopback, "a");
    peer_say(loopback.peer, "\1b");
    settle(loopback.socket);
    peer_reset(&loopback.peer);
    expect_text(&loopback, "b");
    expect_told(&loopback, WEIR_MESSAGE_ERROR, -ECONNRESET);
    expect_told(&loopback, WEIR_MESSAGE_CLOSED, 0);
    loopback_close(&loopback);
}

/* Its rest is received straight into its own memory. */
static void reset_within_a_large_packet(const char *options, size_t length)
{
    static const uint8_t part[100000] = {0, 16}; /* {packet,4}: 1 MiB */
    struct loopback loopback = loopback_open(options);
    struct background receiver = {
        .work = receive_in_background, .socket = loopback.socket, .size = length};
    bool is_active = get(loopback.socket, WEIR_OPTION_ACTIVE) == WEIR_ACTIVE_TRUE;
    GIVES(set(loopback.socket, "[{show_econnreset,true}]"), 0);
    if (!is_active)
        background_start(&receiver);
    peer_write(loopback.peer, part, sizeof(part));
    EVENTUALLY(bytes_received(loopback.runtime) == sizeof(part));
    peer_reset(&loopback.peer);
    if (is_active)
        expect_told(&loopback, WEIR_MESSAGE_ERROR, -ECONNRESET);
    else
        GIVES(background_join(&receiver), -ECONNRESET);
    loopback_close(&loopback);
}

Test(closed, a_reset_within_a_large_packet_is_a_reset)
{
    reset_within_a_large_packet("[{active,false}]", 1 << 20);
    reset_within_a_large_packet("[{active,false},{packet,4}]", 0);
    reset_within_a_large_packet("[{active,true},{packet,4}]", 0);
}

Test(closed, ones_own_close_is_not_told)
{
    struct loopback loopback = loopback_open("[{active,true}]");
    GIVES(weir_close(loopback.socket), 0);
    peer_expect_end(loopback.peer);
    expect_quiet(&loopback);
    expect_dead(loopback.socket);
    loopback_close(&loopback);
}

/* A closed that waits is taken out of the mailbox; other messages stay. */
Test(closed, ones_own_close_takes_a_waiting_closed_back)
{
    struct loopback loopback = loopback_open("[{exit_on_close,false},{active,true}]");
    peer_say(loopback.peer, "abc");
    peer_leave(&loopback.peer);
    EVENTUALLY(weir_mailbox_count(loopback.mailbox) == 2);
    GIVES(weir_close(loopback.socket), 0);
    expect_text(&loopback, "abc");
    expect_quiet(&loopback);
    loopback_close(&loopback);
}

/* Also one of a socket that is dead by then; those of other sockets stay. */
Test(closed, ones_own_close_of_a_dead_socket_takes_its_closed_back)
{
    struct loopback loopback = loopback_open("[{active,true}]");
    weir_mailbox *other;
    GIVES(weir_mailbox_create(&other), 0);
    peer_say(loopback.peer, "abc");
    peer_leave(&loopback.peer);
    EVENTUALLY(weir_mailbox_count(loopback.mailbox) == 2);
    EVENTUALLY(weir_port(loopback.socket) == -EINVAL);
    GIVES(weir_close((weir_socket){loopback.socket.id + (UINT64_C(1) << 32)}), 0);
    GIVES((int)weir_mailbox_count(loopback.mailbox), 2);
    GIVES(weir_close(loopback.socket), 0);
    expect_text(&loopback, "abc");
    expect_quiet(&loopback);
    weir_mailbox_destroy(other);
    loopback_close(&loopback);
}

static void close_it(void *socket)
{
    cr_expect(weir_close(*(weir_socket *)socket) == 0);
}

/* The same of one of another scheduler, which a handler asks to be closed. */
Test(closed, a_handlers_close_of_a_dead_socket_elsewhere_takes_its_closed_back)
{
    struct loopback loopback = loopback_start(&(weir_config){.schedulers = 2});
    loopback.listener = listen_with(loopback.runtime, "[{active,true}]");
    loopback_reopen(&loopback);
    int here = weir_scheduler_of(loopback.socket);
    peer_say(loopback.peer, "abc");
    peer_leave(&loopback.peer);
    EVENTUALLY(weir_mailbox_count(loopback.mailbox) == 2);
    EVENTUALLY(weir_port(loopback.socket) == -EINVAL);
    run_there(loopback.runtime, here == 0 ? 1 : 0, close_it, &loopback.socket);
    EVENTUALLY(weir_mailbox_count(loopback.mailbox) == 1);
    expect_text(&loopback, "abc");
    loopback_close(&loopback);
}

Test(closed, close_answers_those_who_wait)
{
    struct loopback loopback = loopback_open("[{active,false}]");
    struct answer received = {0};
    struct answer accepted = {0};
    GIVES(weir_recv_async(loopback.socket, 0, WEIR_INFINITY, answer_received, &received), 0);
    GIVES(weir_tcp_accept_async(loopback.listener, weir_mailed_to(loopback.mailbox), WEIR_INFINITY,
                                answer_opened, &accepted),
          0);
    GIVES(weir_close(loopback.socket), 0);
    GIVES(weir_close(loopback.listener), 0);
    GIVES(answer_wait(&received), WEIR_CLOSED);
    GIVES(answer_wait(&accepted), WEIR_CLOSED);
    expect_dead(loopback.listener);
    loopback_close(&loopback);
}

/* {exit_on_close,false}: only the reading side ends. */
Test(closed, half_closed_active)
{
    struct loopback loopback = loopback_open("[{exit_on_close,false},{active,true}]");
    weir_packet packet;
    peer_finish(loopback.peer);
    expect_told(&loopback, WEIR_MESSAGE_CLOSED, 0);
    cr_assert(get(loopback.socket, WEIR_OPTION_ACTIVE) == WEIR_ACTIVE_TRUE);
    GIVES(weir_recv(loopback.socket, 0, 0, &packet), -EINVAL);
    GIVES(set(loopback.socket, "[{active,once}]"), 0);
    expect_quiet(&loopback);
    GIVES(weir_send(loopback.socket, "still here", 10), 0);
    peer_expect(loopback.peer, "still here");
    GIVES(set(loopback.socket, "[{exit_on_close,true}]"), 0); /* not in retrospect */
    GIVES(weir_send(loopback.socket, "and here", 8), 0);
    peer_expect(loopback.peer, "and here");
    loopback_close(&loopback);
}

Test(closed, half_closed_passive)
{
    struct loopback loopback = loopback_open("[{exit_on_close,false},{active,false}]");
    weir_packet packet;
    peer_finish(loopback.peer);
    GIVES(weir_recv(loopback.socket, 0, WAIT_MS, &packet), WEIR_CLOSED);
    GIVES(weir_recv(loopback.socket, 0, WAIT_MS, &packet), WEIR_CLOSED);
    GIVES(weir_send(loopback.socket, "still here", 10), 0);
    peer_expect(loopback.peer, "still here");
    GIVES(set(loopback.socket, "[{active,once}]"), 0);
    expect_told(&loopback, WEIR_MESSAGE_CLOSED, 0);
    GIVES(set(loopback.socket, "[{active,true}]"), 0);
    expect_quiet(&loopback);
    loopback_close(&loopback);
}

Test(closed, half_closed_and_then_whole)
{
    struct loopback loopback = loopback_open("[{exit_on_close,false},{active,true}]");
    peer_leave(&loopback.peer);
    expect_told(&loopback, WEIR_MESSAGE_CLOSED, 0);
    GIVES(weir_send(loopback.socket, "a", 1), 0);
    GIVES(send_until_it_fails(loopback.socket), WEIR_CLOSED);
    expect_quiet(&loopback);
    loopback_close(&loopback);
}

/* {exit_on_close,true}, passive: an end that no recv has seen does not keep anybody from sending.
 */
Test(closed, an_unread_end_does_not_block_send)
{
    struct loopback loopback = loopback_open("[{active,false}]");
    peer_finish(loopback.peer);
    settle(loopback.socket);
    GIVES(weir_send(loopback.socket, "still here", 10), 0);
    peer_expect(loopback.peer, "still here");
    loopback_close(&loopback);
}

Test(closed, a_closed_listener_resets_those_who_wait)
{
    struct loopback loopback = loopback_open("[{active,false}]");
    int waiting = peer_connect(weir_port(loopback.listener));
    GIVES(weir_close(loopback.listener), 0);
    peer_expect_reset(waiting);
    peer_leave(&waiting);
    GIVES(weir_send(loopback.socket, "abc", 3), 0);
    peer_expect(loopback.peer, "abc");
    loopback_close(&loopback);
}

Test(closed, unread_data_makes_a_reset)
{
    struct loopback loopback = loopback_open("[{active,false}]");
    peer_say(loopback.peer, "abc");
    settle(loopback.socket);
    GIVES(weir_close(loopback.socket), 0);
    peer_expect_reset(loopback.peer);
    loopback_close(&loopback);
}

Test(closed, shut_reading)
{
    struct loopback loopback = loopback_open("[{active,false}]");
    weir_packet packet;
    GIVES(weir_shutdown(loopback.socket, WEIR_READ), 0);
    GIVES(weir_recv(loopback.socket, 0, WAIT_MS, &packet), WEIR_CLOSED);
    GIVES(weir_shutdown(loopback.listener, WEIR_READ), -ENOTCONN);
    GIVES(weir_shutdown(loopback.socket, (enum weir_how)7), -ENOTCONN); /* gone by now */
    loopback_reopen(&loopback);
    GIVES(weir_shutdown(loopback.socket, (enum weir_how)7), WEIR_BADARG);
    loopback_close(&loopback);
}

Test(closed, shut_writing)
{
    struct loopback loopback = loopback_open("[{active,true}]");
    GIVES(weir_send(loopback.socket, "abc", 3), 0);
    GIVES(weir_shutdown(loopback.socket, WEIR_WRITE), 0);
    peer_expect(loopback.peer, "abc");
    peer_expect_end(loopback.peer);
    peer_say(loopback.peer, "still here");
    expect_text(&loopback, "still here");
    /* The document's functions lose the whole socket over it. */
    GIVES(weir_send(loopback.socket, "a", 1), WEIR_CLOSED);
    expect_told(&loopback, WEIR_MESSAGE_CLOSED, 0);
    GIVES(weir_send(loopback.socket, "a", 1), WEIR_CLOSED);
    GIVES(weir_port(loopback.socket), -EINVAL);
    loopback_close(&loopback);
}

Test(closed, shut_both)
{
    struct loopback loopback = loopback_open("[{active,false}]");
    GIVES(weir_shutdown(loopback.socket, WEIR_READ_WRITE), 0);
    peer_expect_end(loopback.peer);
    loopback_close(&loopback);
}

/* Each peer that goes is told of exactly once, however it goes and whatever was on its way. */
Test(closed, many_peers_go_in_every_way)
{
    struct loopback loopback = loopback_open("[{packet,1},{active,true}]");
    for (int round = 0; round < 60; round++) {
        if (round > 0)
            loopback_reopen(&loopback);
        peer_say(loopback.peer, "\1a");
        expect_text(&loopback, "a");
        if (round % 3 == 0)
            peer_reset(&loopback.peer);
        else
            peer_leave(&loopback.peer);
        if (round % 2 == 0)
            (void)!weir_send(loopback.socket, "b", 1);
        expect_told(&loopback, WEIR_MESSAGE_CLOSED, 0);
        expect_quiet(&loopback);
    }
    loopback_close(&loopback);
}
