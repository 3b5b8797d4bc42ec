/* SPDX-License-Identifier: MIT */
/*
 * New bytes are framed where they lie, in a buffer that is lent for the call; what is left of them
 * goes to the input block, and what lies there comes first from then on. So one packet at most has
 * its beginning there and its end in new bytes: top_up copies what completes it behind the
 * beginning, or a guess, hands out from the block, and takes back what it copied too much, until
 * the block is empty or all new bytes are in it.
 *
 * One call at a time hands out, and `delivering` says so: a callback may do anything about the
 * socket, but what that brings about is done by who is handing out, behind the callback. Therefore
 * nothing that was known before a callback is relied on after it: state, options, input, waiter.
 */
#include "runtime/stream/delivery.h"

#include <errno.h>

#include "base/canary.h"
#include "base/check.h"
#include "runtime/buffer/packet.h"
#include "runtime/owner/owner.h"
#include "runtime/scheduler/scheduler.h"
#include "runtime/socket/active.h"
#include "runtime/socket/receive_call.h"
#include "runtime/stream/close.h"
#include "runtime/stream/input.h"
#include "runtime/stream/output.h"
#include "runtime/stream/packet_cutter.h"
#include "runtime/stream/share.h"
#include "runtime/stream/shelf.h"
#include "runtime/stream/stream.h"
#include "runtime/stream/streams.h"

bool delivery_is_wanted(const struct stream *stream)
{
    return stream->active != WEIR_ACTIVE_FALSE ? !owner_is_full(&stream->slot)
                                               : stream->waiter != NULL;
}

/* The one who is served by what arrives. While the socket is active that is its owner, and who
 * waits in recv goes on waiting. */
static struct call *served_receiver(const struct stream *stream)
{
    return stream->active == WEIR_ACTIVE_FALSE ? stream->waiter : NULL;
}

int delivery_end_result(const struct stream *stream)
{
    bool is_end = stream->error == 0;
    if (stream->error == -ECONNRESET)
        is_end = !stream_values(stream)->show_econnreset;
    return is_end ? WEIR_CLOSED : stream->error;
}

static bool is_receiving(const struct stream *stream)
{
    return stream->slot.state == SOCKET_OPEN && stream->receiving <= RECEIVING_ENDED;
}

static struct call *take_receiver(struct stream *stream)
{
    struct call *receiver = stream->waiter;
    stream->waiter = NULL;
    return receiver;
}

/* A reset, which what is queued is about to find as well: no other send needs to be told. */
static bool takes_the_queue(const struct stream *stream)
{
    return stream->error == -ECONNRESET && output_queued_bytes(stream) > 0;
}

/* tcp_error if there is something to say, then tcp_closed, then the socket's end unless
 * {exit_on_close,false}. The owner may close it in between. */
static void tell_end(struct scheduler *scheduler, struct stream *stream, int error)
{
    bool ends = stream_values(stream)->exit_on_close;
    if (stream->closed_told)
        return;
    stream->closed_told = true;
    stream->receiving = RECEIVING_REPORTED;
    if (error != WEIR_CLOSED) {
        stream->error = 0; /* said once */
        owner_tell(scheduler, &stream->slot, WEIR_MESSAGE_ERROR, error);
    }
    if (stream_is_live(stream))
        owner_tell(scheduler, &stream->slot, WEIR_MESSAGE_CLOSED, 0);
    if (!stream_is_live(stream))
        return;
    if (ends)
        close_after_end(scheduler, stream);
    else if (stream->sending == SENDING_FAILED)
        close_connection(scheduler, stream, 0);
    else if (stream->slot.state == SOCKET_OPEN && error == WEIR_CLOSED && !takes_the_queue(stream))
        stream->latches |= LATCH_SEND;
}

static void end_receiver(struct scheduler *scheduler, struct stream *stream, int result,
                         uint8_t latches)
{
    stream->receiving = RECEIVING_REPORTED;
    stream->latches |= latches;
    input_drop(stream);
    call_complete(scheduler, take_receiver(stream), result);
    if (stream_values(stream)->exit_on_close)
        close_connection(scheduler, stream, 0);
}

