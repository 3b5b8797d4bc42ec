/* SPDX-License-Identifier: MIT */
/*
 * The echo of a readiness loop: reads until a short read, and writes back at once from one buffer
 * that all sockets share and that stays in the cache. Only what the peer does not take is copied,
 * and reading stops until it is gone.
 */
#ifndef PEERS_STREAM_H
#define PEERS_STREAM_H

#include <stdbool.h>
#include <stddef.h>

enum stream_outcome {
    STREAM_DRAINED, /* call again when there is more to read */
    STREAM_BLOCKED, /* call again when it can be written */
    STREAM_ENDED,   /* forget it and close it */
};

/* `descriptors` bounds the sockets' numbers, `buffer_bytes` is the size of one read. */
void stream_open(unsigned descriptors, size_t buffer_bytes);

/* For a non-blocking socket that became ready; `ending` when its peer's end was announced. */
enum stream_outcome stream_ready(int fd, bool ending);

void stream_forget(int fd);

#endif
