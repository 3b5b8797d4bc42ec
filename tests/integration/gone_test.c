/* SPDX-License-Identifier: MIT */
/* `gone`: once for every connection, the last of all, however it ends. */
#include "support/loopback.h"

#include <errno.h>
#include <string.h>

/* One connection's: what its handler has been told. */
struct life {
    struct loopback loopback;
    weir_socket service;
    uint32_t accepted;
    uint32_t closed;
    uint32_t answers; /* of _async calls */
    uint32_t gone;
    uint32_t late;     /* told of after `gone` */
    uint32_t released; /* what holds up its scheduler */
};

static uint32_t look(const uint32_t *count)
{
    return __atomic_load_n(count, __ATOMIC_ACQUIRE);
}

static void note(struct life *life, uint32_t *count)
{
    life->late += life->gone;
    __atomic_fetch_add(count, 1, __ATOMIC_RELEASE);
}

static void on_accepted(weir_socket socket, void *data)
{
    struct life *life = data;
    life->loopback.socket = socket;
    note(life, &life->accepted);
}

/* A packet is a command. */
static void on_packet(weir_socket socket, const weir_packet *packet, void *data)
{
    struct life *life = data;
    life->late += life->gone;
    if (packet->bytes[0] == 'c') {
        weir_close(socket);
        cr_expect(life->gone == 0, "gone came under weir_close");
    }
}

static void on_passive(weir_socket socket, void *data)
{
    (void)socket;
    ((struct life *)data)->late += ((struct life *)data)->gone;
}

static void on_error(weir_socket socket, int error, void *data)
{
    (void)error;
    on_passive(socket, data);
}

static void on_closed(weir_socket socket, void *data)
{
    (void)socket;
    note(data, &((struct life *)data)->closed);
}

static void on_gone(weir_socket socket, void *data)
{
    struct life *life = data;
    cr_expect(weir_same_socket(socket, life->loopback.socket));
    cr_expect(weir_send(socket, "x", 1) == WEIR_CLOSED, "the handle lives");
    note(life, &life->gone);
}

static const weir_handler handler = {
    .accepted = on_accepted,
    .packet = on_packet,
    .passive = on_passive,
    .unbusy = on_passive,
    .error = on_error,
    .closed = on_closed,
    .gone = on_gone,
};

static void begin(struct life *life, const char *text)
{
    weir_option *options;
    *life = (struct life){.loopback = loopback_start(&(weir_config){.schedulers = 2})};
    GIVES(weir_options_parse(text, &options), 0);
    GIVES(weir_tcp_serve(life->loopback.runtime, "127.0.0.1", 0, options,
                         weir_handled_by(&handler, life), &life->service),
          0);
    weir_options_free(options);
    life->loopback.peer = peer_connect(weir_port(life->service));
    EVENTUALLY(look(&life->accepted) == 1);
}

/* Stops before it looks: nothing may come after that, and what is owed comes before. */
static void finish(struct life *life)
{
    loopback_close(&life->loopback);
    cr_assert(life->accepted == 1 && life->gone == 1, "accepted %u, gone %u", life->accepted,
              life->gone);
    cr_assert(life->late == 0, "%u callbacks after gone", life->late);
}

static void expect_gone(struct life *life)
{
    EVENTUALLY(look(&life->gone) == 1);
}

Test(gone, the_peer_leaves)
{
    struct life life;
    begin(&life, "[{packet,1}]");
    peer_leave(&life.loopback.peer);
    expect_gone(&life);
    cr_assert(life.closed == 1);
    finish(&life);
}

Test(gone, the_peer_resets)
{
    struct life life;
    begin(&life, "[{show_econnreset,true}]");
    peer_reset(&life.loopback.peer);
    expect_gone(&life);
    finish(&life);
}

Test(gone, a_packet_that_cannot_be_framed)
{
    struct life life;
    begin(&life, "[{packet,4},{packet_size,10}]");
    peer_write(life.loopback.peer, "\0\1\0\0", 4);
    expect_gone(&life);
    finish(&life);
}

Test(gone, closed_in_a_callback)
{
    struct life life;
    begin(&life, "[{packet,1}]");
    peer_say(life.loopback.peer, "\1c");
    expect_gone(&life);
    cr_assert(life.closed == 0);
    finish(&life);
}

Test(gone, closed_by_a_thread)
{
    struct life life;
    begin(&life, "[]");
    weir_close(life.loopback.socket);
    expect_gone(&life);
    finish(&life);
}

