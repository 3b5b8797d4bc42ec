/* SPDX-License-Identifier: MIT */
#include "runtime/stream/writable.h"

#include <poll.h>

#include "base/canary.h"
#include "runtime/scheduler/cancel.h"
#include "runtime/scheduler/scheduler.h"
#include "runtime/stream/stream.h"

/* One operation for the rest of the socket's life: the kernel tells each time that room comes
 * after there was none, as epoll does edge-triggered, and costs nothing in between. */
void writable_watch(struct scheduler *scheduler, struct stream *stream)
{
    if (stream->watching != WATCHING_NOT)
        return;
    stream->watching = WATCHING;
    slot_hold(&stream->slot);
    ring_watch_writable(scheduler->ring, slot_operation(&stream->slot, STREAM_WRITABLE),
                        stream->slot.fd);
}

/* Told of is also that the peer has shut its side down, which is no room. */
static bool may_be_writable(const struct ring_completion *completion)
{
    enum { EVENTS = CANARY(MISSED_ROOM) ? POLLHUP : POLLOUT | POLLERR | POLLHUP };
    bool goes_on = (completion->flags & RING_MORE) != 0;
    return !goes_on || completion->result < 0 || (completion->result & EVENTS) != 0;
}

bool writable_told(struct stream *stream, const struct ring_completion *completion)
{
    if (!(completion->flags & RING_MORE))
        stream->watching = WATCHING_NOT;
    return may_be_writable(completion);
}

void writable_stop(struct scheduler *scheduler, struct stream *stream)
{
    if (stream->watching != WATCHING)
        return;
    stream->watching = WATCHING_CANCELLED;
    cancel_start(scheduler, &stream->slot, STREAM_WRITABLE);
}

bool writable_is_cancelled(const struct slot *slot)
{
    const struct stream *stream = stream_of(slot);
    return stream->watching == WATCHING_CANCELLED;
}
