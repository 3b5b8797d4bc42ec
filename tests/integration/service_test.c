/* SPDX-License-Identifier: MIT */
/* The handle of a service stands for all of its listeners. */
#include "support/loopback.h"

#include <errno.h>
#include <stdatomic.h>

enum { SCHEDULERS = 3, CONNECTIONS = 96 };

static atomic_int told[SCHEDULERS]; /* by scheduler: connections with the new data */
static atomic_int count;
static int old_data;
static int new_data;

static void on_accepted(weir_socket socket, void *data)
{
    (void)socket;
    if (data == &new_data)
        told[weir_current_scheduler()]++;
    count++;
}

static const weir_handler handler = {.accepted = on_accepted};

static void set_from_a_scheduler(void *socket)
{
    GIVES(weir_set_data(*(weir_socket *)socket, &old_data), -EDEADLK);
    GIVES(weir_setopts(*(weir_socket *)socket, WEIR_OPTIONS(WEIR_NODELAY(true))), -EDEADLK);
}

Test(service, set_data_is_for_every_listener)
{
    weir_socket service;
    int peers[CONNECTIONS];
    struct loopback loopback = loopback_start(&(weir_config){.schedulers = SCHEDULERS});
    GIVES(weir_tcp_serve(loopback.runtime, "127.0.0.1", 0, WEIR_OPTIONS(),
                         weir_handled_by(&handler, &old_data), &service),
          0);
    GIVES(weir_set_data(service, &new_data), 0);
    run_there(loopback.runtime, 0, set_from_a_scheduler, &service);
    run_there(loopback.runtime, 1, set_from_a_scheduler, &service);
    for (int i = 0; i < CONNECTIONS; i++)
        peers[i] = peer_connect(weir_port(service));
    EVENTUALLY(count == CONNECTIONS);
    cr_expect(told[0] + told[1] + told[2] == CONNECTIONS, "%d, %d and %d of %d", told[0], told[1],
              told[2], CONNECTIONS);
    cr_expect(told[0] > 0 && told[1] > 0 && told[2] > 0);
    for (int i = 0; i < CONNECTIONS; i++)
        peer_leave(&peers[i]);
    loopback_close(&loopback);
}

static atomic_int with_mark[SCHEDULERS];

static void note_mark(weir_socket socket, void *data)
{
    (void)data;
    if (get(socket, WEIR_OPTION_HIGH_WATERMARK) == 1234567)
        with_mark[weir_current_scheduler()]++;
    count++;
}

static const weir_handler marks = {.accepted = note_mark};

/* A list that fails on one listener is answered so. */
Test(service, setopts_is_for_every_listener)
{
    weir_socket service;
    int peers[CONNECTIONS];
    struct loopback loopback = loopback_start(&(weir_config){.schedulers = SCHEDULERS});
    GIVES(weir_tcp_serve(loopback.runtime, "127.0.0.1", 0, WEIR_OPTIONS(),
                         weir_handled_by(&marks, NULL), &service),
          0);
    GIVES(set(service, "[{high_watermark,1234567}]"), 0);
    for (int i = 0; i < CONNECTIONS; i++)
        peers[i] = peer_connect(weir_port(service));
    EVENTUALLY(count == CONNECTIONS);
    cr_expect(with_mark[0] + with_mark[1] + with_mark[2] == CONNECTIONS, "%d, %d and %d of %d",
              with_mark[0], with_mark[1], with_mark[2], CONNECTIONS);
    cr_expect(with_mark[0] > 0 && with_mark[1] > 0 && with_mark[2] > 0);
    GIVES(set(service, "[{high_watermark,7654321},{ttl,300}]"), -EINVAL);
    GIVES((int)get(service, WEIR_OPTION_HIGH_WATERMARK), 7654321);
    for (int i = 0; i < CONNECTIONS; i++)
        peer_leave(&peers[i]);
    loopback_close(&loopback);
}
