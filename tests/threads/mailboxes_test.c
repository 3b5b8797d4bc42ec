/* SPDX-License-Identifier: MIT */
/* Threads that wait on one mailbox, answer, change options, read figures and close, while the
 * schedulers run and the peers talk. Every packet is answered, whoever got it. */
#include "peer.h"

#include <errno.h>
#include <pthread.h>
#include <string.h>
#include <unistd.h>

#include "base/check.h"
#include "base/memory.h"

enum { SCHEDULERS = 2, WORKERS = 3, PEERS = 6, VISITS = 8, ROUNDS = 60, SIZE = 300 };

struct worker {
    pthread_t thread;
    weir_mailbox *mailbox;
};

static void answer(weir_message *message)
{
    int result = weir_send(message->socket, message->packet.bytes, message->packet.size);
    CHECK(result == 0 || result == WEIR_CLOSED || result == -ENOTCONN);
    weir_packet_release(&message->packet);
    if (weir_setopts(message->socket, WEIR_OPTIONS(WEIR_ACTIVE(WEIR_ACTIVE_ONCE))) < 0)
        weir_close(message->socket);
}

/* Until a packet of one byte comes, one for each worker. */
static void *work(void *data)
{
    struct worker *worker = data;
    weir_statistics statistics;
    weir_message message;
    bool done = false;
    while (!done && weir_mailbox_receive(worker->mailbox, 60000, &message) == 0) {
        done = message.kind == WEIR_MESSAGE_DATA && message.packet.size == 1;
        if (message.kind == WEIR_MESSAGE_DATA)
            answer(&message);
        else if (message.kind == WEIR_MESSAGE_CLOSED)
            CHECK_EQ(weir_close(message.socket), 0);
        else
            (void)!weir_getstat(message.socket, &statistics);
    }
    CHECK(done);
    return NULL;
}

struct visitor {
    pthread_t thread;
    int port;
    int number;
};

static void talk(int peer, int number)
{
    uint8_t bytes[SIZE + 2] = {SIZE >> 8, (uint8_t)SIZE};
    uint8_t back[SIZE + 2];
    for (int round = 0; round < ROUNDS; round++) {
        memset(bytes + 2, number + round, SIZE);
        CHECK(peer_write(peer, bytes, sizeof(bytes)));
        CHECK(peer_read(peer, back, sizeof(back)));
        CHECK_EQ(memcmp(bytes, back, sizeof(back)), 0);
    }
}

static void *visit(void *data)
{
    struct visitor *visitor = data;
    for (int i = 0; i < VISITS; i++) {
        int peer = peer_connect(visitor->port);
        talk(peer, visitor->number + i);
        close(peer);
    }
    return NULL;
}

static void end_workers(int port)
{
    for (int i = 0; i < WORKERS; i++) {
        int peer = peer_connect(port);
        char back[3];
        CHECK(peer_write(peer, "\0\1x", 3));
        CHECK(peer_read(peer, back, 3));
        close(peer);
    }
}

int main(void)
{
    weir_runtime *runtime;
    weir_mailbox *mailbox;
    weir_socket listener;
    weir_totals totals;
    struct worker workers[WORKERS];
    struct visitor visitors[PEERS];
    CHECK_EQ(weir_mailbox_create(&mailbox), 0);
    CHECK_EQ(weir_start(&runtime, &(weir_config){.schedulers = SCHEDULERS}), 0);
    int port = serve(runtime,
                     WEIR_OPTIONS(WEIR_PACKET(WEIR_2), WEIR_ACTIVE(WEIR_ACTIVE_ONCE),
                                  WEIR_MODE(WEIR_BINARY), WEIR_BACKLOG(50)),
                     weir_mailed_to(mailbox), &listener);
    for (int i = 0; i < WORKERS; i++) {
        workers[i].mailbox = mailbox;
        CHECK_EQ(pthread_create(&workers[i].thread, NULL, work, &workers[i]), 0);
    }
    for (int i = 0; i < PEERS; i++) {
        visitors[i] = (struct visitor){.port = port, .number = i};
        CHECK_EQ(pthread_create(&visitors[i].thread, NULL, visit, &visitors[i]), 0);
    }
    for (int i = 0; i < PEERS; i++) {
        pthread_join(visitors[i].thread, NULL);
        weir_get_totals(runtime, -1, &totals);
    }
    end_workers(port);
    for (int i = 0; i < WORKERS; i++)
        pthread_join(workers[i].thread, NULL);
    weir_stop(runtime);
    weir_mailbox_destroy(mailbox);
    CHECK_EQ(memory_live_count(), 0);
}
