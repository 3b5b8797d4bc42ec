/* SPDX-License-Identifier: MIT */
/* Connecting: one address after another, or several at a time, until one answers. */
#include "runtime/stream/connect.h"

#include <errno.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/memory.h"
#include "lone_stream.h"
#include "runtime/owner/owner.h"
#include "runtime/scheduler/cancel.h"
#include "runtime/scheduler/dispatch.h"
#include <weir/error.h>

enum { HAPPY_MS = 250 };

static const weir_handler nobody;
static struct open_call call;
static int answer;

static void finish(struct call *finished)
{
    answer = finished->result;
}

/* `count` addresses of this host, that are asked for one at a time, or not. */
static int begin(size_t count, int64_t happy_ms)
{
    const weir_option options[] = {{.id = WEIR_OPTION_HAPPY_EYEBALLS, .value.number = happy_ms},
                                   {.id = WEIR_OPTION_END}};
    lone_begin(0);
    answer = 1;
    call = (struct open_call){.call = {.operation = &operation_connect,
                                       .kind = CALL_ASYNC,
                                       .scheduler = &lone,
                                       .timeout_ms = 10000,
                                       .finish = finish},
                              .owner = {.handler = &nobody}};
    cr_assert_eq(connecting_create(&call.connecting, NULL, options), 0);
    for (size_t i = 0; i < count; i++)
        call.connecting->addresses[i] =
            (weir_address){.family = WEIR_INET, .bytes = {127, 0, 0, 1}, .port = (uint16_t)(1 + i)};
    call.connecting->address_count = count;
    list_init(&call.call.link);
    return operation_connect.run(&lone, NULL, &call.call);
}

static struct stream *attempt_at(size_t index)
{
    return call.connecting->sockets[index];
}

static void complete(struct stream *stream, int result)
{
    lone_complete_operation(stream, STREAM_CONNECT, result, 0);
}

Test(stream_connect, is_established_by_the_one_that_answers)
{
    cr_expect_eq(begin(1, 0), CALL_WAITS);
    ASKED("connect ");
    struct stream *stream = attempt_at(0);
    cr_expect(stream->slot.state == SOCKET_CONNECTING && stream->waiter == &call.call);
    cr_expect(stream->slot.pending == 1 && call.call.timer.armed);
    cr_expect(!connect_is_cancelled(&stream->slot));
    complete(stream, 0);
    cr_expect(answer == 0 && stream->slot.state == SOCKET_OPEN && stream->waiter == NULL);
    cr_expect(stream_find(&lone, call.socket) == stream && stream->connected);
    cr_expect(lone.totals.connects == 1 && lone.totals.connections == 1);
    cr_expect(call.connecting->socket_count == 0 && !call.call.timer.armed);
    cr_expect_eq(stream->slot.pending, 0);
    lone_turn();
    ASKED("receive ");
}

Test(stream_connect, asks_the_next_when_one_refuses)
{
    cr_expect_eq(begin(3, 0), CALL_WAITS);
    struct stream *first = attempt_at(0);
    complete(first, -ECONNREFUSED);
    cr_expect(answer == 1 && first->slot.state == SOCKET_FREE);
    ASKED("connect connect ");
    complete(attempt_at(0), -ETIMEDOUT);
    ASKED("connect ");
    cr_expect_eq(call.connecting->socket_count, 1);
    complete(attempt_at(0), -EHOSTUNREACH);
    ASKED("");
    cr_expect(answer == -EHOSTUNREACH && lone.totals.connects == 0);
    cr_expect_eq(lone.totals.connections, 0);
}

Test(stream_connect, to_nothing_is_to_an_unknown_name)
{
    cr_expect_eq(begin(0, 0), WEIR_NXDOMAIN);
    ASKED("");
}

Test(stream_connect, of_a_scheduler_that_stops_is_closed)
{
    begin(1, 0);
    lone.state = SCHEDULER_STOPPING;
    cr_expect_eq(operation_connect.run(&lone, NULL, &call.call), WEIR_CLOSED);
}

Test(stream_connect, asks_others_meanwhile)
{
    cr_expect_eq(begin(3, HAPPY_MS), CALL_WAITS);
    ASKED("connect ");
    lone_pass(HAPPY_MS);
    ASKED("");
    lone_pass(1);
    ASKED("connect ");
    lone_pass(HAPPY_MS + 1);
    ASKED("connect ");
    cr_expect(call.connecting->socket_count == 3 && !call.connecting->next_one.armed);
    struct stream *first = attempt_at(0);
    struct stream *second = attempt_at(1);
    struct stream *third = attempt_at(2);
    complete(second, 0);
    cr_expect_eq(answer, 0);
    ASKED("cancel:0 cancel:0 ");
    cr_expect(stream_find(&lone, call.socket) == second && call.connecting->socket_count == 0);
    cr_expect(first->slot.state == SOCKET_CLOSED && connect_is_cancelled(&third->slot));
    complete(first, 0);
    complete(third, -ECANCELED);
    cr_expect(first->slot.state == SOCKET_FREE && third->slot.state == SOCKET_FREE);
    cr_expect_eq(lone.totals.connects, 1);
}

