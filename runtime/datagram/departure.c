/* SPDX-License-Identifier: MIT */
#include "runtime/datagram/departure.h"

#include <errno.h>
#include <poll.h>

#include "base/canary.h"
#include "runtime/datagram/datagram.h"
#include "runtime/datagram/datagrams.h"
#include "runtime/datagram/outbox.h"
#include "runtime/owner/owner.h"
#include "runtime/scheduler/call.h"
#include "runtime/scheduler/cancel.h"
#include "runtime/scheduler/scheduler.h"

bool departure_is_busy(const struct datagram *socket)
{
    const struct outbox *outbox = socket->outbox;
    return outbox && outbox->busy;
}

void departure_soon(struct scheduler *scheduler, struct outbox *outbox)
{
    struct datagrams *datagrams = datagrams_of(scheduler);
    const struct option_values *values = datagram_values(outbox->socket);
    outbox->busy = outbox->busy || outbox_weight(outbox) >= values->high_watermark;
    if (outbox->room != ROOM_KNOWN || !list_is_empty(&outbox->link))
        return;
    list_append(&datagrams->unsent, &outbox->link);
    task_add(&scheduler->tasks, TASK_LAST, &datagrams->end_turn);
}

/* One after the other, while there is room and the calls are made on an open socket. */
static void resume_waiters(struct scheduler *scheduler, struct outbox *outbox)
{
    struct list *node;
    while (!outbox->busy && (node = list_take(&outbox->waiters))) {
        struct call *call = list_entry(node, struct call, link);
        int result = call->operation->run(scheduler, &outbox->socket->slot, call);
        if (result != CALL_WAITS)
            call_complete(scheduler, call, result);
    }
}

static void drained(struct scheduler *scheduler, struct outbox *outbox)
{
    struct datagram *socket = outbox->socket;
    if (!outbox->busy || outbox_weight(outbox) > datagram_values(socket)->low_watermark)
        return;
    outbox->busy = false;
    resume_waiters(scheduler, outbox);
    if (outbox->busy || !outbox->refused)
        return;
    outbox->refused = false;
    if (socket->slot.state == SOCKET_OPEN)
        owner_tell_unbusy(scheduler, &socket->slot);
}

static void finish(struct scheduler *scheduler, struct outbox *outbox, struct parcel *parcel,
                   int result)
{
    struct call *call = parcel->call;
    struct datagram *socket = outbox->socket;
    outbox_count_off(outbox, parcel->size, parcel->count);
    if (result >= 0) {
        scheduler->totals.packets_sent += parcel->count;
        scheduler->totals.bytes_sent += parcel->size;
    }
    parcel_free(&datagrams_of(scheduler)->parcels, parcel);
    if (call)
        call_complete(scheduler, call, result < 0 ? result : 0);
    else if (result < 0)
        datagram_tell_error(scheduler, socket, result);
}

static bool start_one(struct scheduler *scheduler, struct outbox *outbox, struct parcel *parcel)
{
    struct slot *slot = &outbox->socket->slot;
    uint32_t number;
    if (!parcel_number(&datagrams_of(scheduler)->parcels, parcel, &number))
        return false;
    list_remove(&parcel->link);
    outbox->in_flight_count++;
    slot_hold(slot);
    scheduler->totals.send_operations++;
    ring_send_message(scheduler->ring,
                      operation_with_number(slot_operation(slot, DATAGRAM_SEND), number), slot->fd,
                      parcel_message(parcel), false);
    return true;
}

/* False: so many are in flight that the rest is for the next turn. */
static bool start(struct scheduler *scheduler, struct outbox *outbox)
{
    while (!list_is_empty(&outbox->parcels))
        if (!start_one(scheduler, outbox, list_entry(outbox->parcels.next, struct parcel, link)))
            return false;
    return true;
}

