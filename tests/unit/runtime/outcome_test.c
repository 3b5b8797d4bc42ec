/* SPDX-License-Identifier: MIT */
/* What a send that has failed makes of its connection, by what the owner has yet to be told. */
#include "runtime/stream/outcome.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <sys/socket.h>
#include <unistd.h>

#include "options/option_block.h"
#include "runtime/buffer/buffer.h"
#include "runtime/kinds.h"
#include "runtime/send_queue/segment.h"
#include "runtime/stream/output.h"
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

static struct lease_pool pool;
static int released;

static void note(void *data)
{
    ++*(int *)data;
}

static void run(struct scheduler *unused, struct task *task)
{
    (void)unused;
    (void)task;
}

/* A connection on one end, with a byte in its queue or none. */
static struct stream make_with_queue(int end, bool queued)
{
    struct stream stream = make(ALL, RECEIVING_OPEN);
    released = 0;
    stream.slot.fd = end;
    stream.output = output_open(streams_of(&scheduler), &stream);
    task_init(&stream.output->flush, run);
    task_init(&stream.output->offer, run);
    if (queued) {
        struct weir_buffer *buffer = buffer_adopt("x", 1, note, &released);
        send_queue_link(&stream.output->queue,
                        segment_refer(streams_of(&scheduler)->pools, buffer, buffer->bytes, 1));
        scheduler.totals.queued_bytes++;
        buffer_release(buffer);
    }
    return stream;
}

static void begin(void)
{
    lease_pool_init(&pool, 1 << 20, 1);
    lease_init(&scheduler, &pool);
    task_queues_init(&scheduler.tasks);
    cr_assert_eq(streams_open(&scheduler, &scheduler.states[KIND_STREAM]), 0);
}

static bool has_ended(int peer)
{
    char byte;
    return recv(peer, &byte, 1, MSG_DONTWAIT) == 0;
}

static bool may_write(int peer)
{
    return send(peer, "x", 1, MSG_NOSIGNAL) == 1;
}

static const struct {
    enum sending before;
    enum sending after;
    bool ended;
    bool may_write;
} shutdowns[] = {
    {SENDING_OPEN, SENDING_OPEN, false, true},
    {SENDING_SHUTTING, SENDING_SHUT, true, true},
    {SENDING_SHUTTING_BOTH, SENDING_SHUT, true, false},
};

Test(outcome, of_an_emptied_queue_is_the_shutdown_that_waited)
{
    begin();
    for (size_t i = 0; i < sizeof(shutdowns) / sizeof(shutdowns[0]); i++) {
        int ends[2];
        cr_assert_eq(socketpair(AF_UNIX, SOCK_STREAM, 0, ends), 0);
        struct stream stream = make_with_queue(ends[0], false);
        stream.output->stream = &stream;
        stream.sending = shutdowns[i].before;
        outcome_emptied(&scheduler, &stream);
        cr_expect(stream.sending == shutdowns[i].after && stream.output == NULL, "row %zu", i);
        cr_expect_eq(has_ended(ends[1]), shutdowns[i].ended, "row %zu", i);
        cr_expect_eq(may_write(ends[1]), shutdowns[i].may_write, "row %zu", i);
        close(ends[0]);
        close(ends[1]);
    }
    streams_shut(scheduler.states[KIND_STREAM]);
}

static const struct {
    int32_t active;
    enum receiving receiving;
    enum socket_state state;
    enum sending sending;
} breaks[] = {
    {ALL, RECEIVING_OPEN, SOCKET_OPEN, SENDING_FAILED}, /* its receive ends, and tells why */
    {ALL, RECEIVING_REPORTED, SOCKET_GONE, SENDING_OPEN},
    {PASSIVE, RECEIVING_OPEN, SOCKET_GONE, SENDING_OPEN},
};

Test(outcome, of_what_cannot_be_sent_is_a_broken_connection)
{
    begin();
    for (size_t i = 0; i < sizeof(breaks) / sizeof(breaks[0]); i++) {
        int ends[2];
        cr_assert_eq(socketpair(AF_UNIX, SOCK_STREAM, 0, ends), 0);
        struct stream stream = make_with_queue(ends[0], true);
        stream.output->stream = &stream;
        stream.active = breaks[i].active;
        stream.receiving = breaks[i].receiving;
        outcome_broken(&scheduler, &stream, -EIO);
        cr_expect_eq(stream.slot.state, breaks[i].state, "row %zu", i);
        cr_expect_eq(stream.sending, breaks[i].sending, "row %zu", i);
        cr_expect_eq(stream.error, -EIO, "row %zu: %d", i, stream.error);
        cr_expect(released == 1 && scheduler.totals.queued_bytes == 0, "row %zu", i);
        cr_expect(has_ended(ends[1]), "row %zu: its peer goes on", i);
        output_free(&scheduler, &stream);
        close(ends[0]);
        close(ends[1]);
    }
    streams_shut(scheduler.states[KIND_STREAM]);
}
