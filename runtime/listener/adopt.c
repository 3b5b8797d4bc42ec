/* SPDX-License-Identifier: MIT */
#include "runtime/listener/adopt.h"

#include <errno.h>

#include "base/canary.h"
#include "base/memory.h"
#include "base/system.h"
#include "runtime/listener/late_options.h"
#include "runtime/listener/listener.h"
#include "runtime/listener/listening.h"
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

/* `stream` NULL: there was no memory for it, and `fd` is closed. */
static bool establish(struct scheduler *scheduler, struct stream *stream, int fd, weir_owner owner)
{
    if (!stream) {
        system_close(fd);
        return false;
    }
    slot_move(&stream->slot, SOCKET_ESTABLISH);
    owner_set(&stream->slot, owner);
    stream_connected(scheduler, stream);
    return true;
}

/* Without memory for it, it has never been. */
static void forsake(struct scheduler *scheduler, struct stream *stream)
{
    owner_set(&stream->slot, weir_owned_by_nobody());
    slot_end(scheduler, &stream->slot, END_CLOSED);
}

static int watch(struct scheduler *scheduler, struct stream *stream)
{
    int result = idle_watch(scheduler, stream);
    if (result < 0)
        forsake(scheduler, stream);
    return result;
}

/* `stream` has a place in its service from now on, if that has so many and no more. */
static int occupy(struct scheduler *scheduler, struct stream *stream, struct quota *quota)
{
    int result = quota ? quota_occupy(scheduler, &stream->slot, quota) : 0;
    if (result < 0) {
        forsake(scheduler, stream);
        quota_give_back(quota);
    }
    return result;
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

static int name(struct scheduler *scheduler, struct stream *stream,
                const struct proxy_header *header)
{
    int result = header ? proxied_note(scheduler, stream, header) : 0;
    if (result < 0)
        forsake(scheduler, stream);
    return result;
}

void adopt_for_owner(struct scheduler *scheduler, const struct arrival *arrival)
{
    struct stream *stream =
        stream_create(scheduler, arrival->fd, arrival->family, arrival->options);
    if (!establish(scheduler, stream, arrival->fd, arrival->owner)) {
        if (arrival->quota)
            quota_give_back(arrival->quota);
        return;
    }
    if (occupy(scheduler, stream, arrival->quota) == 0 &&
        name(scheduler, stream, arrival->header) == 0 && watch(scheduler, stream) == 0)
        welcome(scheduler, stream);
}

/* A connection on its way to another scheduler. */
struct handover {
    struct inbox_node node;
    int fd;
    enum weir_family family;
    struct option_values values;
    struct call *call;
    weir_socket listener;
    adopt_take_back *take_back;
};

static int finish_handover(struct scheduler *scheduler, struct handover *handover)
{
    struct open_call *open = open_call_of(handover->call);
    struct stream *stream =
        stream_create_with(scheduler, handover->fd, handover->family, &handover->values);
    if (!establish(scheduler, stream, handover->fd, open->owner))
        return -ENOMEM;
    int result = watch(scheduler, stream);
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
    handover->take_back(scheduler, handover->listener, handover->fd);
    memory_free(handover);
}

/* Where the runtime is stopping the connection is closed. */
static int send_over(uint32_t index, struct handover *handover,
                     void (*run)(struct scheduler *scheduler, struct inbox_node *node))
{
    struct scheduler *target = registry_enter(index);
    if (!target) {
        system_close(handover->fd);
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
    int result = owner_check(open_call_of(handover->call)->owner);
    if (result < 0) {
        call_complete(scheduler, handover->call, result);
        if (send_over(slot_scheduler(handover->listener), handover, come_back) < 0)
            memory_free(handover);
        return;
    }
    result = WEIR_CLOSED;
    if (scheduler->state != SCHEDULER_STOPPING)
        result = finish_handover(scheduler, handover);
    else if (!CANARY(LEAKED_HANDOVER))
        system_close(handover->fd);
    call_complete(scheduler, handover->call, result);
    memory_free(handover);
}

static uint32_t destination(const struct scheduler *scheduler, const struct call *call)
{
    if (call->kind == CALL_BLOCKING)
        return scheduler->host->next_scheduler(scheduler->runtime);
    return call->origin ? call->origin->index : scheduler->index;
}

void adopt_for_call(struct scheduler *scheduler, struct listener *listener, int fd,
                    struct call *call, adopt_take_back *take_back)
{
    late_options_complete(listener->listening, fd);
    struct handover *handover = memory_allocate(sizeof(*handover));
    if (!handover) {
        system_close(fd);
        call_complete(scheduler, call, -ENOMEM);
        return;
    }
    *handover = (struct handover){
        .fd = fd,
        .family = (enum weir_family)listener->slot.family,
        .values = *listener_values(listener),
        .call = call,
        .listener = slot_handle(scheduler, &listener->slot),
        .take_back = take_back,
    };
    handover->values.buffer_explicit = false; /* not inherited */
    int result = send_over(destination(scheduler, call), handover, arrive);
    if (result < 0) {
        memory_free(handover);
        call_complete(scheduler, call, result);
    }
}