void departure_end_turn(struct scheduler *scheduler)
{
    struct datagrams *datagrams = datagrams_of(scheduler);
    while (!list_is_empty(&datagrams->unsent)) {
        struct outbox *outbox = list_entry(datagrams->unsent.next, struct outbox, link);
        if (!start(scheduler, outbox)) {
            task_add(&scheduler->tasks, TASK_LAST, &datagrams->end_turn);
            return;
        }
        list_remove(&outbox->link);
    }
}

/* The kernel says once when there is room again: a multishot poll would say so after each datagram
 * that it has sent. */
static void wait_for_room(struct scheduler *scheduler, struct outbox *outbox)
{
    struct slot *slot = &outbox->socket->slot;
    if (outbox->room != ROOM_KNOWN)
        return;
    outbox->room = ROOM_WAITED_FOR;
    list_remove(&outbox->link);
    slot_hold(slot);
    ring_poll(scheduler->ring, slot_operation(slot, DATAGRAM_WRITABLE), slot->fd, POLLOUT);
}

/* Of a run: the route does not take its size, or no segmentation at all. */
static bool is_refused_run(const struct parcel *parcel, int result)
{
    return parcel->count > 1 && (result == -EIO || result == -EINVAL || result == -EMSGSIZE);
}

/* Each goes out by itself. What there is no memory for fails as the run did. */
static void take_apart(struct scheduler *scheduler, struct outbox *outbox, struct parcel *run,
                       int result)
{
    struct parcels *parcels = &datagrams_of(scheduler)->parcels;
    if (CANARY(LOST_RUN)) {
        outbox_count_off(outbox, run->size, run->count);
        parcel_free(parcels, run);
        return;
    }
    while (run->count > 1) {
        struct parcel *first = parcel_split(parcels, run);
        if (!first) {
            finish(scheduler, outbox, run, result);
            return;
        }
        first->order = run->order;
        outbox_put_back(outbox, first);
    }
    outbox_put_back(outbox, run);
}

void departure_completed(struct scheduler *scheduler, struct slot *slot,
                         const struct ring_completion *completion)
{
    struct outbox *outbox = datagram_of(slot)->outbox;
    struct parcel *parcel =
        parcel_landed(&datagrams_of(scheduler)->parcels, operation_number(completion->user_data));
    int result = completion->result;
    outbox->in_flight_count--;
    if (result == -EAGAIN) {
        scheduler->totals.blocked_sends++;
        outbox_put_back(outbox, parcel);
        wait_for_room(scheduler, outbox);
    } else if (is_refused_run(parcel, result)) {
        refusal_note(&datagrams_of(scheduler)->refusals, parcel, scheduler->now_ns);
        scheduler->totals.refused_runs++;
        take_apart(scheduler, outbox, parcel, result);
        departure_soon(scheduler, outbox);
    } else {
        finish(scheduler, outbox, parcel, result);
    }
    drained(scheduler, outbox);
}

void departure_writable(struct scheduler *scheduler, struct slot *slot,
                        const struct ring_completion *completion)
{
    struct outbox *outbox = datagram_of(slot)->outbox;
    (void)completion;
    outbox->room = ROOM_KNOWN;
    if (!list_is_empty(&outbox->parcels) && !CANARY(UNHEARD_ROOM))
        departure_soon(scheduler, outbox);
}

bool departure_is_cancelled(const struct slot *slot)
{
    return datagram_of(slot)->outbox->room == ROOM_CANCELLED;
}

void departure_drop(struct scheduler *scheduler, struct datagram *socket, int result)
{
    struct outbox *outbox = socket->outbox;
    if (!outbox)
        return;
    list_remove(&outbox->link);
    while (!list_is_empty(&outbox->parcels)) {
        struct parcel *parcel = list_entry(outbox->parcels.next, struct parcel, link);
        list_remove(&parcel->link);
        finish(scheduler, outbox, parcel, result);
    }
    if (outbox->room == ROOM_WAITED_FOR) {
        outbox->room = ROOM_CANCELLED;
        cancel_start(scheduler, &socket->slot, DATAGRAM_WRITABLE);
    }
}
