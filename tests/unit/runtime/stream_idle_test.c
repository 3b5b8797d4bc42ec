/* SPDX-License-Identifier: MIT */
/* Connections that are closed for being idle: what counts as that, and who is told. */
#include "runtime/stream/idle.h"

#include <errno.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/memory.h"
#include "lone_stream.h"
#include "runtime/stream/close.h"
#include "runtime/stream/input.h"
#include "runtime/stream/receive.h"

static struct stream *stream;

static void begin(int32_t active)
{
    lone_begin(0);
    stream = lone_open(active);
    receive_start(&lone, stream);
    lone_turn();
    (void)noted_asked();
}

/* Of a descriptor that shares the socket, and stays. */
static bool lingers(int fd)
{
    struct linger linger;
    socklen_t size = sizeof(linger);
    cr_assert_eq(getsockopt(fd, SOL_SOCKET, SO_LINGER, &linger, &size), 0);
    return linger.l_onoff;
}

static void watch_idle(int64_t ms)
{
    stream->slot.options->values.idle_timeout_ms = ms;
    cr_assert_eq(idle_watch(&lone, stream), 0);
}

static const struct {
    int32_t active;
    bool exits;
    bool queued;
    const char *told;
    enum socket_state state;
} idles[] = {
    {ALL, true, false, "error:timeout closed gone ", SOCKET_CLOSED},
    {PASSIVE, true, false, "gone ", SOCKET_CLOSED},
    {ALL, true, true, "error:timeout closed gone ", SOCKET_CLOSED},
};

Test(stream_idle, ends_when_nothing_came_or_went_for_long)
{
    for (size_t i = 0; i < sizeof(idles) / sizeof(idles[0]); i++) {
        begin(idles[i].active);
        if (idles[i].queued)
            lone_send(stream, 'a', 3);
        watch_idle(1000);
        lone_pass(600);
        if (idles[i].queued)
            lone_complete(1, 0);
        else
            idle_note(&lone, stream);
        lone_pass(401);
        cr_expect_eq(lone.totals.idle_timeouts, 0);
        lone_pass(599);
        cr_expect_eq(lone.totals.idle_timeouts, 0, "row %zu", i);
        lone_pass(2);
        cr_expect_eq(lone.totals.idle_timeouts, 1, "row %zu", i);
        cr_expect_eq(stream->slot.state, idles[i].state, "row %zu", i);
    }
}

Test(stream_idle, ends_when_nothing_came_or_went_for_just_so_long)
{
    begin(PASSIVE);
    watch_idle(1000);
    struct idle_watch *watch = slot_note(&streams_of(&lone)->idle, &stream->slot);
    watch->bytes_ns = lone.now_ns + 1000000;
    lone_pass(1001);
    cr_expect(lone.totals.idle_timeouts == 1 && stream->slot.fd == -1);
    lone_turn();
    lone_turn();
    TOLD("gone ");
    cr_expect_eq(stream->slot.state, SOCKET_FREE);
}

/* Bytes count that came into a buffer, into a packet's own memory, or by a call. */
Test(stream_idle, ends_later_when_something_came)
{
    begin(ALL);
    watch_idle(1000);
    lone_pass(600);
    lone_bring(stream, "x", false);
    lone_turn();
    lone_pass(600);
    stream->slot.options->values.packet = WEIR_4;
    stream->slot.options->values.limits.packet_size = 0;
    cr_assert_eq(input_append(&lone, stream, (struct framing_span){(const uint8_t *)"\0\2\0\0", 4},
                              (struct begun_packet){.needed = 4 + (2 << 16)}),
                 0);
    lone_complete_operation(stream, STREAM_RECEIVE, -ECANCELED, 0);
    lone_complete_operation(stream, STREAM_RECEIVE_INTO, 9, 0);
    lone_pass(600);
    cr_expect_eq(lone.totals.idle_timeouts, 0);
    lone_pass(401);
    cr_expect_eq(lone.totals.idle_timeouts, 1);
}

/* The peer takes nothing of what is queued either: it is reset. */
Test(stream_idle, throws_away_what_is_queued)
{
    begin(PASSIVE);
    int same = dup(stream->slot.fd);
    lone_send(stream, 'a', 9);
    lone_complete(-EAGAIN, 0);
    watch_idle(1000);
    lone_pass(1001);
    cr_expect(lone.totals.queued_bytes == 0 && lingers(same));
    ASKED("send:9 writable cancel:6 ");
    lone_complete_operation(stream, STREAM_WRITABLE, -ECANCELED, 0);
    cr_expect_eq(stream->slot.fd, -1);
}

Test(stream_idle, without_memory_there_is_no_watch)
{
    int64_t blocks = memory_live_count();
    for (uint64_t nth = 1; nth < 3; nth++) {
        begin(PASSIVE);
        blocks = memory_live_count();
        stream->slot.options->values.idle_timeout_ms = 5;
        memory_fail_nth(nth);
        cr_expect_eq(idle_watch(&lone, stream), -ENOMEM);
        memory_fail_nth(0);
        cr_expect_eq(memory_live_count(), blocks);
    }
    watch_idle(5);
    watch_idle(6);
    idle_forget(&lone, stream);
    slot_notes_free(&streams_of(&lone)->idle);
    cr_expect_eq(memory_live_count(), blocks);
}

Test(stream_idle, a_recv_is_told_that_nothing_came_for_long)
{
    begin(PASSIVE);
    watch_idle(1000);
    lone_receive(stream, 'a', 0, -1);
    lone_pass(1001);
    TOLD("a:timeout ");
    cr_expect_eq(stream->slot.state, SOCKET_CLOSED);
}

Test(stream_idle, whose_time_was_changed_counts_from_then)
{
    begin(PASSIVE);
    watch_idle(1000);
    lone_pass(900);
    watch_idle(2000);
    lone_pass(1900);
    cr_expect_eq(lone.totals.idle_timeouts, 0);
    watch_idle(-1);
    lone_pass(100000);
    cr_expect_eq(lone.totals.idle_timeouts, 0);
    cr_expect_null(slot_note(&streams_of(&lone)->idle, &stream->slot));
    watch_idle(0);
    lone_pass(1);
    cr_expect_eq(lone.totals.idle_timeouts, 1);
}

Test(stream_idle, one_that_is_gone_is_watched_no_more)
{
    begin(PASSIVE);
    watch_idle(1000);
    close_connection(&lone, stream, 0);
    lone_pass(1001);
    lone_pass(1001);
    cr_expect(lone.totals.idle_timeouts == 0 && stream->slot.state == SOCKET_GONE);
    struct idle_watch *watch = slot_note(&streams_of(&lone)->idle, &stream->slot);
    cr_expect(!watch->timer.armed);
    close_end(&lone, &stream->slot, END_CLOSED);
    lone_turn();
    lone_turn();
    TOLD("gone ");
    cr_expect_null(slot_note(&streams_of(&lone)->idle, &stream->slot));
}
