/* SPDX-License-Identifier: MIT */
/*
 * `flushing` is the state of a queue's front, and one operation at most is in flight for it. What a
 * completion makes of it: bytes went out, and the next operation starts, or all is sent; there was
 * no room (BLOCKED), no memory (RESTING), or a reason to try again at once; or sending has failed.
 * When the queue is dropped meanwhile (DROPPED), the completion is the end of the operation and of
 * nothing else. A zero-copy send completes twice: by its result as any other, and by a
 * notice that its memory is free, which may come when other sends are in flight, or the handle is
 * dead; until then `notices` keeps its bytes and the descriptor, and holds up nothing else.
 */
#include "runtime/stream/flush.h"

#include <errno.h>

#include "base/check.h"
#include "runtime/ring/features.h"
#include "runtime/scheduler/cancel.h"
#include "runtime/scheduler/scheduler.h"
#include "runtime/send_queue/file_part.h"
#include "runtime/socket/rights.h"
#include "runtime/stream/busy.h"
#include "runtime/stream/idle.h"
#include "runtime/stream/limit.h"
#include "runtime/stream/lingering.h"
#include "runtime/stream/outcome.h"
#include "runtime/stream/output.h"
#include "runtime/stream/rest.h"
#include "runtime/stream/senders.h"
#include "runtime/stream/stream.h"
#include "runtime/stream/streams.h"
#include "runtime/stream/writable.h"

void flush_schedule(struct scheduler *scheduler, struct stream *stream)
{
    struct output *output = stream->output;
    if (output->queue.flushing == FLUSHING_NOT)
        task_add(&scheduler->tasks, stream_values(stream)->delay_send ? TASK_LAST : TASK_SOON,
                 &output->flush);
}

/* A queue that is lost here may be all that a socket that is gone has waited for. */
void flush_run(struct scheduler *scheduler, struct task *task)
{
    struct stream *stream = list_entry(task, struct output, flush)->stream;
    slot_hold(&stream->slot);
    flush_start(scheduler, stream);
    slot_unhold(scheduler, &stream->slot);
}

/* A peer for which the kernel copies after all is not offered zero copy again: it would only cost
 * a second completion. */
static bool worth_zero_copy(const struct scheduler *scheduler, const struct stream *stream)
{
    enum { LENT_BYTES_MAX = 4 << 20 }; /* their memory is held until the peer has confirmed them */
    size_t from_bytes = scheduler->limits->zero_copy_from_bytes;
    const struct send_queue *queue = &stream->output->queue;
    return from_bytes > 0 && !stream->zero_copy_off && !send_queue_rights(queue) &&
           queue->in_flight_bytes >= from_bytes && queue->unconfirmed_bytes < LENT_BYTES_MAX &&
           (scheduler->profile.features & FEATURE_BIT(SEND_ZC));
}

static void start_bytes(struct scheduler *scheduler, struct stream *stream)
{
    struct send_queue *queue = &stream->output->queue;
    uint64_t operation = slot_operation(&stream->slot, STREAM_SEND);
    struct msghdr *message = vectors_take(&scheduler->vectors);
    message->msg_iovlen = send_queue_gather(queue, message->msg_iov, VECTORS_PER_MESSAGE);
    rights_attach(send_queue_rights(queue), message);
    if (worth_zero_copy(scheduler, stream)) {
        send_queue_lend(queue);
        ring_send_message(scheduler->ring, operation, stream->slot.fd, message, true);
    } else if (message->msg_iovlen > 1 || message->msg_control) {
        ring_send_message(scheduler->ring, operation, stream->slot.fd, message, false);
    } else {
        ring_send(scheduler->ring, operation, stream->slot.fd, message->msg_iov[0].iov_base,
                  message->msg_iov[0].iov_len);
        vectors_put_back(&scheduler->vectors);
    }
}

/* A file becomes bytes when its turn comes. False: no memory for them. */
static bool start_reading(struct scheduler *scheduler, struct stream *stream)
{
    struct send_queue *queue = &stream->output->queue;
    const struct segment *file = send_queue_file(queue);
    if (!file_part_begin(queue))
        return false;
    ring_read(scheduler->ring, slot_operation(&stream->slot, STREAM_READ), queue->part->bytes,
              (struct file_range){file->fd, file->offset, queue->in_flight_bytes, file->patient});
    return true;
}

