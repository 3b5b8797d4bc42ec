/* SPDX-License-Identifier: MIT */
/* Connections that have come when a service ends, and that nobody has seen yet. */
#include "support/loopback.h"

#include <semaphore.h>
#include <stdatomic.h>
#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"

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

/* A scheduler that is held up, and peers that have come meanwhile. */
struct crowd {
    struct loopback loopback;
    uint32_t scheduler;
    sem_t held;
    sem_t let_go;
    int peers[PEERS];
};

static void wait_there(void *data)
{
    struct crowd *crowd = data;
    sem_post(&crowd->held);
    sem_wait(&crowd->let_go);
}

static void crowd_start(struct crowd *crowd)
{
    crowd->loopback = loopback_start(NULL);
    crowd->scheduler = 0;
    sem_init(&crowd->held, 0, 0);
    sem_init(&crowd->let_go, 0, 0);
}

static void crowd_come(struct crowd *crowd, int count)
{
    int port = weir_port(crowd->loopback.listener);
    GIVES(weir_run_on(crowd->loopback.runtime, crowd->scheduler, wait_there, crowd), 0);
    sem_wait(&crowd->held);
    for (int i = 0; i < count; i++)
        crowd->peers[i] = peer_connect(port);
}

static void crowd_gather(struct crowd *crowd)
{
    crowd_start(crowd);
    GIVES(weir_tcp_serve(crowd->loopback.runtime, "127.0.0.1", 0, NULL,
                         weir_handled_by(&handler, NULL), &crowd->loopback.listener),
          0);
    crowd_come(crowd, PEERS);
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

Test(drain, waits_as_long_as_it_is_to)
{
    enum { SOME_MS = 1 };
    struct loopback loopback = loopback_open("[{active,false}]");
    for (int i = 0; i < 4; i++) {
        uint64_t began_ns = clock_now_ns();
        GIVES(weir_drain(loopback.runtime, SOME_MS), WEIR_TIMEOUT);
        cr_expect(clock_now_ns() - began_ns >= SOME_MS * UINT64_C(1000000));
    }
    loopback_close(&loopback);
}

/* It rests for 5 ms between two looks. */
Test(drain, looks_once_where_it_is_not_to_wait)
{
    enum { TRIES = 16 };
    struct loopback loopback = loopback_open("[{active,false}]");
    uint64_t shortest_ns = UINT64_MAX;
    for (int i = 0; i < TRIES; i++) {
        uint64_t began_ns = clock_now_ns();
        GIVES(weir_drain(loopback.runtime, 0), WEIR_TIMEOUT);
        uint64_t took_ns = clock_now_ns() - began_ns;
        shortest_ns = took_ns < shortest_ns ? took_ns : shortest_ns;
    }
    cr_expect(shortest_ns < UINT64_C(4000000));
    loopback_close(&loopback);
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

enum { ACCEPTORS = 3 };

/* A listener where a thread waits in accept, and two calls that call back. */
struct acceptors {
    struct background thread;
    struct answer answers[ACCEPTORS - 1];
};

static atomic_int acceptor_task;

static int accept_there(struct background *background)
{
    atomic_store(&acceptor_task, gettid());
    return accept_in_background(background);
}

static void begin_accept(struct background *thread, weir_socket listener, weir_mailbox *mailbox)
{
    *thread = (struct background){.work = accept_there, .socket = listener, .mailbox = mailbox};
    background_start(thread);
    EVENTUALLY(atomic_load(&acceptor_task) != 0 && is_asleep(atomic_load(&acceptor_task)));
    settle(thread->socket);
}

static void acceptors_wait(struct acceptors *acceptors, struct crowd *crowd)
{
    crowd_start(crowd);
    crowd->loopback.listener = listen_with(crowd->loopback.runtime, "[{backlog,100}]");
    *acceptors = (struct acceptors){0};
    for (int i = 0; i < ACCEPTORS - 1; i++)
        GIVES(weir_tcp_accept_async(crowd->loopback.listener,
                                    weir_mailed_to(crowd->loopback.mailbox), WEIR_INFINITY,
                                    answer_opened, &acceptors->answers[i]),
              0);
    begin_accept(&acceptors->thread, crowd->loopback.listener, crowd->loopback.mailbox);
}

static void acceptors_expect(struct acceptors *acceptors, int accepted)
{
    for (int i = 0; i < ACCEPTORS; i++) {
        bool is_thread = i == ACCEPTORS - 1;
        int result =
            is_thread ? background_join(&acceptors->thread) : answer_wait(&acceptors->answers[i]);
        GIVES(result, i < accepted ? 0 : WEIR_CLOSED);
        if (i < accepted)
            weir_close(is_thread ? acceptors->thread.opened : acceptors->answers[i].socket);
    }
}

Test(drain, whoever_waits_in_accept_is_told_that_it_closes)
{
    struct acceptors acceptors;
    struct crowd crowd;
    acceptors_wait(&acceptors, &crowd);
    GIVES(weir_drain(crowd.loopback.runtime, AT_ONCE_MS), 0);
    acceptors_expect(&acceptors, 0);
    loopback_close(&crowd.loopback);
}

Test(drain, a_stop_tells_whoever_waits_in_accept)
{
    struct acceptors acceptors;
    struct crowd crowd;
    acceptors_wait(&acceptors, &crowd);
    GIVES(weir_stop(crowd.loopback.runtime), 0);
    acceptors_expect(&acceptors, 0);
    crowd.loopback.listener.id = 0;
    GIVES(weir_start(&crowd.loopback.runtime, NULL), 0);
    loopback_close(&crowd.loopback);
}

/* As many as somebody waits for, and no more. */
static void drain_with_peers(int peers)
{
    int accepted = peers < ACCEPTORS ? peers : ACCEPTORS;
    struct acceptors acceptors;
    struct releaser releaser;
    struct crowd crowd;
    acceptors_wait(&acceptors, &crowd);
    crowd_come(&crowd, peers);
    release_soon(&releaser, &crowd.let_go);
    GIVES(weir_drain(crowd.loopback.runtime, 0), WEIR_TIMEOUT);
    acceptors_expect(&acceptors, accepted);
    GIVES(weir_drain(crowd.loopback.runtime, AT_ONCE_MS), 0);
    for (int i = 0; i < peers; i++) {
        i < accepted ? peer_expect_end(crowd.peers[i]) : peer_expect_reset(crowd.peers[i]);
        close(crowd.peers[i]);
    }
    pthread_join(releaser.thread, NULL);
    loopback_close(&crowd.loopback);
}

Test(drain, somebody_waits_for_all_that_have_come)
{
    drain_with_peers(1);
}

Test(drain, somebody_waits_for_some_of_those_that_have_come)
{
    drain_with_peers(ACCEPTORS + 2);
}

/* The listener is the second scheduler's, the socket will be the first one's, which was asked
 * already when the connection comes to it. */
Test(drain, counts_what_is_on_its_way_between_schedulers)
{
    struct crowd crowd = {.loopback = loopback_start(&(weir_config){.schedulers = 2}),
                          .scheduler = 1};
    struct background thread;
    struct releaser releaser;
    sem_init(&crowd.held, 0, 0);
    sem_init(&crowd.let_go, 0, 0);
    weir_close(listen_with(crowd.loopback.runtime, "[]"));
    crowd.loopback.listener = listen_with(crowd.loopback.runtime, "[]");
    begin_accept(&thread, crowd.loopback.listener, crowd.loopback.mailbox);
    crowd_come(&crowd, 1);
    release_soon(&releaser, &crowd.let_go);
    GIVES(weir_drain(crowd.loopback.runtime, 0), WEIR_TIMEOUT);
    GIVES(background_join(&thread), 0);
    peer_leave(&crowd.peers[0]);
    pthread_join(releaser.thread, NULL);
    loopback_close(&crowd.loopback);
}

static int destroy(struct background *background)
{
    return weir_mailbox_destroy(background->mailbox);
}

/* The mailbox dies while its connection waits to be seen by the scheduler that it is to live on. */
Test(drain, an_acceptor_that_dies_leaves_its_connection_to_the_next)
{
    struct crowd crowd = {.loopback = loopback_start(&(weir_config){.schedulers = 2}),
                          .scheduler = 1};
    struct loopback *loopback = &crowd.loopback;
    weir_mailbox *dying;
    struct background thread;
    struct answer next = {0};
    weir_totals totals;
    sem_init(&crowd.held, 0, 0);
    sem_init(&crowd.let_go, 0, 0);
    GIVES(weir_mailbox_create(&dying), 0);
    struct background death = {.work = destroy, .mailbox = dying};
    loopback->listener = listen_with(loopback->runtime, "[{active,false}]");
    begin_accept(&thread, loopback->listener, dying);
    crowd_come(&crowd, 1);
    do
        GIVES(weir_get_totals(loopback->runtime, 0, &totals), 0);
    while (totals.accepts == 0);
    background_start(&death);
    EVENTUALLY(weir_mailbox_post(dying, NULL) == WEIR_CLOSED);
    GIVES(weir_tcp_accept_async(loopback->listener, weir_mailed_to(loopback->mailbox),
                                WEIR_INFINITY, answer_opened, &next),
          0);
    settle(loopback->listener);
    sem_post(&crowd.let_go);
    GIVES(background_join(&thread), WEIR_BADARG);
    GIVES(background_join(&death), 0);
    GIVES(answer_wait(&next), 0);
    peer_say(crowd.peers[0], "here");
    expect_received(next.socket, 4, "here");
    weir_close(next.socket);
    peer_leave(&crowd.peers[0]);
    loopback_close(loopback);
}

/* Another process may have the descriptor of a listener as well. */
struct thief {
    pthread_t thread;
    sem_t began;
    sem_t go_on;
    int descriptor;
};

static void wait_for_thief(weir_socket socket, int result, void *data)
{
    struct thief *thief = data;
    cr_expect(result == 0);
    sem_post(&thief->began);
    sem_wait(&thief->go_on);
    weir_close(socket);
}

static void *steal(void *data)
{
    struct thief *thief = data;
    sem_wait(&thief->began);
    close(accept(thief->descriptor, NULL, NULL));
    sem_post(&thief->go_on);
    return NULL;
}

static void thief_listen(struct thief *thief, struct crowd *crowd)
{
    int port;
    crowd_start(crowd);
    sem_init(&thief->began, 0, 0);
    sem_init(&thief->go_on, 0, 0);
    thief->descriptor = peer_listen(10, &port);
    GIVES(weir_tcp_listen(crowd->loopback.runtime, NULL, 0,
                          WEIR_OPTIONS(WEIR_FD(dup(thief->descriptor))), &crowd->loopback.listener),
          0);
    cr_assert(pthread_create(&thief->thread, NULL, steal, thief) == 0);
}

/* When the first calls back the second connection has been taken as well: it is the third that is
 * stolen, of which the listener has been told that it is there. */
Test(drain, what_another_process_takes_keeps_nobody_waiting)
{
    struct answer answers[2] = {0};
    struct releaser releaser;
    struct thief thief;
    struct crowd crowd;
    thief_listen(&thief, &crowd);
    weir_socket listener = crowd.loopback.listener;
    weir_owner owner = weir_mailed_to(crowd.loopback.mailbox);
    GIVES(weir_tcp_accept_async(listener, owner, WEIR_INFINITY, wait_for_thief, &thief), 0);
    for (int i = 0; i < 2; i++)
        GIVES(weir_tcp_accept_async(listener, owner, WEIR_INFINITY, answer_opened, &answers[i]), 0);
    settle(listener);
    crowd_come(&crowd, 3);
    release_soon(&releaser, &crowd.let_go);
    GIVES(weir_drain(crowd.loopback.runtime, 0), WEIR_TIMEOUT);
    GIVES(answer_wait(&answers[0]), 0);
    weir_close(answers[0].socket);
    GIVES(weir_drain(crowd.loopback.runtime, AT_ONCE_MS), 0);
    GIVES(answer_wait(&answers[1]), WEIR_CLOSED);
    pthread_join(releaser.thread, NULL);
    pthread_join(thief.thread, NULL);
    for (int i = 0; i < 3; i++)
        peer_leave(&crowd.peers[i]);
    close(thief.descriptor);
    loopback_close(&crowd.loopback);
}
