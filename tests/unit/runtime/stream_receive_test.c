/* SPDX-License-Identifier: MIT */
/* When a connection receives and how, who is given what came, and who is told of its end. */
#include <errno.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/memory.h"
#include "lone_stream.h"
#include "runtime/buffer/buffer.h"
#include "runtime/owner/owner.h"
#include "runtime/ring/features.h"
#include "runtime/stream/close.h"
#include "runtime/stream/delivery.h"
#include "runtime/stream/input.h"
#include "runtime/stream/receive.h"
#include <weir/error.h>

enum { REASON = LATCH_SEND | LATCH_RECEIVE | LATCH_OWNER };

static struct stream *stream;

static void begin_with(uint32_t features_off, int32_t active)
{
    lone_begin(features_off);
    stream = lone_open(active);
    receive_start(&lone, stream);
    lone_turn();
}

static void begin(int32_t active)
{
    begin_with(0, active);
}

static struct option_values *values(void)
{
    return &stream->slot.options->values;
}

Test(stream_receive, of_small_packets_goes_on)
{
    begin(ALL);
    ASKED("receive ");
    lone_bring(stream, "abc", false);
    TOLD("data:abc ");
    cr_expect_eq(stream->reading, READING_STARVED);
    lone_turn();
    ASKED("receives ");
    lone_bring(stream, "d", true);
    TOLD("data:d ");
    cr_expect(stream->reading == READING_BUFFERS && stream->slot.pending == 1);
    cr_expect(lone.totals.bytes_received == 4 && lone.totals.packets_received == 2);
    cr_expect(stream->received.octets == 4 && stream->received_max == 3);
    cr_expect(lone.buffers->buffers[0].filled == 3 && lone.buffers->buffers[1].filled == 1);
    ASKED("");
}

Test(stream_receive, by_one_buffer_where_that_is_all_there_is)
{
    begin_with(FEATURE_BIT(MULTISHOT_RECEIVE), ALL);
    lone_bring(stream, "abc", false);
    lone_turn();
    ASKED("receive receive ");
}

Test(stream_receive, of_what_nobody_wants_ends)
{
    begin(1);
    lone_bring(stream, "abc", false);
    TOLD("data:abc passive ");
    cr_expect(stream->active == PASSIVE && stream->reading == READING_NOT);
    lone_turn();
    ASKED("receive ");
}

/* It has cost nothing if somebody asks in time. */
Test(stream_receive, that_is_wanted_no_more_is_cancelled_by_what_it_brings)
{
    begin(ALL);
    lone_bring(stream, "abc", false);
    lone_turn();
    (void)noted_asked();
    stream->active = 1;
    lone_bring(stream, "d", true);
    TOLD("data:abc data:d passive ");
    ASKED("");
    cr_expect_eq(stream->reading, READING_BUFFERS);
    lone_bring(stream, "e", true);
    TOLD("");
    ASKED("cancel:1 ");
    cr_expect(stream->reading == READING_BUFFERS_CANCELLED && input_size(stream) == 1);
    cr_expect(receive_is_cancelled(&stream->slot) && !receive_into_is_cancelled(&stream->slot) &&
              !receive_readable_is_cancelled(&stream->slot));
    lone_receive(stream, 'a', 0, -1);
    TOLD("a:0 e ");
    lone_receive(stream, 'b', 0, -1);
    lone_complete_operation(stream, STREAM_RECEIVE, -ECANCELED, 0);
    lone_turn();
    ASKED("receives ");
    lone_bring(stream, "f", false);
    TOLD("b:0 f ");
    lone_turn();
    ASKED("");
    cr_expect(stream->slot.pending == 0 && stream->received.count == 4);
}

Test(stream_receive, begins_passive_when_no_message_is_left)
{
    begin(0);
    TOLD("passive ");
    ASKED("");
    cr_expect_eq(stream->active, PASSIVE);
}

/* A recv that has waited for long enough waits no more, and what comes is the next one's. */
Test(stream_receive, a_recv_waits_for_its_time)
{
    begin(PASSIVE);
    ASKED("");
    TOLD("");
    lone_receive(stream, 'a', 2, 1000);
    lone_receive(stream, 'b', 0, 1000);
    TOLD("b:ealready ");
    lone_turn();
    ASKED("receive ");
    lone_bring(stream, "x", false);
    TOLD("");
    lone_pass(1001);
    TOLD("a:timeout ");
    lone_receive(stream, 'c', 1, 1000);
    TOLD("c:0 x ");
}

