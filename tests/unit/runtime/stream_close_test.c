/* SPDX-License-Identifier: MIT */
/* How a connection ends: who is told, what is still sent, and how its descriptor goes. */
#include "runtime/stream/close.h"

#include <errno.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/memory.h"
#include "lone_stream.h"
#include "runtime/owner/mailbox.h"
#include "runtime/owner/owner.h"
#include "runtime/socket/passed.h"
#include "runtime/stream/delivery.h"
#include "runtime/stream/input.h"
#include "runtime/stream/outcome.h"
#include "runtime/stream/proxied.h"
#include "runtime/stream/receive.h"
#include "runtime/stream/writable.h"
#include <weir/error.h>

enum { REASON = LATCH_SEND | LATCH_RECEIVE | LATCH_OWNER };

static struct stream *stream;

static void begin(int32_t active)
{
    lone_begin(0);
    lone_values.high_watermark = 100;
    lone_values.low_watermark = 50;
    stream = lone_open(active);
    receive_start(&lone, stream);
    lone_turn();
    (void)noted_asked();
}

static void set_linger(bool on, int seconds)
{
    const struct linger linger = {.l_onoff = on, .l_linger = seconds};
    cr_assert_eq(setsockopt(stream->slot.fd, SOL_SOCKET, SO_LINGER, &linger, sizeof(linger)), 0);
}

/* Of a descriptor that shares the socket, and stays. */
static bool lingers(int fd)
{
    struct linger linger;
    socklen_t size = sizeof(linger);
    cr_assert_eq(getsockopt(fd, SOL_SOCKET, SO_LINGER, &linger, &size), 0);
    return linger.l_onoff;
}

static bool peer_has_end(void)
{
    char byte;
    return recv(lone_peer, &byte, 1, MSG_DONTWAIT) == 0;
}

static void end(enum ending ending)
{
    kind_stream.end(&lone, &stream->slot, ending);
    lone_soon();
}

Test(stream_close, of_one_that_is_idle_is_at_once)
{
    begin(ALL);
    lone_complete(-ECANCELED, 0);
    stream->active = PASSIVE;
    receive_stop(&lone, stream);
    cr_assert_not_null(passed_ready(&lone, &stream->slot));
    end(END_CLOSED);
    cr_expect(stream->slot.fd == -1 && stream->slot.state == SOCKET_CLOSED);
    cr_expect(lone.totals.connections == 0 && lone.descriptor_closed && peer_has_end());
    cr_expect_null(slot_note(&lone.passed, &stream->slot));
    TOLD("");
    lone_turn();
    lone_turn();
    TOLD("gone ");
    cr_expect_eq(stream->slot.state, SOCKET_FREE);
}

Test(stream_close, waits_for_what_is_in_flight)
{
    begin(ALL);
    lone_send(stream, 'a', 3);
    lone_complete(-EAGAIN, 0);
    lone_complete_operation(stream, STREAM_WRITABLE, 4, RING_MORE);
    ASKED("send:3 writable send:3 ");
    end(END_CLOSED);
    TOLD("a:closed ");
    ASKED("");
    cr_expect_eq(output_queued_bytes(stream), 3);
    lone_complete(3, 0);
    ASKED("cancel:1 cancel:6 ");
    cr_expect(stream->slot.fd >= 0 && stream->watching == WATCHING_CANCELLED);
    lone_complete_operation(stream, STREAM_RECEIVE, -ECANCELED, 0);
    cr_expect_eq(lone.totals.connections, 1);
    lone_complete_operation(stream, STREAM_WRITABLE, -ECANCELED, 0);
    cr_expect(stream->slot.fd == -1 && lone.totals.connections == 0);
}

Test(stream_close, dismisses_all_who_wait)
{
    begin(PASSIVE);
    lone_receive(stream, 'r', 0, -1);
    lone_send(stream, 'a', 10);
    lone_send(stream, 'b', 90);
    lone_send(stream, 'c', 5);
    const uint8_t byte = 0;
    cr_assert_eq(
        input_append(&lone, stream, (struct framing_span){&byte, 1}, (struct begun_packet){0}), 0);
    end(END_OWNER_DIED);
    TOLD("r:closed a:closed b:closed c:closed ");
    cr_expect(stream->input == NULL && stream->waiter == NULL && lone.totals.waiting_bytes == 0);
    cr_expect_eq(lone.totals.queued_bytes, 100);
}

