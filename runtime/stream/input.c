/* SPDX-License-Identifier: MIT */
#include "runtime/stream/input.h"

#include <errno.h>
#include <string.h>

#include "base/check.h"
#include "runtime/buffer/buffer.h"
#include "runtime/scheduler/scheduler.h"
#include "runtime/stream/shelf.h"
#include "runtime/stream/stream.h"

/* From MOVED_BY_PAGES on the allocator lets the kernel move a block that grows. */
enum { SMALLEST_BLOCK = 256, MOVED_BY_PAGES = 128 << 10 };

size_t input_size(const struct stream *socket)
{
    return socket->input ? socket->input->end - socket->input->start : 0;
}

/* What has come, times two at most, whatever the packet claims to be: peers that claim 4 MiB and
 * send ten bytes would have cost a huge page each. */
static size_t block_size_for(const struct stream *socket, size_t size)
{
    size_t capacity = size > SMALLEST_BLOCK / 2 ? 2 * size : SMALLEST_BLOCK;
    return socket->needed >= size && socket->needed < capacity ? socket->needed : capacity;
}

/* A block of the packet's own size that was used before costs nothing that is not there already. */
static struct weir_buffer *new_block(const struct stream *socket, size_t size)
{
    struct weir_buffer *used =
        socket->needed >= INPUT_DIRECT_FROM_BYTES ? buffer_reuse(socket->needed) : NULL;
    return used ? used : buffer_allocate(block_size_for(socket, size));
}

static struct weir_buffer *larger_block(struct scheduler *scheduler, struct stream *socket,
                                        size_t size)
{
    struct weir_buffer *old = socket->input;
    const uint8_t *bytes = old->bytes;
    size_t held = input_size(socket);
    struct weir_buffer *block =
        socket->input->start == 0 ? buffer_grow(old, block_size_for(socket, size)) : NULL;
    if (block) {
        scheduler->totals.copied_bytes += block->bytes != bytes && held < MOVED_BY_PAGES ? held : 0;
        return block;
    }
    block = new_block(socket, size);
    if (!block)
        return NULL;
    memcpy(block->bytes, bytes + socket->input->start, held);
    block->shelf = old->shelf;
    old->shelf = NULL;
    scheduler->totals.copied_bytes += held;
    buffer_release(old);
    return block;
}

/* A block that somebody keeps a packet of may be appended to, never moved within. */
static int make_room(struct scheduler *scheduler, struct stream *socket, size_t size)
{
    struct weir_buffer *old = socket->input;
    size_t held = input_size(socket);
    if (old && old->capacity - old->end >= size)
        return 0;
    struct weir_buffer *block =
        old ? larger_block(scheduler, socket, held + size) : new_block(socket, held + size);
    if (!block)
        return -ENOMEM;
    socket->input = block;
    block->start = 0;
    block->end = (uint32_t)held;
    return 0;
}

int input_append(struct scheduler *scheduler, struct stream *socket, const uint8_t *bytes,
                 size_t size)
{
    int result = make_room(scheduler, socket, size);
    if (result < 0)
        return result;
    memcpy(socket->input->bytes + socket->input->end, bytes, size);
    socket->input->end += (uint32_t)size;
    scheduler->totals.copied_bytes += size;
    CHECK_LE(socket->input->end, socket->input->capacity);
    return 0;
}

void input_consume(struct stream *socket, size_t size)
{
    CHECK_LE(size, input_size(socket));
    socket->input->start += (uint32_t)size;
    if (input_size(socket) == 0)
        input_drop(socket);
}

void input_take_back(struct stream *socket, size_t size)
{
    CHECK_LE(size, input_size(socket));
    if (size == 0) /* all of it was framed, and the block is gone */
        return;
    socket->input->end -= (uint32_t)size;
    if (input_size(socket) == 0)
        input_drop(socket);
}

void input_settle(struct stream *socket)
{
    size_t taken = shelf_take_back(socket);
    if (taken > 0)
        input_consume(socket, taken);
}

void input_drop(struct stream *socket)
{
    input_settle(socket);
    if (socket->input)
        buffer_release(socket->input);
    socket->input = NULL;
}

size_t input_missing(const struct stream *socket)
{
    size_t held = input_size(socket);
    return socket->needed > held ? socket->needed - held : 0;
}

bool input_wants_direct(const struct stream *socket)
{
    return socket->input && input_missing(socket) >= INPUT_DIRECT_FROM_BYTES / 2 &&
           socket->needed >= INPUT_DIRECT_FROM_BYTES;
}

size_t input_direct_room(struct scheduler *scheduler, struct stream *socket)
{
    if (make_room(scheduler, socket, 1) < 0)
        return 0;
    size_t room = socket->input->capacity - socket->input->end;
    size_t missing = input_missing(socket);
    return room < missing ? room : missing;
}
