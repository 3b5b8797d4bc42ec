/* SPDX-License-Identifier: MIT */
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
#include "runtime/stream/packet_cutter.h"
#include "runtime/stream/receive.h"
#include "runtime/stream/send.h"
#include "runtime/stream/shelf.h"
#include "runtime/stream/stream.h"
#include "runtime/stream/streams.h"

bool delivery_is_wanted(const struct stream *socket)
{
    return socket->active != WEIR_ACTIVE_FALSE ? !owner_is_full(&socket->slot)
                                               : socket->waiter != NULL;
}

/* The one who is served by what arrives. While the socket is active that is its owner, and who
 * waits in recv goes on waiting. */
static struct call *served_receiver(const struct stream *socket)
{
    return socket->active == WEIR_ACTIVE_FALSE ? socket->waiter : NULL;
}

int delivery_end_result(const struct stream *socket)
{
    bool is_end = socket->error == 0;
    if (socket->error == -ECONNRESET)
        is_end = !stream_values(socket)->show_econnreset;
    return is_end ? WEIR_CLOSED : socket->error;
}

static bool is_receiving(const struct stream *socket)
{
    return socket->slot.state == SOCKET_OPEN && socket->receiving <= RECEIVING_ENDED;
}

static struct call *take_receiver(struct stream *socket)
{
    struct call *receiver = socket->waiter;
    socket->waiter = NULL;
    return receiver;
}

/* A reset, which what is queued is about to find as well: no other send needs to be told. */
static bool takes_the_queue(const struct stream *socket)
{
    return socket->error == -ECONNRESET && send_queued_bytes(socket) > 0;
}

/* tcp_error if there is something to say, then tcp_closed, then the socket's end unless
 * {exit_on_close,false}. The owner may close it in between. */
static void tell_end(struct scheduler *scheduler, struct stream *socket, int error)
{
    bool ends = stream_values(socket)->exit_on_close;
    if (socket->closed_told)
        return;
    socket->closed_told = true;
    socket->receiving = RECEIVING_REPORTED;
    if (error != WEIR_CLOSED) {
        socket->error = 0; /* said once */
        owner_tell(scheduler, &socket->slot, WEIR_MESSAGE_ERROR, error);
    }
    if (stream_is_live(socket))
        owner_tell(scheduler, &socket->slot, WEIR_MESSAGE_CLOSED, 0);
    if (!stream_is_live(socket))
        return;
    if (ends)
        close_after_end(scheduler, socket);
    else if (socket->sending == SENDING_FAILED)
        close_connection(scheduler, socket, 0);
    else if (socket->slot.state == SOCKET_OPEN && error == WEIR_CLOSED && !takes_the_queue(socket))
        socket->latches |= LATCH_SEND;
}

static void end_receiver(struct scheduler *scheduler, struct stream *socket, int result,
                         uint8_t latches)
{
    socket->receiving = RECEIVING_REPORTED;
    socket->latches |= latches;
    input_drop(socket);
    call_complete(scheduler, take_receiver(socket), result);
    if (stream_values(socket)->exit_on_close)
        close_connection(scheduler, socket, 0);
}

/* A packet that cannot be framed, or memory that cannot be had: nothing that follows can be. */
static void fail(struct scheduler *scheduler, struct stream *socket, int error)
{
    if (served_receiver(socket))
        end_receiver(scheduler, socket, error, 0);
    else
        tell_end(scheduler, socket, error);
    if (socket->slot.state == SOCKET_OPEN)
        socket->receiving = RECEIVING_BROKEN;
}

static int give_to_owner(struct scheduler *scheduler, struct stream *socket,
                         const weir_packet *packet)
{
    bool passive = active_count_down(&socket->active);
    int result = owner_tell_packet(scheduler, &socket->slot, packet);
    if (passive && socket->slot.state == SOCKET_OPEN)
        owner_tell(scheduler, &socket->slot, WEIR_MESSAGE_PASSIVE, 0);
    return result;
}

/* {deliver,port} gives an owner the lines of http as they came, and nothing is learnt from them:
 * a start line is not followed by headers. */
