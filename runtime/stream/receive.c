/* SPDX-License-Identifier: MIT */
#include "runtime/stream/receive.h"

#include <errno.h>

#include "base/canary.h"
#include "base/check.h"
#include "runtime/ring/features.h"
#include "runtime/scheduler/cancel.h"
#include "runtime/scheduler/scheduler.h"
#include "runtime/stream/delivery.h"
#include "runtime/stream/idle.h"
#include "runtime/stream/input.h"
#include "runtime/stream/rest.h"
#include "runtime/stream/shelf.h"
#include "runtime/stream/stream.h"
#include "runtime/stream/streams.h"

static bool has_feature(const struct scheduler *scheduler, uint32_t feature)
{
    return (scheduler->profile.features & feature) != 0;
}

static void line_up(struct scheduler *scheduler, struct stream *socket)
{
    socket->reading = READING_STARVED;
    list_append(&streams_of(scheduler)->starved, &socket->link);
    task_add(&scheduler->tasks, TASK_WITH_BUFFERS, &streams_of(scheduler)->feed);
}

static void starve(struct scheduler *scheduler, struct stream *socket)
{
    scheduler->totals.starved++;
    buffer_pool_miss(scheduler->buffers);
    line_up(scheduler, socket);
}

/* The last quarter is for receives that do not wait. */
static bool may_wait_with_buffer(const struct buffer_pool *pool)
{
    uint32_t quarter = pool->count / 4;
    return buffer_pool_available(pool) > (quarter > 0 ? quarter : 1);
}

/* Without a buffer ring the buffer is ours to choose, and is bound while the receive waits. */
static void arm_with_own_buffer(struct scheduler *scheduler, struct stream *socket)
{
    bool waits = may_wait_with_buffer(scheduler->buffers);
    struct weir_buffer *buffer = buffer_pool_take(scheduler->buffers);
    if (!buffer) {
        starve(scheduler, socket);
        return;
    }
    struct ring_memory memory = {buffer->bytes, buffer->capacity, .waits = waits};
    socket->armed_buffer = buffer->index;
    socket->reading = READING_BUFFERS;
    slot_hold(&socket->slot);
    ring_receive_into(scheduler->ring, slot_operation(&socket->slot, STREAM_RECEIVE),
                      socket->slot.fd, memory);
}

/* There was nothing for a receive that does not wait. */
static void watch(struct scheduler *scheduler, struct stream *socket)
{
    socket->reading = READING_WATCHED;
    slot_hold(&socket->slot);
    ring_wait_readable(scheduler->ring, slot_operation(&socket->slot, STREAM_READABLE),
                       socket->slot.fd);
}

/* While a thread takes packets from a shelf the next ones are received for it. */
static bool is_ahead_of_thread(const struct stream *socket)
{
    enum { AHEAD_BYTES = 128 << 10 };
    return shelf_is_lent(socket) && input_size(socket) < AHEAD_BYTES;
}

static bool wants_bytes(const struct stream *socket)
{
    return socket->slot.state == SOCKET_OPEN && socket->receiving == RECEIVING_OPEN &&
           !socket->postponed && (delivery_is_wanted(socket) || is_ahead_of_thread(socket));
}

static void arm_buffers(struct scheduler *scheduler, struct stream *socket)
{
    if (!has_feature(scheduler, FEATURE_BIT(BUFFER_RING))) {
        arm_with_own_buffer(scheduler, socket);
        return;
    }
    bool multishot = has_feature(scheduler, FEATURE_BIT(MULTISHOT_RECEIVE)) && !socket->bulk &&
                     !buffer_pool_is_crowded(scheduler->buffers);
    socket->reading = READING_BUFFERS;
    slot_hold(&socket->slot);
    ring_receive(scheduler->ring, slot_operation(&socket->slot, STREAM_RECEIVE), socket->slot.fd,
                 multishot);
}

/* Piece by piece: with MSG_WAITALL io_uring (6.18) swallows the error that cuts a packet short, and
 * whoever asks once more is told of an end. Without memory the packet goes on by way of buffers,
 * and ends there. */
static void arm_into(struct scheduler *scheduler, struct stream *socket)
{
    size_t room = input_direct_room(scheduler, socket);
    if (room == 0) {
        line_up(scheduler, socket);
        return;
    }
    socket->reading = READING_INTO;
    slot_hold(&socket->slot);
    struct ring_memory memory = {socket->input->bytes + socket->input->end, room, .waits = true};
    ring_receive_into(scheduler->ring, slot_operation(&socket->slot, STREAM_RECEIVE_INTO),
                      socket->slot.fd, memory);
}

