/* SPDX-License-Identifier: MIT */
/* Who waits while a connection is busy, for how long, and in what order they go on. */
#include <errno.h>
#include <sys/socket.h>
#include <unistd.h>

#include "lone_stream.h"
#include "runtime/stream/close.h"

enum { HIGH = 100, LOW = 50, LONG_MS = 1000000 };

static struct stream *stream;

static void begin(void)
{
    lone_begin(0);
    lone_values.high_watermark = HIGH;
    lone_values.low_watermark = LOW;
    lone_values.send_timeout_ms = LONG_MS;
    stream = lone_open(PASSIVE);
}

static uint64_t waiting(void)
{
    return lone.totals.waiting_bytes;
}

/* `a` of 10 bytes is in flight, `b` has crossed the mark, and its bytes are queued. */
static void cross(void)
{
    lone_send(stream, 'a', 10);
    lone_send(stream, 'b', 90);
    lone_turn();
    lone_turn();
    TOLD("a:0 ");
    ASKED("send:10 ");
}

Test(stream_busy, who_crosses_the_mark_waits_for_the_low_one)
{
    begin();
    cross();
    cr_expect_eq(lone.totals.busy, 1);
    lone_send(stream, 'c', 5);
    lone_send(stream, 'd', 6);
    cr_expect(waiting() == 11 && lone.totals.queued_bytes == 100);
    lone_complete(10, 0);
    ASKED("send:90 ");
    cr_expect_eq(lone.totals.short_sends, 0);
    lone_complete(39, 0);
    TOLD("");
    cr_expect_eq(lone.totals.short_sends, 1);
    lone_complete(1, 0);
    TOLD("b:0 c:0 d:0 ");
    cr_expect(waiting() == 0 && lone.totals.queued_bytes == 61 && lone.totals.busy == 1);
    cr_expect(!stream->output->busy);
}

/* What it had queued stays, and the next send crosses the mark again. */
Test(stream_busy, who_has_waited_for_long_enough_lets_the_next_go_on)
{
    begin();
    cross();
    lone_send(stream, 'c', 5);
    lone_pass(LONG_MS + 1);
    TOLD("b:timeout ");
    cr_expect(lone.totals.queued_bytes == 105 && lone.totals.busy == 2 && waiting() == 0);
    lone_send(stream, 'd', 6);
    lone_pass(LONG_MS + 1);
    TOLD("c:timeout ");
    cr_expect(lone.totals.queued_bytes == 111 && lone.totals.busy == 3);
}

/* Their own time runs where a handler keeps the socket busy, and stops behind one who crosses. */
Test(stream_busy, who_waits_behind_a_handler_waits_for_its_own_time)
{
    begin();
    cr_expect_eq(lone_send_now(stream, 10), 0);
    cr_expect_eq(lone_send_now(stream, 90), 0);
    cr_expect_eq(lone_send_now(stream, 1), -EAGAIN);
    cr_expect_eq(lone.totals.busy, 1);
    lone_send(stream, 'c', 5);
    cr_expect(waiting() == 5);
    lone_pass(LONG_MS + 1);
    TOLD("c:timeout ");
    cr_expect(waiting() == 0 && stream->output->busy && stream->output->refused);
    lone_complete(10, 0);
    lone_complete(90, 0);
    TOLD("unbusy ");
    cr_expect_null(stream->output);
}

Test(stream_busy, without_a_time_out_to_wait_for_nobody_waits)
{
    begin();
    stream->slot.options->values.send_timeout_ms = 0;
    lone_send(stream, 'a', 10);
    lone_send(stream, 'b', 90);
    TOLD("a:0 b:timeout ");
    cr_expect(lone.totals.queued_bytes == 100 && lone.totals.busy == 1);
    cr_expect(!stream->output->busy && list_is_empty(&stream->output->crossed));
    cr_expect_eq(lone_send_now(stream, 1), 0);
    cr_expect_eq(lone_send_now(stream, 1), -EAGAIN);
    lone_send(stream, 'c', 5);
    TOLD("c:timeout ");
    cr_expect_eq(waiting(), 0);
}

/* However short its own time: that of the one before it runs. */
Test(stream_busy, who_stands_behind_one_who_crossed_has_no_time)
{
    begin();
    cross();
    stream->slot.options->values.send_timeout_ms = 0;
    const struct send_call *c = lone_send(stream, 'c', 5);
    TOLD("");
    cr_expect(c->call.may_leave && !c->call.timer.armed);
    lone_complete(10, 0);
    lone_complete(90, 0);
    lone_turn();
    lone_turn();
    TOLD("b:0 c:0 ");
}

