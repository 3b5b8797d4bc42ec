/* SPDX-License-Identifier: MIT */
/* Few places in a service, given back and waited for by all schedulers at once, and then the
 * service ends in one way or another while some wait: who is forgotten waits for ever. */
#include "peer.h"

#include <pthread.h>
#include <stdatomic.h>
#include <unistd.h>

#include "base/check.h"
#include "base/memory.h"

enum { SCHEDULERS = 3, PLACES = 2, VISITORS = 6, VISITS = 50, STAYING = 5 };

static atomic_int live_count;
static atomic_int answered_count;

static void on_accepted(weir_socket socket, void *data)
{
    (void)socket;
    (void)data;
    CHECK_LE(atomic_fetch_add(&live_count, 1), PLACES - 1);
}

static void on_packet(weir_socket socket, const weir_packet *packet, void *data)
{
    (void)data;
    CHECK_EQ(weir_send_packet(socket, packet), 0);
    atomic_fetch_add(&answered_count, 1);
    atomic_fetch_sub(&live_count, 1);
    weir_close(socket);
}

static const weir_handler handler = {.accepted = on_accepted, .packet = on_packet};
static const weir_handler patient;

static void *visit(void *port)
{
    for (int i = 0; i < VISITS; i++) {
        char back;
        int peer = peer_connect(*(int *)port);
        CHECK(peer_write(peer, "x", 1) && peer_read(peer, &back, 1));
        close(peer);
    }
    return NULL;
}

static void expect_all_served(weir_runtime *runtime)
{
    weir_socket listener;
    pthread_t visitors[VISITORS];
    int port = serve(runtime, WEIR_OPTIONS(WEIR_MAX_CONNECTIONS(PLACES)),
                     weir_handled_by(&handler, NULL), &listener);
    for (int i = 0; i < VISITORS; i++)
        CHECK_EQ(pthread_create(&visitors[i], NULL, visit, &port), 0);
    for (int i = 0; i < VISITORS; i++)
        pthread_join(visitors[i], NULL);
    CHECK_EQ(atomic_load(&answered_count), VISITORS * VISITS);
    CHECK_EQ(weir_close(listener), 0);
}

/* Those that are there go while the listeners do. */
static void end_while_some_wait(weir_runtime *runtime, int (*end)(weir_socket listener))
{
    weir_socket listener;
    int peers[STAYING];
    int port = serve(runtime, WEIR_OPTIONS(WEIR_MAX_CONNECTIONS(PLACES)),
                     weir_handled_by(&patient, NULL), &listener);
    for (int i = 0; i < STAYING; i++)
        peers[i] = peer_connect(port);
    for (int i = 0; i < STAYING / 2; i++)
        close(peers[i]);
    CHECK_EQ(end(listener), 0);
    for (int i = STAYING / 2; i < STAYING; i++)
        close(peers[i]);
}

int main(void)
{
    enum { ENDS = 40 };
    weir_runtime *runtime;
    CHECK_EQ(weir_start(&runtime, &(weir_config){.schedulers = SCHEDULERS}), 0);
    expect_all_served(runtime);
    for (int i = 0; i < ENDS; i++) {
        end_while_some_wait(runtime, weir_close);
        end_while_some_wait(runtime, weir_leave);
    }
    weir_stop(runtime);
    CHECK_EQ(memory_live_count(), 0);
}
