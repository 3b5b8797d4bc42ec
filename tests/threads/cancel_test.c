/* SPDX-License-Identifier: MIT */
/* Threads that are cancelled. No call stops half-way: each is made by a thread that is to be
 * cancelled already, and comes back. A wait in weir_mailbox_receive ends at once, and leaves the
 * mailbox to the others. */
#include "peer.h"

#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdint.h>
#include <unistd.h>

#include "base/check.h"
#include "base/memory.h"

struct world {
    weir_runtime *runtime;
    weir_mailbox *mailbox;
    weir_socket service;
    weir_socket listener;
    weir_socket socket; /* of the mailbox */
    int peer;
};

static const weir_option passive[] = {{.id = WEIR_OPTION_ACTIVE, .value.number = WEIR_ACTIVE_FALSE},
                                      {.id = WEIR_OPTION_END}};

static void do_send(struct world *world)
{
    CHECK_EQ(weir_send(world->socket, "x", 1), 0);
}

static void do_receive(struct world *world)
{
    weir_packet packet;
    CHECK_EQ(weir_recv(world->socket, 0, 1, &packet), WEIR_TIMEOUT);
}

static void do_setopts(struct world *world)
{
    CHECK_EQ(weir_setopts(world->socket, WEIR_OPTIONS(WEIR_NODELAY(true))), 0);
}

static void do_connect(struct world *world)
{
    weir_socket socket;
    int port = weir_port(world->service);
    CHECK_EQ(weir_tcp_connect(world->runtime, "127.0.0.1", (uint16_t)port, passive,
                              weir_owned_by_nobody(), WEIR_INFINITY, &socket),
             0);
    weir_close(socket);
}

static void do_connect_by_name(struct world *world)
{
    weir_socket socket;
    CHECK(weir_tcp_connect(world->runtime, "localhost", 1, passive, weir_owned_by_nobody(),
                           WEIR_INFINITY, &socket) < 0);
}

static void do_accept(struct world *world)
{
    weir_socket socket;
    CHECK_EQ(weir_tcp_accept(world->listener, weir_owned_by_nobody(), 1, &socket), WEIR_TIMEOUT);
}

static void do_listen(struct world *world)
{
    weir_socket listener;
    CHECK_EQ(weir_tcp_listen(world->runtime, "127.0.0.1", 0, NULL, &listener), 0);
    weir_close(listener);
}

static void do_serve(struct world *world)
{
    weir_socket listener;
    CHECK_EQ(weir_tcp_serve(world->runtime, "127.0.0.1", 0, NULL, weir_mailed_to(world->mailbox),
                            &listener),
             0);
    weir_close(listener);
}

static void do_drain(struct world *world)
{
    CHECK_EQ(weir_drain(world->runtime, 20), WEIR_TIMEOUT);
}

static void raise_flag(void *flag)
{
    atomic_store((atomic_bool *)flag, true);
}

static void do_run_on(struct world *world)
{
    static atomic_bool ran;
    CHECK_EQ(weir_run_on(world->runtime, 0, raise_flag, &ran), 0);
    while (!atomic_load(&ran))
        continue;
}

static void do_totals(struct world *world)
{
    weir_totals totals;
    CHECK_EQ(weir_get_totals(world->runtime, -1, &totals), 0);
}

static void do_mailbox(struct world *world)
{
    weir_mailbox *mailbox;
    weir_message message;
    (void)world;
    CHECK_EQ(weir_mailbox_create(&mailbox), 0);
    CHECK_EQ(weir_mailbox_post(mailbox, &message), 0);
    CHECK_EQ(weir_mailbox_receive(mailbox, WEIR_INFINITY, &message), 0);
    CHECK_EQ(weir_mailbox_destroy(mailbox), 0);
}

static void do_runtime(struct world *world)
{
    weir_runtime *another;
    (void)world;
    CHECK_EQ(weir_start(&another, &(weir_config){.schedulers = 1}), 0);
    CHECK_EQ(weir_stop(another), 0);
}

static void do_interfaces(struct world *world)
{
    weir_interface *interfaces;
    size_t count;
    (void)world;
    CHECK_EQ(weir_getifaddrs(&interfaces, &count), 0);
    weir_interfaces_free(interfaces);
}

