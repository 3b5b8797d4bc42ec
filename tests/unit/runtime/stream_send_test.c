/* SPDX-License-Identifier: MIT */
/* What may be sent, when a send is answered, and what becomes of what is queued. */
#include <errno.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/memory.h"
#include "lone_stream.h"
#include "runtime/owner/owner.h"
#include "runtime/ring/features.h"
#include "runtime/stream/close.h"
#include "runtime/stream/outcome.h"
#include <weir/error.h>

enum { REASON = LATCH_SEND | LATCH_RECEIVE | LATCH_OWNER };

static struct stream *stream;

static void begin(int32_t active)
{
    lone_begin(0);
    lone_values.high_watermark = 100;
    lone_values.low_watermark = 50;
    lone_values.exit_on_close = false;
    stream = lone_open(active);
}

static bool peer_has_end(void)
{
    char byte;
    return recv(lone_peer, &byte, 1, MSG_DONTWAIT) == 0;
}

static bool peer_may_write(void)
{
    return send(lone_peer, "x", 1, MSG_NOSIGNAL | MSG_DONTWAIT) == 1;
}

Test(stream_send, is_answered_when_the_kernel_was_offered_its_bytes)
{
    begin(PASSIVE);
    lone_send(stream, 'a', 3);
    ASKED("send:3 ");
    lone_turn();
    TOLD("");
    lone_turn();
    TOLD("a:0 ");
    lone_send(stream, 'b', 4);
    TOLD("b:0 ");
    cr_expect(lone.totals.queued_bytes == 7 && lone.totals.packets_sent == 2);
    lone_complete(3, 0);
    ASKED("send:4 ");
    lone_complete(4, 0);
    cr_expect(stream->output == NULL && lone.totals.queued_bytes == 0);
    cr_expect(lone.totals.bytes_sent == 7 && lone.totals.send_operations == 2);
    cr_expect(stream->sent.octets == 7 && stream->sent.count == 2 && stream->sent_max == 4);
    cr_expect_eq(stream->slot.pending, 0);
}

/* Their callbacks come in the order of the calls. */
Test(stream_send, stands_behind_one_that_was_not_answered_yet)
{
    begin(PASSIVE);
    lone_send(stream, 'a', 3);
    lone_send(stream, 'b', 4);
    TOLD("");
    lone_complete(3, 0);
    TOLD("");
    lone_turn();
    lone_turn();
    TOLD("a:0 b:0 ");
    cr_expect_not_null(stream->output);
}

Test(stream_send, is_answered_when_the_queue_is_empty)
{
    begin(PASSIVE);
    lone_send(stream, 'a', 3);
    lone_complete(3, 0);
    TOLD("a:0 ");
    cr_expect_null(stream->output);
    lone_turn();
    lone_turn();
    TOLD("");
}

Test(stream_send, that_is_to_be_delayed_waits_for_nothing)
{
    begin(PASSIVE);
    stream->slot.options->values.delay_send = true;
    lone_send(stream, 'a', 3);
    TOLD("a:0 ");
    ASKED("");
    cr_expect_eq(lone_send_now(stream, 4), 0);
    lone_turn();
    ASKED("send:7 ");
}

Test(stream_send, of_nothing_is_nothing)
{
    begin(PASSIVE);
    lone_send(stream, 'a', 0);
    TOLD("a:0 ");
    cr_expect(stream->output == NULL && lone.totals.packets_sent == 1);
    stream->slot.options->values.packet = WEIR_1;
    lone_send(stream, 'b', 0);
    ASKED("send:1 ");
    lone_send(stream, 'c', 256);
    TOLD("c:emsgsize ");
    cr_expect(lone.totals.packets_sent == 2 && lone.totals.queued_bytes == 1);
}

Test(stream_send, of_descriptors_needs_a_byte)
{
    struct weir_buffer *rights = (struct weir_buffer *)&lone;
    const struct send_source source = {.rights = rights};
    begin(PASSIVE);
    cr_expect_eq(send_now(&lone, stream, &source), -EINVAL);
    cr_expect(stream->output == NULL && lone.totals.packets_sent == 0);
}

/* The first byte of a queue is not looked at by the marks. */
Test(stream_send, makes_busy_only_behind_another)
{
    begin(PASSIVE);
    cr_expect_eq(lone_send_now(stream, 1000), 0);
    cr_expect(!stream->output->busy && lone.totals.busy == 0);
    cr_expect_eq(lone_send_now(stream, 1), 0);
    cr_expect(stream->output->busy && lone.totals.busy == 1 && !stream->output->refused);
    cr_expect_eq(lone_send_now(stream, 1), -EAGAIN);
    cr_expect(stream->output->refused && lone.totals.queued_bytes == 1001);
}