/* Both together may have as many bytes as the runtime may queue. */
Test(stream_busy, bytes_that_wait_have_a_limit)
{
    begin();
    cr_expect(lone_send_now(stream, 10) == 0 && lone_send_now(stream, 90) == 0);
    lone_send(stream, 'c', LONE_LIMIT - 101);
    lone_send(stream, 'd', 1);
    TOLD("");
    cr_expect_eq(waiting(), LONE_LIMIT - 100);
    lone_send(stream, 'e', 1);
    TOLD("e:enobufs ");
    cr_expect_eq(waiting(), LONE_LIMIT - 100);
}

/* `c` and `d` wait behind a handler. */
static void refuse(size_t c, size_t d)
{
    cr_expect(lone_send_now(stream, 10) == 0 && lone_send_now(stream, 90) == 0);
    cr_expect_eq(lone_send_now(stream, 1), -EAGAIN);
    lone_send(stream, 'c', c);
    lone_send(stream, 'd', d);
    ASKED("send:10 ");
    TOLD("");
}

Test(stream_busy, the_time_stops_of_who_stands_behind_one_who_crosses)
{
    begin();
    refuse(60, 5);
    lone_complete(10, 0);
    lone_complete(50, 0);
    TOLD("");
    cr_expect_eq(waiting(), 5);
    lone_pass(LONG_MS + 1);
    TOLD("c:timeout ");
    lone_pass(LONG_MS + 1);
    TOLD("unbusy d:timeout ");
}

Test(stream_busy, a_handler_is_told_when_those_before_it_do_not_make_it_busy_again)
{
    begin();
    refuse(60, 5);
    lone_complete(10, 0);
    lone_complete(90, 0);
    TOLD("unbusy ");
    cr_expect(waiting() == 0 && lone.totals.busy == 1);
    cr_expect(!stream->output->refused && !stream->output->busy);
}

Test(stream_busy, a_handler_waits_on_when_they_do)
{
    begin();
    refuse(60, 5);
    lone_complete(10, 0);
    lone_complete(50, 0);
    cr_expect(stream->output->refused && lone.totals.busy == 2);
    lone_complete(40, 0);
    TOLD("");
    lone_complete(10, 0);
    TOLD("unbusy c:0 d:0 ");
}

Test(stream_busy, who_waits_for_the_offer_is_answered_first)
{
    begin();
    lone_send(stream, 'a', 10);
    lone_send(stream, 'b', 90);
    lone_complete(10, 0);
    lone_complete(50, 0);
    TOLD("a:0 b:0 ");
    cr_expect(!task_is_queued(&stream->output->offer));
}

/* All schedulers' sockets together have queued as much as they may. */
static void exceed(void)
{
    lone.totals.queued_bytes += LONE_LIMIT;
}

static void relieve(void)
{
    lone.totals.queued_bytes -= LONE_LIMIT;
    task_add(&lone.tasks, TASK_SOON, &streams_of(&lone)->relieve);
    lone_soon();
}

static bool is_limited(void)
{
    return !list_is_empty(&stream->output->limit_link);
}

Test(stream_busy, over_the_limit_who_waits_behind_has_a_time_of_his_own)
{
    begin();
    cross();
    lone_send(stream, 'c', 5);
    exceed();
    lone_pass(LONG_MS + 1);
    TOLD("b:timeout ");
    cr_expect(waiting() == 5 && stream->output->busy && is_limited() && lone.totals.busy == 2);
    lone_pass(LONG_MS + 1);
    TOLD("c:timeout ");
    cr_expect(waiting() == 0 && stream->output->busy && is_limited());
}

Test(stream_busy, over_the_limit_the_low_mark_is_not_enough)
{
    begin();
    cross();
    exceed();
    lone_complete(10, 0);
    lone_complete(60, 0);
    TOLD("");
    cr_expect(stream->output->busy && is_limited());
    relieve();
    TOLD("b:0 ");
    cr_expect(!stream->output->busy && !is_limited());
}

Test(stream_busy, over_the_limit_an_empty_queue_is_enough)
{
    begin();
    cross();
    exceed();
    lone_complete(10, 0);
    lone_complete(90, 0);
    TOLD("b:0 ");
    cr_expect_null(stream->output);
}

Test(stream_busy, over_the_limit_whoever_has_something_queued_is_refused)
{
    begin();
    cr_expect_eq(lone_send_now(stream, 1), 0);
    exceed();
    cr_expect_eq(lone_send_now(stream, 1), -EAGAIN);
    cr_expect(is_limited() && stream->output->busy && lone.totals.busy == 1);
    struct stream *other = lone_open(PASSIVE);
    cr_expect(lone_send_now(other, 1) == 0 && lone_send_now(other, 1) == -EAGAIN);
    cr_expect(!list_is_empty(&other->output->limit_link));
    relieve();
    TOLD("unbusy unbusy ");
    cr_expect(!stream->output->busy && !is_limited() && list_is_empty(&other->output->limit_link));
}

