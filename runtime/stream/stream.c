/* SPDX-License-Identifier: MIT */
#include "runtime/stream/stream.h"

#include "runtime/scheduler/scheduler.h"

struct stream *stream_create(struct scheduler *scheduler, int fd, enum weir_family family,
                             struct option_block *options)
{
    struct slot *slot = slot_create(scheduler, KIND_STREAM, fd, family);
    if (!slot)
        return NULL;
    struct stream *stream = stream_of(slot);
    stream->slot.options = option_block_share(options);
    stream->active = options->values.active;
    stream->bit8_seen = options->values.bit8 == WEIR_BIT8_SET;
    stream->bulk = true;
    return stream;
}

struct stream *stream_create_with(struct scheduler *scheduler, int fd, enum weir_family family,
                                  const struct option_values *values)
{
    struct option_block *block = option_block_create(values);
    if (!block)
        return NULL;
    struct stream *stream = stream_create(scheduler, fd, family, block);
    option_block_drop(block);
    return stream;
}

struct stream *stream_find(struct scheduler *scheduler, weir_socket handle)
{
    struct slot *slot = slot_find(scheduler, handle);
    return slot && slot->kind == KIND_STREAM ? stream_of(slot) : NULL;
}

void stream_connected(struct scheduler *scheduler, struct stream *stream)
{
    stream->connected = true;
    scheduler->totals.connections++;
}
