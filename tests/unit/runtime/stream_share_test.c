/* SPDX-License-Identifier: MIT */
/* A connection that has had its share of a turn waits for the next, whatever happens meanwhile. */
#include <errno.h>
#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/error.h"
#include "lone_stream.h"
#include "runtime/owner/owner.h"
#include "runtime/stream/close.h"
#include "runtime/stream/input.h"
#include "runtime/stream/receive.h"
#include "runtime/stream/share.h"
#include <weir/error.h>

static struct stream *stream;

static void begin(void)
{
    lone_begin(0);
    stream = lone_open(ALL);
    receive_start(&lone, stream);
    lone_turn();
}

static struct option_values *values(void)
{
    return &stream->slot.options->values;
}

/* A socket hands out its share of a turn; what is over waits for the next. */
Test(stream_share, is_given_in_each_turn)
{
    begin();
    lone_bring(stream, "0", false);
    lone_turn();
    (void)noted_asked();
    (void)lone_told();
    values()->buffer = 1;
    streams_of(&lone)->share = 3;
    lone_bring(stream, "abcdefg", true);
    TOLD("data:a data:b data:c ");
    ASKED("cancel:1 ");
    cr_expect(stream->postponed && input_size(stream) == 4);
    lone_bring(stream, "h", true);
    TOLD("");
    lone_complete_operation(stream, STREAM_RECEIVE, -ECANCELED, 0);
    lone_turn();
    streams_of(&lone)->share = 3;
    TOLD("");
    lone_turn();
    TOLD("data:d data:e data:f ");
    streams_of(&lone)->share = 3;
    lone_turn();
    TOLD("data:g data:h ");
    cr_expect_eq(streams_of(&lone)->share, SHARE_MOST, "nobody waits for the next");
    lone_turn();
    ASKED("receives ");
}

/* Has handed out "a", and the rest waits. */
static void postpone(void)
{
    begin();
    values()->buffer = 1;
    streams_of(&lone)->share = 1;
    lone_bring(stream, "abc", false);
    TOLD("data:a ");
    cr_expect(stream->postponed && input_size(stream) == 2);
}

static bool waits_for_its_share(void)
{
    return stream->postponed && !slot_list_is_empty(&streams_of(&lone)->postponed);
}

Test(stream_share, is_not_waited_for_after_a_close)
{
    postpone();
    close_end(&lone, &stream->slot, END_CLOSED);
    cr_expect(!stream->postponed && slot_list_is_empty(&streams_of(&lone)->postponed));
    lone_turn();
    lone_turn();
    TOLD("gone ");
}

/* Its owner is told of that in its turn. */
Test(stream_share, is_waited_for_when_the_descriptor_has_gone)
{
    postpone();
    cr_expect_eq(send_shutdown(&lone, stream, false), 0);
    cr_expect_eq(lone_send_now(stream, 1), WEIR_CLOSED);
    cr_expect(stream->slot.state == SOCKET_GONE && waits_for_its_share());
    TOLD("");
    lone_turn();
    lone_turn();
    TOLD("closed ");
}

/* One after the other: what the first has brought about comes before the second. */
Test(stream_share, of_each_is_its_own)
{
    postpone();
    struct stream *first = stream;
    stream->active = PASSIVE;
    lone_receive(stream, 'r', 0, -1);
    TOLD("");
    stream = lone_open(ALL);
    receive_start(&lone, stream);
    values()->buffer = 1;
    streams_of(&lone)->share = 0;
    slot_hold(&stream->slot);
    lone_bring(stream, "z", true);
    cr_expect(stream->postponed && first->postponed);
    lone_turn();
    streams_of(&lone)->share = 3;
    lone_turn();
    TOLD("r:0 b data:z ");
}

Test(stream_share, begins_with_nothing_said)
{
    postpone();
    lone_turn();
    error_say(-EINVAL, "what somebody else has done");
    lone_turn();
    TOLD("data:b data:c ");
    cr_expect_str_eq(weir_last_error_text(), "");
}

static char said[ERROR_TEXT_SIZE];

static void note_and_say(weir_socket socket, const weir_packet *packet, void *data)
{
    (void)socket, (void)packet, (void)data;
    snprintf(said, sizeof(said), "%s", weir_last_error_text());
    error_say(-EINVAL, "what an owner has done");
}

static const weir_handler sayer = {.packet = note_and_say};

Test(stream_share, of_each_begins_with_nothing_said)
{
    postpone();
    owner_set(&stream->slot, (weir_owner){.handler = &sayer});
    stream = lone_open(ALL);
    owner_set(&stream->slot, (weir_owner){.handler = &sayer});
    receive_start(&lone, stream);
    values()->buffer = 1;
    streams_of(&lone)->share = 0;
    slot_hold(&stream->slot);
    lone_bring(stream, "z", true);
    lone_turn();
    streams_of(&lone)->share = 9;
    lone_turn();
    cr_expect(lone.totals.packets_received == 4 && !stream->postponed);
    cr_expect_str_eq(said, "");
}