static void close_it(void *data)
{
    struct life *life = data;
    weir_close(life->loopback.socket);
}

Test(gone, closed_on_each_scheduler)
{
    for (uint32_t scheduler = 0; scheduler < 2; scheduler++) {
        struct life life;
        begin(&life, "[]");
        run_there(life.loopback.runtime, scheduler, close_it, &life);
        expect_gone(&life);
        finish(&life);
    }
}

Test(gone, an_active_socket_at_a_stop)
{
    struct life life;
    begin(&life, "[{active,true}]");
    finish(&life);
    cr_assert(life.closed == 1);
}

Test(gone, a_passive_socket_at_a_stop)
{
    struct life life;
    begin(&life, "[{active,false}]");
    finish(&life);
    cr_assert(life.closed == 0);
}

Test(gone, a_passive_socket_whose_peer_has_left_at_a_stop)
{
    struct life life;
    begin(&life, "[{active,false}]");
    peer_leave(&life.loopback.peer);
    finish(&life);
}

Test(gone, half_closed_and_kept)
{
    struct life life;
    begin(&life, "[{exit_on_close,false}]");
    peer_finish(life.loopback.peer);
    EVENTUALLY(look(&life.closed) == 1);
    cr_assert(look(&life.gone) == 0);
    weir_close(life.loopback.socket);
    expect_gone(&life);
    finish(&life);
}

Test(gone, an_owner_that_gives_up_after_send_timeout_close)
{
    struct life life;
    begin(&life, "[{active,false},{send_timeout,10},{send_timeout_close,true},"
                 "{high_watermark,100},{low_watermark,50}," SMALL_BUFFERS "]");
    static char bytes[FILL_BYTES];
    GIVES(weir_send(life.loopback.socket, bytes, sizeof(bytes)), 0);
    (void)settled_queue(&life.loopback);
    GIVES(weir_send(life.loopback.socket, "x", 1), WEIR_TIMEOUT);
    weir_close(life.loopback.socket);
    expect_gone(&life);
    finish(&life);
}

Test(gone, only_when_the_queue_has_been_sent)
{
    struct life life;
    begin(&life, "[{active,false}," SMALL_BUFFERS "]");
    fill_queue(&life.loopback);
    weir_close(life.loopback.socket);
    settle(life.service);
    cr_assert(look(&life.gone) == 0);
    cr_assert(peer_drain(life.loopback.peer) == FILL_BYTES);
    expect_gone(&life);
    finish(&life);
}

Test(gone, a_queue_that_is_thrown_away)
{
    struct life life;
    begin(&life, "[{active,false},{linger,{true,0}}," SMALL_BUFFERS "]");
    fill_queue(&life.loopback);
    weir_close(life.loopback.socket);
    expect_gone(&life);
    finish(&life);
}

static void on_sent(weir_socket socket, int result, void *data)
{
    (void)socket;
    (void)result;
    note(data, &((struct life *)data)->answers);
}

static void on_received(weir_socket socket, int result, const weir_packet *packet, void *data)
{
    (void)packet;
    on_sent(socket, result, data);
}

static void send_and_close(void *data)
{
    struct life *life = data;
    for (int i = 0; i < 3; i++)
        GIVES(weir_send_async(life->loopback.socket, "x", 1, on_sent, life), 0);
    weir_close(life->loopback.socket);
    cr_expect(life->gone == 0);
}

static void receive_send_and_close(void *data)
{
    struct life *life = data;
    GIVES(weir_recv_async(life->loopback.socket, 0, WEIR_INFINITY, on_received, life), 0);
    send_and_close(data);
}

/* Where the socket lives; the service is on the first. */
static uint32_t scheduler_of(const struct life *life)
{
    return (uint32_t)(life->loopback.socket.id >> 56 != life->service.id >> 56);
}

static void on_its_scheduler(struct life *life, void (*work)(void *))
{
    run_there(life->loopback.runtime, scheduler_of(life), work, life);
}

/* With {linger,{true,0}} nothing is in flight when it is closed, and the sends not yet answered. */
static void expect_gone_after_answers(const char *options, void (*work)(void *), uint32_t answers)
{
    struct life life;
    begin(&life, options);
    on_its_scheduler(&life, work);
    expect_gone(&life);
    cr_assert(life.answers == answers);
    finish(&life);
}

