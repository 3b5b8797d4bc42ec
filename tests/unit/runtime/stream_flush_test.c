/* SPDX-License-Identifier: MIT */
/* How what is queued goes out: without a copy, in pieces, with descriptors, and from files. */
#include "runtime/stream/flush.h"

#include <errno.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/memory.h"
#include "lone_stream.h"
#include "runtime/buffer/buffer.h"
#include "runtime/ring/features.h"
#include "runtime/socket/rights.h"
#include "runtime/stream/close.h"
#include "runtime/stream/receive.h"
#include <weir/error.h>

enum { LENT_MOST = 4 << 20, PART = 128 << 10 };

static struct stream *stream;
static char text[] = "xyz";

static void begin(void)
{
    lone_begin(0);
    lone_limits.zero_copy_from_bytes = 3;
    stream = lone_open(PASSIVE);
}

static uint32_t notices(void)
{
    return stream->output ? stream->output->queue.notices : 0;
}

static bool peer_has_end(void)
{
    char byte;
    return recv(lone_peer, &byte, 1, MSG_DONTWAIT) == 0;
}

Test(stream_flush, without_a_copy_waits_for_the_notice)
{
    begin();
    lone_send(stream, 'a', 2);
    ASKED("send:2 ");
    lone_complete(2, 0);
    lone_send(stream, 'b', 3);
    ASKED("lend:3/1 ");
    lone_complete(3, RING_MORE);
    TOLD("a:0 b:0 ");
    cr_expect(stream->output && notices() == 1 && lone.totals.queued_bytes == 0);
    lone_complete(0, RING_NOTIFY);
    cr_expect(stream->output == NULL && stream->slot.pending == 0 && !stream->zero_copy_off);
    lone_send(stream, 'c', 3);
    ASKED("lend:3/1 ");
    lone_complete(3, RING_MORE);
    lone_complete(0, RING_NOTIFY | RING_COPIED);
    lone_send(stream, 'd', 3);
    ASKED("send:3 ");
}

static const struct {
    uint32_t features_off;
    size_t from_bytes;
    size_t lent;
    bool lends;
} choices[] = {
    {0, 3, 0, true},  {FEATURE_BIT(SEND_ZC), 3, 0, false}, {0, 0, 0, false},
    {0, 4, 0, false}, {0, 3, LENT_MOST - 1, true},         {0, 3, LENT_MOST, false},
};

Test(stream_flush, without_a_copy_where_that_is_worth_it)
{
    for (size_t i = 0; i < sizeof(choices) / sizeof(choices[0]); i++) {
        lone_begin(choices[i].features_off);
        lone_limits.zero_copy_from_bytes = choices[i].from_bytes;
        stream = lone_open(PASSIVE);
        stream->slot.options->values.delay_send = true;
        lone_send(stream, 'a', 3);
        stream->output->queue.unconfirmed_bytes = choices[i].lent;
        lone_turn();
        ASKED(choices[i].lends ? "lend:3/1 " : "send:3 ");
    }
}

static const int no_zero_copy[] = {-EINVAL, -EOPNOTSUPP, -ENOMEM};

Test(stream_flush, copies_what_cannot_go_without)
{
    for (size_t i = 0; i < sizeof(no_zero_copy) / sizeof(no_zero_copy[0]); i++) {
        begin();
        lone_send(stream, 'a', 3);
        lone_complete(no_zero_copy[i], 0);
        ASKED("lend:3/1 send:3 ");
        cr_expect(notices() == 0 && stream->zero_copy_off);
        lone_complete(3, 0);
        TOLD("a:0 ");
        cr_expect_null(stream->output);
    }
    begin();
    lone_send(stream, 'a', 3);
    lone_complete(-EPIPE, 0);
    ASKED("lend:3/1 ");
    TOLD("a:closed ");
    cr_expect(!stream->zero_copy_off && stream->slot.state == SOCKET_GONE);
}

Test(stream_flush, of_nothing_asks_for_nothing)
{
    begin();
    lone_send(stream, 'a', 3);
    lone_complete(3, RING_MORE);
    ASKED("lend:3/1 ");
    flush_start(&lone, stream);
    ASKED("");
    lone_complete(0, RING_NOTIFY);
    cr_expect_null(stream->output);
    flush_start(&lone, stream);
    ASKED("");
}

static const struct {
    bool resets;
    bool shut;
} lenders[] = {{false, false}, {false, true}, {true, false}};