static const struct {
    int error;
    bool show;
    bool exits;
    int32_t active;
    const char *told;
    enum socket_state state;
    uint8_t latches;
} ends[] = {
    {0, false, true, ALL, "closed gone ", SOCKET_FREE, 0},
    {0, false, false, ALL, "closed ", SOCKET_OPEN, LATCH_SEND},
    {-ECONNRESET, false, true, ALL, "closed gone ", SOCKET_FREE, 0},
    {-ECONNRESET, true, true, ALL, "error:econnreset closed gone ", SOCKET_FREE, 0},
    {-ECONNRESET, true, false, ALL, "error:econnreset closed ", SOCKET_OPEN, 0},
    {-ETIMEDOUT, false, false, ALL, "error:etimedout closed ", SOCKET_OPEN, 0},
    {0, false, true, PASSIVE, "", SOCKET_OPEN, 0},
};

Test(stream_receive, tells_an_owner_that_is_active_of_the_end)
{
    for (size_t i = 0; i < sizeof(ends) / sizeof(ends[0]); i++) {
        begin(ALL);
        values()->show_econnreset = ends[i].show;
        values()->exit_on_close = ends[i].exits;
        stream->active = ends[i].active;
        lone_complete_operation(stream, STREAM_RECEIVE, ends[i].error, 0);
        lone_turn();
        lone_turn();
        TOLD(ends[i].told);
        cr_expect_eq(stream->slot.state, ends[i].state, "row %zu", i);
        cr_expect_eq(stream->latches, ends[i].latches, "row %zu: %u", i, stream->latches);
        ASKED("receive ");
    }
}

static const struct {
    int error;
    bool show;
    bool exits;
    const char *told;
    enum socket_state state;
    uint8_t latches;
} receiver_ends[] = {
    {0, false, true, "a:closed ", SOCKET_GONE, LATCH_SEND},
    {0, false, false, "a:closed ", SOCKET_OPEN, LATCH_SEND},
    {-ECONNRESET, false, false, "a:closed ", SOCKET_OPEN, LATCH_SEND},
    {-ECONNRESET, true, false, "a:econnreset ", SOCKET_OPEN, 0},
    {-ETIMEDOUT, false, true, "a:etimedout ", SOCKET_GONE, 0},
};

Test(stream_receive, tells_who_waits_of_the_end)
{
    for (size_t i = 0; i < sizeof(receiver_ends) / sizeof(receiver_ends[0]); i++) {
        begin(PASSIVE);
        (void)lone_told();
        values()->show_econnreset = receiver_ends[i].show;
        values()->exit_on_close = receiver_ends[i].exits;
        lone_receive(stream, 'a', 9, -1);
        lone_turn();
        lone_bring(stream, "xy", false);
        lone_turn();
        lone_complete_operation(stream, STREAM_RECEIVE, receiver_ends[i].error, 0);
        TOLD(receiver_ends[i].told);
        cr_expect_eq(stream->slot.state, receiver_ends[i].state, "row %zu", i);
        cr_expect_eq(stream->latches, receiver_ends[i].latches, "row %zu: %u", i, stream->latches);
        cr_expect(stream->receiving == RECEIVING_REPORTED && stream->input == NULL);
        ASKED("receive receive ");
        if (receiver_ends[i].exits)
            continue;
        stream->active = ALL;
        receive_go_on(&lone, stream);
        TOLD("closed ");
    }
}

/* What came before is told first, and the end when that has been taken. */
Test(stream_receive, an_end_waits_for_its_turn)
{
    begin(ALL);
    stream->active = PASSIVE;
    lone_bring(stream, "abc", false);
    TOLD("");
    lone_receive(stream, 'a', 2, -1);
    TOLD("a:0 ab ");
    stream->active = PASSIVE;
    lone_receive(stream, 'b', 0, -1);
    TOLD("b:0 c ");
    lone_receive(stream, 'c', 0, -1);
    lone_turn();
    lone_complete_operation(stream, STREAM_RECEIVE, 0, 0);
    TOLD("c:closed ");
}

Test(stream_receive, an_end_is_behind_all_that_came_before)
{
    begin(ALL);
    lone_bring(stream, "x", false);
    lone_turn();
    TOLD("data:x ");
    stream->active = PASSIVE;
    lone_bring(stream, "abc", true);
    lone_complete_operation(stream, STREAM_RECEIVE, 0, 0);
    cr_expect_eq(stream->receiving, RECEIVING_ENDED);
    TOLD("");
    lone_receive(stream, 'a', 2, -1);
    lone_receive(stream, 'b', 0, -1);
    lone_receive(stream, 'c', 0, -1);
    TOLD("a:0 ab b:0 c c:closed ");
}