void flush_start(struct scheduler *scheduler, struct stream *stream)
{
    struct output *output = stream->output;
    if (!output || output->queue.flushing != FLUSHING_NOT || output->queue.queued_bytes == 0 ||
        stream->slot.fd < 0)
        return;
    if (vectors_are_full(&scheduler->vectors))
        scheduler_submit(scheduler);
    if (vectors_are_full(&scheduler->vectors)) { /* the kernel takes nothing now: next turn */
        task_add(&scheduler->tasks, TASK_LAST, &output->flush);
        return;
    }
    bool is_file = send_queue_file(&output->queue) != NULL;
    if (is_file && !start_reading(scheduler, stream)) {
        outcome_broken(scheduler, stream, -ENOMEM);
        return;
    }
    if (!is_file)
        start_bytes(scheduler, stream);
    scheduler->totals.send_operations += !is_file;
    slot_hold(&stream->slot);
}

bool flush_is_cancelled(const struct slot *slot)
{
    const struct stream *stream = stream_of(slot);
    return stream->output && stream->output->queue.flushing == FLUSHING_DROPPED;
}

/* The kernel is not left to wait by itself: once a peer has shut its own side down, poll reports
 * that for ever, so io_uring tries the send 128 times over and then blocks a worker thread with
 * it (6.18); and a send that is being tried again is found by no cancel. */
static void block(struct scheduler *scheduler, struct stream *stream)
{
    scheduler->totals.blocked_sends++;
    send_queue_sent(streams_of(scheduler)->pools, &stream->output->queue, 0);
    file_part_give_up(streams_of(scheduler)->pools, &stream->output->queue);
    stream->output->queue.flushing = FLUSHING_BLOCKED;
    writable_watch(scheduler, stream);
}

static bool is_blocked(const struct stream *stream)
{
    const struct output *output = stream->output;
    return output && (output->queue.flushing == FLUSHING_BLOCKED ||
                      output->queue.flushing == FLUSHING_RESTING);
}

static void unblock(struct scheduler *scheduler, struct stream *stream)
{
    if (!is_blocked(stream))
        return;
    stream->output->queue.flushing = FLUSHING_NOT;
    flush_start(scheduler, stream);
}

void flush_writable(struct scheduler *scheduler, struct slot *slot,
                    const struct ring_completion *completion)
{
    struct stream *stream = stream_of(slot);
    bool may_be = writable_told(stream, completion);
    if (completion->result == -ENOMEM && is_blocked(stream))
        rest_send(scheduler, stream);
    else if (may_be)
        unblock(scheduler, stream);
}

void flush_rested(struct scheduler *scheduler, struct task *task)
{
    struct rest *rest = list_entry(task, struct rest, send_again);
    struct list rested;
    struct list *node;
    list_init(&rested);
    list_move_all(&rested, &rest->outputs);
    while ((node = list_take(&rested)))
        unblock(scheduler, list_entry(node, struct output, rest_link)->stream);
}

static void went_out(struct scheduler *scheduler, struct stream *stream, size_t size)
{
    struct send_queue *queue = &stream->output->queue;
    bool dropped = queue->flushing == FLUSHING_DROPPED;
    scheduler->totals.bytes_sent += size;
    idle_note(scheduler, stream);
    limit_count_off(scheduler, size);
    if (size < queue->in_flight_bytes)
        scheduler->totals.short_sends++;
    send_queue_sent(streams_of(scheduler)->pools, queue, size);
    lingering_progress(scheduler, stream->output);
    if (dropped) {
        senders_give_up(scheduler, stream);
        return;
    }
    busy_drained(scheduler, stream);
    /* Who was let go on may have changed everything. */
    if (stream->output && stream->output->queue.queued_bytes > 0)
        flush_start(scheduler, stream);
    else if (stream->output)
        outcome_emptied(scheduler, stream);
}