/* The memory is the kernel's until the peer has it, or the connection is reset. */
Test(stream_flush, without_a_copy_keeps_the_descriptor)
{
    for (size_t i = 0; i < sizeof(lenders) / sizeof(lenders[0]); i++) {
        const struct linger linger = {.l_onoff = lenders[i].resets};
        begin();
        cr_assert_eq(setsockopt(stream->slot.fd, SOL_SOCKET, SO_LINGER, &linger, sizeof(linger)),
                     0);
        lone_send(stream, 'a', 3);
        lone_complete(3, RING_MORE);
        if (lenders[i].shut)
            stream->sending = SENDING_SHUT;
        close_end(&lone, &stream->slot, END_CLOSED);
        cr_expect_eq(stream->slot.fd >= 0, !lenders[i].resets, "row %zu", i);
        cr_expect_eq(lone.descriptor_closed, lenders[i].resets, "row %zu", i);
        cr_expect_eq(peer_has_end(), !lenders[i].shut, "row %zu", i);
        cr_expect_eq(lone.totals.connections, !lenders[i].resets, "row %zu", i);
        lone_complete(0, RING_NOTIFY);
        cr_expect(stream->slot.fd == -1 && peer_has_end() && lone.totals.connections == 0);
    }
}

Test(stream_flush, in_pieces_is_one_message)
{
    static uint8_t bytes[1 << 16];
    struct weir_buffer *buffer = buffer_adopt(bytes, sizeof(bytes), NULL, NULL);
    const struct iovec piece = {bytes, sizeof(bytes)};
    const struct send_source source = {
        .pieces = &piece, .count = 1, .size = sizeof(bytes), .buffer = buffer};
    begin();
    stream->zero_copy_off = true;
    stream->slot.options->values.delay_send = true;
    stream->slot.options->values.high_watermark = 1 << 20;
    cr_expect_eq(lone_send_now(stream, 2), 0);
    cr_expect_eq(send_now(&lone, stream, &source), 0);
    lone_turn();
    ASKED("message:65538/2 ");
    cr_expect_eq(lone.vectors.message_count, 1);
    lone_complete(65538, 0);
    cr_expect_eq(lone_send_now(stream, 2), 0);
    lone_turn();
    ASKED("send:2 ");
    cr_expect_eq(lone.vectors.message_count, 1);
}

static void send_file(size_t size)
{
    struct weir_buffer *owner = buffer_adopt("", 1, NULL, NULL);
    const struct send_source source = {.size = size, .buffer = owner, .fd = 77, .offset = 10};
    stream->slot.options->values.high_watermark = 1 << 20;
    cr_expect_eq(send_now(&lone, stream, &source), 0);
    lone_soon();
    buffer_release(owner);
}

Test(stream_flush, of_a_file_reads_it_part_by_part)
{
    begin();
    stream->zero_copy_off = true;
    send_file(PART + 5);
    ASKED("read:131072 ");
    cr_expect_eq(lone.totals.send_operations, 0);
    lone_complete(100, 0);
    ASKED("send:100 ");
    lone_complete(100, 0);
    ASKED("read:130977 ");
    lone_complete(-EINTR, 0);
    ASKED("read:130977 ");
    lone_complete(-EAGAIN, 0);
    ASKED("read!130977 ");
    lone_complete(-EINTR, 0);
    ASKED("read!130977 ");
    lone_complete(130977, 0);
    ASKED("send:130977 ");
    lone_complete(-EAGAIN, 0);
    ASKED("writable ");
    lone_complete(4, RING_MORE);
    ASKED("send:130977 ");
    lone_complete(130977, 0);
    cr_expect(stream->output == NULL && lone.totals.queued_bytes == 0);
}

/* What was read of it is read again: peers that do not read hold no memory by files. */
Test(stream_flush, of_a_file_gives_up_what_does_not_go_out)
{
    begin();
    stream->zero_copy_off = true;
    send_file(50);
    lone_complete(20, 0);
    ASKED("read:50 send:20 ");
    lone_complete(-EAGAIN, 0);
    lone_complete(4, RING_MORE);
    ASKED("writable read:50 ");
}

static const int broken[] = {0, -EAGAIN, -EIO};

Test(stream_flush, of_a_file_that_cannot_be_read_breaks_the_connection)
{
    for (size_t i = 0; i < sizeof(broken) / sizeof(broken[0]); i++) {
        begin();
        send_file(50);
        if (broken[i] == -EAGAIN)
            lone_complete(-EAGAIN, 0);
        (void)noted_asked();
        lone_complete(broken[i], 0);
        ASKED("");
        cr_expect_eq(stream->slot.state, SOCKET_GONE, "row %zu", i);
        cr_expect_eq(stream->error, broken[i] ? broken[i] : -EIO, "row %zu", i);
        cr_expect(stream->output == NULL && lone.totals.queued_bytes == 0);
    }
}