/* At once when one has refused, and none is left out. */
Test(stream_connect, asks_the_next_before_its_time_when_one_refuses)
{
    cr_expect_eq(begin(3, HAPPY_MS), CALL_WAITS);
    lone_pass(HAPPY_MS - 50);
    complete(attempt_at(0), -ECONNREFUSED);
    ASKED("connect connect ");
    lone_pass(100);
    ASKED("");
    lone_pass(HAPPY_MS);
    ASKED("connect ");
    complete(attempt_at(0), -ECONNREFUSED);
    cr_expect(answer == 1, "another is on its way");
    complete(attempt_at(0), -ENETUNREACH);
    cr_expect_eq(answer, -ENETUNREACH);
}

Test(stream_connect, waits_for_its_time)
{
    cr_expect_eq(begin(2, HAPPY_MS), CALL_WAITS);
    lone_pass(HAPPY_MS + 1);
    (void)noted_asked();
    struct stream *first = attempt_at(0);
    lone_pass(10000);
    cr_expect_eq(answer, WEIR_TIMEOUT);
    ASKED("cancel:0 cancel:0 ");
    cr_expect(call.connecting->socket_count == 0 && first->waiter == NULL);
    cr_expect(slot_handler(&first->slot) == NULL && first->slot.fd >= 0);
    complete(first, -ECANCELED);
    cr_expect_eq(first->slot.state, SOCKET_FREE);
}

Test(stream_connect, that_is_ended_is_closed)
{
    cr_expect_eq(begin(2, HAPPY_MS), CALL_WAITS);
    struct stream *stream = attempt_at(0);
    kind_stream.end(&lone, &stream->slot, END_STOP);
    lone_soon();
    cr_expect(answer == WEIR_CLOSED && stream->slot.state == SOCKET_CLOSED);
    lone_pass(HAPPY_MS + 1);
    ASKED("connect cancel:0 ");
    complete(stream, -ECANCELED);
    cr_expect_eq(stream->slot.state, SOCKET_FREE);
}

/* What is asked of the kernel at one time has room for so many addresses. */
Test(stream_connect, waits_for_a_kernel_that_takes_nothing)
{
    begin(1, 0);
    for (int taken = 0; taken < 2; taken++) {
        lone.vectors.address_count = VECTORS_ADDRESS_COUNT;
        noted_queue(1, taken != 0);
        call.connecting->next = 0;
        call.connecting->socket_count = 0;
        (void)noted_asked();
        int result = operation_connect.run(&lone, NULL, &call.call);
        cr_expect_eq(result, taken ? CALL_WAITS : -EAGAIN);
        ASKED(taken ? "connect " : "");
        timer_disarm(&lone.timers, &call.call.timer);
    }
}

Test(stream_connect, without_memory_leaves_nothing)
{
    int64_t blocks;
    for (uint64_t nth = 1; nth < 4; nth++) {
        begin(0, 0);
        (void)slot_table_take(&lone.slots);
        blocks = memory_live_count();
        call.connecting->addresses[0] =
            (weir_address){.family = WEIR_INET, .bytes = {127, 0, 0, 1}, .port = 1};
        call.connecting->address_count = 1;
        call.connecting->setup.values.idle_timeout_ms = 5000;
        memory_fail_nth(nth);
        int result = operation_connect.run(&lone, NULL, &call.call);
        memory_fail_nth(0);
        cr_expect_eq(result, -ENOMEM, "%lu: %d", nth, result);
        cr_expect_eq(memory_live_count(), blocks, "%lu", nth);
        cr_expect_eq(lone.slots.used_count, 1, "%lu", nth);
        ASKED("");
    }
}

Test(stream_connect, is_made_of_options_of_its_own)
{
    const weir_option options[] = {{.id = WEIR_OPTION_PACKET, .value.number = WEIR_4},
                                   {.id = WEIR_OPTION_END}};
    const weir_option wrong[] = {{.id = WEIR_OPTION_BACKLOG, .value.number = 5},
                                 {.id = WEIR_OPTION_END}};
    struct connecting *connecting;
    int64_t blocks = memory_live_count();
    cr_assert_eq(connecting_create(&connecting, NULL, options), 0);
    cr_expect(connecting->options != options && connecting->setup.values.packet == WEIR_4);
    connecting_free(connecting);
    cr_assert_eq(connecting_create(&connecting, NULL, NULL), 0);
    connecting_free(connecting);
    cr_expect_lt(connecting_create(&connecting, NULL, wrong), 0);
    for (uint64_t nth = 1; nth < 3; nth++) {
        memory_fail_nth(nth);
        cr_expect_eq(connecting_create(&connecting, NULL, options), -ENOMEM);
        memory_fail_nth(0);
    }
    cr_expect_eq(memory_live_count(), blocks);
}
