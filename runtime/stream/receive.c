/* SPDX-License-Identifier: MIT */
/*
 * One receive at most is in flight, and `reading` says which: into the pool's buffers; straight
 * into the input block, while so much of a packet is missing that copying it would cost more; or a
 * poll, where a receive that may not wait with a buffer has found nothing. receive_update alone
 * compares that with what the socket wants, after every change; a receive into buffers is not armed
 * there but lined up (feed.h), as only the turn's end knows how many want one. One that is wanted
 * no more stays armed until it brings something. `bulk` is about the next receive into buffers
 * only: one buffer, where a multishot would have to be cancelled for the rest of a large packet.
 * A socket that takes descriptors is polled, and received for by a call: the ring has nowhere to
 * put what comes beside the bytes.
 */
#include "runtime/stream/receive.h"

#include <errno.h>

#include "base/canary.h"
#include "base/check.h"
#include "base/system.h"
#include "runtime/ring/features.h"
#include "runtime/scheduler/call.h"
#include "runtime/scheduler/cancel.h"
#include "runtime/scheduler/scheduler.h"
#include "runtime/socket/passed.h"
#include "runtime/stream/delivery.h"
#include "runtime/stream/feed.h"
#include "runtime/stream/idle.h"
#include "runtime/stream/input.h"
#include "runtime/stream/rest.h"
#include "runtime/stream/share.h"
#include "runtime/stream/shelf.h"
#include "runtime/stream/stream.h"
#include "runtime/stream/streams.h"

static bool has_feature(const struct scheduler *scheduler, uint32_t feature)
{
    return (scheduler->profile.features & feature) != 0;
}

/* The last quarter is for receives that do not wait. */
static bool may_wait_with_buffer(const struct buffer_pool *pool)
{
    uint32_t quarter = pool->count / 4;
    return buffer_pool_available(pool) > (quarter > 0 ? quarter : 1);
}

/* Without a buffer ring the buffer is ours to choose, and is bound while the receive waits. */
static void arm_with_own_buffer(struct scheduler *scheduler, struct stream *stream)
{
    bool waits = may_wait_with_buffer(scheduler->buffers);
    struct weir_buffer *buffer = buffer_pool_take(scheduler->buffers);
    if (!buffer) {
        feed_starve(scheduler, stream);
        return;
    }
    struct ring_memory memory = {buffer->bytes, buffer->capacity, .waits = waits};
    stream->armed_buffer = buffer->index;
    stream->reading = READING_BUFFERS;
    slot_hold(&stream->slot);
    ring_receive_into(scheduler->ring, slot_operation(&stream->slot, STREAM_RECEIVE),
                      stream->slot.fd, memory);
}

/* There was nothing for a receive that does not wait. */
static void watch(struct scheduler *scheduler, struct stream *stream)
{
    stream->reading = READING_WATCHED;
    slot_hold(&stream->slot);
    ring_wait_readable(scheduler->ring, slot_operation(&stream->slot, STREAM_READABLE),
                       stream->slot.fd);
}

/* While a thread takes packets from a shelf the next ones are received for it. */
static bool is_ahead_of_thread(const struct stream *stream)
{
    enum { AHEAD_BYTES = 128 << 10 };
    return shelf_is_lent(stream) && input_size(stream) < AHEAD_BYTES;
}

static bool wants_bytes(const struct stream *stream)
{
    return stream->slot.state == SOCKET_OPEN && stream->receiving == RECEIVING_OPEN &&
           !stream->postponed && (delivery_is_wanted(stream) || is_ahead_of_thread(stream));
}

/* What may come is to have room before it does. */
static void watch_for_descriptors(struct scheduler *scheduler, struct stream *stream)
{
    if (passed_ready(scheduler, &stream->slot))
        watch(scheduler, stream);
    else
        rest_receive(scheduler, stream);
}

static void arm_buffers(struct scheduler *scheduler, struct stream *stream)
{
    if (passed_is_wanted(&stream->slot)) {
        watch_for_descriptors(scheduler, stream);
        return;
    }
    if (!has_feature(scheduler, FEATURE_BIT(BUFFER_RING))) {
        arm_with_own_buffer(scheduler, stream);
        return;
    }
    bool multishot = has_feature(scheduler, FEATURE_BIT(MULTISHOT_RECEIVE)) && !stream->bulk &&
                     !buffer_pool_is_crowded(scheduler->buffers);
    stream->reading = READING_BUFFERS;
    slot_hold(&stream->slot);
    ring_receive(scheduler->ring, slot_operation(&stream->slot, STREAM_RECEIVE), stream->slot.fd,
                 multishot);
}

