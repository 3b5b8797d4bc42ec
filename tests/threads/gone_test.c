/* SPDX-License-Identifier: MIT */
/* State of connections that is freed in `gone`, while peers, handlers, threads and the other
 * scheduler end them at the same time, and then a stop. A connection that is told of nothing
 * leaks; one that is told twice, or called afterwards, is used after it was freed. */
#include "peer.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include "base/check.h"
#include "base/memory.h"

enum { RUNS = 6, VISITORS = 4, VISITS = 60, CONNECTIONS = VISITORS * VISITS };

static atomic_uint accepted_count;
static atomic_uint gone_count;
static _Atomic(uint64_t) handles[CONNECTIONS + 1]; /* for those who close from elsewhere */

enum { ALIVE = 0x11A11FE };

struct state {
    int alive;
    unsigned number;
};

static struct state *living(void *data)
{
    struct state *state = data;
    CHECK_EQ(state->alive, ALIVE);
    return state;
}

static void close_handle(void *number)
{
    weir_close((weir_socket){atomic_load(&handles[(uintptr_t)number])});
}

static void on_accepted(weir_socket socket, void *runtime)
{
    struct state *state = memory_allocate(sizeof(*state));
    CHECK(state);
    *state = (struct state){.alive = ALIVE, .number = atomic_fetch_add(&accepted_count, 1)};
    CHECK_EQ(weir_set_data(socket, state), 0);
    atomic_store(&handles[state->number], socket.id);
    if (state->number % 3 == 0) {
        uint32_t elsewhere = (uint32_t)!weir_current_scheduler();
        CHECK_EQ(weir_run_on(runtime, elsewhere, close_handle, (void *)(uintptr_t)state->number),
                 0);
    }
}

static void on_packet(weir_socket socket, const weir_packet *packet, void *data)
{
    struct state *state = living(data);
    (void)!weir_send_packet(socket, packet);
    if (state->number % 5 == 0)
        weir_close(socket);
    else if (state->number % 7 == 0)
        (void)!weir_setopts(socket, WEIR_OPTIONS(WEIR_ACTIVE(WEIR_ACTIVE_FALSE)));
    living(data);
}

static void on_closed(weir_socket socket, void *data)
{
    (void)socket;
    living(data);
}

static void on_gone(weir_socket socket, void *data)
{
    CHECK_EQ(weir_send(socket, "x", 1), WEIR_CLOSED);
    living(data)->alive = 0;
    memory_free(data);
    atomic_fetch_add(&gone_count, 1);
}

static const weir_handler handler = {
    .accepted = on_accepted, .packet = on_packet, .closed = on_closed, .gone = on_gone};

struct visitor {
    pthread_t thread;
    int port;
    unsigned seed;
    int stay; /* a connection that is left open */
};

static void *visit(void *data)
{
    struct visitor *visitor = data;
    for (int i = 0; i < VISITS; i++) {
        char back[3];
        int peer = peer_connect(visitor->port);
        bool talks = rand_r(&visitor->seed) % 2 && peer_write(peer, "\0\1x", 3);
        if (talks && rand_r(&visitor->seed) % 2)
            (void)peer_read(peer, back, 3);
        if (i == VISITS / 2)
            visitor->stay = peer;
        else
            close(peer);
    }
    return NULL;
}

static void *close_some(void *data)
{
    unsigned seed = *(unsigned *)data;
    while (atomic_load(&accepted_count) < CONNECTIONS)
        close_handle((void *)(uintptr_t)(rand_r(&seed) % CONNECTIONS));
    return NULL;
}

static void run(unsigned seed)
{
    weir_runtime *runtime;
    weir_socket listener;
    pthread_t closer;
    struct visitor visitors[VISITORS];
    atomic_store(&accepted_count, 0);
    atomic_store(&gone_count, 0);
    CHECK_EQ(weir_start(&runtime, &(weir_config){.schedulers = 2}), 0);
    int port = serve(runtime, WEIR_OPTIONS(WEIR_PACKET(WEIR_2), WEIR_BACKLOG(500)),
                     weir_handled_by(&handler, runtime), &listener);
    CHECK_EQ(pthread_create(&closer, NULL, close_some, &seed), 0);
    for (unsigned i = 0; i < VISITORS; i++) {
        visitors[i] = (struct visitor){.port = port, .seed = seed + i};
        CHECK_EQ(pthread_create(&visitors[i].thread, NULL, visit, &visitors[i]), 0);
    }
    for (int i = 0; i < VISITORS; i++)
        pthread_join(visitors[i].thread, NULL);
    pthread_join(closer, NULL);
    weir_stop(runtime);
    for (int i = 0; i < VISITORS; i++)
        close(visitors[i].stay);
    CHECK_EQ(atomic_load(&gone_count), atomic_load(&accepted_count));
}

int main(void)
{
    unsigned seed = (unsigned)time(NULL);
    printf("seed %u\n", seed);
    for (unsigned i = 0; i < RUNS; i++)
        run(seed + 100 * i);
    CHECK_EQ(memory_live_count(), 0);
}
