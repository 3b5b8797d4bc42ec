/* SPDX-License-Identifier: MIT */
#include "runtime/stream/gone.h"

#include "base/canary.h"
#include "runtime/owner/owner.h"
#include "runtime/scheduler/scheduler.h"
#include "runtime/stream/idle.h"
#include "runtime/stream/input.h"
#include "runtime/stream/send.h"
#include "runtime/stream/stream.h"
#include "runtime/stream/streams.h"

static void free_stream(struct scheduler *scheduler, struct stream *stream)
{
    idle_forget(scheduler, stream);
    input_drop(stream);
    send_free(scheduler, stream);
    owner_set(&stream->slot, weir_owned_by_nobody());
    list_remove(&stream->link);
    if (stream->slot.options)
        option_block_drop(stream->slot.options);
    slot_free(scheduler, &stream->slot);
}

/* A handler may be called from the turn only, and after the callbacks of its calls: those that wait
 * for the kernel, or have come home, are finished in the next turn at the latest. */
void gone_release(struct scheduler *scheduler, struct slot *slot)
{
    struct stream *stream = stream_of(slot);
    if (!owner_waits_for_gone(stream->slot.owner) || CANARY(FORGOTTEN_GONE)) {
        free_stream(scheduler, stream);
    } else if (list_is_empty(&stream->link)) {
        struct streams *streams = streams_of(scheduler);
        list_append(&streams->settled, &stream->link);
        task_add(&scheduler->tasks, TASK_LAST, &streams->tell_gone);
    }
}

void gone_tell(struct scheduler *scheduler, struct task *task)
{
    struct streams *streams = streams_of(scheduler);
    struct list leaving;
    struct list *node;
    list_init(&leaving);
    list_move_all(&leaving, &streams->leaving);
    list_move_all(&streams->leaving, &streams->settled);
    while ((node = list_take(&leaving))) {
        struct stream *stream = list_entry(node, struct stream, link);
        owner_tell_gone(scheduler, &stream->slot);
        free_stream(scheduler, stream);
    }
    if (!list_is_empty(&streams->leaving))
        task_add(&scheduler->tasks, TASK_LAST, task);
}
