/* SPDX-License-Identifier: MIT */
/* Few places in a service, given back and waited for by all schedulers at once, and then the
 * service ends in one way or another while some wait: who is forgotten waits for ever. The same of
 * a listener whose connections threads accept, behind headers. */
#include "peer.h"

#include <pthread.h>
#include <stdatomic.h>
#include <string.h>
#include <unistd.h>

#include "base/check.h"
#include "base/memory.h"

enum { SCHEDULERS = 3, PLACES = 2, VISITORS = 6, VISITS = 50, STAYING = 5, ACCEPTORS = 2 };

static atomic_int live_count;
static atomic_int answered_count;
static const char *header = "";

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
        CHECK(peer_write(peer, header, strlen(header)));
        CHECK(peer_write(peer, "x", 1) && peer_read(peer, &back, 1));
        close(peer);
    }
    return NULL;
}

static void expect_all_answered(int port)
{
    pthread_t visitors[VISITORS];
    atomic_store(&answered_count, 0);
    for (int i = 0; i < VISITORS; i++)
        CHECK_EQ(pthread_create(&visitors[i], NULL, visit, &port), 0);
    for (int i = 0; i < VISITORS; i++)
        pthread_join(visitors[i], NULL);
    CHECK_EQ(atomic_load(&answered_count), VISITORS * VISITS);
}

static void expect_all_served(weir_runtime *runtime)
{
    weir_socket listener;
    expect_all_answered(serve(runtime, WEIR_OPTIONS(WEIR_MAX_CONNECTIONS(PLACES)),
                              weir_handled_by(&handler, NULL), &listener));
    CHECK_EQ(weir_close(listener), 0);
}

static void *accept_all(void *data)
{
    const weir_socket *listener = data;
    weir_socket socket;
    int result;
    while ((result = weir_tcp_accept(*listener, weir_handled_by(&handler, NULL), WEIR_INFINITY,
                                     &socket)) == 0)
        on_accepted(socket, NULL);
    CHECK_EQ(result, WEIR_CLOSED);
    return NULL;
}

static void expect_all_accepted(weir_runtime *runtime)
{
    weir_socket listener;
    pthread_t acceptors[ACCEPTORS];
    CHECK_EQ(weir_tcp_listen(runtime, "127.0.0.1", 0,
                             WEIR_OPTIONS(WEIR_MAX_CONNECTIONS(PLACES), WEIR_PROXY_PROTOCOL(true),
                                          WEIR_PROXY_TIMEOUT(3600000)),
                             &listener),
             0);
    for (int i = 0; i < ACCEPTORS; i++)
        CHECK_EQ(pthread_create(&acceptors[i], NULL, accept_all, &listener), 0);
    header = "PROXY UNKNOWN\r\n";
    expect_all_answered(weir_port(listener));
    CHECK_EQ(weir_close(listener), 0);
    for (int i = 0; i < ACCEPTORS; i++)
        pthread_join(acceptors[i], NULL);
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
    expect_all_accepted(runtime);
    for (int i = 0; i < ENDS; i++) {
        end_while_some_wait(runtime, weir_close);
        end_while_some_wait(runtime, weir_leave);
    }
    weir_stop(runtime);
    CHECK_EQ(memory_live_count(), 0);
}