/* ETOOMANYREFS: peers have to receive some of the descriptors that are under way. */
static bool lacks_memory(int result)
{
    return result == -ENOBUFS || result == -ENOMEM || result == -ETOOMANYREFS;
}

/* The kernel or the kind of socket has no zero copy, or the memlock limit is reached. */
static bool may_be_for_zero_copy(int error)
{
    return error == -EINVAL || error == -EOPNOTSUPP || error == -ENOMEM;
}

/* A reset is one by the other name too: somebody else was told of it first. Nothing else is told
 * apart from an end. */
static int reason_of(int error)
{
    return error == -EPIPE || error == -ECONNRESET ? -ECONNRESET : 0;
}

/* The kernel does not pass such a descriptor, as that of a ring. */
static bool is_of_rights(const struct send_queue *queue, int error)
{
    return send_queue_rights(queue) && reason_of(error) == 0;
}

static void did_not_go_out(struct scheduler *scheduler, struct stream *stream, int error)
{
    struct send_queue *queue = &stream->output->queue;
    bool copy_instead = queue->zero_copy && may_be_for_zero_copy(error);
    bool dropped = queue->flushing == FLUSHING_DROPPED;
    send_queue_sent(streams_of(scheduler)->pools, queue, 0);
    stream->zero_copy_off |= copy_instead;
    if (dropped)
        senders_give_up(scheduler, stream);
    else if (copy_instead || ring_says_again(error))
        flush_start(scheduler, stream);
    else if (lacks_memory(error))
        rest_send(scheduler, stream);
    else if (is_of_rights(queue, error))
        outcome_broken(scheduler, stream, error);
    else
        outcome_failed(scheduler, stream, reason_of(error));
}

/* The memory of a zero-copy send is the kernel's until this; the next send did not wait for it. */
static void noticed(struct scheduler *scheduler, struct stream *stream,
                    const struct ring_completion *completion)
{
    if (completion->flags & RING_COPIED)
        stream->zero_copy_off = true;
    send_queue_noticed(streams_of(scheduler)->pools, &stream->output->queue);
    output_free_if_idle(scheduler, stream);
}

void flush_completed(struct scheduler *scheduler, struct slot *slot,
                     const struct ring_completion *completion)
{
    struct stream *stream = stream_of(slot);
    CHECK(stream->output);
    if (completion->flags & RING_NOTIFY) {
        noticed(scheduler, stream, completion);
        return;
    }
    CHECK_GT(stream->output->queue.in_flight_bytes, 0u);
    /* An operation that was refused before it began is its own notice. */
    if (stream->output->queue.zero_copy && !(completion->flags & RING_MORE))
        send_queue_noticed(streams_of(scheduler)->pools, &stream->output->queue);
    if (completion->result >= 0)
        went_out(scheduler, stream, (size_t)completion->result);
    else if (completion->result == -EAGAIN && !flush_is_cancelled(&stream->slot))
        block(scheduler, stream);
    else
        did_not_go_out(scheduler, stream, completion->result);
}

/* A file that was opened not to wait says -EAGAIN, once: then the kernel is asked to. */
static bool may_be_read_again(struct segment *file, int error)
{
    bool patient = file->patient;
    file->patient |= error == -EAGAIN;
    return error == -EINTR || (error == -EAGAIN && !patient);
}

void flush_read(struct scheduler *scheduler, struct slot *slot,
                const struct ring_completion *completion)
{
    struct stream *stream = stream_of(slot);
    struct send_queue *queue = &stream->output->queue;
    int result = completion->result ? completion->result : -EIO; /* shorter than was promised */
    bool dropped = queue->flushing == FLUSHING_DROPPED;
    CHECK(send_queue_file(queue) && queue->part);
    bool again = result < 0 && may_be_read_again(queue->first, result);
    if (!file_part_end(streams_of(scheduler)->pools, queue,
                       result > 0 && !dropped ? (size_t)result : 0))
        result = -ENOMEM;
    if (dropped)
        senders_give_up(scheduler, stream);
    else if (result > 0 || again)
        flush_start(scheduler, stream);
    else
        outcome_broken(scheduler, stream, result);
}
