/* SPDX-License-Identifier: MIT */
/* Descriptors that come beside the bytes: their connection is polled, and a call takes them up. */
#include <errno.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/memory.h"
#include "lone_stream.h"
#include "runtime/buffer/buffer.h"
#include "runtime/ring/features.h"
#include "runtime/socket/passed.h"
#include "runtime/stream/close.h"
#include "runtime/stream/input.h"
#include "runtime/stream/receive.h"

static struct stream *stream;

/* A connection that descriptors may come with: only a call takes them up. */
static void begin(uint32_t features_off)
{
    lone_begin(features_off);
    stream = lone_open(ALL);
    receive_start(&lone, stream);
    lone_turn();
    (void)noted_asked();
    stream->slot.options->values.descriptors = 4;
    stream->slot.family = WEIR_LOCAL & 127;
}

Test(stream_passed, end_a_receive_that_cannot_take_them)
{
    begin(0);
    receive_update(&lone, stream);
    ASKED("cancel:1 ");
}

Test(stream_passed, are_taken_by_a_call)
{
    begin(0);
    lone_bring(stream, "a", false);
    lone_turn();
    TOLD("data:a ");
    ASKED("readable ");
    cr_expect_eq(send(lone_peer, "bcd", 3, 0), 3);
    lone_complete(1, 0);
    TOLD("data:bcd ");
    lone_turn();
    ASKED("readable ");
    lone_complete(1, 0); /* there is nothing after all */
    lone_turn();
    ASKED("readable ");
    stream->active = PASSIVE;
    cr_expect_eq(send(lone_peer, "e", 1, 0), 1);
    lone_complete(1, 0);
    TOLD("");
    cr_expect_eq(input_size(stream), 0);
    lone_turn();
    ASKED("");
    stream->active = ALL;
    receive_update(&lone, stream);
    lone_turn();
    ASKED("readable ");
    close_end(&lone, &stream->slot, END_CLOSED);
    ASKED("cancel:3 ");
    cr_expect(receive_readable_is_cancelled(&stream->slot) && stream->slot.fd >= 0);
    lone_complete(-ECANCELED, 0);
    cr_expect_eq(stream->slot.fd, -1);
}

static void begin_by_call(uint32_t features_off)
{
    begin(features_off);
    lone_complete(-EINTR, 0);
    lone_turn();
    ASKED("readable ");
}

Test(stream_passed, by_a_call_are_followed_by_the_end)
{
    begin_by_call(FEATURE_BIT(BUFFER_RING));
    lone_complete(0, 0);
    TOLD("");
    lone_turn();
    close(lone_peer);
    lone_complete(1, 0);
    TOLD("closed ");
    cr_expect_eq(buffer_pool_available(lone.buffers), LONE_BUFFERS);
}

/* The ring has been offered all of the pool's. */
Test(stream_passed, by_a_call_need_no_buffer_of_the_pool)
{
    begin_by_call(0);
    cr_expect_eq(send(lone_peer, "bcd", 3, 0), 3);
    int64_t blocks = memory_live_count();
    memory_fail_nth(1);
    lone_complete(1, 0);
    memory_fail_nth(0);
    TOLD("");
    cr_expect(lone.totals.memory_pauses == 1 && stream->reading == READING_RESTING);
    lone_pass(11);
    lone_turn();
    ASKED("readable ");
    lone_complete(1, 0);
    TOLD("data:bcd ");
    cr_expect_eq(memory_live_count(), blocks);
}

Test(stream_passed, by_a_call_need_memory_to_lie_in)
{
    begin(0);
    lone_complete(-EINTR, 0);
    memory_fail_nth(1);
    lone_turn();
    memory_fail_nth(0);
    ASKED("");
    cr_expect(lone.totals.memory_pauses == 1 && stream->reading == READING_RESTING);
    lone_pass(11);
    lone_turn();
    ASKED("readable ");
}

Test(stream_passed, are_waited_for_a_little_later_without_memory)
{
    begin_by_call(0);
    lone_complete(-ENOMEM, 0);
    cr_expect(lone.totals.memory_pauses == 1 && stream->reading == READING_RESTING);
    lone_pass(11);
    lone_turn();
    ASKED("readable ");
}

static void send_descriptors(int count)
{
    enum { MOST = 8 };
    _Alignas(struct cmsghdr) char control[CMSG_SPACE(MOST * sizeof(int))] = {0};
    struct iovec piece = {(char[]){"x"}, 1};
    struct msghdr message = {.msg_iov = &piece,
                             .msg_iovlen = 1,
                             .msg_control = control,
                             .msg_controllen = CMSG_SPACE((size_t)count * sizeof(int))};
    struct cmsghdr *rights = CMSG_FIRSTHDR(&message);
    *rights = (struct cmsghdr){.cmsg_level = SOL_SOCKET,
                               .cmsg_type = SCM_RIGHTS,
                               .cmsg_len = CMSG_LEN((size_t)count * sizeof(int))};
    for (int i = 0; i < count; i++)
        memcpy(CMSG_DATA(rights) + (size_t)i * sizeof(int), &lone_peer, sizeof(int));
    cr_assert_eq(sendmsg(lone_peer, &message, 0), 1);
}

/* More than there is room for are lost, and whoever takes them is told so once. */
Test(stream_passed, are_taken_or_lost)
{
    static const struct {
        int sent;
        int taken;
    } rows[] = {{0, 0}, {3, 3}, {5, -ENOBUFS}};
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        int descriptors[4];
        begin_by_call(0);
        if (rows[i].sent > 0)
            send_descriptors(rows[i].sent);
        else
            cr_assert_eq(send(lone_peer, "x", 1, 0), 1);
        lone_complete(1, 0);
        TOLD("data:x ");
        cr_expect_eq(passed_take(&lone, &stream->slot, descriptors, 4), rows[i].taken, "%zu", i);
        cr_expect_eq(passed_take(&lone, &stream->slot, descriptors, 4), 0, "%zu", i);
    }
}