/* A packet that cannot be framed, or memory that cannot be had: nothing that follows can be. */
static void fail(struct scheduler *scheduler, struct stream *stream, int error)
{
    if (served_receiver(stream))
        end_receiver(scheduler, stream, error, 0);
    else
        tell_end(scheduler, stream, error);
    if (stream->slot.state == SOCKET_OPEN)
        stream->receiving = RECEIVING_BROKEN;
}

static int give_to_owner(struct scheduler *scheduler, struct stream *stream,
                         const weir_packet *packet)
{
    bool passive = active_count_down(&stream->active);
    int result = owner_tell_packet(scheduler, &stream->slot, packet);
    if (passive && stream->slot.state == SOCKET_OPEN)
        owner_tell(scheduler, &stream->slot, WEIR_MESSAGE_PASSIVE, 0);
    return result;
}

/* {deliver,port} gives an owner the lines of http as they came, and nothing is learnt from them:
 * a start line is not followed by headers. */
static bool delivers_raw_lines(const struct stream *stream)
{
    return stream_values(stream)->deliver == WEIR_PORT && !served_receiver(stream);
}

/* Bytes that are to be framed, and what is known of their first packet. */
struct portion {
    struct weir_buffer *buffer;
    struct framing_span span;
    struct begun_packet begun;
};

static int next_packet(struct stream *stream, struct portion *portion, weir_decoded *decoded,
                       weir_http *http)
{
    struct call *receiver = served_receiver(stream);
    struct framer framer = {portion->begun.scanned, stream->http_header};
    struct packet_cutter cutter = {
        .values = stream_values(stream),
        .framer = &framer,
        .length = receiver ? receive_call_of(receiver)->length : 0,
    };
    int result =
        packet_cutter_next(&cutter, portion->span.bytes, portion->span.size, decoded, http);
    if (framer.http_header != stream->http_header &&
        (!delivers_raw_lines(stream) || cutter.values->packet >= WEIR_HTTPH))
        stream->http_header = framer.http_header;
    portion->begun.scanned = framer.scanned;
    return result;
}

static weir_packet make_packet(const struct stream *stream, struct weir_buffer *buffer,
                               const weir_decoded *decoded, const weir_http *http)
{
    const struct option_values *values = stream_values(stream);
    bool is_decoded =
        framing_is_http((enum weir_packet_type)values->packet) && !delivers_raw_lines(stream);
    return packet_make(decoded, is_decoded ? http : NULL, values, buffer);
}

static void count_packet(struct scheduler *scheduler, struct stream *stream,
                         const weir_decoded *decoded)
{
    stream->bulk = decoded->consumed >= INPUT_DIRECT_FROM_BYTES;
    scheduler->totals.packets_received++;
    traffic_count(&stream->received, &stream->received_max, decoded->consumed);
    if (stream_values(stream)->bit8 && !stream->bit8_seen)
        stream->bit8_seen = packet_has_bit8(decoded->bytes, decoded->size);
}

void delivery_answer(struct scheduler *scheduler, struct task *task)
{
    struct list *node;
    (void)task;
    while ((node = list_take(&streams_of(scheduler)->served))) {
        struct call *served = list_entry(node, struct call, link);
        struct stream *stream = stream_find(scheduler, served->socket);
        if (stream)
            shelf_fill(receive_call_of(served)->shelf, stream);
        call_complete(scheduler, served, 0);
    }
}

/* A thread is answered when all is there that comes together, which it is given along with it. */
static void answer(struct scheduler *scheduler, struct call *receiver, int result)
{
    if (result < 0 || !receive_call_of(receiver)->shelf) {
        call_complete(scheduler, receiver, result);
        return;
    }
    timer_disarm(&scheduler->timers, &receiver->timer);
    list_append(&streams_of(scheduler)->served, &receiver->link);
    task_add(&scheduler->tasks, TASK_LAST, &streams_of(scheduler)->answer);
}