/* Kernels say by one name that there is no buffer and no memory. */
Test(stream_receive, without_a_buffer_is_made_again)
{
    begin(ALL);
    lone_complete_operation(stream, STREAM_RECEIVE, -ENOBUFS, 0);
    cr_expect(lone.totals.starved == 1 && stream->misses == 1);
    cr_expect_eq(stream->reading, READING_STARVED);
    lone_turn();
    ASKED("receive receive ");
    for (int i = 1; i < 64; i++) {
        lone_complete_operation(stream, STREAM_RECEIVE, -ENOBUFS, 0);
        lone_turn();
    }
    cr_expect(lone.totals.starved == 64 && lone.totals.memory_pauses == 0);
    (void)noted_asked();
    lone_complete_operation(stream, STREAM_RECEIVE, -ENOBUFS, 0);
    lone_turn();
    cr_expect(lone.totals.starved == 64 && lone.totals.memory_pauses == 1);
    cr_expect_eq(stream->reading, READING_RESTING);
    ASKED("");
    lone_pass(11);
    lone_turn();
    ASKED("receive ");
    lone_bring(stream, "x", false);
    cr_expect_eq(stream->misses, 0);
    lone_turn();
    lone_complete_operation(stream, STREAM_RECEIVE, -ENOMEM, 0);
    cr_expect(lone.totals.memory_pauses == 2 && stream->reading == READING_RESTING);
    close_end(&lone, &stream->slot, END_CLOSED);
    cr_expect(stream->reading == READING_NOT && stream->slot.fd == -1);
    lone_pass(11);
    lone_turn();
    ASKED("receive ");
}

Test(stream_receive, without_a_buffer_that_is_wanted_no_more_is_over)
{
    begin(ALL);
    stream->active = PASSIVE;
    lone_complete_operation(stream, STREAM_RECEIVE, -ENOBUFS, 0);
    cr_expect(stream->reading == READING_NOT && lone.totals.starved == 0);
}

static const int transients[] = {-ECANCELED, -EINTR, -EAGAIN};

Test(stream_receive, that_was_interrupted_is_made_again)
{
    for (size_t i = 0; i < sizeof(transients) / sizeof(transients[0]); i++) {
        begin(ALL);
        lone_complete_operation(stream, STREAM_RECEIVE, transients[i], 0);
        lone_turn();
        ASKED("receive receive ");
        cr_expect(stream->receiving == RECEIVING_OPEN && stream->misses == 0);
    }
}

Test(stream_receive, that_found_no_buffer_is_made_when_it_is_wanted_again)
{
    begin(ALL);
    lone_complete_operation(stream, STREAM_RECEIVE, -ENOBUFS, 0);
    stream->active = PASSIVE;
    lone_turn();
    ASKED("receive ");
    stream->active = ALL;
    receive_update(&lone, stream);
    lone_turn();
    ASKED("receive ");
}

Test(stream_receive, by_a_buffer_of_its_own_brings_that_one)
{
    lone_begin(FEATURE_BIT(BUFFER_RING));
    memcpy(buffer_pool_take(lone.buffers)->bytes, "no", 2);
    stream = lone_open(ALL);
    receive_start(&lone, stream);
    lone_turn();
    receive_update(&lone, stream);
    lone_turn();
    ASKED("into:256 ");
    memcpy(noted_memory(), "yes", 3);
    lone_complete(3, 0);
    TOLD("data:yes ");
}

/* The last quarter of the buffers is for receives that do not wait. */
Test(stream_receive, by_buffers_of_its_own_leaves_a_quarter)
{
    begin_with(FEATURE_BIT(BUFFER_RING), ALL);
    ASKED("into:256 ");
    struct weir_buffer *others[LONE_BUFFERS];
    int count = 0;
    while (buffer_pool_available(lone.buffers) > 3)
        others[count++] = buffer_pool_take(lone.buffers);
    lone_complete(-EINTR, 0);
    lone_turn();
    ASKED("into:256 ");
    others[count++] = buffer_pool_take(lone.buffers);
    lone_complete(-EINTR, 0);
    others[count++] = buffer_pool_take(lone.buffers);
    lone_turn();
    ASKED("into!256 ");
    lone_complete(-EAGAIN, 0);
    ASKED("readable ");
    cr_expect_eq(stream->reading, READING_WATCHED);
    cr_expect_eq(send(lone_peer, "x", 1, 0), 1);
    lone_complete(1, 0);
    TOLD("");
    lone_turn();
    ASKED("into!256 ");
    memcpy(noted_memory(), "abc", 3);
    lone_complete(3, 0);
    TOLD("data:abc ");
    while (buffer_pool_available(lone.buffers) > 0)
        others[count++] = buffer_pool_take(lone.buffers);
    lone_turn();
    ASKED("");
    cr_expect_eq(lone.totals.starved, 1);
    cr_expect_eq(stream->reading, READING_STARVED);
    while (count > 0)
        buffer_dispatched(others[--count]);
    lone_turn();
    ASKED("into:256 ");
}