/* Its owner is told by what it receives; who waits and who was refused at once. */
Test(stream_flush, of_a_file_that_breaks_tells_all_who_wait)
{
    begin();
    lone_values.exit_on_close = false;
    stream = lone_open(ALL);
    receive_start(&lone, stream);
    lone_turn();
    send_file(50);
    stream->slot.options->values.high_watermark = 60;
    cr_expect_eq(lone_send_now(stream, 10), 0);
    cr_expect_eq(lone_send_now(stream, 1), -EAGAIN);
    lone_send(stream, 'c', 5);
    ASKED("receive read:50 ");
    lone_complete(-EIO, 0);
    TOLD("unbusy c:closed ");
    cr_expect(stream->sending == SENDING_FAILED && lone.totals.queued_bytes == 0);
    lone_complete_operation(stream, STREAM_RECEIVE, 0, 0);
    TOLD("error:eio closed ");
}

Test(stream_flush, of_a_file_that_breaks_is_told_to_who_receives)
{
    begin();
    lone_receive(stream, 'r', 0, -1);
    lone_turn();
    send_file(50);
    lone_complete(-EIO, 0);
    TOLD("");
    lone_complete_operation(stream, STREAM_RECEIVE, 0, 0);
    TOLD("r:eio ");
}

Test(stream_flush, of_a_file_that_is_closed_meanwhile_sends_no_more)
{
    begin();
    send_file(50);
    ASKED("read:50 ");
    close_connection(&lone, stream, 0);
    close_end(&lone, &stream->slot, END_ABORT);
    ASKED("cancel:5 ");
    cr_expect(flush_is_cancelled(&stream->slot) && stream->slot.fd >= 0);
    lone_complete(50, 0);
    ASKED("");
    cr_expect(stream->slot.fd == -1 && lone.totals.queued_bytes == 0);
}

Test(stream_flush, of_a_file_without_memory_breaks_the_connection)
{
    for (uint64_t nth = 1; nth < 3; nth++) {
        begin();
        stream->slot.options->values.delay_send = true;
        send_file(50);
        memory_fail_nth(nth);
        lone_turn();
        if (nth == 2) {
            ASKED("read:50 ");
            lone_complete(50, 0);
        }
        memory_fail_nth(0);
        ASKED("");
        cr_expect_eq(stream->slot.state, SOCKET_GONE, "%lu", nth);
        cr_expect(stream->error == -ENOMEM && lone.totals.queued_bytes == 0);
    }
}

Test(stream_flush, a_send_that_fails_behind_a_close_is_the_end_of_it)
{
    begin();
    lone_send(stream, 'a', 2);
    close_end(&lone, &stream->slot, END_ABORT);
    cr_expect(flush_is_cancelled(&stream->slot));
    lone_complete(-EAGAIN, 0);
    ASKED("send:2 ");
    cr_expect(stream->slot.fd == -1 && lone.totals.queued_bytes == 0 &&
              lone.totals.blocked_sends == 0);
}

Test(stream_flush, descriptors_go_with_the_first_byte)
{
    struct weir_buffer *rights;
    const int descriptor = 0;
    const struct iovec piece = {text, 3};
    begin();
    cr_assert_eq(rights_make(&descriptor, 1, &rights), 0);
    const struct send_source source = {.pieces = &piece, .count = 1, .size = 3, .rights = rights};
    cr_expect_eq(send_now(&lone, stream, &source), 0);
    buffer_release(rights);
    lone_soon();
    ASKED("message:3/1+ ");
    lone_complete(1, 0);
    ASKED("send:2 ");
}

static const struct {
    int result;
    bool shown;
} rights_failures[] = {{-EINVAL, true}, {-EPIPE, false}, {-ECONNRESET, false}};

Test(stream_flush, descriptors_that_do_not_go_break_the_connection)
{
    for (size_t i = 0; i < sizeof(rights_failures) / sizeof(rights_failures[0]); i++) {
        const int descriptor = 0;
        const struct iovec piece = {text, 3};
        struct weir_buffer *rights;
        begin();
        cr_assert_eq(rights_make(&descriptor, 1, &rights), 0);
        const struct send_source source = {
            .pieces = &piece, .count = 1, .size = 3, .rights = rights};
        cr_expect_eq(send_now(&lone, stream, &source), 0);
        lone_soon();
        lone_complete(rights_failures[i].result, 0);
        cr_expect_eq(stream->error, rights_failures[i].shown ? -EINVAL : -ECONNRESET, "row %zu", i);
        cr_expect_eq(stream->slot.state, SOCKET_GONE);
    }
}
