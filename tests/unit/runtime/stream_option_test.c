/* SPDX-License-Identifier: MIT */
/* What setting an option of a connection changes beside its value, and what is read of one. */
#include <errno.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/memory.h"
#include "lone_stream.h"
#include "options/option_block.h"
#include "runtime/owner/owner.h"
#include "runtime/stream/idle.h"
#include "runtime/stream/input.h"
#include "runtime/stream/receive.h"
#include <weir/error.h>

static struct stream *stream;

static void begin(int32_t active)
{
    lone_begin(0);
    stream = lone_open(active);
}

static int set(enum weir_option_id id, int64_t number)
{
    const weir_option option = {.id = id, .value.number = number};
    return kind_stream.set_option(&lone, &stream->slot, &option);
}

static const struct {
    int32_t before;
    int32_t wanted;
    int result;
    int32_t after;
} actives[] = {
    {PASSIVE, ALL, 0, ALL},
    {ALL, PASSIVE, 0, PASSIVE},
    {3, 4, 0, 7},
    {3, -2, 0, 1},
    {3, -3, OPTION_SPENT, PASSIVE},
    {3, -4, OPTION_SPENT, PASSIVE},
    {32767, 1, -EINVAL, 32767},
    {PASSIVE, WEIR_ACTIVE_ONCE, 0, WEIR_ACTIVE_ONCE},
};

Test(stream_option, active_is_counted_up_and_down)
{
    for (size_t i = 0; i < sizeof(actives) / sizeof(actives[0]); i++) {
        begin(actives[i].before);
        stream->latches = LATCH_UNASKED | LATCH_SEND;
        cr_expect_eq(set(WEIR_OPTION_ACTIVE, actives[i].wanted), actives[i].result, "row %zu", i);
        cr_expect_eq(stream->active, actives[i].after, "row %zu: %d", i, stream->active);
        cr_expect_eq(stream->latches,
                     actives[i].result < 0 ? LATCH_UNASKED | LATCH_SEND : LATCH_SEND, "row %zu", i);
        TOLD("");
    }
}

Test(stream_option, active_needs_somebody_to_tell)
{
    begin(ALL);
    owner_set(&stream->slot, weir_owned_by_nobody());
    cr_expect_eq(set(WEIR_OPTION_ACTIVE, WEIR_ACTIVE_ONCE), -EINVAL);
    cr_expect_eq(stream->active, ALL);
    cr_expect_eq(set(WEIR_OPTION_ACTIVE, PASSIVE), 0);
    cr_expect_eq(stream->active, PASSIVE);
}

Test(stream_option, an_end_is_followed_by_nothing)
{
    begin(PASSIVE);
    kind_stream.tell_passive(&lone, &stream->slot);
    TOLD("passive ");
    stream->closed_told = true;
    kind_stream.tell_passive(&lone, &stream->slot);
    TOLD("");
}

Test(stream_option, a_listeners_are_left_as_they_are)
{
    begin(PASSIVE);
    struct option_block *listeners = stream->slot.options;
    stream->slot.options = option_block_share(listeners);
    stream->options_inherited = true;
    listeners->values.buffer_explicit = true;
    cr_expect_eq(set(WEIR_OPTION_ACTIVE, ALL), 0);
    cr_expect(stream->slot.options == listeners && stream->options_inherited);
    cr_expect_eq(set(WEIR_OPTION_PACKET, WEIR_4), 0);
    cr_expect(stream->slot.options != listeners && !stream->options_inherited);
    cr_expect(listeners->values.packet == WEIR_RAW && listeners->values.buffer_explicit);
    const struct option_values *own = &stream->slot.options->values;
    cr_expect(own->packet == WEIR_4 && !own->buffer_explicit);
    stream->slot.options->values.buffer_explicit = true;
    cr_expect_eq(set(WEIR_OPTION_PACKET, WEIR_2), 0);
    cr_expect(own == &stream->slot.options->values && own->buffer_explicit);
}

Test(stream_option, without_memory_for_its_own_is_not_set)
{
    begin(PASSIVE);
    struct option_block *listeners = option_block_share(stream->slot.options);
    memory_fail_nth(1);
    cr_expect_eq(set(WEIR_OPTION_PACKET, WEIR_4), -ENOMEM);
    memory_fail_nth(0);
    cr_expect(stream->slot.options == listeners && listeners->values.packet == WEIR_RAW);
}