static const struct {
    enum socket_state state;
    enum sending sending;
    enum receiving receiving;
    uint8_t latches;
    int error;
    bool show;
    int first;
    int second;
} refusals[] = {
    {SOCKET_OPEN, SENDING_OPEN, RECEIVING_ENDED, 0, 0, false, 0, 0},
    {SOCKET_GONE, SENDING_OPEN, RECEIVING_OPEN, REASON, 0, false, WEIR_CLOSED, -ENOTCONN},
    {SOCKET_GONE, SENDING_OPEN, RECEIVING_OPEN, LATCH_OWNER, 0, false, -ENOTCONN, -ENOTCONN},
    {SOCKET_GONE, SENDING_OPEN, RECEIVING_OPEN, REASON, -ECONNRESET, true, -ECONNRESET, -ENOTCONN},
    {SOCKET_OPEN, SENDING_FAILED, RECEIVING_OPEN, 0, -ECONNRESET, true, -ECONNRESET, -ECONNRESET},
    {SOCKET_OPEN, SENDING_FAILED, RECEIVING_OPEN, 0, -ECONNRESET, false, WEIR_CLOSED, WEIR_CLOSED},
    {SOCKET_OPEN, SENDING_SHUT, RECEIVING_OPEN, 0, 0, true, -ECONNRESET, -ENOTCONN},
    {SOCKET_OPEN, SENDING_SHUTTING, RECEIVING_OPEN, 0, 0, false, WEIR_CLOSED, -ENOTCONN},
    {SOCKET_OPEN, SENDING_FAILED, RECEIVING_REPORTED, 0, 0, true, -ECONNRESET, -ENOTCONN},
};

Test(stream_send, is_refused_by_what_has_happened)
{
    for (size_t i = 0; i < sizeof(refusals) / sizeof(refusals[0]); i++) {
        begin(PASSIVE);
        stream->slot.options->values.show_econnreset = refusals[i].show;
        if (refusals[i].state == SOCKET_GONE)
            slot_move(&stream->slot, SOCKET_LOSE);
        stream->sending = refusals[i].sending & 7;
        stream->receiving = refusals[i].receiving & 3;
        stream->latches = refusals[i].latches & 15;
        stream->error = (int16_t)refusals[i].error;
        cr_expect_eq(lone_send_now(stream, 1), refusals[i].first, "row %zu", i);
        int second = lone_send_now(stream, 1);
        cr_expect_eq(second, refusals[i].second, "row %zu: %d", i, second);
        cr_expect_eq(stream->latches & LATCH_SEND, 0, "row %zu", i);
    }
}

/* An owner that is active hears of it; who asks for a packet too. */
Test(stream_send, after_a_shutdown_loses_the_connection)
{
    begin(ALL);
    cr_expect_eq(send_shutdown(&lone, stream, false), 0);
    cr_expect(peer_has_end() && peer_may_write() && stream->sending == SENDING_SHUT);
    cr_expect_eq(lone_send_now(stream, 1), WEIR_CLOSED);
    cr_expect(stream->slot.state == SOCKET_GONE && stream->slot.fd == -1);
    cr_expect_eq(stream->error, -ECONNRESET);
    TOLD("closed ");
    cr_expect_eq(stream->slot.pending, 0);
}

Test(stream_send, waits_for_the_end_of_the_queue_to_shut_down)
{
    for (int both = 0; both < 2; both++) {
        begin(PASSIVE);
        lone_send(stream, 'a', 3);
        cr_expect_eq(send_shutdown(&lone, stream, both != 0), 0);
        cr_expect_eq(stream->sending, both ? SENDING_SHUTTING_BOTH : SENDING_SHUTTING);
        cr_expect_eq(send_shutdown(&lone, stream, false), 0);
        cr_expect_eq(stream->sending, both ? SENDING_SHUTTING_BOTH : SENDING_SHUTTING);
        cr_expect(!peer_has_end());
        lone_complete(3, 0);
        TOLD("a:0 ");
        cr_expect(stream->sending == SENDING_SHUT && peer_has_end() && peer_may_write() == !both);
    }
}

Test(stream_send, that_is_delayed_is_flushed_by_a_shutdown)
{
    begin(PASSIVE);
    stream->slot.options->values.delay_send = true;
    cr_expect_eq(lone_send_now(stream, 3), 0);
    ASKED("");
    cr_expect_eq(send_shutdown(&lone, stream, false), 0);
    ASKED("send:3 ");
    lone_turn();
    ASKED("");
}

Test(stream_send, a_shutdown_dismisses_who_waits_with_nothing_queued)
{
    begin(PASSIVE);
    cr_expect(lone_send_now(stream, 10) == 0 && lone_send_now(stream, 90) == 0);
    lone_send(stream, 'c', 5);
    cr_expect_eq(send_shutdown(&lone, stream, false), 0);
    lone_soon();
    TOLD("c:closed ");
    cr_expect_eq(lone.totals.waiting_bytes, 0);
    stream->sending = SENDING_FAILED;
    cr_expect_eq(send_shutdown(&lone, stream, false), -ENOTCONN);
}

