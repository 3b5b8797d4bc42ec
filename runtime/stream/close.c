/* SPDX-License-Identifier: MIT */
#include "runtime/stream/close.h"

#include <sys/socket.h>

#include "base/check.h"
#include "base/system.h"
#include "runtime/owner/mailbox.h"
#include "runtime/scheduler/call.h"
#include "runtime/scheduler/scheduler.h"
#include "runtime/stream/connect.h"
#include "runtime/stream/delivery.h"
#include "runtime/stream/flush.h"
#include "runtime/stream/input.h"
#include "runtime/stream/lingering.h"
#include "runtime/stream/output.h"
#include "runtime/stream/receive.h"
#include "runtime/stream/send.h"
#include "runtime/stream/stream.h"

static void dismiss_receiver(struct scheduler *scheduler, struct stream *socket)
{
    struct call *receiver = socket->waiter;
    socket->waiter = NULL;
    if (receiver)
        call_complete(scheduler, receiver, WEIR_CLOSED);
}

static struct linger read_linger(const struct stream *socket)
{
    struct linger linger = {0};
    socklen_t size = sizeof(linger);
    (void)system_getsockopt(socket->slot.fd, SOL_SOCKET, SO_LINGER, &linger, &size);
    return linger;
}

static void write_linger(const struct stream *socket, bool on)
{
    struct linger linger = {.l_onoff = on};
    (void)system_setsockopt(socket->slot.fd, SOL_SOCKET, SO_LINGER, &linger, sizeof(linger));
}

/* {linger,{true,0}}: what is queued is thrown away, and the peer told so by a reset. */
static bool resets(struct linger linger)
{
    return linger.l_onoff && linger.l_linger == 0;
}

/* Time to linger is waited for by the closing call, never by close(2), which would hold up the
 * whole scheduler. The memory of zero-copy sends is the kernel's until they are confirmed, and
 * only a descriptor that is still open can take it back, by a reset. */
bool close_descriptor(struct stream *socket)
{
    struct linger linger = read_linger(socket);
    if (send_notices(socket) > 0 && !resets(linger)) {
        if (socket->sending != SENDING_SHUT)
            (void)send_shutdown_now(socket);
        return false;
    }
    if (linger.l_onoff && !resets(linger))
        write_linger(socket, false);
    system_close(socket->slot.fd);
    socket->slot.fd = -1;
    return true;
}

static void close_stream(struct scheduler *scheduler, struct stream *socket, bool abort)
{
    bool queued = send_queued_bytes(socket) > 0;
    slot_move(&socket->slot, SOCKET_CLOSE);
    dismiss_receiver(scheduler, socket);
    send_dismiss_all(scheduler, socket, WEIR_CLOSED);
    if (abort || (queued && socket->slot.fd >= 0 && resets(read_linger(socket))))
        send_drop(scheduler, socket);
    if (!receive_fills_input(socket))
        input_drop(socket);
    flush_start(scheduler, socket);
    if (socket->output)
        lingering_begin(scheduler, socket->output);
}

static void close_any(struct scheduler *scheduler, struct stream *socket, bool abort)
{
    switch ((enum socket_state)socket->slot.state) {
    case SOCKET_OPEN:
    case SOCKET_GONE:
        close_stream(scheduler, socket, abort);
        break;
    case SOCKET_CONNECTING:
        connect_abandon(scheduler, socket);
        break;
    case SOCKET_CLOSED:
        if (abort)
            send_drop(scheduler, socket);
        break;
    case SOCKET_FREE:
    case SOCKET_STATE_COUNT:
        CHECK_NEVER(socket->slot.state);
    }
}

void close_after_end(struct scheduler *scheduler, struct stream *socket)
{
    slot_hold(&socket->slot);
    close_any(scheduler, socket, false);
    slot_unhold(scheduler, &socket->slot);
}

/* A runtime that stops is not the owner who closes: the `closed` that a mailbox has been told stays
 * there. */
void close_end(struct scheduler *scheduler, struct slot *slot, enum ending ending)
{
    struct stream *socket = stream_of(slot);
    bool by_owner = ending == END_CLOSED || ending == END_OWNER_DIED;
    if (ending == END_DRAIN)
        return;
    slot_hold(&socket->slot);
    if (ending == END_STOP)
        delivery_stop(scheduler, socket);
    if (ending == END_ABORT && socket->slot.fd >= 0)
        write_linger(socket, true);
    if (by_owner && socket->slot.owner.mailbox && stream_is_live(socket) && socket->closed_told)
        mailbox_forget_closed(slot_handle(scheduler, &socket->slot));
    close_any(scheduler, socket, ending == END_ABORT);
    slot_unhold(scheduler, &socket->slot);
}

static int seconds_to_wait(const struct stream *socket, const struct call *call)
{
    if (call->kind != CALL_BLOCKING || send_queued_bytes(socket) == 0)
        return 0;
    struct linger linger = read_linger(socket);
    return linger.l_onoff ? linger.l_linger : 0;
}

int close_by_call(struct scheduler *scheduler, struct slot *slot, struct call *call)
{
    struct stream *socket = stream_of(slot);
    int seconds = seconds_to_wait(socket, call);
    slot_end(scheduler, slot, END_CLOSED);
    if (seconds <= 0 || !socket->output)
        return 0;
    call->timeout_ms = (int64_t)seconds * 1000;
    list_append(&socket->output->drained, &call->link);
    call_set_timeout(scheduler, call);
    return CALL_WAITS;
}

void close_connection(struct scheduler *scheduler, struct stream *socket, uint8_t latches)
{
    if (socket->slot.state != SOCKET_OPEN)
        return;
    slot_hold(&socket->slot);
    slot_move(&socket->slot, SOCKET_LOSE);
    if (socket->active != WEIR_ACTIVE_FALSE) /* the owner is told; a recv is not asked for */
        latches &= (uint8_t)~LATCH_RECEIVE;
    socket->latches |= latches;
    dismiss_receiver(scheduler, socket);
    send_dismiss(scheduler, socket, WEIR_CLOSED);
    if (!receive_fills_input(socket))
        input_drop(socket);
    slot_unhold(scheduler, &socket->slot);
}

void close_break(struct stream *socket)
{
    bool stays = stream_is_live(socket) && !stream_values(socket)->exit_on_close;
    if (socket->slot.fd < 0)
        return;
    if (!stays)
        write_linger(socket, true);
    (void)system_shutdown(socket->slot.fd, stays ? SHUT_RDWR : SHUT_RD);
}

void close_connection_by_send(struct scheduler *scheduler, struct stream *socket, uint8_t latches)
{
    bool is_active = socket->active != WEIR_ACTIVE_FALSE;
    if (is_active && socket->receiving == RECEIVING_OPEN)
        socket->sending = SENDING_FAILED;
    else /* an owner that is active has been told all there is to tell */
        close_connection(scheduler, socket, is_active ? LATCH_OWNER : latches);
}
