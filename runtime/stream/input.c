/* SPDX-License-Identifier: MIT */
#include "runtime/stream/input.h"

#include <errno.h>
#include <string.h>

#include "base/check.h"
#include "runtime/buffer/buffer.h"
#include "runtime/scheduler/scheduler.h"
#include "runtime/scheduler/socket.h"

enum { SMALLEST_BLOCK = 256 };

size_t input_size(const struct socket *socket)
{
    return socket->input_end - socket->input_start;
}

/* Exactly the packet when its size is known, so that a slow peer costs what it sends. */
static size_t block_size_for(const struct socket *socket, size_t size)
{
    if (socket->needed >= size)
        return socket->needed;
    size_t capacity = SMALLEST_BLOCK;
    while (capacity < size)
        capacity *= 2;
    return capacity;
}

/* A block that somebody keeps a packet of may be appended to, never moved within. */
static int make_room(struct scheduler *scheduler, struct socket *socket, size_t size)
{
    size_t held = input_size(socket);
    size_t whole = held + size;
    struct weir_buffer *old = socket->input;
    if (old && old->capacity - socket->input_end >= size &&
        old->capacity - socket->input_start >= socket->needed)
        return 0;
    struct weir_buffer *block = buffer_allocate(block_size_for(socket, whole));
    if (!block)
        return -ENOMEM;
    if (old) {
        memcpy(block->bytes, old->bytes + socket->input_start, held);
        scheduler->totals.copied_bytes += held;
        buffer_release(old);
    }
    socket->input = block;
    socket->input_start = 0;
    socket->input_end = (uint32_t)held;
    return 0;
}

int input_append(struct scheduler *scheduler, struct socket *socket, const uint8_t *bytes,
                 size_t size)
{
    int result = make_room(scheduler, socket, size);
    if (result < 0)
        return result;
    memcpy(socket->input->bytes + socket->input_end, bytes, size);
    socket->input_end += (uint32_t)size;
    scheduler->totals.copied_bytes += size;
    CHECK_LE(socket->input_end, socket->input->capacity);
    return 0;
}

void input_consume(struct socket *socket, size_t size)
{
    CHECK_LE(size, input_size(socket));
    socket->input_start += (uint32_t)size;
    if (input_size(socket) == 0)
        input_drop(socket);
}

void input_take_back(struct socket *socket, size_t size)
{
    CHECK_LE(size, input_size(socket));
    socket->input_end -= (uint32_t)size;
    if (input_size(socket) == 0)
        input_drop(socket);
}

void input_drop(struct socket *socket)
{
    if (socket->input)
        buffer_release(socket->input);
    socket->input = NULL;
    socket->input_start = 0;
    socket->input_end = 0;
}

size_t input_missing(const struct socket *socket)
{
    size_t held = input_size(socket);
    return socket->needed > held ? socket->needed - held : 0;
}

bool input_wants_direct(const struct socket *socket)
{
    return socket->input && input_missing(socket) >= INPUT_DIRECT_FROM_BYTES / 2 &&
           socket->needed >= INPUT_DIRECT_FROM_BYTES &&
           socket->input->capacity - socket->input_start >= socket->needed;
}