/* 0; an error of a recv leaves the packet for the next one, any other ends the socket. */
static int hand_out_one(struct scheduler *scheduler, struct stream *stream,
                        const weir_packet *packet, const weir_decoded *decoded)
{
    struct call *receiver = served_receiver(stream);
    int result = receiver ? weir_packet_keep(packet, &receive_call_of(receiver)->packet) : 0;
    if (result == 0)
        count_packet(scheduler, stream, decoded);
    if (receiver) {
        answer(scheduler, take_receiver(stream), result);
        return result;
    }
    result = give_to_owner(scheduler, stream, packet);
    if (result < 0)
        fail(scheduler, stream, result);
    return result;
}

/* What is left of the portion is not wanted, or no whole packet. The owner may change everything
 * about the socket meanwhile. */
static void hand_out(struct scheduler *scheduler, struct stream *stream, struct portion *portion)
{
    if (stream->postponed)
        return;
    share_renew(scheduler, stream);
    while (portion->span.size > 0 && delivery_is_wanted(stream) && is_receiving(stream) &&
           share_is_left(scheduler, stream)) {
        const struct begun_packet begun = portion->begun;
        bool http_header = stream->http_header;
        weir_decoded decoded;
        weir_http http;
        int result = next_packet(stream, portion, &decoded, &http);
        if (result == WEIR_DECODE_MORE) {
            portion->begun.needed = (uint32_t)decoded.needed;
            break;
        }
        if (result != WEIR_DECODE_OK) {
            fail(scheduler, stream, -EMSGSIZE);
            break;
        }
        weir_packet packet = make_packet(stream, portion->buffer, &decoded, &http);
        if (hand_out_one(scheduler, stream, &packet, &decoded) < 0) {
            portion->begun = begun;
            stream->http_header = http_header;
            break;
        }
        portion->span.bytes += decoded.consumed;
        portion->span.size -= decoded.consumed;
        portion->begun.needed = 0;
        share_spend(stream, decoded.consumed);
    }
}

static void hand_out_input(struct scheduler *scheduler, struct stream *stream)
{
    struct weir_buffer *block = stream->input;
    size_t size = input_size(stream);
    struct portion portion = {block, {block->bytes + block->start, size}, block->begun};
    buffer_keep(block);
    hand_out(scheduler, stream, &portion);
    if (stream->input == block) {
        block->begun = portion.begun;
        input_consume(stream, size - portion.span.size);
    }
    buffer_release(block);
}

static void keep(struct scheduler *scheduler, struct stream *stream, struct framing_span bytes,
                 struct begun_packet begun)
{
    if (is_receiving(stream) && input_append(scheduler, stream, bytes, begun) < 0)
        fail(scheduler, stream, -ENOMEM);
}

/* How much of the new bytes to put behind a packet that has begun: what it misses, or, while that
 * is not known, as much again as there is. */
static size_t top_up_size(const struct stream *stream, size_t size)
{
    enum { FIRST_GUESS = 256 };
    size_t guess = input_missing(stream);
    if (!delivery_is_wanted(stream) || stream->postponed)
        return size;
    if (guess == 0)
        guess = input_size(stream) > FIRST_GUESS ? input_size(stream) : FIRST_GUESS;
    return guess < size ? guess : size;
}

/* Completes the packet that has begun. What the guess took too much is framed in place. How many
 * of the bytes were taken. */
static size_t top_up(struct scheduler *scheduler, struct stream *stream, struct framing_span bytes)
{
    size_t taken = top_up_size(stream, bytes.size);
    keep(scheduler, stream, (struct framing_span){bytes.bytes, taken}, input_begun(stream));
    if (!stream->input)
        return taken;
    hand_out_input(scheduler, stream);
    size_t rest = input_size(stream);
    if (rest > taken) /* some of the beginning is still there */
        return taken;
    input_take_back(stream, rest);
    return taken - rest;
}

