/* SPDX-License-Identifier: MIT */
/* {idle_timeout,_}: whom it ends, what its owner is told, and whom it leaves alone. */
#include "support/loopback.h"

#include <errno.h>
#include <stdatomic.h>
#include <stdio.h>

#include "base/memory.h"

enum { IDLE_MS = 60 };

static uint64_t idle_timeouts(const struct loopback *loopback)
{
    weir_totals totals;
    GIVES(weir_get_totals(loopback->runtime, -1, &totals), 0);
    return totals.idle_timeouts;
}

Test(idle, an_active_owner_is_told_timeout_and_closed)
{
    struct loopback loopback = loopback_open("[{active,true},{idle_timeout,60}]");
    uint64_t start_ms = now_ms();
    expect_told(&loopback, WEIR_MESSAGE_ERROR, WEIR_TIMEOUT);
    cr_expect(now_ms() - start_ms + 5 >= IDLE_MS, "after %lu ms",
              (unsigned long)(now_ms() - start_ms));
    expect_told(&loopback, WEIR_MESSAGE_CLOSED, 0);
    peer_expect_end(loopback.peer);
    GIVES(weir_send(loopback.socket, "x", 1), WEIR_CLOSED);
    EVENTUALLY(idle_timeouts(&loopback) == 1);
    loopback_close(&loopback);
}

Test(idle, exit_on_close_has_no_say)
{
    struct loopback loopback =
        loopback_open("[{active,true},{exit_on_close,false},{idle_timeout,60}]");
    expect_told(&loopback, WEIR_MESSAGE_ERROR, WEIR_TIMEOUT);
    expect_told(&loopback, WEIR_MESSAGE_CLOSED, 0);
    peer_expect_end(loopback.peer);
    GIVES(weir_send(loopback.socket, "x", 1), WEIR_CLOSED);
    loopback_close(&loopback);
}

Test(idle, who_waits_in_recv_is_told_timeout)
{
    weir_packet packet;
    struct loopback loopback = loopback_open("[{active,false},{idle_timeout,60}]");
    GIVES(weir_recv(loopback.socket, 0, WAIT_MS, &packet), WEIR_TIMEOUT);
    GIVES(weir_recv(loopback.socket, 0, WAIT_MS, &packet), WEIR_CLOSED);
    peer_expect_end(loopback.peer);
    loopback_close(&loopback);
}

/* Bytes count, not packets: these are never one. */
Test(idle, a_byte_now_and_then_keeps_it)
{
    struct loopback loopback = loopback_open("[{active,true},{packet,4},{idle_timeout,300}]");
    uint64_t start_ms = now_ms();
    peer_write(loopback.peer, "\0\1\0\0", 4);
    while (now_ms() < start_ms + 1000) {
        weir_message message;
        peer_write(loopback.peer, "x", 1);
        GIVES(weir_mailbox_receive(loopback.mailbox, 20, &message), WEIR_TIMEOUT);
    }
    expect_told(&loopback, WEIR_MESSAGE_ERROR, WEIR_TIMEOUT);
    expect_told(&loopback, WEIR_MESSAGE_CLOSED, 0);
    loopback_close(&loopback);
}

Test(idle, bytes_that_go_out_keep_it)
{
    struct loopback loopback = loopback_open("[{active,true},{idle_timeout,300}]");
    uint64_t start_ms = now_ms();
    while (now_ms() < start_ms + 1000) {
        weir_message message;
        GIVES(weir_send(loopback.socket, "x", 1), 0);
        GIVES(weir_mailbox_receive(loopback.mailbox, 20, &message), WEIR_TIMEOUT);
    }
    expect_told(&loopback, WEIR_MESSAGE_ERROR, WEIR_TIMEOUT);
    loopback_close(&loopback);
}

/* Nothing goes out, and nothing will: what is queued is not waited for. */
Test(idle, a_peer_that_does_not_read_is_reset)
{
    struct loopback loopback =
        loopback_open("[{active,true}," SMALL_BUFFERS ",{high_watermark,10000000}]");
    fill_queue(&loopback);
    settled_queue(&loopback);
    GIVES(set(loopback.socket, "[{idle_timeout,60}]"), 0);
    expect_told(&loopback, WEIR_MESSAGE_ERROR, WEIR_TIMEOUT);
    expect_told(&loopback, WEIR_MESSAGE_CLOSED, 0);
    cr_expect(peer_drain(loopback.peer) == -ECONNRESET);
    loopback_close(&loopback);
}

