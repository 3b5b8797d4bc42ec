/* SPDX-License-Identifier: MIT */
/* Calls on a runtime that stops, and on one that has stopped: each kind is being made by a thread,
 * waits or comes back, and says WEIR_CLOSED at last. Nothing is used that was freed, and a stop
 * waits for no name server. */
#include "peer.h"

#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/check.h"
#include "base/memory.h"

enum { RUNS = 10 };

struct shared {
    weir_runtime *runtime;
    weir_mailbox *mailbox;
    weir_socket listener;
    int port;
    atomic_uint begun; /* threads that have made their first call, or are waiting in it */
};

static atomic_bool answer_names;
static atomic_uint names_asked;

/* In place of the C library's: a name server that is silent until it is told to answer. */
int gethostbyname2_r(const char *name, int family, struct hostent *entry, char *buffer, size_t size,
                     struct hostent **found, int *reason)
{
    static char address[4];
    static char *addresses[] = {address, NULL};
    static char *aliases[] = {NULL};
    static char official[] = "a.name";
    (void)name;
    (void)buffer;
    (void)size;
    (void)reason;
    atomic_fetch_add(&names_asked, 1);
    while (!atomic_load(&answer_names))
        usleep(1000);
    *entry = (struct hostent){official, aliases, family, sizeof(address), addresses};
    *found = entry;
    return 0;
}

static const weir_option passive[] = {{.id = WEIR_OPTION_ACTIVE, .value.number = WEIR_ACTIVE_FALSE},
                                      {.id = WEIR_OPTION_END}};

static int do_drain(struct shared *shared)
{
    return weir_drain(shared->runtime, WEIR_INFINITY);
}

static int do_drain_briefly(struct shared *shared)
{
    return weir_drain(shared->runtime, 0);
}

static int connect_to(struct shared *shared, const char *host)
{
    weir_socket socket;
    int result = weir_tcp_connect(shared->runtime, host, (uint16_t)shared->port, passive,
                                  weir_owned_by_nobody(), WEIR_INFINITY, &socket);
    if (result == 0)
        weir_close(socket);
    return result;
}

static int do_connect(struct shared *shared)
{
    return connect_to(shared, "127.0.0.1");
}

static int do_connect_by_name(struct shared *shared)
{
    return connect_to(shared, "a.name");
}

static void opened(weir_socket socket, int result, void *data)
{
    (void)data;
    if (result == 0)
        weir_close(socket);
}

static int do_connect_async(struct shared *shared)
{
    return weir_tcp_connect_async(shared->runtime, "127.0.0.1", (uint16_t)shared->port, passive,
                                  weir_owned_by_nobody(), WEIR_INFINITY, opened, NULL);
}

static int do_listen(struct shared *shared)
{
    weir_socket listener;
    int result = weir_tcp_listen(shared->runtime, "127.0.0.1", 0, NULL, &listener);
    if (result == 0)
        weir_close(listener);
    return result;
}

static int do_serve(struct shared *shared)
{
    weir_socket listener;
    int result = weir_tcp_serve(shared->runtime, "127.0.0.1", 0, NULL,
                                weir_mailed_to(shared->mailbox), &listener);
    if (result == 0)
        weir_close(listener);
    return result;
}

static int do_totals(struct shared *shared)
{
    weir_totals totals;
    return weir_get_totals(shared->runtime, -1, &totals);
}

static void nothing(void *data)
{
    (void)data;
}

static int do_run_on(struct shared *shared)
{
    return weir_run_on(shared->runtime, 1, nothing, NULL);
}

static int do_accept(struct shared *shared)
{
    weir_socket socket;
    return weir_tcp_accept(shared->listener, weir_owned_by_nobody(), WEIR_INFINITY, &socket);
}

static int do_count(struct shared *shared)
{
    return weir_scheduler_count(shared->runtime) > 0 ? 0 : WEIR_CLOSED;
}

static int (*const calls[])(struct shared *) = {
    do_drain, do_drain_briefly, do_connect, do_connect_by_name, do_connect_async, do_listen,
    do_serve, do_totals,        do_run_on,  do_accept,          do_count,
};
enum { CALLS = sizeof(calls) / sizeof(calls[0]) };

struct caller {
    pthread_t thread;
    struct shared *shared;
    int (*call)(struct shared *);
};

/* What is said of a peer that is being stopped as well counts as an answer. */
static bool may_be(int result)
{
    return result == 0 || result == WEIR_TIMEOUT || result == -ECONNREFUSED ||
           result == -ECONNRESET || result == -EMFILE || result == -EADDRNOTAVAIL;
}

static void *call_until_closed(void *data)
{
    const struct caller *caller = data;
    int result;
    atomic_fetch_add(&caller->shared->begun, 1);
    while ((result = caller->call(caller->shared)) != WEIR_CLOSED)
        CHECK_EQ(result, may_be(result) ? result : 0);
    return NULL;
}

static void take(weir_socket socket, void *data)
{
    (void)data;
    weir_close(socket);
}

static const weir_handler taker = {.accepted = take};

static void run(void)
{
    struct shared shared = {0};
    struct caller callers[CALLS];
    weir_socket service;
    atomic_store(&answer_names, false);
    atomic_store(&names_asked, 0);
    CHECK_EQ(weir_mailbox_create(&shared.mailbox), 0);
    CHECK_EQ(weir_start(&shared.runtime, &(weir_config){.schedulers = 2}), 0);
    shared.port = serve(shared.runtime, NULL, weir_handled_by(&taker, NULL), &service);
    CHECK_EQ(weir_tcp_listen(shared.runtime, "127.0.0.1", 0, passive, &shared.listener), 0);
    int peer = peer_connect(weir_port(shared.listener)); /* keeps the drain from its end */
    weir_socket held;
    CHECK_EQ(weir_tcp_accept(shared.listener, weir_owned_by_nobody(), 60000, &held), 0);
    for (int i = 0; i < CALLS; i++) {
        callers[i] = (struct caller){.shared = &shared, .call = calls[i]};
        CHECK_EQ(pthread_create(&callers[i].thread, NULL, call_until_closed, &callers[i]), 0);
    }
    while (atomic_load(&shared.begun) < CALLS || atomic_load(&names_asked) < 1)
        continue;
    CHECK_EQ(weir_stop(shared.runtime), 0); /* while the name server is silent */
    atomic_store(&answer_names, true);
    for (int i = 0; i < CALLS; i++)
        pthread_join(callers[i].thread, NULL);
    for (int i = 0; i < CALLS; i++)
        CHECK_EQ(calls[i](&shared), WEIR_CLOSED);
    CHECK_EQ(weir_stop(shared.runtime), WEIR_CLOSED);
    weir_mailbox_destroy(shared.mailbox);
    close(peer);
}

int main(void)
{
    for (int i = 0; i < RUNS; i++)
        run();
    for (int i = 0; i < 10000 && memory_live_count() > 0; i++)
        usleep(1000); /* threads that asked the name server end by themselves, for nobody */
    CHECK_EQ(memory_live_count(), 0);
}