static void take_in(struct scheduler *scheduler, struct stream *stream, struct weir_buffer *buffer,
                    size_t size)
{
    struct portion portion = {.buffer = buffer, .span = {buffer->bytes, size}};
    while (portion.span.size > 0 && stream->input && is_receiving(stream)) {
        size_t taken = top_up(scheduler, stream, portion.span);
        portion.span.bytes += taken;
        portion.span.size -= taken;
    }
    hand_out(scheduler, stream, &portion);
    if (portion.span.size > 0)
        keep(scheduler, stream, portion.span, portion.begun);
}

/* The descriptor is gone, or the end was told to a receiver: an owner that asks to be active is
 * told that it is closed, once, and of a reset if no receiver was. */
static void continue_after_end(struct scheduler *scheduler, struct stream *stream)
{
    int result = (stream->latches & LATCH_OWNER) ? delivery_end_result(stream) : WEIR_CLOSED;
    if (stream->active != WEIR_ACTIVE_FALSE && !(stream->latches & LATCH_UNASKED))
        tell_end(scheduler, stream, result == -ECONNRESET ? result : WEIR_CLOSED);
}

/* The owner may have lost the descriptor meanwhile, by a send after shutdown(write). */
static void end_delivering(struct scheduler *scheduler, struct stream *stream)
{
    stream->delivering = false;
    if (stream->slot.state == SOCKET_GONE)
        continue_after_end(scheduler, stream);
}

void delivery_receive(struct scheduler *scheduler, struct stream *stream,
                      struct weir_buffer *buffer, size_t size)
{
    CHECK(!stream->delivering);
    stream->delivering = true;
    take_in(scheduler, stream, buffer, size);
    end_delivering(scheduler, stream);
}

/* All that came before the end has been handed out, or is part of a packet that never came whole:
 * raw bytes are never that, so a receiver gets them first. */
static void hand_out_end(struct scheduler *scheduler, struct stream *stream)
{
    int result = delivery_end_result(stream);
    if (served_receiver(stream)) /* a close is told to the next send as well, an error is not */
        end_receiver(scheduler, stream, result, result == WEIR_CLOSED ? LATCH_SEND : 0);
    else
        tell_end(scheduler, stream, result);
}

bool delivery_may_continue(const struct stream *stream)
{
    return !stream->delivering && !stream->postponed && stream_is_live(stream);
}

void delivery_continue(struct scheduler *scheduler, struct stream *stream)
{
    if (!delivery_may_continue(stream) || stream_fills_input(stream))
        return;
    slot_hold(&stream->slot);
    stream->delivering = true;
    if (stream->slot.state == SOCKET_GONE || stream->receiving == RECEIVING_REPORTED)
        continue_after_end(scheduler, stream);
    else if (stream->input && delivery_is_wanted(stream))
        hand_out_input(scheduler, stream);
    if (stream->slot.state == SOCKET_OPEN && stream->receiving == RECEIVING_ENDED &&
        delivery_is_wanted(stream) && !stream->postponed)
        hand_out_end(scheduler, stream);
    end_delivering(scheduler, stream);
    slot_unhold(scheduler, &stream->slot);
}

void delivery_time_out(struct scheduler *scheduler, struct stream *stream)
{
    if (stream->active != WEIR_ACTIVE_FALSE)
        tell_end(scheduler, stream, WEIR_TIMEOUT);
    else if (stream->waiter)
        call_complete(scheduler, take_receiver(stream), WEIR_TIMEOUT);
}

void delivery_stop(struct scheduler *scheduler, struct stream *stream)
{
    if (stream_is_live(stream) && stream->active != WEIR_ACTIVE_FALSE)
        tell_end(scheduler, stream, WEIR_CLOSED);
}

void delivery_start(struct scheduler *scheduler, struct stream *stream)
{
    if (stream->active > 0)
        return;
    stream->active = WEIR_ACTIVE_FALSE;
    owner_tell(scheduler, &stream->slot, WEIR_MESSAGE_PASSIVE, 0);
}
