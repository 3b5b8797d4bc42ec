/* SPDX-License-Identifier: MIT */
/* Packets that other threads keep and release while their buffers' scheduler goes on receiving,
 * and past its end. */
#include "peer.h"

#include <pthread.h>
#include <string.h>
#include <unistd.h>

#include "base/check.h"
#include "base/memory.h"

enum { HOLDERS = 3, HELD = 5, PACKETS = 2000, SIZE = 5000 };

struct holder {
    pthread_t thread;
    weir_mailbox *mailbox;
};

static void check(const weir_packet *packet)
{
    CHECK_EQ(packet->size, (size_t)SIZE);
    for (size_t i = 1; i < SIZE; i++)
        CHECK_EQ(packet->bytes[i], packet->bytes[0]);
}

/* Holds a few at a time, and releases them in another order than they came. */
static void *hold(void *data)
{
    struct holder *holder = data;
    weir_packet held[HELD] = {0};
    weir_message message;
    for (int i = 0; weir_mailbox_receive(holder->mailbox, WEIR_INFINITY, &message) == 0; i++) {
        if (message.kind == WEIR_MESSAGE_CLOSED)
            break;
        weir_packet *place = &held[i * 3 % HELD];
        weir_packet again;
        if (message.kind == WEIR_MESSAGE_DATA) { /* shared, far from where it was received */
            CHECK_EQ(weir_packet_keep(&message.packet, &again), 0);
            weir_packet_release(&message.packet);
            message.packet = again;
        }
        if (place->bytes)
            check(place);
        weir_packet_release(place);
        *place = message.packet;
    }
    for (int i = 0; i < HELD; i++)
        weir_packet_release(&held[i]);
    return NULL;
}

static void write_packets(int peer)
{
    uint8_t bytes[SIZE + 2];
    for (int i = 0; i < PACKETS; i++) {
        memset(bytes, i, sizeof(bytes));
        bytes[0] = SIZE >> 8;
        bytes[1] = (uint8_t)SIZE;
        CHECK(peer_write(peer, bytes, sizeof(bytes)));
    }
}

static void *release_later(void *data)
{
    weir_packet_release(data);
    return NULL;
}

static void next_data(weir_mailbox *mailbox, weir_message *message)
{
    do
        CHECK_EQ(weir_mailbox_receive(mailbox, 60000, message), 0);
    while (message->kind != WEIR_MESSAGE_DATA);
}

/* A packet that is released at the same time as its runtime stops. */
static void race_with_stop(void)
{
    weir_runtime *runtime;
    weir_mailbox *mailbox;
    weir_socket listener;
    weir_message message;
    pthread_t thread;
    uint8_t bytes[SIZE + 2] = {SIZE >> 8, (uint8_t)SIZE};
    CHECK_EQ(weir_mailbox_create(&mailbox), 0);
    CHECK_EQ(weir_start(&runtime, &(weir_config){.schedulers = 1, .buffer_count = 4}), 0);
    int port = serve(runtime, WEIR_OPTIONS(WEIR_PACKET(WEIR_2), WEIR_MODE(WEIR_BINARY)),
                     weir_mailed_to(mailbox), &listener);
    int peer = peer_connect(port);
    CHECK(peer_write(peer, bytes, sizeof(bytes)));
    next_data(mailbox, &message);
    CHECK_EQ(pthread_create(&thread, NULL, release_later, &message.packet), 0);
    weir_stop(runtime);
    pthread_join(thread, NULL);
    weir_mailbox_destroy(mailbox);
    close(peer);
}

int main(void)
{
    weir_runtime *runtime;
    struct holder holders[HOLDERS];
    int peers[HOLDERS];
    CHECK_EQ(weir_start(&runtime, &(weir_config){.schedulers = 1, .buffer_count = 16}), 0);
    for (int i = 0; i < HOLDERS; i++) {
        weir_socket listener;
        weir_message message;
        CHECK_EQ(weir_mailbox_create(&holders[i].mailbox), 0);
        int port = serve(runtime, WEIR_OPTIONS(WEIR_PACKET(WEIR_2), WEIR_MODE(WEIR_BINARY)),
                         weir_mailed_to(holders[i].mailbox), &listener);
        peers[i] = peer_connect(port);
        CHECK_EQ(weir_mailbox_receive(holders[i].mailbox, 60000, &message), 0);
        CHECK(message.kind == WEIR_MESSAGE_ACCEPTED);
        CHECK_EQ(pthread_create(&holders[i].thread, NULL, hold, &holders[i]), 0);
    }
    for (int i = 0; i < HOLDERS; i++) {
        write_packets(peers[i]);
        close(peers[i]);
    }
    for (int i = 0; i < HOLDERS; i++)
        pthread_join(holders[i].thread, NULL);
    weir_stop(runtime);
    for (int i = 0; i < HOLDERS; i++)
        weir_mailbox_destroy(holders[i].mailbox);
    for (int i = 0; i < 20; i++)
        race_with_stop();
    CHECK_EQ(memory_live_count(), 0);
}