/* What waits to be answered goes with its queue; the answer comes all the same. */
Test(stream_send, that_was_offered_is_answered_when_the_connection_is_lost)
{
    begin(PASSIVE);
    lone_send(stream, 'a', 3);
    lone_complete(-EAGAIN, 0);
    ASKED("send:3 writable ");
    cr_expect_eq(send_shutdown(&lone, stream, false), 0);
    cr_expect_eq(lone_send_now(stream, 1), WEIR_CLOSED);
    TOLD("");
    cr_expect(stream->slot.state == SOCKET_GONE && lone.totals.queued_bytes == 0);
    cr_expect_not_null(stream->output);
    lone_turn();
    lone_turn();
    TOLD("a:0 ");
    cr_expect_null(stream->output);
}

Test(stream_send, that_was_offered_is_answered_by_a_close_of_one_that_is_lost)
{
    begin(PASSIVE);
    lone_send(stream, 'a', 3);
    lone_complete(-EAGAIN, 0);
    cr_expect_eq(send_shutdown(&lone, stream, false), 0);
    cr_expect_eq(lone_send_now(stream, 1), WEIR_CLOSED);
    lone_complete_operation(stream, STREAM_WRITABLE, -ECANCELED, 0);
    cr_expect(stream->slot.fd == -1 && stream->output != NULL);
    owner_set(&stream->slot, weir_owned_by_nobody());
    close_end(&lone, &stream->slot, END_CLOSED);
    lone_soon();
    TOLD("a:closed ");
    cr_expect(stream->slot.state == SOCKET_FREE && streams_of(&lone)->output_count == 1);
}

Test(stream_send, that_finds_no_room_goes_on_when_there_is_some)
{
    begin(PASSIVE);
    lone_send(stream, 'a', 3);
    lone_complete(-EAGAIN, 0);
    ASKED("send:3 writable ");
    cr_expect(stream->watching == WATCHING && lone.totals.blocked_sends == 1);
    cr_expect_eq(stream->output->queue.flushing, FLUSHING_BLOCKED);
    lone_complete_operation(stream, STREAM_WRITABLE, POLLRDHUP, RING_MORE);
    ASKED("");
    lone_complete_operation(stream, STREAM_WRITABLE, POLLOUT, RING_MORE);
    ASKED("send:3 ");
    lone_complete_operation(stream, STREAM_WRITABLE, POLLOUT, RING_MORE);
    lone_complete(-EAGAIN, 0);
    ASKED("");
    lone_complete_operation(stream, STREAM_WRITABLE, POLLHUP, RING_MORE);
    ASKED("send:3 ");
    lone_complete(-EAGAIN, 0);
    lone_complete_operation(stream, STREAM_WRITABLE, POLLERR, RING_MORE);
    ASKED("send:3 ");
    lone_complete(-EAGAIN, 0);
    lone_complete_operation(stream, STREAM_WRITABLE, -ENOMEM, 0);
    ASKED("");
    cr_expect(stream->watching == WATCHING_NOT && lone.totals.memory_pauses == 1);
    cr_expect_eq(stream->output->queue.flushing, FLUSHING_RESTING);
    lone_pass(11);
    ASKED("send:3 ");
    lone_complete(-EAGAIN, 0);
    ASKED("writable ");
    lone_complete_operation(stream, STREAM_WRITABLE, 0, 0);
    ASKED("send:3 ");
    lone_complete(3, 0);
    cr_expect(stream->slot.pending == 0 && stream->output == NULL);
}

Test(stream_send, a_watch_for_room_that_ends_with_nothing_to_send_is_nothing)
{
    begin(PASSIVE);
    lone_send(stream, 'a', 3);
    lone_complete(-EAGAIN, 0);
    lone_complete_operation(stream, STREAM_WRITABLE, POLLOUT, RING_MORE);
    lone_complete(3, 0);
    lone_complete_operation(stream, STREAM_WRITABLE, -ENOMEM, 0);
    cr_expect(stream->output == NULL && lone.totals.memory_pauses == 0);
    cr_expect_eq(stream->watching, WATCHING_NOT);
}

static const struct {
    int result;
    bool again;
    bool rests;
} failures[] = {
    {0, true, false},        {-EINTR, true, false},        {-ENOBUFS, false, true},
    {-ENOMEM, false, true},  {-ETOOMANYREFS, false, true}, {-EPIPE, false, false},
    {-EINVAL, false, false},
};