/* Piece by piece: with MSG_WAITALL io_uring (6.18) swallows the error that cuts a packet short, and
 * whoever asks once more is told of an end. Without memory the packet goes on by way of buffers,
 * and ends there. */
static void arm_into(struct scheduler *scheduler, struct stream *stream)
{
    size_t room = input_direct_room(scheduler, stream);
    if (room == 0) {
        feed_line_up(scheduler, stream);
        return;
    }
    stream->reading = READING_INTO;
    slot_hold(&stream->slot);
    struct ring_memory memory = {stream->input->bytes + stream->input->end, room, .waits = true};
    ring_receive_into(scheduler->ring, slot_operation(&stream->slot, STREAM_RECEIVE_INTO),
                      stream->slot.fd, memory);
}

static void cancel(struct scheduler *scheduler, struct stream *stream)
{
    static const struct {
        enum stream_operation operation;
        enum reading cancelled;
    } in_flight[] = {
        [READING_BUFFERS] = {STREAM_RECEIVE, READING_BUFFERS_CANCELLED},
        [READING_INTO] = {STREAM_RECEIVE_INTO, READING_INTO_CANCELLED},
        [READING_WATCHED] = {STREAM_READABLE, READING_WATCHED_CANCELLED},
    };
    enum stream_operation operation = in_flight[stream->reading].operation;
    stream->reading = (uint8_t)in_flight[stream->reading].cancelled;
    cancel_start(scheduler, &stream->slot, operation);
}

bool receive_is_cancelled(const struct slot *slot)
{
    const struct stream *stream = stream_of(slot);
    return stream->reading == READING_BUFFERS_CANCELLED;
}

bool receive_into_is_cancelled(const struct slot *slot)
{
    const struct stream *stream = stream_of(slot);
    return stream->reading == READING_INTO_CANCELLED;
}

bool receive_readable_is_cancelled(const struct slot *slot)
{
    const struct stream *stream = stream_of(slot);
    return stream->reading == READING_WATCHED_CANCELLED;
}