Test(idle, it_is_set_read_and_ended_by_options)
{
    struct loopback loopback = loopback_open("[{active,true},{idle_timeout,300}]");
    weir_message message;
    cr_expect(get(loopback.socket, WEIR_OPTION_IDLE_TIMEOUT) == 300);
    GIVES(set(loopback.socket, "[{idle_timeout,infinity}]"), 0);
    cr_expect(get(loopback.socket, WEIR_OPTION_IDLE_TIMEOUT) == -1);
    GIVES(weir_setopts(loopback.socket, WEIR_OPTIONS(WEIR_IDLE_TIMEOUT(0))), -EINVAL);
    GIVES(weir_mailbox_receive(loopback.mailbox, 700, &message), WEIR_TIMEOUT);
    peer_say(loopback.peer, "hello");
    expect_text(&loopback, "hello");
    GIVES(set(loopback.socket, "[{idle_timeout,60}]"), 0);
    expect_told(&loopback, WEIR_MESSAGE_ERROR, WEIR_TIMEOUT);
    loopback_close(&loopback);
}

Test(idle, without_memory_it_is_not_set)
{
    struct loopback loopback = loopback_open("[{active,true}]");
    int result = -ENOMEM;
    for (uint64_t nth = 1; result < 0; nth++) {
        memory_fail_nth(nth);
        result = weir_setopts(loopback.socket, WEIR_OPTIONS(WEIR_IDLE_TIMEOUT(3600000)));
        memory_fail_nth(0);
        cr_assert(result == 0 || result == -ENOMEM);
        GIVES(get(loopback.socket, WEIR_OPTION_IDLE_TIMEOUT), result == 0 ? 3600000 : -1);
    }
    loopback_close(&loopback);
}

Test(idle, a_connected_socket_has_it_too)
{
    struct loopback loopback = loopback_start(NULL);
    int port;
    int listener = peer_listen(5, &port);
    GIVES(weir_tcp_connect(loopback.runtime, "127.0.0.1", (uint16_t)port,
                           WEIR_OPTIONS(WEIR_IDLE_TIMEOUT(IDLE_MS)),
                           weir_mailed_to(loopback.mailbox), WAIT_MS, &loopback.socket),
          0);
    expect_told(&loopback, WEIR_MESSAGE_ERROR, WEIR_TIMEOUT);
    expect_told(&loopback, WEIR_MESSAGE_CLOSED, 0);
    peer_leave(&listener);
    loopback_close(&loopback);
}

/* A handler. */

struct told {
    atomic_int error;
    atomic_int closed;
    atomic_int gone;
};

static void on_error(weir_socket socket, int error, void *data)
{
    struct told *told = data;
    (void)socket;
    cr_expect(!atomic_load(&told->closed));
    atomic_store(&told->error, error);
}

static void on_closed(weir_socket socket, void *data)
{
    struct told *told = data;
    (void)socket;
    atomic_fetch_add(&told->closed, 1);
}

static void on_gone(weir_socket socket, void *data)
{
    struct told *told = data;
    (void)socket;
    atomic_fetch_add(&told->gone, 1);
}

static const weir_handler handler = {.error = on_error, .closed = on_closed, .gone = on_gone};

static void expect_gone(bool active)
{
    struct loopback loopback = loopback_start(&(weir_config){.schedulers = 2});
    struct told told = {0};
    weir_socket service;
    GIVES(weir_tcp_serve(loopback.runtime, "127.0.0.1", 0,
                         WEIR_OPTIONS(WEIR_ACTIVE(active ? WEIR_ACTIVE_TRUE : WEIR_ACTIVE_FALSE),
                                      WEIR_IDLE_TIMEOUT(IDLE_MS)),
                         weir_handled_by(&handler, &told), &service),
          0);
    int peer = peer_connect(weir_port(service));
    EVENTUALLY(atomic_load(&told.gone) == 1);
    cr_expect(atomic_load(&told.error) == (active ? WEIR_TIMEOUT : 0));
    cr_expect(atomic_load(&told.closed) == active);
    peer_expect_end(peer);
    peer_leave(&peer);
    loopback_close(&loopback);
}

Test(idle, a_handler_is_told_gone_in_the_end)
{
    expect_gone(true);
    expect_gone(false);
}
