/* SPDX-License-Identifier: MIT */
#include "runtime/datagram/collect.h"

#include <errno.h>

#include "base/canary.h"
#include "base/check.h"
#include "runtime/buffer/buffer.h"
#include "runtime/datagram/arrival.h"
#include "runtime/datagram/datagram.h"
#include "runtime/datagram/datagrams.h"
#include "runtime/datagram/handout.h"
#include "runtime/ring/features.h"
#include "runtime/scheduler/cancel.h"
#include "runtime/scheduler/scheduler.h"

enum { REST_MS = 10, FAILURES_MOST = 8 };

static bool needs_block(const struct scheduler *scheduler, const struct datagram *socket)
{
    const uint32_t needed = FEATURE_BIT(MULTISHOT_RECEIVE) | FEATURE_BIT(BUFFER_RING);
    const struct buffer_pool *pool = scheduler->buffers;
    return (scheduler->profile.features & needed) != needed ||
           !arrival_fits(pool->size, pool->stride, datagram_values(socket)->buffer);
}

static void rest(struct scheduler *scheduler, struct datagram *socket)
{
    struct datagrams *datagrams = datagrams_of(scheduler);
    scheduler->totals.memory_pauses++;
    socket->collecting = COLLECTING_RESTING;
    slot_list_append(&scheduler->slots, &datagrams->resting, &socket->slot);
    if (!datagrams->rest.armed)
        scheduler_arm(scheduler, &datagrams->rest, REST_MS);
}

static void starve(struct scheduler *scheduler, struct datagram *socket)
{
    struct datagrams *datagrams = datagrams_of(scheduler);
    scheduler->totals.starved++;
    buffer_pool_miss(scheduler->buffers);
    socket->collecting = COLLECTING_STARVED;
    slot_list_append(&scheduler->slots, &datagrams->starved, &socket->slot);
    task_add(&scheduler->tasks, TASK_WITH_BUFFERS, &datagrams->feed);
}

static bool block_has_room(const struct datagram *socket)
{
    return socket->block &&
           socket->block->capacity >= sizeof(struct arrival) + datagram_values(socket)->buffer;
}

static void arm_block(struct scheduler *scheduler, struct datagram *socket)
{
    if (socket->block && !block_has_room(socket)) {
        buffer_release(socket->block);
        socket->block = NULL;
    }
    if (!socket->block)
        socket->block = arrival_block(datagram_values(socket)->buffer);
    if (!socket->block) {
        rest(scheduler, socket);
        return;
    }
    socket->collecting = COLLECTING;
    slot_hold(&socket->slot);
    ring_receive_message_into(scheduler->ring, slot_operation(&socket->slot, DATAGRAM_RECEIVE_INTO),
                              socket->slot.fd, arrival_ask(socket->block));
}

static void arm(struct scheduler *scheduler, struct datagram *socket)
{
    socket->into_block = needs_block(scheduler, socket);
    if (socket->into_block) {
        arm_block(scheduler, socket);
        return;
    }
    socket->collecting = COLLECTING;
    slot_hold(&socket->slot);
    ring_receive_messages(scheduler->ring, slot_operation(&socket->slot, DATAGRAM_RECEIVE),
                          socket->slot.fd, &arrival_message);
}

static void cancel(struct scheduler *scheduler, struct datagram *socket)
{
    if (socket->collecting != COLLECTING)
        return;
    socket->collecting = COLLECTING_CANCELLED;
    cancel_start(scheduler, &socket->slot,
                 socket->into_block ? DATAGRAM_RECEIVE_INTO : DATAGRAM_RECEIVE);
}

bool collect_is_cancelled(const struct slot *slot)
{
    return datagram_of(slot)->collecting == COLLECTING_CANCELLED;
}

/* A socket that wants nothing stays armed until something comes nevertheless. */
static void update(struct scheduler *scheduler, struct datagram *socket)
{
    if (socket->collecting == COLLECTING_NOT && !socket->waiting.first &&
        datagram_is_wanted(socket))
        arm(scheduler, socket);
}

void collect_go_on(struct scheduler *scheduler, struct datagram *socket)
{
    if (socket->delivering)
        return;
    handout_start(scheduler, socket);
    update(scheduler, socket);
}

static void step_back(struct scheduler *scheduler, struct datagram *socket)
{
    struct datagrams *datagrams = datagrams_of(scheduler);
    if (socket->collecting != COLLECTING_STARVED && socket->collecting != COLLECTING_RESTING)
        return;
    slot_list_remove(&scheduler->slots,
                     socket->collecting == COLLECTING_STARVED ? &datagrams->starved
                                                              : &datagrams->resting,
                     &socket->slot);
    socket->collecting = COLLECTING_NOT;
}