static void do_load_rc(struct world *world)
{
    CHECK_EQ(weir_load_rc(world->runtime, "", "{lookup,[native]}."), 0);
}

static void (*const calls[])(struct world *) = {
    do_send,    do_receive, do_setopts, do_connect,    do_connect_by_name,
    do_accept,  do_listen,  do_run_on,  do_totals,     do_mailbox,
    do_runtime, do_drain,   do_serve,   do_interfaces, do_load_rc,
};

struct condemned {
    struct world *world;
    void (*call)(struct world *);
    bool returned;
};

static void *call_condemned(void *data)
{
    struct condemned *condemned = data;
    pthread_cancel(pthread_self()); /* at the next point that allows it */
    condemned->call(condemned->world);
    condemned->returned = true;
    pthread_testcancel();
    return NULL;
}

static void no_call_stops_half_way(struct world *world)
{
    for (size_t i = 0; i < sizeof(calls) / sizeof(calls[0]); i++) {
        struct condemned condemned = {.world = world, .call = calls[i]};
        pthread_t thread;
        void *end;
        CHECK_EQ(pthread_create(&thread, NULL, call_condemned, &condemned), 0);
        pthread_join(thread, &end);
        CHECK_EQ(i, condemned.returned ? i : SIZE_MAX);
        CHECK(end == PTHREAD_CANCELED);
    }
}

static void *wait_for_messages(void *mailbox)
{
    weir_message message;
    for (;;) {
        CHECK_EQ(weir_mailbox_receive(mailbox, WEIR_INFINITY, &message), 0);
        CHECK(message.kind == WEIR_MESSAGE_USER);
        *(bool *)message.data = true;
    }
    return NULL;
}

/* Waiters come, are cancelled, and none of the messages is lost. */
static void a_wait_is_left_to_others(weir_mailbox *mailbox)
{
    enum { ROUNDS = 300 };
    for (int i = 0; i < ROUNDS; i++) {
        pthread_t waiter;
        weir_message message;
        bool taken = false;
        CHECK_EQ(pthread_create(&waiter, NULL, wait_for_messages, mailbox), 0);
        for (int yield = i % 5; yield > 0; yield--)
            sched_yield();
        CHECK_EQ(weir_mailbox_post(mailbox, &taken), 0);
        pthread_cancel(waiter);
        pthread_join(waiter, NULL);
        int result = weir_mailbox_receive(mailbox, 0, &message);
        CHECK_EQ(result, taken ? WEIR_TIMEOUT : 0);
        CHECK_EQ(weir_mailbox_count(mailbox), 0u);
    }
}

static void *sleep_for_ever(void *unused)
{
    (void)unused;
    CHECK_EQ(weir_sleep(WEIR_INFINITY), 0);
    return NULL;
}

/* Not under the address sanitizer: a thread that is unwound leaves what guards its frames behind,
 * and the sanitizer's own end of the thread falls over that. */
static void a_sleep_ends(void)
{
    pthread_t sleeper;
    void *end;
#ifdef __SANITIZE_ADDRESS__
    return;
#endif
    CHECK_EQ(pthread_create(&sleeper, NULL, sleep_for_ever, NULL), 0);
    pthread_cancel(sleeper);
    pthread_join(sleeper, &end);
    CHECK(end == PTHREAD_CANCELED);
}

int main(void)
{
    struct world world = {0};
    a_sleep_ends();
    CHECK_EQ(weir_mailbox_create(&world.mailbox), 0);
    CHECK_EQ(weir_start(&world.runtime, &(weir_config){.schedulers = 2}), 0);
    serve(world.runtime, passive, weir_mailed_to(world.mailbox), &world.service);
    CHECK_EQ(weir_tcp_listen(world.runtime, "127.0.0.1", 0, passive, &world.listener), 0);
    world.peer = peer_connect(weir_port(world.listener));
    CHECK_EQ(weir_tcp_accept(world.listener, weir_owned_by_nobody(), 60000, &world.socket), 0);
    no_call_stops_half_way(&world);
    weir_stop(world.runtime);
    weir_mailbox_destroy(world.mailbox);
    CHECK_EQ(weir_mailbox_create(&world.mailbox), 0);
    a_wait_is_left_to_others(world.mailbox);
    weir_mailbox_destroy(world.mailbox);
    close(world.peer);
    CHECK_EQ(memory_live_count(), 0);
}
