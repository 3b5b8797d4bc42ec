/* SPDX-License-Identifier: MIT */
/*
 * A connection ends in two steps, in either order. Its descriptor goes: SOCKET_GONE, the handle
 * stays, and `latches` say who is still to be told why, once each.
 * Its handle dies: SOCKET_CLOSED, and what is queued still leaves, for as long as lingering.h says.
 * Both only start an end: slot_settle goes through with it when nothing is in flight.
 *
 * What is told of an end comes after all packets that came before it. So a peer's end is noted
 * (RECEIVING_ENDED) and told in its turn (RECEIVING_REPORTED); and a send that fails while the
 * owner is still being received for tells nothing itself (SENDING_FAILED): the same failure ends
 * the receive, which tells it. `closed_told` keeps it to once, whichever way it comes.
 */
#include "runtime/stream/close.h"

#include <sys/socket.h>

#include "base/check.h"
#include "base/system.h"
#include "runtime/owner/mailbox.h"
#include "runtime/scheduler/call.h"
#include "runtime/scheduler/scheduler.h"
#include "runtime/socket/passed.h"
#include "runtime/stream/input.h"
#include "runtime/stream/lingering.h"
#include "runtime/stream/output.h"
#include "runtime/stream/senders.h"
#include "runtime/stream/stream.h"

static void dismiss_receiver(struct scheduler *scheduler, struct stream *stream)
{
    struct call *receiver = stream->waiter;
    stream->waiter = NULL;
    if (receiver)
        call_complete(scheduler, receiver, WEIR_CLOSED);
}

static struct linger read_linger(const struct stream *stream)
{
    struct linger linger = {0};
    socklen_t size = sizeof(linger);
    (void)system_getsockopt(stream->slot.fd, SOL_SOCKET, SO_LINGER, &linger, &size);
    return linger;
}

static void write_linger(const struct stream *stream, bool on)
{
    struct linger linger = {.l_onoff = on};
    (void)system_setsockopt(stream->slot.fd, SOL_SOCKET, SO_LINGER, &linger, sizeof(linger));
}

/* {linger,{true,0}}: what is queued is thrown away, and the peer told so by a reset. */
static bool resets(struct linger linger)
{
    return linger.l_onoff && linger.l_linger == 0;
}

/* Time to linger is waited for by the closing call, never by close(2), which would hold up the
 * whole scheduler. The memory of zero-copy sends is the kernel's until they are confirmed, and
 * only a descriptor that is still open can take it back, by a reset. */
bool close_descriptor(struct stream *stream)
{
    struct linger linger = read_linger(stream);
    if (output_notices(stream) > 0 && !resets(linger)) {
        if (stream->sending != SENDING_SHUT)
            (void)stream_shut(stream, SHUT_WR);
        return false;
    }
    if (linger.l_onoff && !resets(linger))
        write_linger(stream, false);
    system_close(stream->slot.fd);
    stream->slot.fd = -1;
    return true;
}

static void close_stream(struct scheduler *scheduler, struct stream *stream, bool abort)
{
    bool queued = output_queued_bytes(stream) > 0;
    slot_move(&stream->slot, SOCKET_CLOSE);
    dismiss_receiver(scheduler, stream);
    senders_dismiss_all(scheduler, stream, WEIR_CLOSED);
    if (abort || (queued && stream->slot.fd >= 0 && resets(read_linger(stream))))
        senders_give_up(scheduler, stream);
    if (!stream_fills_input(stream))
        input_drop(stream);
    passed_drop(scheduler, &stream->slot);
    if (stream->output)
        lingering_begin(scheduler, stream->output);
}

static void close_any(struct scheduler *scheduler, struct stream *stream, bool abort)
{
    switch ((enum socket_state)stream->slot.state) {
    case SOCKET_OPEN:
    case SOCKET_GONE:
        close_stream(scheduler, stream, abort);
        break;
    case SOCKET_CONNECTING:
        call_end(scheduler, stream->waiter, WEIR_CLOSED);
        break;
    case SOCKET_CLOSED:
        if (abort)
            senders_give_up(scheduler, stream);
        break;
    case SOCKET_FREE:
    case SOCKET_STATE_COUNT:
        CHECK_NEVER(stream->slot.state);
    }
}

void close_after_end(struct scheduler *scheduler, struct stream *stream)
{
    slot_hold(&stream->slot);
    close_any(scheduler, stream, false);
    slot_unhold(scheduler, &stream->slot);
}

/* A runtime that stops is not the owner who closes: the `closed` that a mailbox has been told stays
 * there. */
void close_end(struct scheduler *scheduler, struct slot *slot, enum ending ending)
{
    struct stream *stream = stream_of(slot);
    bool by_owner = ending == END_CLOSED || ending == END_OWNER_DIED;
    slot_hold(&stream->slot);
    if (ending == END_ABORT && stream->slot.fd >= 0)
        write_linger(stream, true);
    if (by_owner && stream->slot.is_mailed && stream_is_live(stream) && stream->closed_told)
        mailbox_forget_closed(slot_handle(scheduler, &stream->slot));
    close_any(scheduler, stream, ending == END_ABORT);
    slot_unhold(scheduler, &stream->slot);
}

static int seconds_to_wait(const struct stream *stream, const struct call *call)
{
    if (!call_is_waited_for(call) || output_queued_bytes(stream) == 0)
        return 0;
    struct linger linger = read_linger(stream);
    return linger.l_onoff ? linger.l_linger : 0;
}

int close_by_call(struct scheduler *scheduler, struct slot *slot, struct call *call)
{
    struct stream *stream = stream_of(slot);
    int seconds = seconds_to_wait(stream, call);
    slot_end(scheduler, slot, END_CLOSED);
    if (seconds <= 0 || !stream->output)
        return 0;
    call->timeout_ms = (int64_t)seconds * 1000;
    list_append(&stream->output->drained, &call->link);
    call_set_timeout(scheduler, call);
    return CALL_WAITS;
}

void close_connection(struct scheduler *scheduler, struct stream *stream, uint8_t latches)
{
    if (stream->slot.state != SOCKET_OPEN)
        return;
    slot_hold(&stream->slot);
    slot_move(&stream->slot, SOCKET_LOSE);
    if (stream->active != WEIR_ACTIVE_FALSE) /* the owner is told; a recv is not asked for */
        latches &= (uint8_t)~LATCH_RECEIVE;
    stream->latches |= latches;
    dismiss_receiver(scheduler, stream);
    senders_dismiss(scheduler, stream, WEIR_CLOSED);
    if (!stream_fills_input(stream))
        input_drop(stream);
    slot_unhold(scheduler, &stream->slot);
}

void close_break(struct stream *stream)
{
    bool stays = stream_is_live(stream) && !stream_values(stream)->exit_on_close;
    if (stream->slot.fd < 0)
        return;
    if (!stays)
        write_linger(stream, true);
    (void)system_shutdown(stream->slot.fd, stays ? SHUT_RDWR : SHUT_RD);
}
