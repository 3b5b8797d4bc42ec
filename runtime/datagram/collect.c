/* SPDX-License-Identifier: MIT */
#include "runtime/datagram/collect.h"

#include <errno.h>
#include <poll.h>

#include "base/canary.h"
#include "runtime/buffer/buffer.h"
#include "runtime/datagram/arrival.h"
#include "runtime/datagram/datagram.h"
#include "runtime/datagram/datagrams.h"
#include "runtime/datagram/enclosure.h"
#include "runtime/datagram/handout.h"
#include "runtime/datagram/intake.h"
#include "runtime/scheduler/cancel.h"
#include "runtime/scheduler/scheduler.h"

enum { REST_MS = 10, FAILURES_MOST = 8, TURN_DATAGRAMS_MOST = 256 };

static void rest(struct scheduler *scheduler, struct datagram *socket)
{
    struct datagrams *datagrams = datagrams_of(scheduler);
    if (socket->collecting != COLLECTING_NOT)
        return;
    scheduler->totals.memory_pauses++;
    socket->collecting = COLLECTING_RESTING;
    slot_list_append(&scheduler->slots, &datagrams->resting, &socket->slot);
    if (!datagrams->rest.armed)
        scheduler_arm(scheduler, &datagrams->rest, REST_MS);
}

static void enlist(struct scheduler *scheduler, struct datagram *socket, enum collecting place,
                   struct slot_list *list)
{
    if (socket->collecting != COLLECTING_NOT)
        return;
    socket->collecting = (uint8_t)place;
    slot_list_append(&scheduler->slots, list, &socket->slot);
    task_add(&scheduler->tasks, TASK_LAST, &datagrams_of(scheduler)->end_turn);
}

static void line_up(struct scheduler *scheduler, struct datagram *socket)
{
    enlist(scheduler, socket, COLLECTING_LISTED, &datagrams_of(scheduler)->listed);
}

/* Those who sent together are likely to go on: to look costs less than to be told. */
static void expect(struct scheduler *scheduler, struct datagram *socket)
{
    enlist(scheduler, socket, COLLECTING_EXPECTING, &datagrams_of(scheduler)->expecting);
}

static void poll_it(struct scheduler *scheduler, struct datagram *socket)
{
    if (socket->leaves_runs)
        datagram_leave_runs(socket);
    socket->collecting = COLLECTING_POLLED;
    slot_hold(&socket->slot);
    ring_wait_readable(scheduler->ring, slot_operation(&socket->slot, DATAGRAM_READABLE),
                       socket->slot.fd);
}

bool collect_is_cancelled(const struct slot *slot)
{
    return datagram_of(slot)->collecting == COLLECTING_CANCELLED;
}

/* A socket that wants nothing stays polled until something comes nevertheless. */
static void update(struct scheduler *scheduler, struct datagram *socket)
{
    if (socket->collecting != COLLECTING_NOT || socket->slot.state != SOCKET_OPEN)
        return;
    if (socket->waiting.first)
        line_up(scheduler, socket);
    else if (datagram_is_wanted(socket))
        poll_it(scheduler, socket);
}

void collect_go_on(struct scheduler *scheduler, struct datagram *socket)
{
    if (socket->delivering)
        return;
    handout_share(scheduler, socket);
    update(scheduler, socket);
}

static void step_back(struct scheduler *scheduler, struct datagram *socket)
{
    struct datagrams *datagrams = datagrams_of(scheduler);
    struct slot_list *const lists[] = {
        [COLLECTING_LISTED] = &datagrams->listed,
        [COLLECTING_EXPECTING] = &datagrams->expecting,
        [COLLECTING_RESTING] = &datagrams->resting,
    };
    struct slot_list *list = lists[socket->collecting];
    if (!list)
        return;
    slot_list_remove(&scheduler->slots, list, &socket->slot);
    socket->collecting = COLLECTING_NOT;
}

void collect_stop(struct scheduler *scheduler, struct datagram *socket)
{
    if (socket->collecting == COLLECTING_POLLED) {
        socket->collecting = COLLECTING_CANCELLED;
        cancel_start(scheduler, &socket->slot, DATAGRAM_READABLE);
    } else {
        step_back(scheduler, socket);
    }
}

void collect_wake(struct timer *timer)
{
    struct datagrams *datagrams = list_entry(timer, struct datagrams, rest);
    struct scheduler *scheduler = datagrams->scheduler;
    struct slot_list waiting = {0};
    struct slot *slot;
    slot_list_move_all(&scheduler->slots, &waiting, &datagrams->resting);
    while ((slot = slot_list_take(&scheduler->slots, &waiting))) {
        struct datagram *socket = datagram_of(slot);
        socket->collecting = COLLECTING_NOT;
        update(scheduler, socket);
    }
}

/* Errors are of datagrams that were sent, and end nothing. What brings nothing over and over is not
 * asked at once: an error that stays, or a queue of errors that nobody reads. */
static void failed(struct scheduler *scheduler, struct datagram *socket, int error)
{
    bool lacks_memory = error == -ENOMEM || error == -ENOBUFS;
    if ((++socket->failures >= FAILURES_MOST || lacks_memory) && !CANARY(RESTLESS))
        rest(scheduler, socket);
    if (error != 0 && !lacks_memory && !ring_says_again(error) && !CANARY(UNTOLD_ERROR))
        datagram_tell_error(scheduler, socket, error);
    if (CANARY(FATAL_ERROR))
        slot_end(scheduler, &socket->slot, END_CLOSED);
}