/* As the application has said. */
static const struct {
    bool on;
    int seconds;
    bool queued;
    size_t left;    /* what is still to be sent */
    bool lingering; /* what close(2) does then */
} lingers_of[] = {
    {false, 0, false, 0, false}, {false, 0, true, 9, false}, {true, 5, false, 0, false},
    {true, 5, true, 9, false},   {true, 0, false, 0, true},  {true, 0, true, 0, true},
};

Test(stream_close, throws_away_what_is_queued_if_asked_to)
{
    for (size_t i = 0; i < sizeof(lingers_of) / sizeof(lingers_of[0]); i++) {
        close(0); /* a descriptor may be any */
        begin(PASSIVE);
        cr_assert_eq(stream->slot.fd, 0);
        int same = dup(stream->slot.fd);
        stream->slot.options->values.delay_send = true;
        set_linger(lingers_of[i].on, lingers_of[i].seconds);
        if (lingers_of[i].queued)
            lone_send(stream, 'a', 9);
        end(END_CLOSED);
        cr_expect_eq(output_queued_bytes(stream), lingers_of[i].left, "row %zu", i);
        cr_expect_eq(lone.totals.queued_bytes, lingers_of[i].left, "row %zu", i);
        lone_turn();
        if (lingers_of[i].left > 0)
            lone_complete((int)lingers_of[i].left, 0);
        cr_expect_eq(stream->slot.fd, -1, "row %zu", i);
        cr_expect_eq(lingers(same), lingers_of[i].lingering, "row %zu", i);
        close(same);
    }
}

Test(stream_close, for_want_of_time_resets)
{
    close(0);
    begin(PASSIVE);
    int same = dup(stream->slot.fd);
    stream->slot.options->values.delay_send = true;
    lone_send(stream, 'a', 9);
    TOLD("a:0 ");
    end(END_DRAIN);
    cr_expect_eq(stream->slot.state, SOCKET_OPEN);
    end(END_CLOSED);
    cr_expect_eq(output_queued_bytes(stream), 9);
    end(END_CLOSED);
    cr_expect_eq(output_queued_bytes(stream), 9);
    end(END_ABORT);
    cr_expect(stream->slot.fd == -1 && lingers(same) && lone.totals.queued_bytes == 0);
}

/* A peer that takes nothing of what is queued. */
Test(stream_close, is_not_waited_for_longer_than_that)
{
    begin(PASSIVE);
    lone_send(stream, 'a', 9);
    end(END_CLOSED);
    lone_pass(999999);
    lone_complete(1, 0);
    lone_complete(-EAGAIN, 0);
    lone_pass(999999);
    cr_expect(stream->slot.fd >= 0 && lone.totals.close_timeouts == 0);
    lone_pass(2);
    cr_expect(lone.totals.close_timeouts == 1 && lone.totals.queued_bytes == 0);
    ASKED("send:9 send:8 writable cancel:6 ");
    lone_complete_operation(stream, STREAM_WRITABLE, -ECANCELED, 0);
    cr_expect_eq(stream->slot.fd, -1);
}

Test(stream_close, each_has_its_own_time)
{
    begin(PASSIVE);
    struct stream *first = stream;
    lone_send(first, 'a', 9);
    end(END_CLOSED);
    lone_pass(400000);
    stream = lone_open(PASSIVE);
    lone_send(stream, 'b', 8);
    end(END_CLOSED);
    lone_pass(600001);
    cr_expect_eq(lone.totals.close_timeouts, 1);
    lone_pass(399998);
    cr_expect_eq(lone.totals.close_timeouts, 1);
    lone_pass(3);
    cr_expect_eq(lone.totals.close_timeouts, 2);
}

static void no_answer(struct call *call)
{
    (void)call;
}

/* {linger,{true,N}}: who closes and waits is answered when all is sent, or when time is up. */
static const struct {
    enum call_kind kind;
    bool queued;
    bool on;
    int seconds;
    bool waits;
} closers[] = {
    {CALL_BLOCKING, true, true, 5, true},   {CALL_BLOCKING, false, true, 5, false},
    {CALL_BLOCKING, true, false, 5, false}, {CALL_BLOCKING, true, true, 0, false},
    {CALL_ASYNC, true, true, 5, false},     {CALL_DIRECT, true, true, 5, false},
};

static void leave(struct scheduler *scheduler, struct call *call)
{
    (void)scheduler;
    list_remove(&call->link);
}