Test(gone, after_the_answers_to_async_calls)
{
    static const char *const options[] = {"[{active,false}]", "[{active,false},{delay_send,true}]",
                                          "[{active,false},{linger,{true,0}}]"};
    for (int i = 0; i < 3; i++) {
        expect_gone_after_answers(options[i], send_and_close, 3);
        expect_gone_after_answers(options[i], receive_send_and_close, 4);
    }
}

static void hold_up(void *data)
{
    const struct life *life = data;
    while (look(&life->released) == 0)
        ;
}

static void close_there(void *data)
{
    weir_close(((struct life *)data)->loopback.socket);
}

/* A thread's, that come in one turn with the end, which throws away what they send. */
Test(gone, after_the_answers_to_a_threads_calls)
{
    struct life life;
    begin(&life, "[{active,false},{linger,{true,0}}]");
    const struct loopback *loopback = &life.loopback;
    GIVES(weir_run_on(loopback->runtime, scheduler_of(&life), hold_up, &life), 0);
    for (int i = 0; i < 3; i++)
        GIVES(weir_send_async(loopback->socket, "x", 1, on_sent, &life), 0);
    GIVES(weir_run_on(loopback->runtime, scheduler_of(&life), close_there, &life), 0);
    __atomic_store_n(&life.released, 1, __ATOMIC_RELEASE);
    expect_gone(&life);
    cr_assert(life.answers == 3);
    finish(&life);
}

Test(gone, comes_to_the_last_owner_alone)
{
    struct life first;
    struct life second = {0};
    begin(&first, "[{active,false}]");
    second.loopback.socket = first.loopback.socket;
    weir_owner from = weir_handled_by(&handler, &first);
    weir_owner to = weir_handled_by(&handler, &second);
    GIVES(weir_controlling_process(first.loopback.socket, to, to), WEIR_NOT_OWNER);
    GIVES(weir_controlling_process(first.loopback.socket, from, to), 0);
    weir_close(first.loopback.socket);
    GIVES(weir_controlling_process(first.loopback.socket, to, from), WEIR_CLOSED);
    EVENTUALLY(look(&second.gone) == 1);
    loopback_close(&first.loopback);
    cr_assert(first.gone == 0 && second.gone == 1);
}

Test(gone, with_the_data_that_was_set_last)
{
    struct life first;
    struct life second = {0};
    begin(&first, "[{active,false}]");
    second.loopback.socket = first.loopback.socket;
    GIVES(weir_set_data(first.loopback.socket, &second), 0);
    loopback_close(&first.loopback);
    cr_assert(first.gone == 0 && second.gone == 1);
}

Test(gone, of_connections_that_were_made_and_of_no_other)
{
    struct life life = {.loopback = loopback_start(NULL)};
    weir_owner owner = weir_handled_by(&handler, &life);
    const weir_option *options = WEIR_OPTIONS(WEIR_ACTIVE(WEIR_ACTIVE_FALSE));
    weir_runtime *runtime = life.loopback.runtime;
    weir_socket socket;
    int port;
    int fd = peer_bind(&port);
    GIVES(weir_tcp_connect(runtime, "127.0.0.1", (uint16_t)port, options, owner, WAIT_MS, &socket),
          -ECONNREFUSED);
    peer_leave(&fd);
    fd = peer_listen(5, &port);
    GIVES(weir_tcp_connect(runtime, "127.0.0.1", (uint16_t)port, options, owner, WAIT_MS,
                           &life.loopback.socket),
          0);
    cr_assert(look(&life.gone) == 0);
    peer_leave(&fd);
    loopback_close(&life.loopback);
    cr_assert(life.gone == 1 && life.late == 0);
}

Test(gone, an_accept_that_was_given_up_and_a_listener_have_none)
{
    struct life life = {.loopback = loopback_start(NULL)};
    weir_owner owner = weir_handled_by(&handler, &life);
    weir_socket socket;
    life.loopback.listener = listen_with(life.loopback.runtime, "[{active,false}]");
    GIVES(weir_tcp_accept(life.loopback.listener, owner, 0, &socket), WEIR_TIMEOUT);
    GIVES(weir_tcp_serve(life.loopback.runtime, "127.0.0.1", 0, NULL, owner, &life.service), 0);
    weir_close(life.service);
    loopback_close(&life.loopback);
    cr_assert(life.gone == 0);
}
