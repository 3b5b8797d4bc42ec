/* SPDX-License-Identifier: MIT */
/* Closing and shutting down with bytes queued: what still leaves, who waits, who is told. */
#include "sending/filled.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

Test(close, what_is_queued_is_sent_in_the_background)
{
    uint64_t queue;
    struct loopback loopback = open_filled("", &queue);
    uint64_t before = now_ms();
    weir_close(loopback.socket);
    cr_expect(now_ms() - before < AT_ONCE_MS);
    GIVES(weir_send(loopback.socket, "x", 1), WEIR_CLOSED);
    cr_expect(peer_drain(loopback.peer) == FILL_BYTES);
    loopback_close(&loopback);
}

Test(close, linger_of_no_seconds_resets)
{
    uint64_t queue;
    struct loopback loopback = open_filled(",{linger,{true,0}}", &queue);
    weir_close(loopback.socket);
    peer_expect_reset(loopback.peer);
    loopback_close(&loopback);
}

Test(close, lingering_waits_its_seconds_and_no_longer)
{
    uint64_t queue;
    struct loopback loopback = open_filled(",{linger,{true,1}}", &queue);
    uint64_t before = now_ms();
    weir_close(loopback.socket);
    uint64_t took = now_ms() - before;
    cr_expect(took >= 1000 && took < AT_ONCE_MS, "%lu ms", (unsigned long)took);
    cr_expect(peer_drain(loopback.peer) == FILL_BYTES);
    loopback_close(&loopback);
}

static int close_in_background(struct background *background)
{
    return weir_close(background->socket);
}

Test(close, lingering_ends_with_the_queue)
{
    uint64_t queue;
    struct loopback loopback = open_filled(",{linger,{true,60}}", &queue);
    struct background closing = {.work = close_in_background, .socket = loopback.socket};
    background_start(&closing);
    settle(loopback.listener);
    cr_expect(pthread_tryjoin_np(closing.thread, NULL) == EBUSY);
    cr_expect(peer_drain(loopback.peer) == FILL_BYTES);
    GIVES(background_join(&closing), 0);
    loopback_close(&loopback);
}

/* The descriptor goes because the peer has ended, with bytes that it does not read in the kernel.
 */
Test(close, lingering_never_holds_up_the_scheduler)
{
    struct loopback loopback = open_small(NULL, ",{linger,{true,60}}");
    static const uint8_t bytes[4000];
    weir_packet packet;
    GIVES(weir_send(loopback.socket, bytes, sizeof(bytes)), 0);
    GIVES(weir_send(loopback.socket, bytes, 1000), 0);
    peer_finish(loopback.peer);
    uint64_t before = now_ms();
    GIVES(weir_recv(loopback.socket, 0, WAIT_MS, &packet), WEIR_CLOSED);
    settle(loopback.listener);
    cr_expect(now_ms() - before < AT_ONCE_MS);
    cr_expect(peer_drain(loopback.peer) == 5000);
    loopback_close(&loopback);
}

Test(close, shutting_down_waits_for_the_queue)
{
    uint64_t queue;
    struct loopback loopback = open_filled("", &queue);
    GIVES(weir_shutdown(loopback.socket, WEIR_WRITE), 0);
    peer_say(loopback.peer, "late");
    expect_received(loopback.socket, 0, "late");
    cr_expect(peer_drain(loopback.peer) == FILL_BYTES);
    peer_say(loopback.peer, "later");
    expect_received(loopback.socket, 0, "later");
    loopback_close(&loopback);
}

/* In whichever order the halves are asked for; the reading one alone is shut at once. */
static void shut_both(const char *active, const enum weir_how *hows)
{
    uint64_t queue;
    weir_packet packet;
    struct loopback loopback = open_filled("", &queue);
    bool is_active = *active == 't';
    GIVES(set(loopback.socket, is_active ? "[{active,true}]" : "[]"), 0);
    for (; *hows != WEIR_READ; hows++)
        GIVES(weir_shutdown(loopback.socket, *hows), 0);
    peer_say(loopback.peer, "reply");
    if (is_active)
        expect_text(&loopback, "reply");
    else
        expect_received(loopback.socket, 0, "reply");
    expect_quiet(&loopback);
    cr_expect(queued(loopback.socket) > 0);
    cr_expect(peer_drain(loopback.peer) == FILL_BYTES);
    if (is_active)
        expect_told(&loopback, WEIR_MESSAGE_CLOSED, 0);
    else
        GIVES(weir_recv(loopback.socket, 0, WAIT_MS, &packet), WEIR_CLOSED);
    loopback_close(&loopback);
}

