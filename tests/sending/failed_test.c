/* SPDX-License-Identifier: MIT */
/* Sends that fail: what they are told, the calls after them, and the owner. */
#include "sending/filled.h"

#include <errno.h>
#include <stdio.h>

static int receive_one(weir_socket socket)
{
    weir_packet packet;
    int result = weir_recv(socket, 0, WAIT_MS, &packet);
    if (result == 0)
        weir_packet_release(&packet);
    return result;
}

/* What the next two sends and the next two receives are told once the descriptor is gone. */
static void expect_answers(weir_socket socket, int first_send, int first_receive)
{
    EVENTUALLY(weir_port(socket) == -EBADF);
    GIVES(weir_send(socket, "a", 1), first_send);
    GIVES(weir_send(socket, "a", 1), -ENOTCONN);
    GIVES(receive_one(socket), first_receive);
    GIVES(receive_one(socket), -ENOTCONN);
}

static void expect_end(struct loopback *loopback, bool shown)
{
    if (shown)
        expect_told(loopback, WEIR_MESSAGE_ERROR, -ECONNRESET);
    expect_told(loopback, WEIR_MESSAGE_CLOSED, 0);
    expect_quiet(loopback);
}

/* A reset that a send finds first must not be hidden from whoever is told by the receive. */
static void reset_with_a_queue(const char *active, bool shown, bool exits)
{
    char options[128];
    uint64_t queue;
    snprintf(options, sizeof(options), ",{show_econnreset,%s},{exit_on_close,%s}",
             shown ? "true" : "false", exits ? "true" : "false");
    struct loopback loopback = open_filled(options, &queue);
    snprintf(options, sizeof(options), "[{active,%s}]", active);
    GIVES(set(loopback.socket, options), 0);
    peer_reset(&loopback.peer);
    expect_end(&loopback, shown);
    EVENTUALLY(weir_port(loopback.socket) == (exits ? -EINVAL : -EBADF));
    GIVES(weir_send(loopback.socket, "a", 1), exits ? WEIR_CLOSED : -ENOTCONN);
    loopback_close(&loopback);
}

Test(failed, a_reset_with_a_queue_is_told_as_what_it_is)
{
    static const char *const modes[] = {"true", "once", "3"};
    for (size_t i = 0; i < 12; i++)
        reset_with_a_queue(modes[i / 4], i % 2, i / 2 % 2);
}

Test(failed, a_reset_with_a_queue_is_told_to_calls)
{
    for (int i = 0; i < 4; i++) {
        uint64_t queue;
        struct loopback loopback = open_filled("", &queue);
        int shown = i < 2 ? -ECONNRESET : WEIR_CLOSED;
        GIVES(set(loopback.socket, i < 2 ? "[{show_econnreset,true}]" : "[]"), 0);
        GIVES(set(loopback.socket, i % 2 ? "[{exit_on_close,false}]" : "[]"), 0);
        peer_reset(&loopback.peer);
        expect_answers(loopback.socket, shown, shown);
        loopback_close(&loopback);
    }
}

/* Nothing but the socket's own end was shut, and it is shown as a reset as well. */
Test(failed, a_send_after_shutting_down_is_shown_as_a_reset)
{
    struct loopback loopback = loopback_open("[{active,false},{show_econnreset,true}]");
    GIVES(weir_shutdown(loopback.socket, WEIR_WRITE), 0);
    GIVES(weir_send(loopback.socket, "a", 1), -ECONNRESET);
    GIVES(weir_send(loopback.socket, "a", 1), -ENOTCONN);
    GIVES(receive_one(loopback.socket), -ECONNRESET);
    GIVES(receive_one(loopback.socket), -ENOTCONN);
    loopback_reopen(&loopback);
    GIVES(set(loopback.socket, "[{active,true}]"), 0);
    GIVES(weir_shutdown(loopback.socket, WEIR_WRITE), 0);
    GIVES(weir_send(loopback.socket, "a", 1), -ECONNRESET);
    expect_end(&loopback, true);
    GIVES(weir_port(loopback.socket), -EINVAL);
    loopback_close(&loopback);
}

/* The peer has closed: the first send is answered by a reset, the next one fails with EPIPE. */
static void send_to_who_left(struct loopback *loopback, bool shown)
{
    GIVES(weir_send(loopback->socket, "a", 1), 0);
    GIVES(send_until_it_fails(loopback->socket), shown ? -ECONNRESET : WEIR_CLOSED);
}

Test(failed, what_stays_after_its_end_loses_its_descriptor_with_the_first_failed_send)
{
    for (int shown = 0; shown < 2; shown++) {
        struct loopback loopback = loopback_open("[{active,true},{exit_on_close,false}]");
        GIVES(set(loopback.socket, shown ? "[{show_econnreset,true}]" : "[]"), 0);
        peer_leave(&loopback.peer);
        expect_told(&loopback, WEIR_MESSAGE_CLOSED, 0);
        send_to_who_left(&loopback, shown);
        GIVES(weir_port(loopback.socket), -EBADF);
        expect_answers(loopback.socket, WEIR_CLOSED, -ENOTCONN); /* the end is told once to sends */
        expect_quiet(&loopback);
        loopback_close(&loopback);
    }
}

Test(failed, a_passive_one_tells_both_directions_once_more)
{
    for (int shown = 0; shown < 2; shown++) {
        struct loopback loopback = loopback_open("[{active,false},{exit_on_close,false}]");
        GIVES(set(loopback.socket, shown ? "[{show_econnreset,true}]" : "[]"), 0);
        peer_leave(&loopback.peer);
        GIVES(receive_one(loopback.socket), WEIR_CLOSED);
        GIVES(receive_one(loopback.socket), WEIR_CLOSED);
        send_to_who_left(&loopback, shown);
        int result = shown ? -ECONNRESET : WEIR_CLOSED;
        expect_answers(loopback.socket, result, result);
        loopback_close(&loopback);
    }
}

Test(failed, an_end_that_nobody_has_seen_is_told_to_recv_alone)
{
    for (int shown = 0; shown < 2; shown++) {
        struct loopback loopback = loopback_open("[{active,false}]");
        GIVES(set(loopback.socket, shown ? "[{show_econnreset,true}]" : "[]"), 0);
        peer_leave(&loopback.peer);
        send_to_who_left(&loopback, shown);
        expect_answers(loopback.socket, -ENOTCONN, shown ? -ECONNRESET : WEIR_CLOSED);
        loopback_close(&loopback);
    }
}

/* Who crossed the mark is told why; who waits behind it is told what a send is told then. */
Test(failed, who_waits_to_send_is_told_apart)
{
    uint64_t queue;
    struct loopback loopback = open_filled(",{low_watermark,1000}", &queue);
    char text[64];
    struct answer answers[3] = {0};
    snprintf(text, sizeof(text), "[{high_watermark,%lu}]", (unsigned long)queue + 10);
    GIVES(set(loopback.socket, text), 0);
    for (int i = 0; i < 3; i++)
        GIVES(weir_send_async(loopback.socket, text, 50, answer_sent, &answers[i]), 0);
    peer_reset(&loopback.peer);
    GIVES(answer_wait(&answers[0]), WEIR_CLOSED);
    GIVES(answer_wait(&answers[1]), -ENOTCONN);
    GIVES(answer_wait(&answers[2]), -ENOTCONN);
    expect_answers(loopback.socket, -ENOTCONN, WEIR_CLOSED);
    loopback_close(&loopback);
}
