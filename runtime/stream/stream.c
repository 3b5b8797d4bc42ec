/* SPDX-License-Identifier: MIT */
#include "runtime/stream/stream.h"

#include "base/system.h"
#include "runtime/scheduler/scheduler.h"

static struct stream *init(struct slot *slot)
{
    const struct option_values *values = &slot->options->values;
    struct stream *stream = stream_of(slot);
    stream->active = values->active;
    stream->bit8_seen = values->bit8 == WEIR_BIT8_SET;
    stream->bulk = true;
    return stream;
}

struct stream *stream_create(struct scheduler *scheduler, int fd, enum weir_family family,
                             struct option_block *options)
{
    struct slot *slot = slot_create(scheduler, KIND_STREAM, fd, family);
    if (!slot)
        return NULL;
    slot->options = option_block_share(options);
    return init(slot);
}

struct stream *stream_create_with(struct scheduler *scheduler, int fd, enum weir_family family,
                                  const struct option_values *values)
{
    struct slot *slot = slot_create_with(scheduler, KIND_STREAM, fd, family, values);
    return slot ? init(slot) : NULL;
}

struct stream *stream_find(struct scheduler *scheduler, weir_socket handle)
{
    struct slot *slot = slot_find(scheduler, handle);
    return slot && slot->kind == KIND_STREAM ? stream_of(slot) : NULL;
}

int stream_shut(struct stream *stream, int how)
{
    stream->sending = SENDING_SHUT;
    return system_shutdown(stream->slot.fd, how);
}

void stream_connected(struct scheduler *scheduler, struct stream *stream)
{
    stream->connected = true;
    scheduler->totals.connections++;
}