Test(stream_receive, by_buffers_of_its_own_leaves_the_last_of_few)
{
    begin_with(FEATURE_BIT(BUFFER_RING), ALL);
    lone_complete(-EINTR, 0);
    (void)noted_asked();
    lone.buffers->count = 3;
    lone.buffers->away = 2;
    lone_turn();
    ASKED("into!256 ");
}

static const char beginning[] = {0, 2, 0, 0, 'a', 'b', 0};

/* A packet of 128 KiB: the rest of it is received where it is to lie. */
static void begin_large(void)
{
    begin(ALL);
    values()->packet = WEIR_4;
    values()->packet_size = 0;
    values()->limits.packet_size = 0;
    (void)noted_asked();
    uint8_t *bytes = lone.buffers->buffers[0].bytes;
    memcpy(bytes, beginning, 6);
    lone_complete_operation(stream, STREAM_RECEIVE, 6, RING_BUFFER);
}

Test(stream_receive, of_a_large_packet_is_into_its_memory)
{
    begin_large();
    ASKED("into:250 ");
    cr_expect_eq(stream->reading, READING_INTO);
    cr_expect_eq(noted_memory(), stream->input->bytes + 6);
    stream->misses = 5;
    lone_complete(250, 0);
    ASKED("into:258 ");
    cr_expect_eq(noted_memory(), stream->input->bytes + 256);
    cr_expect_eq(stream->misses, 0);
    cr_expect(lone.totals.bytes_received == 256 && input_size(stream) == 256);
    stream->active = PASSIVE;
    receive_update(&lone, stream);
    ASKED("cancel:2 ");
    cr_expect(stream->reading == READING_INTO_CANCELLED &&
              receive_into_is_cancelled(&stream->slot) && !receive_is_cancelled(&stream->slot));
    lone_complete(-ECANCELED, 0);
    ASKED("");
    stream->active = ALL;
    receive_update(&lone, stream);
    ASKED("into:258 ");
    lone_complete(0, 0);
    TOLD("closed ");
}

/* The kernel still writes into that memory. */
Test(stream_receive, of_what_is_no_large_packet_any_more_is_waited_for)
{
    begin_large();
    ASKED("into:250 ");
    values()->packet = WEIR_RAW;
    input_forget_begun(stream);
    receive_go_on(&lone, stream);
    TOLD("");
    ASKED("cancel:2 ");
    memcpy(noted_memory(), "cd", 2);
    lone_complete_operation(stream, STREAM_RECEIVE_INTO, 2, 0);
    cr_expect(lone.totals.packets_received == 1 && stream->received_max == 8);
}

/* By way of buffers, as far as that goes. */
Test(stream_receive, of_a_large_packet_without_memory_is_as_of_any_other)
{
    begin_large();
    buffer_keep(stream->input); /* where it lies it does not grow */
    memory_fail_nth(1);
    lone_complete(250, 0);
    memory_fail_nth(0);
    ASKED("into:250 ");
    cr_expect_eq(stream->reading, READING_STARVED);
    lone_turn();
    ASKED("receive ");
}

/* What a multishot is no use for ends it. */
Test(stream_receive, of_a_large_packet_ends_that_of_small_ones)
{
    begin(ALL);
    lone_bring(stream, "x", false);
    lone_turn();
    ASKED("receive receives ");
    values()->packet = WEIR_4;
    values()->limits.packet_size = 0;
    memcpy(lone.buffers->buffers[1].bytes, beginning, 6);
    lone_complete_operation(stream, STREAM_RECEIVE, 6,
                            RING_BUFFER | 1 << RING_BUFFER_SHIFT | RING_MORE);
    ASKED("cancel:1 ");
    cr_expect_eq(stream->reading, READING_BUFFERS_CANCELLED);
}

