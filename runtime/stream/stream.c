/* SPDX-License-Identifier: MIT */
#include "runtime/stream/stream.h"

#include "runtime/scheduler/scheduler.h"

struct stream *stream_create(struct scheduler *scheduler, int fd, enum weir_family family)
{
    struct slot *slot = slot_create(scheduler, KIND_STREAM, fd, family);
    if (!slot)
        return NULL;
    struct stream *socket = stream_of(slot);
    socket->active = WEIR_ACTIVE_FALSE;
    socket->bulk = true;
    list_init(&socket->link);
    return socket;
}

void stream_set_options(struct stream *socket, struct option_block *options)
{
    if (socket->slot.options)
        option_block_drop(socket->slot.options);
    socket->slot.options = option_block_share(options);
    socket->bit8_seen = options->values.bit8 == WEIR_BIT8_SET;
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