/* What has begun to come is looked at afresh when it is to be framed otherwise. */
static const struct {
    enum weir_option_id id;
    int64_t number;
    bool afresh;
} framings[] = {
    {WEIR_OPTION_PACKET, WEIR_4, true},        {WEIR_OPTION_PACKET, WEIR_LINE, false},
    {WEIR_OPTION_LINE_DELIMITER, '\n', false}, {WEIR_OPTION_LINE_DELIMITER, 'x', true},
    {WEIR_OPTION_EXIT_ON_CLOSE, 0, false},
};

Test(stream_option, of_framing_has_bytes_looked_at_afresh)
{
    for (size_t i = 0; i < sizeof(framings) / sizeof(framings[0]); i++) {
        begin(PASSIVE);
        cr_assert_eq(set(WEIR_OPTION_PACKET, WEIR_LINE), 0);
        cr_assert_eq(input_append(&lone, stream, (struct framing_span){(const uint8_t *)"a", 1},
                                  (struct begun_packet){.scanned = 1}),
                     0);
        cr_expect_eq(set(framings[i].id, framings[i].number), 0, "row %zu", i);
        cr_expect_eq(input_begun(stream).scanned, !framings[i].afresh, "row %zu", i);
    }
}

Test(stream_option, idle_timeout_is_watched_from_now_on)
{
    begin(PASSIVE);
    memory_fail_nth(1);
    cr_expect_eq(set(WEIR_OPTION_IDLE_TIMEOUT, 1000), -ENOMEM);
    memory_fail_nth(0);
    cr_expect_eq(stream->slot.options->values.idle_timeout_ms, WEIR_INFINITY);
    cr_expect_eq(set(WEIR_OPTION_IDLE_TIMEOUT, 1000), 0);
    cr_expect_eq(stream->slot.options->values.idle_timeout_ms, 1000);
    lone_pass(900);
    cr_expect_eq(set(WEIR_OPTION_SEND_TIMEOUT, 1000), 0);
    lone_pass(101);
    cr_expect_eq(lone.totals.idle_timeouts, 1);
    begin(PASSIVE);
    cr_expect_eq(set(WEIR_OPTION_SEND_TIMEOUT, 1000), 0);
    cr_expect_null(slot_note(&streams_of(&lone)->idle, &stream->slot));
}

Test(stream_option, bit8_is_asked_for_again)
{
    begin(PASSIVE);
    cr_expect(!stream->bit8_seen);
    lone_values.bit8 = WEIR_BIT8_SET;
    cr_expect(lone_open(PASSIVE)->bit8_seen);
    stream->bit8_seen = true;
    cr_expect_eq(set(WEIR_OPTION_EXIT_ON_CLOSE, 0), 0);
    cr_expect(stream->bit8_seen);
    cr_expect_eq(set(WEIR_OPTION_BIT8, WEIR_BIT8_CLEAR), 0);
    cr_expect(!stream->bit8_seen);
}

/* Of a connection that is lost weir's own can still be set. */
Test(stream_option, of_a_lost_connection_asks_no_kernel)
{
    int value = 0;
    socklen_t size = sizeof(value);
    begin(PASSIVE);
    int fd = stream->slot.fd;
    slot_hold(&stream->slot);
    slot_move(&stream->slot, SOCKET_LOSE);
    (void)set(WEIR_OPTION_KEEPALIVE, 1);
    cr_assert_eq(getsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &value, &size), 0);
    cr_expect_eq(value, 0);
    cr_expect_eq(set(WEIR_OPTION_PACKET, WEIR_4), 0);
}

Test(stream_option, a_change_has_it_go_on)
{
    begin(PASSIVE);
    cr_assert_eq(input_append(&lone, stream, (struct framing_span){(const uint8_t *)"a", 1},
                              (struct begun_packet){0}),
                 0);
    stream->active = ALL;
    stream->delivering = true;
    kind_stream.changed(&lone, &stream->slot);
    TOLD("");
    stream->delivering = false;
    kind_stream.changed(&lone, &stream->slot);
    TOLD("data:a ");
}

Test(stream_option, is_read_with_what_the_connection_is)
{
    struct option_source source = {.active = PASSIVE};
    begin(3);
    stream->bit8_seen = true;
    cr_expect_eq(kind_stream.get_options(&stream->slot, &source), OPTION_SET_TCP);
    cr_expect(source.active == 3 && source.bit8_seen);
    stream->bit8_seen = false;
    (void)kind_stream.get_options(&stream->slot, &source);
    cr_expect(!source.bit8_seen);
}
