/* SPDX-License-Identifier: MIT */
#include "peers/stream.h"

#include "base/memory.h"
#include "common/fail.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>

/* What one peer has not taken yet; nothing is allocated while it keeps up. */
struct rest {
    char *bytes;
    size_t size;
    size_t sent;
};

static struct {
    char *buffer;
    size_t buffer_bytes;
    struct rest *rests; /* by descriptor */
} stream;

void stream_open(unsigned descriptors, size_t buffer_bytes)
{
    stream.buffer_bytes = buffer_bytes;
    stream.buffer = memory_map(buffer_bytes);
    stream.rests = memory_allocate_zeroed(descriptors, sizeof(*stream.rests));
    if (!stream.buffer || !stream.rests)
        fail("out of memory");
}

void stream_forget(int fd)
{
    memory_free(stream.rests[fd].bytes);
    stream.rests[fd] = (struct rest){0};
}

static enum stream_outcome keep_rest(int fd, const char *bytes, size_t size)
{
    char *copy = memory_allocate(size);
    if (!copy)
        return STREAM_ENDED;
    stream.rests[fd] = (struct rest){.bytes = memcpy(copy, bytes, size), .size = size};
    return STREAM_BLOCKED;
}

static enum stream_outcome send_all(int fd, const char *bytes, size_t size)
{
    ssize_t count = send(fd, bytes, size, MSG_NOSIGNAL);
    if (count == (ssize_t)size)
        return STREAM_DRAINED;
    if (count < 0 && errno != EAGAIN)
        return STREAM_ENDED;
    size_t sent = count < 0 ? 0 : (size_t)count;
    return keep_rest(fd, bytes + sent, size - sent);
}

static enum stream_outcome send_rest(int fd)
{
    struct rest *rest = &stream.rests[fd];
    ssize_t count = send(fd, rest->bytes + rest->sent, rest->size - rest->sent, MSG_NOSIGNAL);
    if (count < 0)
        return errno == EAGAIN ? STREAM_BLOCKED : STREAM_ENDED;
    rest->sent += (size_t)count;
    if (rest->sent < rest->size)
        return STREAM_BLOCKED;
    stream_forget(fd);
    return STREAM_DRAINED;
}

static enum stream_outcome echo(int fd, bool ending)
{
    size_t room = stream.buffer_bytes;
    for (;;) {
        ssize_t count = recv(fd, stream.buffer, room, 0);
        if (count < 0)
            return errno == EAGAIN ? STREAM_DRAINED : STREAM_ENDED;
        if (count == 0)
            return STREAM_ENDED;
        enum stream_outcome outcome = send_all(fd, stream.buffer, (size_t)count);
        if (outcome != STREAM_DRAINED)
            return outcome;
        /* A short read has drained the socket (epoll(7)), unless its end is still to be read. */
        if ((size_t)count < room && !ending)
            return STREAM_DRAINED;
    }
}

enum stream_outcome stream_ready(int fd, bool ending)
{
    enum stream_outcome outcome = stream.rests[fd].bytes ? send_rest(fd) : STREAM_DRAINED;
    return outcome == STREAM_DRAINED ? echo(fd, ending) : outcome;
}
