/* SPDX-License-Identifier: MIT */
#include "runtime/stream/outcome.h"

#include <errno.h>
#include <sys/socket.h>

#include "runtime/owner/owner.h"
#include "runtime/scheduler/call.h"
#include "runtime/scheduler/scheduler.h"
#include "runtime/stream/close.h"
#include "runtime/stream/delivery.h"
#include "runtime/stream/output.h"
#include "runtime/stream/senders.h"
#include "runtime/stream/stream.h"

/* Only a reset is ever shown. */
int outcome_shown(const struct stream *stream, int error)
{
    bool reset = error == -ECONNRESET && stream_values(stream)->show_econnreset;
    return reset ? -ECONNRESET : WEIR_CLOSED;
}

void outcome_note(struct stream *stream, int error)
{
    if (stream->error == 0 && !stream->closed_told)
        stream->error = error;
}

/* A socket that is being received for is told by the receive, after all that came before; for any
 * other the descriptor goes now. */
static void close_by_send(struct scheduler *scheduler, struct stream *stream, uint8_t latches)
{
    bool is_active = stream->active != WEIR_ACTIVE_FALSE;
    if (is_active && stream->receiving == RECEIVING_OPEN)
        stream->sending = SENDING_FAILED;
    else /* an owner that is active has been told all there is to tell */
        close_connection(scheduler, stream, is_active ? LATCH_OWNER : latches);
}

/* A handler that waits for `unbusy` is told all the same: its next send says what has happened. */
void outcome_failed(struct scheduler *scheduler, struct stream *stream, int error)
{
    bool refused = stream->output && stream->output->refused;
    int result = outcome_shown(stream, error);
    outcome_note(stream, error);
    slot_hold(&stream->slot);
    bool told = senders_tell(scheduler, stream, result);
    uint8_t latches = LATCH_RECEIVE | LATCH_OWNER | (told ? 0 : LATCH_SEND);
    if (stream->slot.state == SOCKET_OPEN)
        close_by_send(scheduler, stream, latches);
    senders_dismiss(scheduler, stream, result);
    senders_give_up(scheduler, stream);
    if (refused && stream_is_live(stream))
        owner_tell_unbusy(scheduler, &stream->slot);
    slot_unhold(scheduler, &stream->slot);
}

/* Whoever is told by the receive, which close_break ends, is told why; the others when they ask. */
void outcome_broken(struct scheduler *scheduler, struct stream *stream, int error)
{
    bool to_be_told = stream->slot.state == SOCKET_OPEN && stream->receiving == RECEIVING_OPEN &&
                      delivery_is_wanted(stream);
    close_break(stream);
    if (!to_be_told) {
        outcome_failed(scheduler, stream, error);
        return;
    }
    bool refused = stream->output->refused;
    stream->error = error;
    stream->sending = SENDING_FAILED;
    senders_dismiss(scheduler, stream, WEIR_CLOSED);
    senders_give_up(scheduler, stream);
    if (refused)
        owner_tell_unbusy(scheduler, &stream->slot);
}

void outcome_emptied(struct scheduler *scheduler, struct stream *stream)
{
    if (stream->sending == SENDING_SHUTTING)
        (void)stream_shut(stream, SHUT_WR);
    else if (stream->sending == SENDING_SHUTTING_BOTH)
        (void)stream_shut(stream, SHUT_RDWR);
    senders_answer(scheduler, stream);
    call_complete_all(scheduler, &stream->output->drained, 0);
    output_free_if_idle(scheduler, stream);
}
