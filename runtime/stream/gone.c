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

static void free_stream(struct scheduler *scheduler, struct stream *socket)
{
    idle_forget(scheduler, socket);
    input_drop(socket);
    send_free(scheduler, socket);
    owner_set(&socket->slot, weir_owned_by_nobody());
    list_remove(&socket->link);
    if (socket->slot.options)
        option_block_drop(socket->slot.options);
    slot_free(scheduler, &socket->slot);
}

/* A handler may be called from the turn only, and after the callbacks of its calls: those that wait
 * for the kernel, or have come home, are finished in the next turn at the latest. */
void gone_release(struct scheduler *scheduler, struct slot *slot)
{
    struct stream *socket = stream_of(slot);
    if (!owner_waits_for_gone(socket->slot.owner) || CANARY(FORGOTTEN_GONE)) {
        free_stream(scheduler, socket);
    } else if (list_is_empty(&socket->link)) {
        struct streams *streams = streams_of(scheduler);
        list_append(&streams->settled, &socket->link);
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
        struct stream *socket = list_entry(node, struct stream, link);
        owner_tell_gone(scheduler, &socket->slot);
        free_stream(scheduler, socket);
    }
    if (!list_is_empty(&streams->leaving))
        task_add(&scheduler->tasks, TASK_LAST, task);
}
