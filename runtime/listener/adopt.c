/* SPDX-License-Identifier: MIT */
#include "runtime/listener/adopt.h"

#include <errno.h>

#include "base/canary.h"
#include "base/memory.h"
#include "base/system.h"
#include "runtime/listener/listener.h"
#include "runtime/owner/owner.h"
#include "runtime/scheduler/call.h"
#include "runtime/scheduler/quota.h"
#include "runtime/scheduler/registry.h"
#include "runtime/scheduler/scheduler.h"
#include "runtime/scheduler/slot.h"
#include "runtime/stream/idle.h"
#include "runtime/stream/open.h"
#include "runtime/stream/proxied.h"
#include "runtime/stream/receive.h"
#include "runtime/stream/stream.h"

static void discard(const struct arrival *arrival)
{
    system_close(arrival->fd);
    if (arrival->quota)
        quota_give_back(arrival->quota);
}

/* Without memory for it, it has never been. */
static int forsake(struct scheduler *scheduler, struct stream *stream)
{
    owner_set(&stream->slot, weir_owned_by_nobody());
    slot_end(scheduler, &stream->slot, END_CLOSED);
    return -ENOMEM;
}

/* `stream` has a place from now on, if there are so many and no more. */
static int occupy(struct scheduler *scheduler, struct stream *stream, struct quota *quota)
{
    int result = quota ? quota_occupy(scheduler, &stream->slot, quota) : 0;
    if (result < 0)
        quota_give_back(quota);
    return result;
}

static int name(struct scheduler *scheduler, struct stream *stream,
                const struct proxy_header *header)
{
    return header ? proxied_note(scheduler, stream, header) : 0;
}

/* `stream` NULL: there was no memory for it. 0, or -ENOMEM: then nothing is left of it. */
static int establish(struct scheduler *scheduler, struct stream *stream,
                     const struct arrival *arrival, weir_owner owner)
{
    if (!stream) {
        discard(arrival);
        return -ENOMEM;
    }
    slot_move(&stream->slot, SOCKET_ESTABLISH);
    owner_set(&stream->slot, owner);
    stream_connected(scheduler, stream);
    if (occupy(scheduler, stream, arrival->quota) < 0 ||
        name(scheduler, stream, arrival->header) < 0 || idle_watch(scheduler, stream) < 0)
        return forsake(scheduler, stream);
    return 0;
}

static void welcome(struct scheduler *scheduler, struct stream *stream)
{
    stream->options_inherited = true;
    slot_hold(&stream->slot);
    owner_tell(scheduler, &stream->slot, WEIR_MESSAGE_ACCEPTED, 0);
    if (stream->slot.state == SOCKET_OPEN)
        receive_start(scheduler, stream);
    if (scheduler->state == SCHEDULER_STOPPING) /* what had come before that */
        slot_end(scheduler, &stream->slot, END_STOP);
    slot_unhold(scheduler, &stream->slot);
}

void adopt_for_owner(struct scheduler *scheduler, const struct arrival *arrival)
{
    struct stream *stream =
        stream_create(scheduler, arrival->fd, arrival->family, arrival->options);
    if (establish(scheduler, stream, arrival, arrival->owner) == 0)
        welcome(scheduler, stream);
}

struct handover *adopt_prepare(const struct arrival *arrival, adopt_take_back *take_back)
{
    struct handover *handover = memory_allocate(sizeof(*handover));
    if (!handover) {
        discard(arrival);
        return NULL;
    }
    handover->arrival = *arrival;
    handover->take_back = take_back;
    list_init(&handover->link);
    if (arrival->header) {
        handover->header = *arrival->header;
        handover->arrival.header = &handover->header;
    }
    return handover;
}

void adopt_discard(struct handover *handover)
{
    discard(&handover->arrival);
    memory_free(handover);
}

static int finish_handover(struct scheduler *scheduler, const struct handover *handover)
{
    const struct arrival *arrival = &handover->arrival;
    struct open_call *open = open_call_of(handover->call);
    struct stream *stream =
        stream_create_with(scheduler, arrival->fd, arrival->family, &handover->values);
    int result = establish(scheduler, stream, arrival, open->owner);
    if (result < 0)
        return result;
    open->socket = slot_handle(scheduler, &stream->slot);
    slot_hold(&stream->slot);
    receive_start(scheduler, stream);
    slot_unhold(scheduler, &stream->slot);
    return 0;
}

static void come_back(struct scheduler *scheduler, struct inbox_node *node)
{
    struct handover *handover = list_entry(node, struct handover, node);
    handover->take_back(scheduler, handover);
}

/* Where the runtime is stopping the connection is closed. */
static int send_over(uint32_t index, struct handover *handover,
                     void (*run)(struct scheduler *scheduler, struct inbox_node *node))
{
    struct scheduler *target = registry_enter(index);
    if (!target) {
        adopt_discard(handover);
        return WEIR_CLOSED;
    }
    handover->node.run = run;
    inbox_post(&target->inbox, &handover->node);
    registry_leave(index);
    return 0;
}

static void arrive(struct scheduler *scheduler, struct inbox_node *node)
{
    struct handover *handover = list_entry(node, struct handover, node);
    struct call *call = handover->call;
    int result = owner_check(open_call_of(call)->owner);
    if (result < 0) {
        call_complete(scheduler, call, result);
        (void)send_over(slot_scheduler(handover->listener), handover, come_back);
        return;
    }
    result = WEIR_CLOSED;
    if (scheduler->state != SCHEDULER_STOPPING)
        result = finish_handover(scheduler, handover);
    else if (!CANARY(LEAKED_HANDOVER))
        discard(&handover->arrival);
    call_complete(scheduler, call, result);
    memory_free(handover);
}

static uint32_t destination(const struct scheduler *scheduler, const struct call *call)
{
    if (call->kind == CALL_BLOCKING)
        return scheduler->host->next_scheduler(scheduler->runtime);
    return call->origin ? call->origin->index : scheduler->index;
}

void adopt_for_call(struct scheduler *scheduler, const struct listener *listener,
                    struct handover *handover, struct call *call)
{
    handover->values = *listener_values(listener);
    handover->values.buffer_explicit = false; /* not inherited */
    handover->call = call;
    handover->listener = slot_handle(scheduler, &listener->slot);
    int result = send_over(destination(scheduler, call), handover, arrive);
    if (result < 0)
        call_complete(scheduler, call, result);
}
