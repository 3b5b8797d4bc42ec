/* SPDX-License-Identifier: MIT */
/*
 * A connection settles when its queue is empty and no operation is in flight; then its descriptor
 * goes. Its slot is free once its handle is dead too, and its handler was told that it is gone.
 */
#include "runtime/stream/stream.h"

#include "base/canary.h"
#include "base/probe.h"
#include "runtime/owner/owner.h"
#include "runtime/scheduler/call.h"
#include "runtime/scheduler/quota.h"
#include "runtime/scheduler/scheduler.h"
#include "runtime/stream/close.h"
#include "runtime/stream/connect.h"
#include "runtime/stream/delivery.h"
#include "runtime/stream/flush.h"
#include "runtime/stream/hand_over.h"
#include "runtime/stream/idle.h"
#include "runtime/stream/input.h"
#include "runtime/stream/output.h"
#include "runtime/stream/proxied.h"
#include "runtime/stream/receive.h"
#include "runtime/stream/set_option.h"
#include "runtime/stream/streams.h"
#include "runtime/stream/writable.h"

static void end(struct scheduler *scheduler, struct slot *slot, enum ending ending)
{
    if (ending == END_DRAIN)
        return;
    slot_hold(slot);
    if (ending == END_STOP)
        delivery_stop(scheduler, stream_of(slot));
    close_end(scheduler, slot, ending);
    slot_unhold(scheduler, slot);
}

static bool settled(struct scheduler *scheduler, struct slot *slot)
{
    struct stream *stream = stream_of(slot);
    if (output_queued_bytes(stream) > 0)
        return false;
    receive_stop(scheduler, stream);
    writable_stop(scheduler, stream);
    return stream->slot.pending <= output_notices(stream);
}

static bool give_up_descriptor(struct scheduler *scheduler, struct slot *slot)
{
    struct stream *stream = stream_of(slot);
    if (!close_descriptor(stream))
        return false;
    PROBE3(close, scheduler->number, slot->index, stream->error);
    scheduler->totals.connections -= stream->connected;
    quota_leave(scheduler, slot);
    return true;
}

static void release(struct scheduler *scheduler, struct slot *slot)
{
    struct stream *stream = stream_of(slot);
    idle_forget(scheduler, stream);
    proxied_forget(scheduler, slot);
    input_drop(stream);
    output_free(scheduler, stream);
    owner_set(slot, weir_owned_by_nobody());
}

static void get_statistics(const struct slot *slot, weir_statistics *statistics)
{
    struct stream *stream = stream_of(slot);
    input_settle(stream);
    const struct traffic *received = &stream->received;
    const struct traffic *sent = &stream->sent;
    *statistics = (weir_statistics){
        .recv_oct = received->octets,
        .recv_cnt = (uint32_t)received->count,
        .recv_max = stream->received_max,
        .recv_avg = traffic_average(received),
        .recv_dvi = traffic_deviation(received),
        .send_oct = sent->octets,
        .send_cnt = (uint32_t)sent->count,
        .send_max = stream->sent_max,
        .send_avg = traffic_average(sent),
        .send_dvi = traffic_deviation(sent),
        .send_pend = output_queued_bytes(stream),
    };
}

static int cancel_calls(struct scheduler *scheduler, struct slot *slot, const void *data)
{
    struct call *waiter = CANARY(CANCEL_IN_VAIN) ? NULL : stream_of(slot)->waiter;
    return call_cancel(scheduler, waiter, data);
}

static enum option_scope get_options(const struct slot *slot, struct option_source *source)
{
    const struct stream *stream = stream_of(slot);
    source->active = stream->active;
    source->bit8_seen = stream->bit8_seen;
    return OPTION_SET_TCP;
}

const struct kind kind_stream = {
    .name = "stream",
    .has_packets = true,
    .operations =
        {
            [OPERATION_IN_KIND(STREAM_CONNECT)] = {connect_completed, connect_is_cancelled, NULL,
                                                   NULL},
            [OPERATION_IN_KIND(STREAM_RECEIVE)] = {receive_completed, receive_is_cancelled,
                                                   receive_discard, receive_fetch},
            [OPERATION_IN_KIND(STREAM_RECEIVE_INTO)] = {receive_into_completed,
                                                        receive_into_is_cancelled, NULL, NULL},
            [OPERATION_IN_KIND(STREAM_READABLE)] = {receive_readable, receive_readable_is_cancelled,
                                                    NULL, NULL},
            [OPERATION_IN_KIND(STREAM_SEND)] = {flush_completed, flush_is_cancelled, NULL, NULL},
            [OPERATION_IN_KIND(STREAM_READ)] = {flush_read, flush_is_cancelled, NULL, NULL},
            [OPERATION_IN_KIND(STREAM_WRITABLE)] = {flush_writable, writable_is_cancelled, NULL,
                                                    NULL},
        },
    .open = streams_open,
    .shut = streams_shut,
    .end = end,
    .close = close_by_call,
    .cancel_calls = cancel_calls,
    .settled = settled,
    .give_up_descriptor = give_up_descriptor,
    .release = release,
    .set_option = stream_set_option,
    .tell_passive = stream_tell_passive,
    .get_options = get_options,
    .get_statistics = get_statistics,
    .hand_over = stream_hand_over,
    .changed = stream_changed,
};
