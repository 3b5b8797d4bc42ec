/* SPDX-License-Identifier: MIT */
/* A thread reads a stream piece by piece while others ask its scheduler about the connection and
 * change it, and while pieces are taken by another reader: every byte comes once and in order. */
#include "peer.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdint.h>
#include <unistd.h>

#include "base/check.h"
#include "base/memory.h"

enum { BYTES = 2000000, READERS = 2 };

struct scene {
    weir_socket socket;
    int peer;
    pthread_mutex_t lock; /* one reader at a time: a second is told ealready */
    uint32_t read;
    atomic_bool over;
};

static char byte_at(uint32_t place)
{
    return (char)(place ^ place >> 8);
}

static void *write_stream(void *data)
{
    const struct scene *scene = data;
    char bytes[8192];
    for (uint32_t written = 0; written < BYTES;) {
        size_t size = BYTES - written < sizeof(bytes) ? BYTES - written : sizeof(bytes);
        for (size_t i = 0; i < size; i++)
            bytes[i] = byte_at(written + (uint32_t)i);
        CHECK(peer_write(scene->peer, bytes, size));
        written += (uint32_t)size;
    }
    return NULL;
}

/* False: all is read. */
static bool read_piece(struct scene *scene, size_t length)
{
    weir_packet packet;
    if (scene->read == BYTES)
        return false;
    length = length < BYTES - scene->read ? length : BYTES - scene->read;
    CHECK_EQ(weir_recv(scene->socket, length, WEIR_INFINITY, &packet), 0);
    CHECK(length == 0 || packet.size == length);
    for (size_t i = 0; i < packet.size; i++)
        CHECK_EQ(packet.bytes[i], (uint8_t)byte_at(scene->read + (uint32_t)i));
    scene->read += (uint32_t)packet.size;
    weir_packet_release(&packet);
    return true;
}

static void *read_stream(void *data)
{
    struct scene *scene = data;
    bool more = true;
    for (uint32_t turn = 0; more; turn++) {
        pthread_mutex_lock(&scene->lock);
        for (uint32_t i = 0; more && i < 1 + turn % 50; i++)
            more = read_piece(scene, (turn * 31 + i * 7) % 300);
        pthread_mutex_unlock(&scene->lock);
    }
    return NULL;
}

static void *interfere(void *data)
{
    struct scene *scene = data;
    for (uint32_t i = 0; !atomic_load(&scene->over); i++) {
        weir_statistics statistics;
        enum weir_mode mode = i % 2 ? WEIR_BINARY : WEIR_LIST;
        CHECK_EQ(weir_getstat(scene->socket, &statistics), 0);
        CHECK_LE(statistics.recv_oct, (uint64_t)BYTES);
        CHECK_EQ(weir_setopts(scene->socket, WEIR_OPTIONS(WEIR_MODE(mode))), 0);
    }
    return NULL;
}

int main(void)
{
    static struct scene scene = {.lock = PTHREAD_MUTEX_INITIALIZER};
    weir_runtime *runtime;
    weir_socket listener;
    pthread_t readers[READERS];
    pthread_t writer;
    pthread_t meddler;
    CHECK_EQ(weir_start(&runtime, &(weir_config){.schedulers = 1}), 0);
    CHECK_EQ(weir_tcp_listen(runtime, "127.0.0.1", 0, WEIR_OPTIONS(WEIR_ACTIVE(WEIR_ACTIVE_FALSE)),
                             &listener),
             0);
    scene.peer = peer_connect(weir_port(listener));
    CHECK_EQ(weir_tcp_accept(listener, weir_owned_by_nobody(), WEIR_INFINITY, &scene.socket), 0);
    CHECK_EQ(pthread_create(&writer, NULL, write_stream, &scene), 0);
    CHECK_EQ(pthread_create(&meddler, NULL, interfere, &scene), 0);
    for (int i = 0; i < READERS; i++)
        CHECK_EQ(pthread_create(&readers[i], NULL, read_stream, &scene), 0);
    for (int i = 0; i < READERS; i++)
        pthread_join(readers[i], NULL);
    weir_statistics statistics;
    CHECK_EQ(weir_getstat(scene.socket, &statistics), 0);
    CHECK_EQ(statistics.recv_oct, (uint64_t)BYTES);
    atomic_store(&scene.over, true);
    pthread_join(meddler, NULL);
    pthread_join(writer, NULL);
    close(scene.peer);
    weir_stop(runtime);
    CHECK_EQ(memory_live_count(), 0);
}
