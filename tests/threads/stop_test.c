/* SPDX-License-Identifier: MIT */
/* A runtime that stops under load: every kind of call is being made by some thread, and each comes
 * back with an answer that a closed socket may give. */
#include "peer.h"

#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <unistd.h>

#include "base/check.h"
#include "base/memory.h"

enum { RUNS = 12, PEERS = 4 };

struct shared {
    weir_runtime *runtime;
    weir_mailbox *mailbox;
    weir_socket listener;
    weir_socket socket;
    weir_socket service;
    atomic_uint calls;
};

/* Each is called over and over until it says that the socket is dead. */
static int do_send(struct shared *shared)
{
    return weir_send(shared->socket, "0123456789", 10);
}

static int do_receive(struct shared *shared)
{
    weir_packet packet;
    int result = weir_recv(shared->socket, 0, 1, &packet);
    if (result == 0)
        weir_packet_release(&packet);
    return result;
}

static int do_accept(struct shared *shared)
{
    weir_socket socket;
    return weir_tcp_accept(shared->listener, weir_mailed_to(shared->mailbox), 1, &socket);
}

static int do_setopts(struct shared *shared)
{
    return weir_setopts(shared->socket, WEIR_OPTIONS(WEIR_NODELAY(true), WEIR_PACKET(WEIR_RAW)));
}

static int do_getstat(struct shared *shared)
{
    weir_statistics statistics;
    return weir_getstat(shared->socket, &statistics);
}

static int do_give(struct shared *shared)
{
    weir_owner owner = weir_mailed_to(shared->mailbox);
    return weir_controlling_process(shared->socket, owner, owner);
}

static int do_service(struct shared *shared)
{
    return weir_setopts(shared->service, WEIR_OPTIONS(WEIR_NODELAY(true)));
}

static int (*const calls[])(struct shared *) = {do_send,    do_receive, do_accept, do_setopts,
                                                do_getstat, do_give,    do_service};
enum { CALLS = sizeof(calls) / sizeof(calls[0]) };

struct caller {
    pthread_t thread;
    struct shared *shared;
    int (*call)(struct shared *);
};

static bool is_dead(int result)
{
    return result == WEIR_CLOSED || result == -EINVAL;
}

static void *call_until_dead(void *data)
{
    struct caller *caller = data;
    int result;
    do {
        result = caller->call(caller->shared);
        CHECK(result >= 0 || is_dead(result) || result == WEIR_TIMEOUT || result == -ENOTCONN);
        atomic_fetch_add(&caller->shared->calls, 1);
    } while (!is_dead(result));
    return NULL;
}

static void echo(weir_socket socket, const weir_packet *packet, void *data)
{
    (void)data;
    (void)!weir_send_packet(socket, packet);
}

static const weir_handler handler = {.packet = echo};

struct visitor {
    pthread_t thread;
    int peer;
};

static void *talk(void *data)
{
    struct visitor *visitor = data;
    char bytes[2002] = {2000 >> 8, (char)(2000 & 0xFF)};
    while (peer_write(visitor->peer, bytes, sizeof(bytes)) &&
           peer_read(visitor->peer, bytes, sizeof(bytes)))
        continue;
    close(visitor->peer);
    return NULL;
}

static void *swallow(void *data)
{
    int *peer = data;
    char bytes[1000];
    while (peer_read(*peer, bytes, sizeof(bytes)))
        continue;
    return NULL;
}

static void join_all(struct caller *callers, struct visitor *visitors, pthread_t swallower)
{
    for (int i = 0; i < CALLS; i++)
        pthread_join(callers[i].thread, NULL);
    for (int i = 0; i < PEERS; i++)
        pthread_join(visitors[i].thread, NULL);
    pthread_join(swallower, NULL);
}

static void run(void)
{
    struct shared shared = {0};
    struct caller callers[CALLS];
    struct visitor visitors[PEERS];
    pthread_t swallower;
    CHECK_EQ(weir_mailbox_create(&shared.mailbox), 0);
    CHECK_EQ(weir_start(&shared.runtime, &(weir_config){.schedulers = 2}), 0);
    int port = serve(shared.runtime, WEIR_OPTIONS(WEIR_PACKET(WEIR_2)),
                     weir_handled_by(&handler, NULL), &shared.service);
    CHECK_EQ(weir_tcp_listen(shared.runtime, "127.0.0.1", 0,
                             WEIR_OPTIONS(WEIR_ACTIVE(WEIR_ACTIVE_FALSE)), &shared.listener),
             0);
    int peer = peer_connect(weir_port(shared.listener));
    CHECK_EQ(
        weir_tcp_accept(shared.listener, weir_mailed_to(shared.mailbox), 60000, &shared.socket), 0);
    CHECK_EQ(pthread_create(&swallower, NULL, swallow, &peer), 0);
    for (int i = 0; i < PEERS; i++) {
        visitors[i].peer = peer_connect(port);
        CHECK_EQ(pthread_create(&visitors[i].thread, NULL, talk, &visitors[i]), 0);
    }
    for (int i = 0; i < CALLS; i++) {
        callers[i] = (struct caller){.shared = &shared, .call = calls[i]};
        CHECK_EQ(pthread_create(&callers[i].thread, NULL, call_until_dead, &callers[i]), 0);
    }
    while (atomic_load(&shared.calls) < 300)
        continue;
    weir_stop(shared.runtime);
    join_all(callers, visitors, swallower);
    close(peer);
    weir_mailbox_destroy(shared.mailbox);
}

int main(void)
{
    for (int i = 0; i < RUNS; i++)
        run();
    CHECK_EQ(memory_live_count(), 0);
}
