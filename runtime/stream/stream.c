/* SPDX-License-Identifier: MIT */
#include "runtime/stream/stream.h"

#include "runtime/scheduler/scheduler.h"

struct stream *stream_create(struct scheduler *scheduler, int fd, enum weir_family family,
                             struct option_block *options)
{
    struct slot *slot = slot_create(scheduler, KIND_STREAM, fd, family);
    if (!slot)
        return NULL;
    struct stream *socket = stream_of(slot);
    socket->slot.options = option_block_share(options);
    socket->active = options->values.active;
    socket->bit8_seen = options->values.bit8 == WEIR_BIT8_SET;
    socket->bulk = true;
    list_init(&socket->link);
    return socket;
}

struct stream *stream_create_with(struct scheduler *scheduler, int fd, enum weir_family family,
                                  const struct option_values *values)
{
    struct option_block *block = option_block_create(values);
    if (!block)
        return NULL;
    struct stream *socket = stream_create(scheduler, fd, family, block);
    option_block_drop(block);
    return socket;
}

struct stream *stream_find(struct scheduler *scheduler, weir_socket handle)
{
    struct slot *slot = slot_find(scheduler, handle);
    return slot && slot->kind == KIND_STREAM ? stream_of(slot) : NULL;
}

void stream_connected(struct scheduler *scheduler, struct stream *socket)
{
    socket->connected = true;
    scheduler->totals.connections++;
}