static const struct call_operation closing = {.name = "close", .leave = leave};

Test(stream_close, is_waited_for_by_who_may_wait)
{
    for (size_t i = 0; i < sizeof(closers) / sizeof(closers[0]); i++) {
        char text[ERROR_TEXT_SIZE];
        struct call call = {.kind = closers[i].kind,
                            .operation = &closing,
                            .scheduler = &lone,
                            .finish = no_answer,
                            .text = text,
                            .result = 1};
        begin(PASSIVE);
        list_init(&call.link);
        set_linger(closers[i].on, closers[i].seconds);
        if (closers[i].queued)
            lone_send(stream, 'a', 9);
        slot_hold(&stream->slot);
        int result = close_by_call(&lone, &stream->slot, &call);
        cr_expect_eq(result, closers[i].waits ? CALL_WAITS : 0, "row %zu", i);
        cr_expect_eq(stream->slot.state, SOCKET_CLOSED, "row %zu", i);
        slot_unhold(&lone, &stream->slot);
        if (!closers[i].waits)
            continue;
        cr_expect(call.timeout_ms == 5000 && call.timer.armed && call.result == 1);
        lone_complete(9, 0);
        cr_expect_eq(call.result, 0);
    }
}

Test(stream_close, is_waited_for_no_longer_than_that)
{
    char text[ERROR_TEXT_SIZE];
    struct call call = {.kind = CALL_BLOCKING,
                        .operation = &closing,
                        .scheduler = &lone,
                        .text = text,
                        .result = 1};
    begin(PASSIVE);
    list_init(&call.link);
    set_linger(true, 5);
    lone_send(stream, 'a', 9);
    cr_expect_eq(close_by_call(&lone, &stream->slot, &call), CALL_WAITS);
    lone_pass(5000);
    cr_expect_eq(call.result, 1);
    lone_pass(1);
    cr_expect_eq(call.result, WEIR_TIMEOUT);
    cr_expect_eq(output_queued_bytes(stream), 9);
}

static const struct {
    int32_t active;
    uint8_t latches;
    uint8_t left;
} losses[] = {
    {PASSIVE, REASON, REASON},
    {ALL, REASON, LATCH_SEND | LATCH_OWNER},
    {1, LATCH_RECEIVE, 0},
};

/* A connection that is lost keeps its handle, and who is to be told why. */
Test(stream_close, of_a_lost_connection_leaves_its_handle)
{
    for (size_t i = 0; i < sizeof(losses) / sizeof(losses[0]); i++) {
        begin(PASSIVE);
        lone_receive(stream, 'r', 9, -1);
        lone_turn();
        lone_bring(stream, "abc", false);
        cr_expect_eq(input_size(stream), 3);
        stream->active = losses[i].active;
        close_connection(&lone, stream, losses[i].latches);
        lone_soon();
        TOLD("r:closed ");
        cr_expect(stream->slot.state == SOCKET_GONE && stream->slot.fd == -1);
        cr_expect(stream->input == NULL && stream->waiter == NULL);
        cr_expect_eq(stream->latches, losses[i].left, "row %zu", i);
        close_connection(&lone, stream, REASON);
        cr_expect_eq(stream->latches, losses[i].left, "once");
        end(END_CLOSED);
        lone_turn();
        lone_turn();
        TOLD("gone ");
        cr_expect_eq(stream->slot.state, SOCKET_FREE);
    }
}

/* The kernel still writes into it. */
Test(stream_close, leaves_the_memory_that_is_received_into)
{
    const struct framing_span bytes = {(const uint8_t *)"x", 1};
    for (int lost = 0; lost < 2; lost++) {
        begin(PASSIVE);
        int64_t blocks = memory_live_count();
        cr_assert_eq(input_append(&lone, stream, bytes, (struct begun_packet){0}), 0);
        stream->reading = READING_INTO;
        slot_hold(&stream->slot);
        if (lost)
            close_connection(&lone, stream, 0);
        else
            end(END_CLOSED);
        ASKED("cancel:2 ");
        cr_expect(stream->input != NULL && stream->reading == READING_INTO_CANCELLED);
        lone_complete_operation(stream, STREAM_RECEIVE_INTO, -ECANCELED, 0);
        cr_expect_eq(stream->slot.fd, -1);
        if (lost)
            end(END_CLOSED);
        lone_turn();
        lone_turn();
        cr_expect_eq(stream->slot.state, SOCKET_FREE);
        cr_expect_eq(memory_live_count(), blocks - 1, "its options have gone too");
    }
}

