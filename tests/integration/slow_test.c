/* SPDX-License-Identifier: MIT */
/* Callbacks that take long are told of, by which one it was; others are not. */
#include "support/loopback.h"

#include <stdatomic.h>

enum { SLOW_US = 20000 };

static struct {
    atomic_int count;
    void (*function)(void);
    uint64_t took_ns;
    int scheduler;
} told;

static void tell(const weir_slow_callback *slow)
{
    cr_expect(slow->file && slow->offset > 0);
    told.function = slow->function;
    told.took_ns = slow->took_ns;
    told.scheduler = slow->scheduler;
    atomic_fetch_add(&told.count, 1);
}

static void take_long(void)
{
    for (uint64_t until_ms = now_ms() + SLOW_US / 1000 + 2; now_ms() < until_ms;)
        continue;
}

static void expect_slow(int count, void (*function)(void))
{
    EVENTUALLY(atomic_load(&told.count) == count);
    cr_expect(told.function == function);
    cr_expect(told.took_ns >= SLOW_US * UINT64_C(1000));
    cr_expect(told.scheduler == 0);
}

static void slow_work(void *data)
{
    (void)data;
    take_long();
}

static void quick_work(void *data)
{
    (void)data;
}

static void slow_timer(weir_timer timer, void *data)
{
    (void)timer;
    (void)data;
    take_long();
}

static void slow_packet(weir_socket socket, const weir_packet *packet, void *data)
{
    (void)socket;
    (void)packet;
    (void)data;
    take_long();
}

static void slow_gone(weir_socket socket, void *data)
{
    (void)socket;
    (void)data;
    take_long();
}

static void slow_visit(weir_socket socket, int result, void *socket_data, void *data)
{
    (void)socket;
    (void)result;
    (void)socket_data;
    (void)data;
    take_long();
}

static void slow_answer(weir_socket socket, int result, const weir_packet *packet, void *data)
{
    (void)socket;
    (void)result;
    (void)packet;
    (void)data;
    take_long();
}

static const weir_handler handler = {.packet = slow_packet, .gone = slow_gone};

#define FUNCTION(name) ((void (*)(void))(name))

static struct loopback start(uint32_t slow_us)
{
    const weir_config config = {
        .schedulers = 1, .slow_callback_us = slow_us, .slow_callback = tell};
    return loopback_start(&config);
}

Test(slow, each_kind_of_callback_is_told_of)
{
    struct loopback loopback = start(SLOW_US);
    weir_socket service;
    run_there(loopback.runtime, 0, quick_work, NULL);
    cr_expect(atomic_load(&told.count) == 0);
    GIVES(weir_run_on(loopback.runtime, 0, slow_work, NULL), 0);
    expect_slow(1, FUNCTION(slow_work));
    GIVES(weir_timer_start(loopback.runtime, 0, 0, 0, slow_timer, NULL, NULL), 0);
    expect_slow(2, FUNCTION(slow_timer));
    GIVES(weir_tcp_serve(loopback.runtime, "127.0.0.1", 0,
                         WEIR_OPTIONS(WEIR_ACTIVE(WEIR_ACTIVE_TRUE)),
                         weir_handled_by(&handler, NULL), &service),
          0);
    int peer = peer_connect(weir_port(service));
    peer_say(peer, "x");
    expect_slow(3, FUNCTION(slow_packet));
    GIVES(weir_run_for(service, slow_visit, NULL), 0);
    expect_slow(4, FUNCTION(slow_visit));
    peer_leave(&peer);
    expect_slow(5, FUNCTION(slow_gone));
    GIVES(weir_recv_async(service, 0, 0, slow_answer, NULL), 0);
    expect_slow(6, FUNCTION(slow_answer));
    loopback_close(&loopback);
}

static bool slow_wants(weir_socket socket, void *socket_data, void *data)
{
    (void)socket;
    (void)socket_data;
    (void)data;
    take_long();
    return false;
}

static void slow_left_out(weir_socket socket, int error, void *socket_data, void *data)
{
    (void)socket;
    (void)error;
    (void)socket_data;
    (void)data;
    take_long();
}

static void slow_done(const weir_broadcast_counts *counts, void *data)
{
    (void)counts;
    (void)data;
    take_long();
}

static void release_nothing(void *data)
{
    (void)data;
}

/* The message is too long for the one connection. */
Test(slow, those_of_a_broadcast_are_told_of_too)
{
    static const char large[256];
    static const weir_handler nothing;
    const weir_owned_bytes message = {large, sizeof(large), release_nothing, NULL};
    const weir_broadcast_plan plans[] = {
        {.wants = slow_wants},
        {.left_out = slow_left_out},
        {.done = slow_done},
    };
    void (*const functions[])(void) = {FUNCTION(slow_wants), FUNCTION(slow_left_out),
                                       FUNCTION(slow_done)};
    struct loopback loopback = start(SLOW_US);
    weir_socket service;
    weir_totals totals = {0};
    GIVES(weir_tcp_serve(loopback.runtime, "127.0.0.1", 0, WEIR_OPTIONS(WEIR_PACKET(1)),
                         weir_handled_by(&nothing, NULL), &service),
          0);
    int peer = peer_connect(weir_port(service));
    EVENTUALLY((weir_get_totals(loopback.runtime, -1, &totals) == 0 && totals.accepts == 1));
    for (int i = 0; i < 3; i++) {
        GIVES(weir_broadcast(loopback.runtime, &message, &plans[i]), 0);
        expect_slow(i + 1, functions[i]);
    }
    peer_leave(&peer);
    loopback_close(&loopback);
}

Test(slow, nobody_is_told_unless_it_is_asked_for)
{
    struct loopback loopback = start(0);
    run_there(loopback.runtime, 0, slow_work, NULL);
    run_there(loopback.runtime, 0, quick_work, NULL);
    cr_expect(atomic_load(&told.count) == 0);
    loopback_close(&loopback);
}
