/* SPDX-License-Identifier: MIT */
/* What a send that has failed makes of its connection, by what the owner has yet to be told. */
#include "runtime/stream/outcome.h"

#include <criterion/criterion.h>
#include <errno.h>

#include "options/option_block.h"
#include "runtime/kinds.h"
#include "runtime/stream/stream.h"
#include "runtime/stream/streams.h"
#include <weir/error.h>

enum { PASSIVE = WEIR_ACTIVE_FALSE, ALL = WEIR_ACTIVE_TRUE };
enum { REASON = LATCH_SEND | LATCH_RECEIVE | LATCH_OWNER };

static struct scheduler scheduler = {.kinds = runtime_kinds};
static struct option_block block = {.refs = 1};

static struct stream make(int32_t active, enum receiving receiving)
{
    return (struct stream){.slot = {.kind = KIND_STREAM,
                                    .state = SOCKET_OPEN,
                                    .fd = -1,
                                    .pending = 1,
                                    .options = &block},
                           .active = active,
                           .receiving = receiving};
}

static const struct {
    int32_t active;
    enum receiving receiving;
    enum socket_state state;
    enum sending sending;
    uint8_t latches;
} rows[] = {
    {ALL, RECEIVING_OPEN, SOCKET_OPEN, SENDING_FAILED, 0}, /* the receive tells it */
    {1, RECEIVING_OPEN, SOCKET_OPEN, SENDING_FAILED, 0},
    {ALL, RECEIVING_REPORTED, SOCKET_GONE, SENDING_OPEN, LATCH_OWNER},
    {PASSIVE, RECEIVING_OPEN, SOCKET_GONE, SENDING_OPEN, REASON},
    {PASSIVE, RECEIVING_REPORTED, SOCKET_GONE, SENDING_OPEN, REASON},
};

Test(outcome, of_a_send_that_fails)
{
    cr_assert_eq(streams_open(&scheduler, &scheduler.states[KIND_STREAM]), 0);
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct stream stream = make(rows[i].active, rows[i].receiving);
        outcome_failed(&scheduler, &stream, -ECONNRESET);
        cr_expect_eq(stream.slot.state, rows[i].state, "row %zu", i);
        cr_expect_eq(stream.sending, rows[i].sending, "row %zu", i);
        cr_expect_eq(stream.latches, rows[i].latches, "row %zu: %x", i, stream.latches);
        cr_expect_eq(stream.error, -ECONNRESET, "row %zu", i);
        cr_expect_eq(stream.slot.pending, 1);
    }
    streams_shut(scheduler.states[KIND_STREAM]);
}

Test(outcome, is_the_first_reason_until_it_is_told)
{
    struct stream stream = make(PASSIVE, RECEIVING_OPEN);
    outcome_note(&stream, -ECONNRESET);
    outcome_note(&stream, -EPIPE);
    cr_expect_eq(stream.error, -ECONNRESET);
    stream = make(PASSIVE, RECEIVING_OPEN);
    stream.closed_told = true;
    outcome_note(&stream, -ECONNRESET);
    cr_expect_eq(stream.error, 0);
}

Test(outcome, shows_a_reset_to_who_asks_for_it)
{
    const struct stream stream = make(PASSIVE, RECEIVING_OPEN);
    cr_expect_eq(outcome_shown(&stream, -ECONNRESET), WEIR_CLOSED);
    block.values.show_econnreset = true;
    cr_expect_eq(outcome_shown(&stream, -ECONNRESET), -ECONNRESET);
    cr_expect_eq(outcome_shown(&stream, -ETIMEDOUT), WEIR_CLOSED);
    cr_expect_eq(outcome_shown(&stream, 0), WEIR_CLOSED);
}
