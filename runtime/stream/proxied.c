/* SPDX-License-Identifier: MIT */
#include "runtime/stream/proxied.h"

#include <errno.h>

#include "base/memory.h"
#include "runtime/stream/stream.h"
#include "runtime/stream/streams.h"

int proxied_note(struct scheduler *scheduler, struct stream *stream,
                 const struct proxy_header *header)
{
    struct proxy_header *copy = memory_allocate(sizeof(*copy));
    if (!copy)
        return -ENOMEM;
    *copy = *header;
    int result = slot_notes_set(&streams_of(scheduler)->proxied, &stream->slot, copy);
    if (result < 0)
        memory_free(copy);
    return result;
}

const struct proxy_header *proxied_of(const struct scheduler *scheduler, const struct slot *slot)
{
    return slot_note(&streams_of(scheduler)->proxied, slot);
}

void proxied_forget(struct scheduler *scheduler, const struct slot *slot)
{
    struct slot_notes *notes = &streams_of(scheduler)->proxied;
    memory_free(slot_note(notes, slot));
    (void)slot_notes_set(notes, slot, NULL);
}