/* A thread takes packets off a shelf, and the next are received for it, up to 128 KiB. */
Test(stream_receive, goes_on_ahead_of_a_thread)
{
    enum { MOST = 128 << 10 };
    static uint8_t bytes[MOST];
    begin(PASSIVE);
    for (size_t size = MOST - 1; size <= MOST; size++) {
        cr_assert_eq(input_append(&lone, stream, (struct framing_span){bytes, size},
                                  (struct begun_packet){0}),
                     0);
        stream->input->shelf = (struct shelf *)&lone;
        receive_update(&lone, stream);
        lone_turn();
        ASKED(size < MOST ? "receive " : "");
        lone_complete_operation(stream, STREAM_RECEIVE, -ECANCELED, 0);
        stream->input->shelf = NULL;
        input_drop(stream);
    }
}

Test(stream_receive, that_ends_for_another_reason_than_a_send_tells_that)
{
    begin(ALL);
    values()->show_econnreset = true;
    lone_send(stream, 'a', 3);
    lone_complete(-EPIPE, 0);
    TOLD("a:econnreset ");
    lone_complete_operation(stream, STREAM_RECEIVE, -ETIMEDOUT, 0);
    TOLD("error:etimedout closed ");
}

/* Whoever waits is fetched into the cache, and nobody where nobody does. */
Test(stream_receive, is_fetched_for)
{
    begin(ALL);
    kind_stream.operations[OPERATION_IN_KIND(STREAM_RECEIVE)].fetch(&stream->slot, FETCH_CALL);
    kind_stream.operations[OPERATION_IN_KIND(STREAM_RECEIVE)].fetch(&stream->slot, FETCH_WAITER);
    TOLD("");
}

/* More sockets find none than there are buffers: so many are armed, each for one. */
Test(stream_receive, is_for_one_buffer_where_they_are_too_few)
{
    begin(ALL);
    lone_bring(stream, "0", false);
    lone_turn();
    (void)noted_asked();
    lone_complete_operation(stream, STREAM_RECEIVE, -ENOBUFS, 0);
    buffer_pool_supply(lone.buffers);
    cr_assert(buffer_pool_is_crowded(lone.buffers));
    for (int i = 0; i < LONE_BUFFERS; i++) {
        receive_start(&lone, lone_open(ALL));
        cr_expect(i > 0 || stream->reading == READING_STARVED);
    }
    lone_turn();
    ASKED("receive receive receive receive receive receive receive receive ");
    cr_expect(!slot_list_is_empty(&streams_of(&lone)->starved));
    cr_expect(task_is_queued(&streams_of(&lone)->feed));
    lone_turn();
    ASKED("receive ");
    cr_expect(!task_is_queued(&streams_of(&lone)->feed));
}

Test(stream_receive, after_the_descriptor_has_gone_tells_who_asks)
{
    static const struct {
        uint8_t latches;
        int error;
        bool show;
        const char *told;
    } rows[] = {
        {LATCH_OWNER, -ECONNRESET, true, "error:econnreset closed "},
        {LATCH_OWNER, -ECONNRESET, false, "closed "},
        {LATCH_OWNER, -ETIMEDOUT, true, "closed "},
        {0, -ECONNRESET, true, "closed "},
        {LATCH_OWNER | LATCH_UNASKED, -ECONNRESET, true, ""},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        begin(PASSIVE);
        (void)lone_told();
        values()->exit_on_close = false;
        values()->show_econnreset = rows[i].show;
        close_connection(&lone, stream, rows[i].latches);
        stream->error = (int16_t)rows[i].error;
        receive_go_on(&lone, stream);
        TOLD("");
        stream->active = ALL;
        receive_go_on(&lone, stream);
        TOLD(rows[i].told);
        receive_go_on(&lone, stream);
        TOLD("");
    }
}

/* What has come for one that is gone is nobody's. */
Test(stream_receive, that_is_nobodys_gives_its_buffer_back)
{
    const struct ring_completion nothing = {.result = -ECANCELED};
    const struct ring_completion bytes = {.result = 3,
                                          .flags = RING_BUFFER | 2 << RING_BUFFER_SHIFT};
    const struct kind_operation *receive =
        &kind_stream.operations[OPERATION_IN_KIND(STREAM_RECEIVE)];
    begin(ALL);
    receive->discard(&lone, &nothing);
    cr_expect_eq(lone.buffers->offered, LONE_BUFFERS);
    receive->discard(&lone, &bytes);
    cr_expect_eq(lone.buffers->offered, LONE_BUFFERS - 1);
    cr_expect_eq(buffer_pool_available(lone.buffers), LONE_BUFFERS);
    cr_expect_eq(buffer_pool_take(lone.buffers), &lone.buffers->buffers[2]);
}