static bool delivers_raw_lines(const struct stream *socket)
{
    return stream_values(socket)->deliver == WEIR_PORT && !served_receiver(socket);
}

static int next_packet(struct stream *socket, const uint8_t *bytes, size_t size,
                       weir_decoded *decoded, weir_http *http)
{
    struct call *receiver = served_receiver(socket);
    struct packet_cutter cutter = {
        .values = stream_values(socket),
        .framer = &socket->framer,
        .length = receiver ? receive_call_of(receiver)->length : 0,
    };
    uint8_t http_header = socket->framer.http_header;
    int result = packet_cutter_next(&cutter, bytes, size, decoded, http);
    if (delivers_raw_lines(socket) && cutter.values->packet < WEIR_HTTPH)
        socket->framer.http_header = http_header;
    return result;
}

static weir_packet make_packet(const struct stream *socket, struct weir_buffer *buffer,
                               const weir_decoded *decoded, const weir_http *http)
{
    const struct option_values *values = stream_values(socket);
    bool is_decoded =
        framing_is_http((enum weir_packet_type)values->packet) && !delivers_raw_lines(socket);
    return packet_make(decoded, is_decoded ? http : NULL, values, buffer);
}

static void count_packet(struct scheduler *scheduler, struct stream *socket,
                         const weir_decoded *decoded)
{
    socket->bulk = decoded->consumed >= INPUT_DIRECT_FROM_BYTES;
    scheduler->totals.packets_received++;
    traffic_count(&socket->received, &socket->received_max, decoded->consumed);
    if (stream_values(socket)->bit8 && !socket->bit8_seen)
        socket->bit8_seen = packet_has_bit8(decoded->bytes, decoded->size);
}

