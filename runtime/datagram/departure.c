/* SPDX-License-Identifier: MIT */
#include "runtime/datagram/departure.h"

#include <errno.h>
#include <poll.h>
#include <sys/socket.h>

#include "base/canary.h"
#include "base/system.h"
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
    struct call *call;
    while (!outbox->busy && (call = outbox_take_waiter(scheduler, outbox))) {
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

static void try_again(struct timer *timer)
{
    struct outbox *outbox = list_entry(timer, struct outbox, retry);
    outbox->room = ROOM_KNOWN;
    if (!list_is_empty(&outbox->parcels))
        departure_soon(outbox->scheduler, outbox);
}

/* What has no room at a local peer has some here: a poll would be ready at once. */
static void look_later(struct scheduler *scheduler, struct outbox *outbox)
{
    outbox->scheduler = scheduler;
    outbox->retry.fire = try_again;
    scheduler_arm(scheduler, &outbox->retry, ROOM_RETRY_MS);
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
    if (slot->family == WEIR_LOCAL) {
        look_later(scheduler, outbox);
        return;
    }
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
    struct datagrams *datagrams = datagrams_of(scheduler);
    refusal_note(&datagrams->refusals, run, scheduler->now_ns);
    scheduler->totals.refused_runs++;
    if (CANARY(LOST_RUN)) {
        list_remove(&run->link);
        outbox_count_off(outbox, run->size, run->count);
        parcel_free(&datagrams->parcels, run);
        return;
    }
    while (run->count > 1) {
        struct parcel *first = parcel_split(&datagrams->parcels, run);
        if (!first) {
            list_remove(&run->link);
            finish(scheduler, outbox, run, result);
            return;
        }
        list_append(&run->link, &first->link); /* before it */
    }
}

/* A local peer may never have room, so a closed socket does not wait for it. */
static bool is_lost(const struct outbox *outbox)
{
    const struct slot *slot = &outbox->socket->slot;
    return slot->family == WEIR_LOCAL && slot->state != SOCKET_OPEN;
}

/* Of a connected socket's run the first alone: what became of an earlier datagram is said once, and
 * the others can go. Without memory for that it is the run. */
static struct parcel *take_failed(struct scheduler *scheduler, const struct outbox *outbox,
                                  struct parcel *first)
{
    struct parcels *parcels = &datagrams_of(scheduler)->parcels;
    bool is_run = first->count > 1 && outbox->socket->connected;
    struct parcel *failed = is_run ? parcel_split(parcels, first) : NULL;
    if (failed)
        return failed;
    list_remove(&first->link);
    return first;
}

/* The first of those that are leaving cannot. False: nor can the others, for now. */
static bool stumble(struct scheduler *scheduler, struct outbox *outbox, int result)
{
    struct parcel *first = list_entry(outbox->leaving.next, struct parcel, link);
    if (result == -EAGAIN && !is_lost(outbox)) {
        scheduler->totals.blocked_sends++;
        wait_for_room(scheduler, outbox);
        return false;
    }
    if (result == -EINTR)
        return true;
    if (is_refused_run(first, result)) {
        take_apart(scheduler, outbox, first, result);
        return true;
    }
    finish(scheduler, outbox, take_failed(scheduler, outbox, first),
           result == -EAGAIN ? WEIR_CLOSED : result);
    return true;
}

static uint32_t address(const struct list *leaving, struct mmsghdr *headers, uint32_t most)
{
    uint32_t count = 0;
    for (struct list *node = leaving->next; node != leaving && count < most; node = node->next)
        parcel_address(list_entry(node, struct parcel, link), &headers[count++].msg_hdr);
    return count;
}

enum { HEADERS = 64 };

/* Of those behind the first the kernel does not say why one has failed, and what ICMP has said of
 * an earlier one it says only once: who may hear of that sends them one by one. */
static uint32_t headers_most(const struct datagram *socket)
{
    return socket->connected ? 1 : HEADERS;
}

/* One system call. False: there is no room for more. */
static bool send_some(struct scheduler *scheduler, struct outbox *outbox)
{
    struct list *leaving = &outbox->leaving;
    struct mmsghdr headers[HEADERS];
    uint32_t count = address(leaving, headers, headers_most(outbox->socket));
    int result = system_send_messages(outbox->socket->slot.fd, headers, count);
    if (result < 0)
        return stumble(scheduler, outbox, result);
    scheduler->totals.send_operations += (uint64_t)result;
    for (; result > 0; result--)
        finish(scheduler, outbox, list_entry(list_take(leaving), struct parcel, link), 0);
    return true;
}

/* What callbacks send meanwhile stands behind what has not left. */
static void depart(struct scheduler *scheduler, struct outbox *outbox)
{
    struct slot *slot = &outbox->socket->slot;
    struct list *leaving = &outbox->leaving;
    list_move_all(leaving, &outbox->parcels);
    slot_hold(slot);
    while (!list_is_empty(leaving) && send_some(scheduler, outbox))
        ;
    list_move_all(leaving, &outbox->parcels);
    list_move_all(&outbox->parcels, leaving);
    drained(scheduler, outbox);
    slot_unhold(scheduler, slot);
}

void departure_end_turn(struct scheduler *scheduler)
{
    struct list unsent;
    struct list *node;
    list_init(&unsent);
    list_move_all(&unsent, &datagrams_of(scheduler)->unsent);
    while ((node = list_take(&unsent)))
        depart(scheduler, list_entry(node, struct outbox, link));
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

void departure_give_up(struct scheduler *scheduler, struct datagram *socket)
{
    const struct outbox *outbox = socket->outbox;
    if (outbox && outbox->room == ROOM_WAITED_FOR && is_lost(outbox))
        departure_drop(scheduler, socket, WEIR_CLOSED);
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
    timer_disarm(&scheduler->timers, &outbox->retry);
    if (outbox->room == ROOM_WAITED_FOR && socket->slot.family != WEIR_LOCAL) {
        outbox->room = ROOM_CANCELLED;
        cancel_start(scheduler, &socket->slot, DATAGRAM_WRITABLE);
    }
}