static const struct {
    bool exits;
    bool ended;
    bool lingering;
} breaks[] = {{true, false, true}, {false, true, false}};

Test(stream_close, a_break_ends_receiving)
{
    for (size_t i = 0; i < 2; i++) {
        char byte;
        close(0);
        begin(PASSIVE);
        stream->slot.options->values.exit_on_close = breaks[i].exits;
        close_break(stream);
        cr_expect_eq(lingers(stream->slot.fd), breaks[i].lingering, "row %zu", i);
        ssize_t count = recv(lone_peer, &byte, 1, MSG_DONTWAIT);
        cr_expect_eq(count == 0, breaks[i].ended, "row %zu", i);
        cr_expect_eq(recv(stream->slot.fd, &byte, 1, MSG_DONTWAIT), 0, "row %zu", i);
        close(stream->slot.fd);
        stream->slot.fd = -1;
        close_break(stream);
    }
}

/* What the owner's mailbox was told of an end goes with the owner's close, and stays at a stop. */
Test(stream_close, takes_back_what_a_mailbox_was_told)
{
    static const struct {
        enum ending ending;
        bool told;
        bool left;
    } rows[] = {{END_CLOSED, true, false},
                {END_STOP, true, true},
                {END_ABORT, true, true},
                {END_CLOSED, false, true}};
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        weir_mailbox *mailbox;
        weir_message message;
        cr_assert_eq(weir_mailbox_create(&mailbox), 0);
        begin(PASSIVE);
        owner_set(&stream->slot, weir_mailed_to(mailbox));
        owner_tell(&lone, &stream->slot, WEIR_MESSAGE_CLOSED, 0);
        stream->closed_told = rows[i].told;
        end(rows[i].ending);
        int result = mailbox_receive_in_thread(mailbox, 0, &message);
        cr_expect_eq(result == 0, rows[i].left, "row %zu", i);
    }
}

/* A stop tells an owner that is active, and what is queued still leaves. */
Test(stream_close, by_a_stop_tells_who_is_active)
{
    static const struct {
        int32_t active;
        const char *told;
    } rows[] = {{ALL, "a:0 closed "}, {1, "a:0 closed "}, {PASSIVE, "a:0 "}};
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        begin(rows[i].active);
        stream->slot.options->values.delay_send = true;
        lone_send(stream, 'a', 3);
        end(END_STOP);
        TOLD(rows[i].told);
        cr_expect(stream->slot.state == SOCKET_CLOSED && output_queued_bytes(stream) == 3);
    }
}

Test(stream_close, that_is_waited_for_is_over_when_the_queue_is_thrown_away)
{
    struct call call = {
        .kind = CALL_BLOCKING, .operation = &closing, .scheduler = &lone, .result = 1};
    begin(PASSIVE);
    list_init(&call.link);
    set_linger(true, 5);
    lone_send(stream, 'a', 9);
    lone_complete(-EAGAIN, 0);
    cr_expect(!writable_is_cancelled(&stream->slot));
    cr_expect_eq(close_by_call(&lone, &stream->slot, &call), CALL_WAITS);
    end(END_ABORT);
    cr_expect(call.result == 0 && writable_is_cancelled(&stream->slot));
}

Test(stream_close, forgets_whose_the_connection_was)
{
    const struct proxy_header header = {0};
    begin(PASSIVE);
    int64_t blocks = memory_live_count();
    cr_assert_eq(proxied_note(&lone, stream, &header), 0);
    cr_expect_not_null(proxied_of(&lone, &stream->slot));
    end(END_CLOSED);
    lone_turn();
    lone_turn();
    TOLD("gone ");
    cr_expect_null(proxied_of(&lone, &stream->slot));
    slot_notes_free(&streams_of(&lone)->proxied);
    cr_expect_eq(memory_live_count(), blocks - 1, "its options have gone too");
}

Test(stream_close, has_no_memory_to_note_whose_it_is)
{
    const struct proxy_header header = {0};
    begin(PASSIVE);
    int64_t blocks = memory_live_count();
    for (uint64_t nth = 1; nth < 3; nth++) {
        memory_fail_nth(nth);
        cr_expect_eq(proxied_note(&lone, stream, &header), -ENOMEM);
        memory_fail_nth(0);
        cr_expect_eq(memory_live_count(), blocks);
    }
}