Test(stream_send, that_fails_is_made_again_or_ends_the_connection)
{
    for (size_t i = 0; i < sizeof(failures) / sizeof(failures[0]); i++) {
        begin(PASSIVE);
        lone_send(stream, 'a', 3);
        (void)noted_asked();
        lone_complete(failures[i].result, 0);
        ASKED(failures[i].again ? "send:3 " : "");
        cr_expect_eq(lone.totals.memory_pauses, failures[i].rests, "row %zu", i);
        bool lost = !failures[i].again && !failures[i].rests;
        cr_expect_eq(stream->slot.state, lost ? SOCKET_GONE : SOCKET_OPEN, "row %zu", i);
        TOLD(lost ? "a:closed " : "");
        lone_pass(11);
        ASKED(failures[i].rests ? "send:3 " : "");
    }
}

Test(stream_send, two_that_rest_are_made_again_together)
{
    begin(PASSIVE);
    struct stream *first = stream;
    lone_send(first, 'a', 3);
    lone_complete(-ENOMEM, 0);
    lone_pass(5);
    stream = lone_open(PASSIVE);
    lone_send(stream, 'b', 4);
    lone_complete(-ENOBUFS, 0);
    ASKED("send:3 send:4 ");
    lone_pass(5);
    ASKED("");
    lone_pass(1);
    ASKED("send:3 send:4 ");
    cr_expect_eq(lone.totals.memory_pauses, 2);
}

/* A kernel that takes nothing now is asked in the next turn. */
Test(stream_send, waits_for_a_kernel_that_takes_nothing)
{
    begin(PASSIVE);
    lone.vectors.message_count = VECTORS_MESSAGE_COUNT;
    noted_queue(1, false);
    lone_send(stream, 'a', 3);
    ASKED("");
    lone_turn();
    ASKED("");
    cr_expect(task_is_queued(&stream->output->flush) && lone.totals.send_operations == 0);
    noted_queue(1, true);
    lone_turn();
    ASKED("send:3 ");
    cr_expect(lone.vectors.message_count == 0 && lone.totals.send_operations == 1);
}

Test(stream_send, with_a_full_queue_of_the_ring_submits_first)
{
    begin(PASSIVE);
    lone.vectors.message_count = VECTORS_MESSAGE_COUNT;
    noted_queue(1, true);
    lone_send(stream, 'a', 3);
    ASKED("send:3 ");
    cr_expect_eq(stream->slot.pending, 1);
}

Test(stream_send, without_memory_is_not_made)
{
    begin(PASSIVE);
    for (uint64_t nth = 1; nth < 3; nth++) {
        memory_fail_nth(nth);
        cr_expect_eq(lone_send_now(stream, 3), -ENOMEM, "%lu", nth);
        memory_fail_nth(0);
        cr_expect(stream->output == NULL && lone.totals.packets_sent == 0, "%lu", nth);
        cr_expect_eq(lone.totals.queued_bytes, 0);
    }
    memory_fail_nth(1);
    lone_send(stream, 'a', 3);
    memory_fail_nth(0);
    TOLD("a:enomem ");
    cr_expect_null(stream->output);
}

/* Who is told why by his own send leaves nothing to be told to the next. */
Test(stream_send, that_fails_is_told_to_who_crossed_the_mark)
{
    begin(PASSIVE);
    lone_send(stream, 'a', 10);
    lone_send(stream, 'b', 90);
    lone_send(stream, 'c', 5);
    lone_turn();
    lone_turn();
    TOLD("a:0 ");
    stream->slot.options->values.show_econnreset = true;
    lone_complete(-EPIPE, 0);
    TOLD("b:econnreset c:enotconn ");
    cr_expect_eq(stream->latches, LATCH_RECEIVE | LATCH_OWNER);
    cr_expect(stream->output == NULL && lone.totals.queued_bytes == 0);
}

Test(stream_send, that_fails_unheard_is_told_to_the_next)
{
    begin(PASSIVE);
    cr_expect_eq(lone_send_now(stream, 10), 0);
    lone_complete(-EPIPE, 0);
    cr_expect_eq(stream->latches, REASON);
    begin(PASSIVE);
    cr_expect_eq(send_shutdown(&lone, stream, false), 0);
    cr_expect_eq(lone_send_now(stream, 1), WEIR_CLOSED);
    cr_expect_eq(stream->latches, LATCH_RECEIVE | LATCH_OWNER);
    lone_send(stream, 'd', 1);
    TOLD("d:enotconn ");
}

Test(stream_send, that_fails_lets_a_handler_go_on_that_was_refused)
{
    begin(PASSIVE);
    cr_expect(lone_send_now(stream, 10) == 0 && lone_send_now(stream, 90) == 0);
    cr_expect_eq(lone_send_now(stream, 1), -EAGAIN);
    lone_complete(-EPIPE, 0);
    TOLD("unbusy ");
    cr_expect_eq(lone_send_now(stream, 1), WEIR_CLOSED);
    TOLD("");
}