void receive_update(struct scheduler *scheduler, struct stream *stream)
{
    bool wants = wants_bytes(stream);
    bool by_call = passed_is_wanted(&stream->slot);
    bool large = !by_call && input_wants_direct(stream);
    switch ((enum reading)stream->reading) {
    case READING_NOT:
        if (wants && large)
            arm_into(scheduler, stream);
        else if (wants)
            feed_line_up(scheduler, stream);
        break;
    case READING_BUFFERS:
        if ((wants && (large || by_call)) || stream->postponed)
            cancel(scheduler, stream);
        break;
    case READING_INTO:
        if (!wants || !large)
            cancel(scheduler, stream);
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

void receive_go_on(struct scheduler *scheduler, struct stream *stream)
{
    if (!delivery_may_continue(stream))
        return;
    slot_hold(&stream->slot);
    delivery_continue(scheduler, stream);
    receive_update(scheduler, stream);
    slot_unhold(scheduler, &stream->slot);
}

void receive_start(struct scheduler *scheduler, struct stream *stream)
{
    delivery_start(scheduler, stream);
    receive_update(scheduler, stream);
}

/* Behind all that has come since. */
void receive_postponed(struct scheduler *scheduler, struct task *task)
{
    struct stream *stream;
    (void)task;
    while ((stream = share_take_due(scheduler))) {
        error_clear_text();
        receive_go_on(scheduler, stream);
        scheduler_do_soon(scheduler);
    }
    task_add(&scheduler->tasks, TASK_LAST, &streams_of(scheduler)->share_out);
}

void receive_stop(struct scheduler *scheduler, struct stream *stream)
{
    feed_step_back(scheduler, stream);
    if (stream->slot.state == SOCKET_CLOSED) /* it hands nothing out, and is wanted elsewhere */
        share_forget(scheduler, stream);
    if (stream->reading == READING_BUFFERS || stream->reading == READING_INTO ||
        stream->reading == READING_WATCHED)
        cancel(scheduler, stream);
}

static void end_receiving(struct scheduler *scheduler, struct stream *stream, int error)
{
    if (stream->receiving != RECEIVING_OPEN)
        return;
    stream->receiving = RECEIVING_ENDED;
    if (error != 0 || stream->sending != SENDING_FAILED) /* else that is why it ends */
        stream->error = error;
    delivery_continue(scheduler, stream);
}

/* Results that say nothing of the connection: the receive is armed again if it is still wanted. */
static bool is_transient(int result)
{
    return result == -ECANCELED || ring_says_again(result);
}

/* That there is no buffer the kernel says by the name of having no memory: when it says so over and
 * over, although there are some, that is what it means. */
static void do_without_memory(struct scheduler *scheduler, struct stream *stream, int result)
{
    enum { MISSES_MOST = 64 };
    if (!wants_bytes(stream))
        return;
    if (result == -ENOBUFS && stream->misses < MISSES_MOST) {
        stream->misses++;
        feed_starve(scheduler, stream);
    } else {
        rest_receive(scheduler, stream);
    }
}

static void handle_end(struct scheduler *scheduler, struct stream *stream, int result)
{
    if (stream->slot.state != SOCKET_OPEN || is_transient(result))
        return;
    if (result == -ENOBUFS || result == -ENOMEM)
        do_without_memory(scheduler, stream, result);
    else
        end_receiving(scheduler, stream, result);
}

/* A socket that wants nothing and is sent something stops receiving: the kernel's window, and so
 * the peer, does the rest. One that asks again in time has cost no cancel. One that is closed
 * and still sends takes what comes all the same: left behind, it would make a reset of the close.
 */
static void handle_bytes(struct scheduler *scheduler, struct stream *stream,
                         struct weir_buffer *buffer, size_t size)
{
    buffer->filled = size;
    stream->misses = 0;
    if (stream->slot.state != SOCKET_OPEN)
        return;
    bool wanted = wants_bytes(stream);
    idle_note(scheduler, stream);
    if (stream->receiving == RECEIVING_OPEN) {
        scheduler->totals.bytes_received += size;
        delivery_receive(scheduler, stream, buffer, size);
    }
    if (!wanted && stream->reading == READING_BUFFERS && !wants_bytes(stream))
        cancel(scheduler, stream);
}

static struct weir_buffer *buffer_of(struct scheduler *scheduler, const struct stream *stream,
                                     const struct ring_completion *completion)
{
    if (completion->flags & RING_BUFFER)
        return buffer_pool_at(scheduler->buffers,
                              (uint16_t)(completion->flags >> RING_BUFFER_SHIFT));
    if (!has_feature(scheduler, FEATURE_BIT(BUFFER_RING)))
        return buffer_pool_at(scheduler->buffers, stream->armed_buffer);
    return NULL;
}

void receive_fetch(const struct slot *slot, enum fetch fetch)
{
    const struct stream *stream = stream_of(slot);
    if (!stream->waiter)
        return;
    if (fetch == FETCH_CALL)
        call_fetch(stream->waiter);
    else
        call_fetch_waiter(stream->waiter);
}

void receive_completed(struct scheduler *scheduler, struct slot *slot,
                       const struct ring_completion *completion)
{
    struct stream *stream = stream_of(slot);
    struct weir_buffer *buffer = buffer_of(scheduler, stream, completion);
    if (!(completion->flags & RING_MORE) && !(CANARY(MISSED_REARM) && completion->result > 0))
        stream->reading = READING_NOT;
    if (completion->result > 0)
        handle_bytes(scheduler, stream, buffer, (size_t)completion->result);
    else if (completion->result == -EAGAIN && buffer && wants_bytes(stream))
        watch(scheduler, stream);
    else
        handle_end(scheduler, stream, completion->result);
    if (buffer)
        buffer_dispatched(buffer);
    receive_update(scheduler, stream);
}

void receive_into_completed(struct scheduler *scheduler, struct slot *slot,
                            const struct ring_completion *completion)
{
    struct stream *stream = stream_of(slot);
    stream->reading = READING_NOT;
    if (completion->result > 0) {
        stream->misses = 0;
        stream->input->end += (uint32_t)completion->result;
        CHECK_LE(stream->input->end, stream->input->capacity);
        scheduler->totals.bytes_received += (uint64_t)completion->result;
        idle_note(scheduler, stream);
    } else {
        handle_end(scheduler, stream, completion->result);
    }
    delivery_continue(scheduler, stream); /* also what it was cancelled for */
    receive_update(scheduler, stream);
}

static int receive_message(struct passed *passed, int fd, struct weir_buffer *buffer)
{
    _Alignas(struct cmsghdr) uint8_t control[PASSED_CONTROL_BYTES];
    struct iovec piece = {buffer->bytes, buffer->capacity};
    struct mmsghdr message = {.msg_hdr = {.msg_iov = &piece,
                                          .msg_iovlen = 1,
                                          .msg_control = control,
                                          .msg_controllen = sizeof(control)}};
    int result = system_receive_messages(fd, &message, 1);
    if (result <= 0)
        return result;
    passed->lost |= passed_read(passed, &message.msg_hdr) < 0;
    return (int)message.msg_len;
}

/* The ring may have been offered all of the pool's. */
static struct weir_buffer *take_buffer(struct buffer_pool *pool)
{
    struct weir_buffer *buffer = buffer_pool_take(pool);
    return buffer ? buffer : buffer_allocate(pool->size);
}

static void give_back(struct weir_buffer *buffer)
{
    if (buffer->pool)
        buffer_dispatched(buffer);
    else
        buffer_release(buffer);
}

static void receive_by_call(struct scheduler *scheduler, struct stream *stream)
{
    struct passed *passed = passed_ready(scheduler, &stream->slot);
    struct weir_buffer *buffer = passed ? take_buffer(scheduler->buffers) : NULL;
    if (!buffer) {
        handle_end(scheduler, stream, -ENOMEM);
        return;
    }
    int result = receive_message(passed, stream->slot.fd, buffer);
    if (result > 0)
        handle_bytes(scheduler, stream, buffer, (size_t)result);
    else
        handle_end(scheduler, stream, result);
    give_back(buffer);
}

/* There is something to receive, or an end; it may be wanted no more. */
void receive_readable(struct scheduler *scheduler, struct slot *slot,
                      const struct ring_completion *completion)
{
    struct stream *stream = stream_of(slot);
    stream->reading = READING_NOT;
    if (completion->result < 0)
        handle_end(scheduler, stream, completion->result);
    else if (passed_is_wanted(&stream->slot) && wants_bytes(stream))
        receive_by_call(scheduler, stream);
    receive_update(scheduler, stream);
}

static void resume(struct scheduler *scheduler, struct stream *stream)
{
    stream->reading = READING_NOT;
    if (wants_bytes(stream))
        arm_buffers(scheduler, stream);
}

/* At the end of the turn, when it is known how many have found no buffer. While there are too few,
 * as many receives are armed as there are buffers for, each for one: whoever was armed for more
 * would take them from those that stand behind it, again and again. */
void receive_feed(struct scheduler *scheduler, struct task *task)
{
    const struct slot_table *slots = &scheduler->slots;
    struct slot_list *starved = &streams_of(scheduler)->starved;
    bool crowded = buffer_pool_is_crowded(scheduler->buffers);
    uint32_t room = crowded ? buffer_pool_room(scheduler->buffers) : UINT32_MAX;
    struct slot_list waiting = {0};
    slot_list_move_all(slots, &waiting, starved);
    for (; room > 0 && !slot_list_is_empty(&waiting); room--)
        resume(scheduler, stream_of(slot_list_take(slots, &waiting)));
    slot_list_move_all(slots, starved, &waiting); /* nobody starves while some are left */
    if (!slot_list_is_empty(starved))
        task_add(&scheduler->tasks, TASK_WITH_BUFFERS, task);
}

void receive_rested(struct scheduler *scheduler, struct task *task)
{
    struct rest *rest = list_entry(task, struct rest, receive_again);
    struct slot_list rested = {0};
    struct slot *slot;
    slot_list_move_all(&scheduler->slots, &rested, &rest->sockets);
    while ((slot = slot_list_take(&scheduler->slots, &rested))) {
        stream_of(slot)->reading = READING_NOT;
        receive_update(scheduler, stream_of(slot));
    }
}

void receive_discard(struct scheduler *scheduler, const struct ring_completion *completion)
{
    if (completion->flags & RING_BUFFER)
        buffer_dispatched(
            buffer_pool_at(scheduler->buffers, (uint16_t)(completion->flags >> RING_BUFFER_SHIFT)));
}