Test(close, shutting_both_down_waits_for_the_queue)
{
    static const enum weir_how hows[][3] = {{WEIR_READ_WRITE, WEIR_READ},
                                            {WEIR_WRITE, WEIR_READ_WRITE, WEIR_READ},
                                            {WEIR_READ_WRITE, WEIR_WRITE, WEIR_READ}};
    for (size_t i = 0; i < 3; i++) {
        shut_both("true", hows[i]);
        shut_both("false", hows[i]);
    }
}

Test(close, the_reading_half_is_shut_at_once)
{
    uint64_t queue;
    weir_packet packet;
    struct loopback loopback = open_filled("", &queue);
    GIVES(weir_shutdown(loopback.socket, WEIR_WRITE), 0);
    GIVES(weir_shutdown(loopback.socket, WEIR_READ), 0);
    GIVES(weir_recv(loopback.socket, 0, WAIT_MS, &packet), WEIR_CLOSED);
    cr_expect(peer_drain(loopback.peer) == FILL_BYTES);
    loopback_close(&loopback);
}

Test(close, a_send_after_shutting_down_loses_the_socket)
{
    struct loopback loopback = loopback_open("[{active,false}]");
    GIVES(weir_shutdown(loopback.socket, WEIR_WRITE), 0);
    GIVES(weir_send(loopback.socket, "x", 1), WEIR_CLOSED);
    GIVES(weir_send(loopback.socket, "x", 1), -ENOTCONN);
    GIVES(weir_shutdown(loopback.socket, WEIR_WRITE), -ENOTCONN);
    loopback_close(&loopback);
}

Test(close, a_send_while_shutting_down_drops_the_queue)
{
    uint64_t queue;
    struct loopback loopback = open_filled("", &queue);
    GIVES(weir_shutdown(loopback.socket, WEIR_READ_WRITE), 0);
    GIVES(weir_send(loopback.socket, "x", 1), WEIR_CLOSED);
    GIVES(weir_send(loopback.socket, "x", 1), -ENOTCONN);
    EVENTUALLY(queued(loopback.socket) == 0); /* the kernel gives the last bytes back */
    cr_expect(peer_drain(loopback.peer) < FILL_BYTES / 2);
    loopback_close(&loopback);
}

Test(close, an_owner_that_dies_leaves_its_bytes_to_be_sent)
{
    uint64_t queue;
    struct loopback loopback = open_filled("", &queue);
    weir_mailbox_destroy(loopback.mailbox);
    GIVES(weir_mailbox_create(&loopback.mailbox), 0);
    GIVES(weir_send(loopback.socket, "x", 1), WEIR_CLOSED);
    cr_expect(peer_drain(loopback.peer) == FILL_BYTES);
    loopback_close(&loopback);
}

Test(close, exit_on_close_false_goes_on_sending)
{
    struct loopback loopback = loopback_open("[{active,true},{exit_on_close,false}]");
    peer_finish(loopback.peer);
    expect_told(&loopback, WEIR_MESSAGE_CLOSED, 0);
    GIVES(weir_send(loopback.socket, "still", 5), 0);
    peer_expect(loopback.peer, "still");
    weir_close(loopback.socket);
    peer_expect_end(loopback.peer);
    loopback_close(&loopback);
}

Test(close, the_peers_end_leaves_the_queue_to_be_sent)
{
    uint64_t queue;
    struct loopback loopback = open_filled("", &queue);
    weir_packet packet;
    peer_finish(loopback.peer);
    GIVES(weir_recv(loopback.socket, 0, WAIT_MS, &packet), WEIR_CLOSED);
    GIVES(weir_send(loopback.socket, "x", 1), WEIR_CLOSED);
    GIVES(weir_send(loopback.socket, "x", 1), -ENOTCONN);
    cr_expect(peer_drain(loopback.peer) == FILL_BYTES);
    loopback_close(&loopback);
}

Test(close, stopping_resets_what_it_cannot_send)
{
    uint64_t queue;
    struct loopback loopback = open_filled("", &queue);
    uint64_t before = now_ms();
    weir_stop(loopback.runtime);
    cr_expect(now_ms() - before < AT_ONCE_MS);
    peer_expect_reset(loopback.peer);
    loopback.runtime = NULL;
    peer_leave(&loopback.peer);
    weir_mailbox_destroy(loopback.mailbox);
}

Test(close, an_active_owner_is_told_of_a_socket_lost_by_a_send_after_shutting_down)
{
    struct loopback loopback = loopback_open("[{active,true}]");
    GIVES(weir_shutdown(loopback.socket, WEIR_WRITE), 0);
    GIVES(weir_send(loopback.socket, "x", 1), WEIR_CLOSED);
    expect_told(&loopback, WEIR_MESSAGE_CLOSED, 0);
    GIVES(weir_send(loopback.socket, "x", 1), WEIR_CLOSED);
    loopback_close(&loopback);
}
