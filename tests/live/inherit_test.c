/* SPDX-License-Identifier: MIT */
/* What accepting costs: options that the kernel gives to new connections are not set again. */
#include "live.h"

#include <string.h>

enum { COUNT = 100 };

/* Every option that is taken from the listener at accept, but for priority. */
#define COPIED                                                                            \
    "{nodelay,true},{keepalive,true},{linger,{true,3}},{tos,16},{ttl,9},{tcp_keepcnt,3}," \
    "{tcp_keepidle,30},{tcp_keepintvl,5},{user_timeout,1500}"
#define READ_COPIED                                                             \
    "[nodelay,keepalive,linger,tos,ttl,tcp_keepcnt,tcp_keepidle,tcp_keepintvl," \
    "user_timeout]"

/* How often options are set or read for so many connections that are accepted. */
static uint64_t calls_of_accepts(struct loopback *loopback, weir_socket listener, int count)
{
    uint64_t before = option_calls();
    uint64_t calls = 0;
    for (int i = 0; i < count; i++) {
        int peer = peer_connect(weir_port(listener));
        calls += option_calls() - before;
        before = option_calls();
        weir_socket socket = accept_from(loopback, listener);
        calls += option_calls() - before;
        expect_reading(socket, READ_COPIED, "[" COPIED "]");
        weir_close(socket);
        peer_leave(&peer);
        before = option_calls();
    }
    return calls;
}

static int peer_calls(void)
{
    return 2; /* peer_connect sets two of its own */
}

Test(inherit, options_of_listen_cost_nothing)
{
    struct loopback loopback = loopback_start(NULL);
    weir_socket listener = listen_on(&loopback, "127.0.0.1", "[{active,false}," COPIED "]");
    uint64_t calls = calls_of_accepts(&loopback, listener, COUNT);
    cr_expect(calls == (uint64_t)(COUNT * peer_calls()), "%lu calls", (unsigned long)calls);
    loopback_close(&loopback);
}

/* Set while one waited: that one costs, and those that were accepted and not seen at the time. */
Test(inherit, options_set_later_cost_those_that_came_before)
{
    struct loopback loopback = loopback_start(NULL);
    weir_socket listener = listen_on(&loopback, "127.0.0.1", "[{active,false},{backlog,50}]");
    int peers[10];
    for (int i = 0; i < 10; i++)
        peers[i] = peer_connect(weir_port(listener));
    GIVES(set(listener, "[" COPIED "]"), 0);
    for (int i = 0; i < 10; i++) {
        weir_socket socket = accept_from(&loopback, listener);
        expect_reading(socket, READ_COPIED, "[" COPIED "]");
        peer_leave(&peers[i]);
    }
    calls_of_accepts(&loopback, listener, 10);
    uint64_t calls = calls_of_accepts(&loopback, listener, COUNT);
    cr_expect(calls == (uint64_t)(COUNT * peer_calls()), "%lu calls", (unsigned long)calls);
    loopback_close(&loopback);
}

/* The last that was set counts, also where the kernel had the other before. */
Test(inherit, what_is_set_twice_is_inherited_as_it_was_set_last)
{
    struct loopback loopback = loopback_start(NULL);
    weir_socket listener = listen_on(&loopback, "127.0.0.1", "[{active,false}]");
    int first = peer_connect(weir_port(listener));
    GIVES(set(listener, "[{nodelay,true},{priority,2}]"), 0);
    int second = peer_connect(weir_port(listener));
    GIVES(set(listener, "[{nodelay,false},{priority,4}]"), 0);
    int third = peer_connect(weir_port(listener));
    for (int i = 0; i < 3; i++)
        expect_reading(accept_from(&loopback, listener), "[nodelay,priority]",
                       "[{nodelay,false},{priority,4}]");
    peer_leave(&first);
    peer_leave(&second);
    peer_leave(&third);
    loopback_close(&loopback);
}