/* Where what comes is put: in the pool's buffers if it has room there, and there are some. */
static struct intake *intake_for(struct scheduler *scheduler, const struct datagram *socket)
{
    struct datagrams *datagrams = datagrams_of(scheduler);
    const struct option_values *values = datagram_values(socket);
    if (socket->slot.family == WEIR_LOCAL)
        return &datagrams->local;
    bool small = (!socket->has_runs || CANARY(SMALL_FOR_RUNS)) &&
                 scheduler->buffers->size >= arrival_room(values->buffer);
    return small && intake_ready(&datagrams->buffers, 1) ? &datagrams->buffers : &datagrams->blocks;
}

/* What a read says of the next one. */
enum outlook {
    OUTLOOK_NONE, /* a poll says when there is more */
    OUTLOOK_SOON, /* there may be more by the end of the turn */
    OUTLOOK_MORE, /* there may be more by now */
};

static enum outlook outlook_of(int count, uint32_t asked)
{
    if (count == (int)asked)
        return OUTLOOK_MORE;
    return count > 1 ? OUTLOOK_SOON : OUTLOOK_NONE;
}

/* Where some were dropped, the queue was full, and is read by whole shares until it is empty. */
static void look_for_dropped(struct scheduler *scheduler, struct datagram *socket, int count,
                             bool is_whole)
{
    enum { LOOKED_EACH = 256 };
    if (is_whole)
        socket->in_row = (uint16_t)(socket->in_row + count);
    bool is_due = is_whole ? socket->in_row >= LOOKED_EACH : socket->in_row > 1;
    if (is_due)
        datagram_note_dropped(scheduler, socket);
    if (is_due || !is_whole)
        socket->in_row = 0;
}

static enum outlook read_share(struct scheduler *scheduler, struct datagram *socket)
{
    struct intake *intake = intake_for(scheduler, socket);
    bool enclosed = enclosure_is_wanted(socket);
    struct enclosure enclosure;
    uint32_t asked = intake_ready(intake, enclosed ? 1 : handout_most(socket));
    int count = enclosed && asked > 0 ? enclosure_receive(scheduler, socket, intake, &enclosure)
                                      : intake_receive(intake, socket->slot.fd, asked);
    bool came = false;
    for (int i = 0; i < count; i++) {
        struct weir_buffer *buffer;
        if (!intake_take(intake, (uint32_t)i, datagram_values(socket)->buffer, &buffer))
            continue;
        if (CANARY(EMPTY_IS_END) && arrival_of(buffer)->size == 0)
            continue;
        came = true;
        if (enclosed)
            enclosure_note(&enclosure, buffer);
        handout_append(socket, buffer);
    }
    if (came)
        socket->failures = 0;
    else
        failed(scheduler, socket, count < 0 ? count : 0);
    look_for_dropped(scheduler, socket, count, count == (int)asked);
    handout_share(scheduler, socket);
    return outlook_of(count, asked);
}

static void have_share(struct scheduler *scheduler, struct datagram *socket)
{
    enum outlook outlook = OUTLOOK_NONE;
    if (socket->waiting.first)
        handout_share(scheduler, socket);
    else if (datagram_is_wanted(socket))
        outlook = read_share(scheduler, socket);
    if (!datagram_is_wanted(socket))
        outlook = OUTLOOK_NONE;
    if (outlook == OUTLOOK_MORE)
        line_up(scheduler, socket);
    else if (outlook == OUTLOOK_SOON && !socket->waiting.first)
        expect(scheduler, socket);
    update(scheduler, socket);
}

void collect_readable(struct scheduler *scheduler, struct slot *slot,
                      const struct ring_completion *completion)
{
    struct datagram *socket = datagram_of(slot);
    if (!(CANARY(LAST_POLL) && completion->result > 0))
        socket->collecting = COLLECTING_NOT;
    if (completion->result < 0 && slot->state == SOCKET_OPEN && completion->result != -ECANCELED)
        rest(scheduler, socket);
    else
        have_share(scheduler, socket);
}

/* What is left over and not wanted moves out of the pool's buffers. */
static void end_one(struct scheduler *scheduler, struct datagram *socket)
{
    step_back(scheduler, socket);
    slot_hold(&socket->slot);
    if (socket->waiting.first && !datagram_is_wanted(socket))
        handout_keep(scheduler, socket);
    else
        have_share(scheduler, socket);
    slot_unhold(scheduler, &socket->slot);
}

void collect_end_turn(struct scheduler *scheduler)
{
    struct datagrams *datagrams = datagrams_of(scheduler);
    uint64_t until = scheduler->totals.packets_received + TURN_DATAGRAMS_MOST;
    struct slot *slot;
    while (scheduler->totals.packets_received < until &&
           (slot = slot_list_first(&scheduler->slots, &datagrams->listed)))
        end_one(scheduler, datagram_of(slot));
    if (!slot_list_is_empty(&datagrams->listed))
        task_add(&scheduler->tasks, TASK_LAST, &datagrams->end_turn);
}

void collect_expected(struct scheduler *scheduler)
{
    struct datagrams *datagrams = datagrams_of(scheduler);
    struct slot *slot;
    while ((slot = slot_list_take(&scheduler->slots, &datagrams->expecting))) {
        datagram_of(slot)->collecting = COLLECTING_NOT;
        line_up(scheduler, datagram_of(slot));
    }
}