/* {send_timeout_close,true}: the first whose time is up takes the connection with it. */
static const struct {
    bool refused;
    const char *told;
} closes[] = {
    {false, "c:enotconn b:timeout "},
    {true, "unbusy c:enotconn b:timeout "},
};

Test(stream_busy, a_time_out_closes_where_that_is_asked_for)
{
    for (size_t i = 0; i < sizeof(closes) / sizeof(closes[0]); i++) {
        begin();
        stream->slot.options->values.send_timeout_close = true;
        cross();
        lone_send(stream, 'c', 5);
        if (closes[i].refused)
            cr_expect_eq(lone_send_now(stream, 1), -EAGAIN);
        lone_pass(LONG_MS + 1);
        TOLD(closes[i].told);
        cr_expect(stream->slot.state == SOCKET_GONE && stream->latches == LATCH_UNASKED);
        cr_expect(waiting() == 0 && lone.totals.queued_bytes == 10, "but for what is in flight");
        lone_complete(10, 0);
        cr_expect(stream->slot.fd == -1 && stream->output == NULL);
    }
}

Test(stream_busy, who_is_cancelled_closes_nothing)
{
    begin();
    stream->slot.options->values.send_timeout_close = true;
    cross();
    struct send_call *c = lone_send(stream, 'c', 5);
    struct send_call *d = lone_send(stream, 'd', 6);
    cr_expect_eq(call_cancel(&lone, &c->call, c->call.data), 1);
    lone_soon();
    TOLD("c:ecanceled ");
    cr_expect(waiting() == 6 && stream->output->busy && stream->slot.pending == 1);
    struct send_call *b = list_entry(stream->output->crossed.next, struct send_call, call.link);
    cr_expect_eq(call_cancel(&lone, &b->call, b->call.data), 1);
    lone_soon();
    TOLD("b:ecanceled ");
    cr_expect(d->crossed && waiting() == 0 && stream->slot.state == SOCKET_OPEN);
}

Test(stream_busy, without_a_time_out_to_wait_for_it_closes_at_once)
{
    begin();
    stream->slot.options->values.send_timeout_ms = 0;
    stream->slot.options->values.send_timeout_close = true;
    lone_send(stream, 'a', 10);
    lone_send(stream, 'b', 90);
    TOLD("b:timeout ");
    cr_expect(stream->slot.state == SOCKET_GONE && stream->latches == LATCH_UNASKED);
}

/* Nobody waits any more whom the limit would have to let go. */
Test(stream_busy, over_the_limit_a_time_out_ends_the_wait_for_it)
{
    begin();
    cross();
    exceed();
    lone_complete(10, 0);
    lone_complete(60, 0);
    cr_expect(is_limited());
    lone_pass(LONG_MS + 1);
    TOLD("b:timeout ");
    cr_expect(!is_limited() && !stream->output->busy);
}

Test(stream_busy, over_the_limit_a_handler_waits_on)
{
    begin();
    cross();
    cr_expect_eq(lone_send_now(stream, 1), -EAGAIN);
    exceed();
    lone_pass(LONG_MS + 1);
    TOLD("b:timeout ");
    cr_expect(is_limited() && stream->output->busy && stream->output->refused);
    relieve();
    lone_complete(10, 0);
    TOLD("");
    lone_complete(40, 0);
    TOLD("unbusy ");
    cr_expect(!is_limited() && !stream->output->busy && !stream->output->refused);
}

/* A scheduler that has let all go on gives back what it holds too much. */
Test(stream_busy, under_the_limit_what_is_too_much_is_given_back)
{
    begin();
    cr_expect_eq(lone_send_now(stream, 1), 0);
    exceed();
    cr_expect_eq(lone_send_now(stream, 1), -EAGAIN);
    lone.lease.pool->floor_bytes = 0;
    lone.lease.pool->piece_bytes = 10;
    relieve();
    TOLD("unbusy ");
    cr_expect_eq(lone.lease.bytes, 11);
}

Test(stream_busy, over_the_limit_a_thread_waits_for_its_end)
{
    struct send_call call = {.call = {.kind = CALL_BLOCKING, .operation = &operation_send},
                             .source.size = 7};
    begin();
    list_init(&call.call.link);
    cr_expect_eq(lone_send_now(stream, 1), 0);
    exceed();
    call.call.scheduler = &lone;
    cr_expect_eq(operation_send.run(&lone, &stream->slot, &call.call), CALL_WAITS);
    cr_expect(is_limited() && stream->output->busy && waiting() == 7);
    cr_expect(call.call.timer.armed && call.call.timeout_ms == LONG_MS);
}