/* The kernel starts every connection with priority 0. */
Test(inherit, priority_is_set_on_each)
{
    struct loopback loopback = loopback_start(NULL);
    weir_socket listener = listen_on(&loopback, "127.0.0.1", "[{active,false},{priority,5}]");
    for (int i = 0; i < 30; i++) {
        int peer = peer_connect(weir_port(listener));
        weir_socket socket = accept_from(&loopback, listener);
        expect_reading(socket, "[priority]", "[{priority,5}]");
        weir_close(socket);
        peer_leave(&peer);
    }
    loopback_close(&loopback);
}

static weir_message accepted(weir_mailbox *mailbox)
{
    weir_message message = next_message(mailbox);
    cr_assert(message.kind == WEIR_MESSAGE_ACCEPTED, "message %d", message.kind);
    return message;
}

/* A service: the handle of one stands for the listeners of all schedulers. */
Test(inherit, a_service_passes_on_what_is_set_on_its_handle)
{
    weir_config config = {.schedulers = 3};
    struct loopback loopback = loopback_start(&config);
    weir_option *options;
    weir_socket service;
    GIVES(weir_options_parse("[{active,false},{nodelay,true},{header,2},{priority,1}]", &options),
          0);
    GIVES(weir_tcp_serve(loopback.runtime, "127.0.0.1", 0, options,
                         weir_mailed_to(loopback.mailbox), &service),
          0);
    weir_options_free(options);
    GIVES(set(service, "[{keepalive,true},{header,5},{priority,6},{packet,2}]"), 0);
    int peers[30];
    for (int i = 0; i < 30; i++)
        peers[i] = peer_connect(weir_port(service));
    for (int i = 0; i < 30; i++)
        expect_reading(accepted(loopback.mailbox).socket,
                       "[active,nodelay,keepalive,header,packet,priority]",
                       "[{active,false},{nodelay,true},{keepalive,true},{header,5},{packet,2},"
                       "{priority,6}]");
    for (int i = 0; i < 30; i++)
        peer_leave(&peers[i]);
    loopback_close(&loopback);
}

/* {buffer,_} is inherited, and that it was set is not: recbuf raises it again. */
Test(inherit, that_buffer_was_set_is_not_inherited)
{
    struct loopback loopback = loopback_start(NULL);
    weir_socket listener = listen_on(&loopback, "127.0.0.1", "[{active,false},{buffer,2000}]");
    int peer = peer_connect(weir_port(listener));
    weir_socket socket = accept_from(&loopback, listener);
    GIVES(set(listener, "[{recbuf,9000}]"), 0);
    expect_reading(listener, "[buffer]", "[{buffer,2000}]");
    GIVES(set(socket, "[{recbuf,9000}]"), 0);
    expect_reading(socket, "[buffer]", "[{buffer,9000}]");
    peer_leave(&peer);
    loopback_close(&loopback);
}

/* The same when the listener is gone, and with it the only other holder of the values. */
static void serve_and_close(struct loopback *loopback, int *peer, weir_socket *socket)
{
    const weir_option options[] = {
        WEIR_ACTIVE(WEIR_ACTIVE_FALSE), WEIR_BUFFER(2000), {.id = WEIR_OPTION_END}};
    weir_socket service;
    GIVES(weir_tcp_serve(loopback->runtime, "127.0.0.1", 0, options,
                         weir_mailed_to(loopback->mailbox), &service),
          0);
    *peer = peer_connect(weir_port(service));
    *socket = accepted(loopback->mailbox).socket;
    weir_close(service);
}

Test(inherit, that_buffer_was_set_is_not_inherited_from_a_listener_that_went)
{
    struct loopback loopback = loopback_start(NULL);
    weir_socket socket;
    int peer;
    serve_and_close(&loopback, &peer, &socket);
    expect_reading(socket, "[buffer]", "[{buffer,2000}]");
    GIVES(set(socket, "[{sndbuf,9000}]"), 0);
    expect_reading(socket, "[buffer]", "[{buffer,9000}]");
    GIVES(set(socket, "[{buffer,100},{recbuf,20000}]"), 0);
    expect_reading(socket, "[buffer]", "[{buffer,100}]");
    peer_leave(&peer);
    loopback_close(&loopback);
}