void collect_stop(struct scheduler *scheduler, struct datagram *socket)
{
    step_back(scheduler, socket);
    cancel(scheduler, socket);
}

static void arm_all(struct scheduler *scheduler, struct slot_list *sockets)
{
    struct slot_list waiting = {0};
    struct slot *slot;
    slot_list_move_all(&scheduler->slots, &waiting, sockets);
    while ((slot = slot_list_take(&scheduler->slots, &waiting))) {
        datagram_of(slot)->collecting = COLLECTING_NOT;
        update(scheduler, datagram_of(slot));
    }
}

void collect_feed(struct scheduler *scheduler, struct task *task)
{
    (void)task;
    arm_all(scheduler, &datagrams_of(scheduler)->starved);
}

void collect_wake(struct timer *timer)
{
    struct datagrams *datagrams = list_entry(timer, struct datagrams, rest);
    arm_all(datagrams->scheduler, &datagrams->resting);
}

/* Errors are of datagrams that were sent, and end nothing; over and over they are not asked for at
 * once. */
static void handle_error(struct scheduler *scheduler, struct datagram *socket, int error)
{
    if (socket->slot.state != SOCKET_OPEN || error == -ECANCELED || ring_says_again(error))
        return;
    if (error == -ENOBUFS && !socket->into_block) {
        starve(scheduler, socket);
        return;
    }
    if (++socket->failures >= FAILURES_MOST || error == -ENOMEM || error == -ENOBUFS)
        rest(scheduler, socket);
    if (error != -ENOMEM && error != -ENOBUFS)
        datagram_tell_error(scheduler, socket, error);
    if (CANARY(FATAL_ERROR))
        slot_end(scheduler, &socket->slot, END_CLOSED);
}

/* What is of nobody says that the socket was shut down. */
static void handle_datagram(struct scheduler *scheduler, struct datagram *socket,
                            struct weir_buffer *buffer)
{
    bool wanted = datagram_is_wanted(socket);
    socket->failures = 0;
    bool has_come = !(CANARY(EMPTY_IS_END) && arrival_size(buffer) == 0);
    if (has_come && arrival_read(buffer, datagram_values(socket)->buffer)) {
        handout_arrived(scheduler, socket, buffer);
        if (!wanted && !datagram_is_wanted(socket))
            cancel(scheduler, socket);
        return;
    }
    if (buffer->pool)
        buffer_dispatched(buffer);
    else
        buffer_release(buffer);
    if (socket->collecting == COLLECTING_NOT && socket->slot.state == SOCKET_OPEN)
        rest(scheduler, socket);
}

void collect_completed(struct scheduler *scheduler, struct slot *slot,
                       const struct ring_completion *completion)
{
    struct datagram *socket = datagram_of(slot);
    bool goes_on = completion->flags & RING_MORE;
    if (!goes_on && !(CANARY(LAST_SHOT) && completion->result > 0))
        socket->collecting = COLLECTING_NOT;
    if (completion->flags & RING_BUFFER) {
        struct weir_buffer *buffer =
            buffer_pool_at(scheduler->buffers, (uint16_t)(completion->flags >> RING_BUFFER_SHIFT));
        buffer->filled = (size_t)completion->result;
        CHECK_LE(buffer->filled, buffer->capacity);
        handle_datagram(scheduler, socket, buffer);
    } else {
        handle_error(scheduler, socket, completion->result);
    }
    update(scheduler, socket);
}

void collect_into_completed(struct scheduler *scheduler, struct slot *slot,
                            const struct ring_completion *completion)
{
    struct datagram *socket = datagram_of(slot);
    struct weir_buffer *block = socket->block;
    socket->collecting = COLLECTING_NOT;
    if (completion->result >= 0) {
        socket->block = NULL;
        arrival_answered(block, (size_t)completion->result);
        handle_datagram(scheduler, socket, block);
    } else {
        handle_error(scheduler, socket, completion->result);
    }
    update(scheduler, socket);
}

void collect_discard(struct scheduler *scheduler, const struct ring_completion *completion)
{
    if (completion->flags & RING_BUFFER)
        buffer_dispatched(
            buffer_pool_at(scheduler->buffers, (uint16_t)(completion->flags >> RING_BUFFER_SHIFT)));
}

/* Nothing is added meanwhile but by those that are taken. */
void collect_end_turn(struct scheduler *scheduler)
{
    struct list *queued = &datagrams_of(scheduler)->queued;
    while (!list_is_empty(queued)) {
        struct datagram *socket = list_entry(queued->next, struct datagram, queued_link);
        slot_hold(&socket->slot);
        if (!handout_go_on(scheduler, socket))
            handout_keep(scheduler, socket);
        update(scheduler, socket);
        slot_unhold(scheduler, &socket->slot);
    }
}