static void cancel(struct scheduler *scheduler, struct stream *socket)
{
    static const struct {
        enum stream_operation operation;
        enum reading cancelled;
    } in_flight[] = {
        [READING_BUFFERS] = {STREAM_RECEIVE, READING_BUFFERS_CANCELLED},
        [READING_INTO] = {STREAM_RECEIVE_INTO, READING_INTO_CANCELLED},
        [READING_WATCHED] = {STREAM_READABLE, READING_WATCHED_CANCELLED},
    };
    enum stream_operation operation = in_flight[socket->reading].operation;
    socket->reading = (uint8_t)in_flight[socket->reading].cancelled;
    cancel_start(scheduler, &socket->slot, operation);
}

bool receive_fills_input(const struct stream *socket)
{
    return socket->reading == READING_INTO || socket->reading == READING_INTO_CANCELLED;
}

bool receive_is_cancelled(const struct slot *slot)
{
    const struct stream *socket = stream_of(slot);
    return socket->reading == READING_BUFFERS_CANCELLED;
}

bool receive_into_is_cancelled(const struct slot *slot)
{
    const struct stream *socket = stream_of(slot);
    return socket->reading == READING_INTO_CANCELLED;
}

bool receive_readable_is_cancelled(const struct slot *slot)
{
    const struct stream *socket = stream_of(slot);
    return socket->reading == READING_WATCHED_CANCELLED;
}

void receive_update(struct scheduler *scheduler, struct stream *socket)
{
    bool wants = wants_bytes(socket);
    bool large = input_wants_direct(socket);
    switch ((enum reading)socket->reading) {
    case READING_NOT:
        if (wants && large)
            arm_into(scheduler, socket);
        else if (wants)
            line_up(scheduler, socket);
        break;
    case READING_BUFFERS:
        if ((wants && large) || socket->postponed)
            cancel(scheduler, socket);
        break;
    case READING_INTO:
        if (!wants || !large)
            cancel(scheduler, socket);
        break;
    case READING_WATCHED: /* brings nothing: what is wanted then is seen to then */
    case READING_WATCHED_CANCELLED:
    case READING_BUFFERS_CANCELLED:
    case READING_INTO_CANCELLED:
    case READING_STARVED:
    case READING_RESTING:
        break;
    }
}

void receive_step_back(struct stream *socket)
{
    if (socket->reading != READING_STARVED && socket->reading != READING_RESTING)
        return;
    list_remove(&socket->link);
    socket->reading = READING_NOT;
}

/* One that is closed hands nothing out, and is wanted on another list. */
static void forget_postponed(struct stream *socket)
{
    if (!socket->postponed || socket->slot.state != SOCKET_CLOSED)
        return;
    list_remove(&socket->link);
    socket->postponed = false;
}

void receive_stop(struct scheduler *scheduler, struct stream *socket)
{
    receive_step_back(socket);
    forget_postponed(socket);
    if (socket->reading == READING_BUFFERS || socket->reading == READING_INTO ||
        socket->reading == READING_WATCHED)
        cancel(scheduler, socket);
}

static void end_receiving(struct scheduler *scheduler, struct stream *socket, int error)
{
    if (socket->receiving != RECEIVING_OPEN)
        return;
    socket->receiving = RECEIVING_ENDED;
    if (error != 0 || socket->sending != SENDING_FAILED) /* else that is why it ends */
        socket->error = error;
    delivery_continue(scheduler, socket);
}

/* Results that say nothing of the connection: the receive is armed again if it is still wanted. */
static bool is_transient(int result)
{
    return result == -ECANCELED || ring_says_again(result);
}

/* That there is no buffer the kernel says by the name of having no memory: when it says so over and
 * over, although there are some, that is what it means. */
static void do_without_memory(struct scheduler *scheduler, struct stream *socket, int result)
{
    enum { MISSES_MOST = 64 };
    if (!wants_bytes(socket))
        return;
    if (result == -ENOBUFS && socket->misses < MISSES_MOST) {
        socket->misses++;
        starve(scheduler, socket);
    } else {
        rest_receive(scheduler, socket);
    }
}

static void handle_end(struct scheduler *scheduler, struct stream *socket, int result)
{
    if (socket->slot.state != SOCKET_OPEN || is_transient(result))
        return;
    if (result == -ENOBUFS || result == -ENOMEM)
        do_without_memory(scheduler, socket, result);
    else
        end_receiving(scheduler, socket, result);
}

