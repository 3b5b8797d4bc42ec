/* SPDX-License-Identifier: MIT */
/* Connections that have come when a service ends, and that nobody has seen yet. */
#include "support/loopback.h"

#include <semaphore.h>
#include <stdatomic.h>
#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>

enum { PEERS = 100 };

static atomic_int accepted_count;
static atomic_int gone_count;

static void accepted(weir_socket socket, void *data)
{
    (void)socket;
    (void)data;
    atomic_fetch_add(&accepted_count, 1);
}

static void echo(weir_socket socket, const weir_packet *packet, void *data)
{
    (void)data;
    if (weir_send_packet(socket, packet) < 0)
        weir_close(socket);
}

static void gone(weir_socket socket, void *data)
{
    (void)socket;
    (void)data;
    atomic_fetch_add(&gone_count, 1);
}

static const weir_handler handler = {.accepted = accepted, .packet = echo, .gone = gone};

static void wait_there(void *data)
{
    sem_wait(data);
}

/* A scheduler that is held up, and peers that have come meanwhile. */
struct crowd {
    struct loopback loopback;
    sem_t let_go;
    int peers[PEERS];
};

static void crowd_gather(struct crowd *crowd)
{
    crowd->loopback = loopback_start(NULL);
    sem_init(&crowd->let_go, 0, 0);
    GIVES(weir_tcp_serve(crowd->loopback.runtime, "127.0.0.1", 0, NULL,
                         weir_handled_by(&handler, NULL), &crowd->loopback.listener),
          0);
    int port = weir_port(crowd->loopback.listener);
    GIVES(weir_run_on(crowd->loopback.runtime, 0, wait_there, &crowd->let_go), 0);
    for (int i = 0; i < PEERS; i++)
        crowd->peers[i] = peer_connect(port);
}

struct releaser {
    pthread_t thread;
    sem_t *gate;
    pid_t caller;
};

static bool is_asleep(pid_t task)
{
    char path[64];
    char state = 0;
    snprintf(path, sizeof(path), "/proc/self/task/%d/stat", task);
    FILE *file = fopen(path, "r");
    bool known = file && fscanf(file, "%*d (%*[^)]) %c", &state) == 1;
    if (file)
        fclose(file);
    return known && state == 'S';
}

static void *release(void *data)
{
    struct releaser *releaser = data;
    EVENTUALLY(is_asleep(releaser->caller));
    sem_post(releaser->gate);
    return NULL;
}

/* Once the caller waits for the scheduler, which then finds the call before anything else. */
static void release_soon(struct releaser *releaser, sem_t *gate)
{
    *releaser = (struct releaser){.gate = gate, .caller = gettid()};
    cr_assert(pthread_create(&releaser->thread, NULL, release, releaser) == 0);
}

Test(drain, serves_what_has_come)
{
    struct crowd crowd;
    crowd_gather(&crowd);
    for (int i = 0; i < PEERS; i++)
        peer_say(crowd.peers[i], "q");
    struct releaser releaser;
    release_soon(&releaser, &crowd.let_go);
    GIVES(weir_drain(crowd.loopback.runtime, 0), WEIR_TIMEOUT);
    for (int i = 0; i < PEERS; i++) {
        peer_expect(crowd.peers[i], "q");
        peer_leave(&crowd.peers[i]);
    }
    GIVES(weir_drain(crowd.loopback.runtime, WAIT_MS), 0);
    cr_expect(accepted_count == PEERS && gone_count == PEERS);
    pthread_join(releaser.thread, NULL);
    loopback_close(&crowd.loopback);
}

Test(drain, a_stop_ends_what_has_come_as_it_ends_others)
{
    struct crowd crowd;
    crowd_gather(&crowd);
    struct releaser releaser;
    release_soon(&releaser, &crowd.let_go);
    crowd.loopback.listener.id = 0;
    GIVES(weir_stop(crowd.loopback.runtime), 0);
    for (int i = 0; i < PEERS; i++) {
        peer_expect_end(crowd.peers[i]);
        close(crowd.peers[i]);
    }
    cr_expect(accepted_count == PEERS && gone_count == PEERS, "%d and %d", accepted_count,
              gone_count);
    pthread_join(releaser.thread, NULL);
    GIVES(weir_start(&crowd.loopback.runtime, NULL), 0);
    loopback_close(&crowd.loopback);
}