void delivery_answer(struct scheduler *scheduler, struct task *task)
{
    struct list *node;
    (void)task;
    while ((node = list_take(&streams_of(scheduler)->served))) {
        struct call *served = list_entry(node, struct call, link);
        struct stream *socket = stream_find(scheduler, served->socket);
        if (socket)
            shelf_fill(receive_call_of(served)->shelf, socket);
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
static int hand_out_one(struct scheduler *scheduler, struct stream *socket,
                        const weir_packet *packet, const weir_decoded *decoded)
{
    struct call *receiver = served_receiver(socket);
    int result = receiver ? weir_packet_keep(packet, &receive_call_of(receiver)->packet) : 0;
    if (result == 0)
        count_packet(scheduler, socket, decoded);
    if (receiver) {
        answer(scheduler, take_receiver(socket), result);
        return result;
    }
    result = give_to_owner(scheduler, socket, packet);
    if (result < 0)
        fail(scheduler, socket, result);
    return result;
}

/* What a packet takes of its socket's share of a turn. */
static uint16_t share_of(size_t size)
{
    enum { UNIT_BYTES = 1024 };
    size_t units = 1 + size / UNIT_BYTES;
    return (uint16_t)(units < SHARE_MOST ? units : SHARE_MOST);
}

static void postpone(struct scheduler *scheduler, struct stream *socket)
{
    receive_step_back(socket);
    socket->postponed = true;
    streams_of(scheduler)->postponed_count++;
    list_append(&streams_of(scheduler)->postponed, &socket->link);
    task_add(&scheduler->tasks, TASK_LAST, &streams_of(scheduler)->share_out);
}

/* A turn's beginning gives every socket its share anew. */
static void renew_share(const struct scheduler *scheduler, struct stream *socket)
{
    uint16_t turn = (uint16_t)scheduler->totals.turns;
    if (socket->share_turn == turn)
        return;
    socket->share_turn = turn;
    socket->share_used = 0;
}

/* False: it has had it, and goes on in the next turn behind the others. */
static bool has_share(struct scheduler *scheduler, struct stream *socket)
{
    if (socket->share_used < streams_of(scheduler)->share || CANARY(IGNORED_SHARE))
        return true;
    postpone(scheduler, socket);
    return false;
}

/* How many bytes were framed. The owner may change everything about the socket meanwhile. */
static size_t hand_out(struct scheduler *scheduler, struct stream *socket,
                       struct weir_buffer *buffer, const uint8_t *bytes, size_t size)
{
    size_t used = 0;
    if (socket->postponed)
        return 0;
    renew_share(scheduler, socket);
    while (used < size && delivery_is_wanted(socket) && is_receiving(socket) &&
           has_share(scheduler, socket)) {
        const struct framer before = socket->framer;
        weir_decoded decoded;
        weir_http http;
        int result = next_packet(socket, bytes + used, size - used, &decoded, &http);
        if (result == WEIR_DECODE_MORE) {
            socket->needed = (uint32_t)decoded.needed;
            break;
        }
        if (result != WEIR_DECODE_OK) {
            fail(scheduler, socket, -EMSGSIZE);
            break;
        }
        weir_packet packet = make_packet(socket, buffer, &decoded, &http);
        if (hand_out_one(scheduler, socket, &packet, &decoded) < 0) {
            socket->framer = before;
            break;
        }
        used += decoded.consumed;
        socket->share_used += share_of(decoded.consumed);
        socket->needed = 0;
    }
    return used;
}

static size_t hand_out_input(struct scheduler *scheduler, struct stream *socket)
{
    if (!delivery_is_wanted(socket))
        return 0;
    input_settle(socket);
    struct weir_buffer *block = socket->input;
    if (!block)
        return 0;
    buffer_keep(block);
    size_t used =
        hand_out(scheduler, socket, block, block->bytes + socket->input->start, input_size(socket));
    if (socket->input == block)
        input_consume(socket, used);
    buffer_release(block);
    return used;
}

static void keep(struct scheduler *scheduler, struct stream *socket, const uint8_t *bytes,
                 size_t size)
{
    if (is_receiving(socket) && input_append(scheduler, socket, bytes, size) < 0)
        fail(scheduler, socket, -ENOMEM);
}

/* How much of the new bytes to put behind a packet that has begun: what it misses, or, while that
 * is not known, as much again as there is. */
static size_t top_up_size(const struct stream *socket, size_t size)
{
    enum { FIRST_GUESS = 256 };
    size_t guess = input_missing(socket);
    if (!delivery_is_wanted(socket) || socket->postponed)
        return size;
    if (guess == 0)
        guess = input_size(socket) > FIRST_GUESS ? input_size(socket) : FIRST_GUESS;
    return guess < size ? guess : size;
}

/* Completes the packet that has begun. What the guess took too much is framed in place. */
static size_t top_up(struct scheduler *scheduler, struct stream *socket, const uint8_t *bytes,
                     size_t size)
{
    size_t taken = top_up_size(socket, size);
    keep(scheduler, socket, bytes, taken);
    if (!socket->input || hand_out_input(scheduler, socket) == 0)
        return taken;
    size_t rest = input_size(socket);
    if (rest > taken)
        return taken;
    input_take_back(socket, rest);
    return taken - rest;
}

static void take_in(struct scheduler *scheduler, struct stream *socket, struct weir_buffer *buffer,
                    size_t size)
{
    const uint8_t *bytes = buffer->bytes;
    while (size > 0 && socket->input && is_receiving(socket)) {
        size_t used = top_up(scheduler, socket, bytes, size);
        bytes += used;
        size -= used;
    }
    if (size == 0 || !is_receiving(socket))
        return;
    size_t used = hand_out(scheduler, socket, buffer, bytes, size);
    if (used < size)
        keep(scheduler, socket, bytes + used, size - used);
}

/* The descriptor is gone, or the end was told to a receiver: an owner that asks to be active is
 * told that it is closed, once, and of a reset if no receiver was. */
static void continue_after_end(struct scheduler *scheduler, struct stream *socket)
{
    int result = (socket->latches & LATCH_OWNER) ? delivery_end_result(socket) : WEIR_CLOSED;
    if (socket->active != WEIR_ACTIVE_FALSE && !(socket->latches & LATCH_UNASKED))
        tell_end(scheduler, socket, result == -ECONNRESET ? result : WEIR_CLOSED);
}

/* The owner may have lost the descriptor meanwhile, by a send after shutdown(write). */
static void end_delivering(struct scheduler *scheduler, struct stream *socket)
{
    socket->delivering = false;
    if (socket->slot.state == SOCKET_GONE)
        continue_after_end(scheduler, socket);
}

void delivery_receive(struct scheduler *scheduler, struct stream *socket,
                      struct weir_buffer *buffer, size_t size)
{
    CHECK(!socket->delivering);
    socket->delivering = true;
    take_in(scheduler, socket, buffer, size);
    end_delivering(scheduler, socket);
}

/* All that came before the end has been handed out, or is part of a packet that never came whole:
 * raw bytes are never that, so a receiver gets them first. */
static void hand_out_end(struct scheduler *scheduler, struct stream *socket)
{
    int result = delivery_end_result(socket);
    if (served_receiver(socket)) /* a close is told to the next send as well, an error is not */
        end_receiver(scheduler, socket, result, result == WEIR_CLOSED ? LATCH_SEND : 0);
    else
        tell_end(scheduler, socket, result);
}

void delivery_continue(struct scheduler *scheduler, struct stream *socket)
{
    if (socket->delivering || socket->postponed || !stream_is_live(socket))
        return;
    if (receive_fills_input(socket)) { /* it may have to stop: its completion sees to the rest */
        receive_update(scheduler, socket);
        return;
    }
    slot_hold(&socket->slot);
    socket->delivering = true;
    if (socket->slot.state == SOCKET_GONE || socket->receiving == RECEIVING_REPORTED)
        continue_after_end(scheduler, socket);
    else if (socket->input && delivery_is_wanted(socket))
        hand_out_input(scheduler, socket);
    if (socket->slot.state == SOCKET_OPEN && socket->receiving == RECEIVING_ENDED &&
        delivery_is_wanted(socket) && !socket->postponed)
        hand_out_end(scheduler, socket);
    end_delivering(scheduler, socket);
    receive_update(scheduler, socket);
    slot_unhold(scheduler, &socket->slot);
}

void delivery_share_out(struct scheduler *scheduler, struct task *task)
{
    struct streams *streams = streams_of(scheduler);
    uint32_t share = SHARE_TURN / (streams->postponed_count + 1);
    (void)task;
    if (share > SHARE_MOST)
        share = SHARE_MOST;
    streams->share = share > SHARE_LEAST ? share : SHARE_LEAST;
    streams->postponed_count = 0;
    list_move_all(&streams->due, &streams->postponed);
    if (!list_is_empty(&streams->due))
        task_add(&scheduler->tasks, TASK_SUBMITTED, &streams->go_on);
}

/* Behind all that has come since. */
void delivery_go_on(struct scheduler *scheduler, struct task *task)
{
    struct list *node;
    (void)task;
    while ((node = list_take(&streams_of(scheduler)->due))) {
        struct stream *socket = list_entry(node, struct stream, link);
        socket->postponed = false;
        error_clear_text();
        delivery_continue(scheduler, socket);
        scheduler_do_soon(scheduler);
    }
    task_add(&scheduler->tasks, TASK_LAST, &streams_of(scheduler)->share_out);
}

void delivery_time_out(struct scheduler *scheduler, struct stream *socket)
{
    if (socket->active != WEIR_ACTIVE_FALSE)
        tell_end(scheduler, socket, WEIR_TIMEOUT);
    else if (socket->waiter)
        call_complete(scheduler, take_receiver(socket), WEIR_TIMEOUT);
}

void delivery_stop(struct scheduler *scheduler, struct stream *socket)
{
    if (stream_is_live(socket) && socket->active != WEIR_ACTIVE_FALSE)
        tell_end(scheduler, socket, WEIR_CLOSED);
}

void delivery_start(struct scheduler *scheduler, struct stream *socket)
{
    if (socket->active <= 0) { /* a count that is spent at once */
        socket->active = WEIR_ACTIVE_FALSE;
        owner_tell(scheduler, &socket->slot, WEIR_MESSAGE_PASSIVE, 0);
    }
    receive_update(scheduler, socket);
}
