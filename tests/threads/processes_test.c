/* SPDX-License-Identifier: MIT */
/* Processes on two schedulers that talk to each other and to sockets, while threads spawn them,
 * post to them, watch them and kill them at any time. All are told of in the end. */
#include "peer.h"

#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <unistd.h>

#include "base/check.h"
#include "base/memory.h"

enum { SCHEDULERS = 2, THREADS = 3, ROUNDS = 60, PEERS = 4, SIZE = 200 };

static weir_runtime *runtime;
static int port;
static atomic_uint ended;

static void note_end(weir_process process, int reason, void *data)
{
    CHECK(process.id != 0);
    CHECK(reason == 0 || reason == WEIR_KILLED || reason == WEIR_CLOSED);
    (void)data;
    atomic_fetch_add(&ended, 1);
}

static const weir_process_options options = {.ended = note_end};

/* Passes on to another process what it gets, until it gets NULL. */
static int pass_on(void *data)
{
    weir_process *to = data;
    weir_message message;
    int result;
    do {
        result = weir_receive(20000, &message);
        if (result == 0 && message.kind == WEIR_MESSAGE_USER)
            (void)!weir_post(*to, message.data);
    } while (result == 0 && message.data);
    return result;
}

static int wait_for_data(void *data)
{
    weir_message message;
    int result = weir_mailbox_receive(data, 20000, &message);
    return result == 0 && message.data ? 0 : result;
}

/* Connects, says something, hears it again. */
static int visit(void *data)
{
    static const char bytes[SIZE];
    weir_socket socket;
    weir_packet packet;
    int result = weir_tcp_connect(runtime, "127.0.0.1", (uint16_t)port,
                                  WEIR_OPTIONS(WEIR_PACKET(2), WEIR_ACTIVE(WEIR_ACTIVE_FALSE)),
                                  weir_owned_by_nobody(), 20000, &socket);
    (void)data;
    for (int i = 0; i < 20 && result == 0; i++) {
        result = weir_send(socket, bytes, sizeof(bytes));
        if (result == 0)
            result = weir_recv(socket, 0, 20000, &packet);
        if (result == 0) {
            CHECK_EQ(packet.size, (size_t)SIZE);
            weir_packet_release(&packet);
        }
    }
    return result;
}

static int serve_one(weir_socket socket, void *data)
{
    weir_packet packet;
    (void)data;
    while (weir_recv(socket, 0, 20000, &packet) == 0) {
        int result = weir_send_packet(socket, &packet);
        weir_packet_release(&packet);
        if (result < 0)
            return 0;
    }
    return 0;
}

static weir_process spawn(int scheduler, weir_process_function *run, void *data)
{
    weir_process process;
    CHECK_EQ(weir_spawn(runtime, scheduler, run, data, &options, &process), 0);
    return process;
}

/* Two that pass on to each other from thread to thread; one is killed, the other told to end. */
static void try_pair(weir_mailbox *mailbox, int round)
{
    weir_process pair[2] = {{0}, {0}};
    weir_message message;
    pair[0] = spawn(0, pass_on, &pair[1]);
    weir_process first = pair[0];
    CHECK_EQ(weir_monitor(first, mailbox, NULL), 0);
    for (uintptr_t i = 1; i < 10; i++)
        CHECK_EQ(weir_post(first, (void *)i), 0);
    if (round % 2)
        CHECK_EQ(weir_kill(first), 0);
    (void)!weir_post(first, NULL);
    CHECK_EQ(weir_mailbox_receive(mailbox, 20000, &message), 0);
    CHECK(message.kind == WEIR_MESSAGE_DOWN && message.process.id == first.id);
}

/* Of several that wait for one mailbox some are killed; what is posted is the others'. */
static void try_mailbox(weir_mailbox *mailbox)
{
    weir_process processes[4];
    weir_mailbox *shared;
    weir_message message;
    CHECK_EQ(weir_mailbox_create(&shared), 0);
    for (int i = 0; i < 4; i++) {
        processes[i] = spawn(i % SCHEDULERS, wait_for_data, shared);
        CHECK_EQ(weir_monitor(processes[i], mailbox, NULL), 0);
    }
    for (int i = 0; i < 4; i++) {
        CHECK_EQ(weir_mailbox_post(shared, shared), 0);
        if (i % 2)
            CHECK_EQ(weir_kill(processes[i]), 0);
    }
    for (int i = 0; i < 4; i++)
        CHECK_EQ(weir_mailbox_receive(mailbox, 20000, &message), 0);
    CHECK_EQ(weir_mailbox_destroy(shared), 0);
}

static void try_visits(weir_mailbox *mailbox, int round)
{
    weir_message message;
    for (int i = 0; i < PEERS; i++) {
        weir_process process = spawn(i % SCHEDULERS, visit, NULL);
        CHECK_EQ(weir_monitor(process, mailbox, NULL), 0);
        if ((i + round) % 3 == 0)
            CHECK_EQ(weir_kill(process), 0);
    }
    for (int i = 0; i < PEERS; i++)
        CHECK_EQ(weir_mailbox_receive(mailbox, 20000, &message), 0);
}

static void *work(void *unused)
{
    weir_mailbox *mailbox;
    (void)unused;
    CHECK_EQ(weir_mailbox_create(&mailbox), 0);
    for (int round = 0; round < ROUNDS; round++) {
        try_pair(mailbox, round);
        try_mailbox(mailbox);
        try_visits(mailbox, round);
    }
    CHECK_EQ(weir_mailbox_destroy(mailbox), 0);
    return NULL;
}

/* Those that are left when the runtime stops are ended by it. */
static void leave_some(void)
{
    static weir_process nobody;
    for (int i = 0; i < 100; i++)
        (void)spawn(i % SCHEDULERS, i % 3 ? visit : pass_on, &nobody);
}

int main(void)
{
    const weir_config config = {.schedulers = SCHEDULERS};
    static const weir_spawner spawner = {.serve = serve_one};
    int64_t blocks = memory_live_count();
    pthread_t threads[THREADS];
    weir_socket listener;
    CHECK_EQ(weir_start(&runtime, &config), 0);
    port = serve(runtime, WEIR_OPTIONS(WEIR_PACKET(2), WEIR_ACTIVE(WEIR_ACTIVE_FALSE)),
                 weir_spawning(&spawner), &listener);
    for (int i = 0; i < THREADS; i++)
        CHECK_EQ(pthread_create(&threads[i], NULL, work, NULL), 0);
    for (int i = 0; i < THREADS; i++)
        CHECK_EQ(pthread_join(threads[i], NULL), 0);
    leave_some();
    CHECK_EQ(weir_stop(runtime), 0);
    CHECK_EQ(atomic_load(&ended), THREADS * ROUNDS * (1 + 4 + PEERS) + 100u);
    CHECK_EQ(memory_live_count(), blocks);
    return 0;
}