/* A socket that wants nothing and is sent something stops receiving: the kernel's window, and so
 * the peer, does the rest. One that asks again in time has cost no cancel. */
static void handle_bytes(struct scheduler *scheduler, struct stream *socket,
                         struct weir_buffer *buffer, size_t size)
{
    buffer->filled = size;
    socket->misses = 0;
    if (socket->slot.state != SOCKET_OPEN || socket->receiving != RECEIVING_OPEN)
        return;
    bool wanted = wants_bytes(socket);
    scheduler->totals.bytes_received += size;
    idle_note(scheduler, socket);
    delivery_receive(scheduler, socket, buffer, size);
    if (!wanted && socket->reading == READING_BUFFERS && !wants_bytes(socket))
        cancel(scheduler, socket);
}

static struct weir_buffer *buffer_of(struct scheduler *scheduler, const struct stream *socket,
                                     const struct ring_completion *completion)
{
    if (completion->flags & RING_BUFFER)
        return buffer_pool_at(scheduler->buffers,
                              (uint16_t)(completion->flags >> RING_BUFFER_SHIFT));
    if (!has_feature(scheduler, FEATURE_BIT(BUFFER_RING)))
        return buffer_pool_at(scheduler->buffers, socket->armed_buffer);
    return NULL;
}

void receive_completed(struct scheduler *scheduler, struct slot *slot,
                       const struct ring_completion *completion)
{
    struct stream *socket = stream_of(slot);
    struct weir_buffer *buffer = buffer_of(scheduler, socket, completion);
    if (!(completion->flags & RING_MORE) && !(CANARY(MISSED_REARM) && completion->result > 0))
        socket->reading = READING_NOT;
    if (completion->result > 0)
        handle_bytes(scheduler, socket, buffer, (size_t)completion->result);
    else if (completion->result == -EAGAIN && buffer && wants_bytes(socket))
        watch(scheduler, socket);
    else
        handle_end(scheduler, socket, completion->result);
    if (buffer)
        buffer_dispatched(buffer);
    receive_update(scheduler, socket);
}

void receive_into_completed(struct scheduler *scheduler, struct slot *slot,
                            const struct ring_completion *completion)
{
    struct stream *socket = stream_of(slot);
    socket->reading = READING_NOT;
    if (completion->result > 0) {
        socket->misses = 0;
        socket->input->end += (uint32_t)completion->result;
        CHECK_LE(socket->input->end, socket->input->capacity);
        scheduler->totals.bytes_received += (uint64_t)completion->result;
        idle_note(scheduler, socket);
    } else {
        handle_end(scheduler, socket, completion->result);
    }
    delivery_continue(scheduler, socket); /* also what it was cancelled for */
    receive_update(scheduler, socket);
}

/* There is something to receive, or an end; it may be wanted no more. */
void receive_readable(struct scheduler *scheduler, struct slot *slot,
                      const struct ring_completion *completion)
{
    struct stream *socket = stream_of(slot);
    socket->reading = READING_NOT;
    if (completion->result < 0)
        handle_end(scheduler, socket, completion->result);
    receive_update(scheduler, socket);
}

static void resume(struct scheduler *scheduler, struct stream *socket)
{
    socket->reading = READING_NOT;
    if (wants_bytes(socket))
        arm_buffers(scheduler, socket);
}

/* At the end of the turn, when it is known how many have found no buffer. While there are too few,
 * as many receives are armed as there are buffers for, each for one: whoever was armed for more
 * would take them from those that stand behind it, again and again. */
void receive_feed(struct scheduler *scheduler, struct task *task)
{
    struct list *starved = &streams_of(scheduler)->starved;
    bool crowded = buffer_pool_is_crowded(scheduler->buffers);
    uint32_t room = crowded ? buffer_pool_room(scheduler->buffers) : UINT32_MAX;
    struct list waiting;
    list_init(&waiting);
    list_move_all(&waiting, starved);
    for (; room > 0 && !list_is_empty(&waiting); room--)
        resume(scheduler, list_entry(list_take(&waiting), struct stream, link));
    list_move_all(&waiting, starved);
    list_move_all(starved, &waiting);
    if (!list_is_empty(starved))
        task_add(&scheduler->tasks, TASK_WITH_BUFFERS, task);
}

void receive_discard(struct scheduler *scheduler, const struct ring_completion *completion)
{
    if (completion->flags & RING_BUFFER)
        buffer_dispatched(
            buffer_pool_at(scheduler->buffers, (uint16_t)(completion->flags >> RING_BUFFER_SHIFT)));
}
