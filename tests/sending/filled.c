/* SPDX-License-Identifier: MIT */
#include "sending/filled.h"

#include "base/memory.h"
#include <errno.h>
#include <stdio.h>
#include <sys/socket.h>

/* Longer than the peer's kernel delays what acknowledges the last segment. */
enum { STABLE_MS = 60 };

static struct loopback open_with(const weir_config *config, const char *options, int peer_buffer)
{
    char text[256];
    snprintf(text, sizeof(text), "[" SMALL_BUFFERS ",{active,false}%s]", options);
    struct loopback loopback = loopback_start(config);
    loopback.listener = listen_with(loopback.runtime, text);
    loopback.peer = peer_connect_with(weir_port(loopback.listener), peer_buffer);
    GIVES(weir_tcp_accept(loopback.listener, weir_mailed_to(loopback.mailbox), WAIT_MS,
                          &loopback.socket),
          0);
    return loopback;
}

struct loopback open_small(const weir_config *config, const char *options)
{
    return open_with(config, options, PEER_BUFFER);
}

uint64_t stable_queue(weir_socket socket)
{
    uint64_t size = queued(socket);
    uint64_t until = now_ms() + STABLE_MS;
    while (now_ms() < until) {
        uint64_t now = queued(socket);
        if (now != size)
            until = now_ms() + STABLE_MS;
        size = now;
    }
    return size;
}

struct loopback open_filled(const char *options, uint64_t *queue)
{
    struct loopback loopback = open_with(NULL, options, 4096);
    char *bytes = memory_allocate_zeroed(1, FILL_BYTES);
    GIVES(weir_send(loopback.socket, bytes, FILL_BYTES), 0);
    memory_free(bytes);
    *queue = stable_queue(loopback.socket);
    cr_assert(*queue > FILL_BYTES / 2, "only %lu bytes are queued", (unsigned long)*queue);
    return loopback;
}

void read_until(struct loopback *loopback, uint64_t size)
{
    char part[4096];
    uint64_t until = now_ms() + WAIT_MS;
    while (queued(loopback->socket) > size) {
        cr_assert(now_ms() < until, "the queue does not drain");
        ssize_t count = recv(loopback->peer, part, sizeof(part), MSG_DONTWAIT);
        cr_assert(count > 0 || (count < 0 && errno == EAGAIN));
    }
}
