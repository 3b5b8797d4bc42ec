/* SPDX-License-Identifier: MIT */
/* Messages that come to a mailbox together wake as many threads as wait for one. */
#include "peer.h"

#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/check.h"
#include "base/memory.h"

enum { WAITERS = 3, WAIT_MS = 30000 };

struct waiter {
    pthread_t thread;
    weir_mailbox *mailbox;
    atomic_int id;
};

static void *wait_for_one(void *data)
{
    struct waiter *waiter = data;
    weir_message message;
    atomic_store(&waiter->id, gettid());
    CHECK_EQ(weir_mailbox_receive(waiter->mailbox, WEIR_INFINITY, &message), 0);
    CHECK(message.kind == WEIR_MESSAGE_DATA);
    weir_packet_release(&message.packet);
    return NULL;
}

/* Whether the kernel says so: "ID (NAME) S ...". */
static bool sleeps(int id)
{
    char path[64];
    char line[256] = "";
    snprintf(path, sizeof(path), "/proc/self/task/%d/stat", id);
    FILE *file = fopen(path, "re");
    CHECK(file);
    CHECK(fgets(line, sizeof(line), file));
    fclose(file);
    const char *state = strrchr(line, ')');
    return state && state[2] == 'S';
}

static void begin_to_wait(struct waiter *waiter, weir_mailbox *mailbox)
{
    waiter->mailbox = mailbox;
    atomic_init(&waiter->id, 0);
    CHECK_EQ(pthread_create(&waiter->thread, NULL, wait_for_one, waiter), 0);
    while (atomic_load(&waiter->id) == 0 || !sleeps(atomic_load(&waiter->id)))
        sched_yield();
}

/* A connection whose owner is the mailbox, which has one packet for each waiter. */
static weir_socket receive_packets(weir_runtime *runtime, weir_mailbox *mailbox, int *peer)
{
    weir_message message;
    weir_socket listener;
    int port =
        serve(runtime, WEIR_OPTIONS(WEIR_PACKET(WEIR_1)), weir_mailed_to(mailbox), &listener);
    *peer = peer_connect(port);
    CHECK(peer_write(*peer, "\1a\1b\1c", (size_t)2 * WAITERS));
    CHECK_EQ(weir_mailbox_receive(mailbox, WAIT_MS, &message), 0);
    CHECK(message.kind == WEIR_MESSAGE_ACCEPTED);
    while (weir_mailbox_count(mailbox) < WAITERS)
        sched_yield();
    return message.socket;
}

int main(void)
{
    weir_runtime *runtime;
    weir_mailbox *first;
    weir_mailbox *second;
    struct waiter waiters[WAITERS];
    int peer;
    CHECK_EQ(weir_mailbox_create(&first), 0);
    CHECK_EQ(weir_mailbox_create(&second), 0);
    CHECK_EQ(weir_start(&runtime, &(weir_config){.schedulers = 1}), 0);
    weir_socket socket = receive_packets(runtime, first, &peer);
    for (int i = 0; i < WAITERS; i++)
        begin_to_wait(&waiters[i], second);
    CHECK_EQ(weir_controlling_process(socket, weir_mailed_to(first), weir_mailed_to(second)), 0);
    for (int i = 0; i < WAITERS; i++)
        pthread_join(waiters[i].thread, NULL);
    close(peer);
    weir_stop(runtime);
    weir_mailbox_destroy(first);
    weir_mailbox_destroy(second);
    CHECK_EQ(memory_live_count(), 0);
}
