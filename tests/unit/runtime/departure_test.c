/* SPDX-License-Identifier: MIT */
/* What is offered to the kernel, and what becomes of what it says of that. */
#include "runtime/datagram/departure.h"

#include "own_turns.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/memory.h"
#include "base/system.h"
#include "options/options.h"
#include "runtime/datagram/close.h"
#include "runtime/datagram/connect.h"
#include "runtime/datagram/datagram.h"
#include "runtime/datagram/datagrams.h"
#include "runtime/datagram/outbox.h"
#include "runtime/datagram/send.h"
#include "runtime/owner/owner.h"
#include "runtime/scheduler/kind.h"
#include "runtime/scheduler/scheduler.h"

enum { ALL = 1000, HEADERS = 64 };

static struct scheduler *scheduler;
static struct datagram *socket_;

static int says[8]; /* the kernel, one call after the other; then it takes all */
static int said;
static uint64_t fail_nth; /* allocation that fails behind it */
static char log_[4096];   /* "a b|c": two datagrams by one call, and one by another */
static int polls;
static int errors;
static int last_error;
static int unbusy;

int __wrap_system_send_messages(int fd, struct mmsghdr *messages, uint32_t count);
void __real_ring_poll(struct ring *ring, uint64_t user_data, int fd, unsigned events);
void __wrap_ring_poll(struct ring *ring, uint64_t user_data, int fd, unsigned events);

static void note(const char *text, size_t size)
{
    size_t length = strlen(log_);
    (void)snprintf(log_ + length, sizeof(log_) - length, "%.*s", (int)size, text);
}

/* A run is "abc/1". */
static void note_message(const struct msghdr *message)
{
    uint16_t segment;
    char text[16] = "";
    const struct cmsghdr *control = CMSG_FIRSTHDR(message);
    note(message->msg_iov->iov_base, message->msg_iov->iov_len);
    if (control) {
        memcpy(&segment, CMSG_DATA(control), sizeof(segment));
        (void)snprintf(text, sizeof(text), "/%u", segment);
    }
    note(text, sizeof(text));
}

int __wrap_system_send_messages(int fd, struct mmsghdr *messages, uint32_t count)
{
    int result = said < 8 && says[said] ? says[said++] : ALL;
    cr_expect_eq(fd, socket_->slot.fd);
    for (uint32_t i = 0; i < count; i++) {
        note(i > 0 ? " " : *log_ ? "|" : "", 1);
        note_message(&messages[i].msg_hdr);
    }
    memory_fail_nth(fail_nth);
    return result < (int)count ? result : (int)count;
}

void __wrap_ring_poll(struct ring *ring, uint64_t user_data, int fd, unsigned events)
{
    cr_expect(fd == socket_->slot.fd && events == POLLOUT);
    polls++;
    __real_ring_poll(ring, user_data, fd, events);
}

static bool sends_when_told;
static void say(uint16_t port, const char *text);

static void note_error(weir_socket socket, int error, void *data)
{
    (void)socket, (void)data;
    errors++;
    last_error = error;
    if (sends_when_told)
        say(4, "z");
}

static void note_unbusy(weir_socket socket, void *data)
{
    (void)socket, (void)data;
    unbusy++;
}

static void take(weir_socket socket, const weir_packet *packet, void *data)
{
    (void)socket, (void)packet, (void)data;
}

static const weir_handler handler = {.packet = take, .error = note_error, .unbusy = note_unbusy};

static void begin(void)
{
    struct option_setup setup;
    cr_assert_eq(options_set_up(&setup, OPTION_UDP, NULL, NULL), 0);
    scheduler = own_turns_begin();
    socket_ = datagram_create(scheduler, socket(AF_INET, SOCK_DGRAM, 0), WEIR_INET, &setup.values);
    cr_assert_not_null(socket_);
    owner_set(&socket_->slot, weir_handled_by(&handler, NULL));
    socket_->active = WEIR_ACTIVE_TRUE;
}

static void end(void)
{
    cr_expect(outbox_is_empty(socket_->outbox));
    own_turns_end(scheduler);
}

static int send_to(uint16_t port, const char *text)
{
    const weir_address to = {.family = WEIR_INET, .port = port, .bytes = {127, 0, 0, 1}};
    const struct letter letter = {.to = port ? &to : NULL,
                                  .bytes = {(void *)(uintptr_t)text, strlen(text)}};
    return letter_send_now(scheduler, socket_, &letter);
}

static void say(uint16_t port, const char *text)
{
    cr_assert_eq(send_to(port, text), 0);
}

/* What the turn's end does. */
static void leave(void)
{
    departure_end_turn(scheduler);
    memory_fail_nth(0);
}

static void answer(int first, int second, int third)
{
    const int answers[] = {first, second, third, 0};
    memcpy(says, answers, sizeof(answers));
    said = 0;
    log_[0] = '\0';
}

static void expect_sent(uint64_t operations, uint64_t packets, uint64_t bytes)
{
    const weir_totals *totals = &scheduler->totals;
    cr_expect_eq(totals->send_operations, operations, "%lu", totals->send_operations);
    cr_expect_eq(totals->packets_sent, packets, "%lu", totals->packets_sent);
    cr_expect_eq(totals->bytes_sent, bytes, "%lu", totals->bytes_sent);
    cr_expect(socket_->outbox->queued_bytes == 0 && socket_->outbox->queued_count == 0);
}

Test(departure, is_by_one_call)
{
    begin();
    say(1, "a");
    say(1, "b");
    say(1, "c");
    say(2, "dd");
    say(1, "e");
    leave();
    cr_expect_str_eq(log_, "abc/1 dd e");
    expect_sent(3, 5, 6);
    leave();
    cr_expect_str_eq(log_, "abc/1 dd e", "once");
    weir_statistics statistics;
    kind_datagram.get_statistics(&socket_->slot, &statistics);
    cr_expect(statistics.send_oct == 6 && statistics.send_cnt == 5 && statistics.send_max == 2);
    cr_expect(statistics.send_avg == 1 && statistics.send_pend == 0);
    end();
}

Test(departure, is_by_so_many)
{
    begin();
    for (uint16_t i = 0; i < HEADERS + 1; i++)
        say((uint16_t)(1 + i), "a");
    leave();
    char *bar = strchr(log_, '|');
    cr_assert_not_null(bar);
    cr_expect_eq(bar - log_, 2 * HEADERS - 1, "%s", log_);
    cr_expect_str_eq(bar, "|a");
    expect_sent(HEADERS + 1, HEADERS + 1, HEADERS + 1);
    end();
}

/* One by one: what is said is of the first. */
Test(departure, of_a_connected_socket_is_one_by_one)
{
    begin();
    socket_->connected = true;
    say(0, "a");
    say(0, "bb");
    leave();
    cr_expect_str_eq(log_, "a|bb");
    answer(-ECONNREFUSED, ALL, 0);
    say(0, "c");
    say(0, "d");
    say(0, "e");
    leave();
    cr_expect_str_eq(log_, "cde/1|de/1", "one is lost: %s", log_);
    cr_expect(errors == 1 && last_error == -ECONNREFUSED);
    expect_sent(3, 4, 5);
    fail_nth = 1;
    struct parcels *parcels = &datagrams_of(scheduler)->parcels;
    for (; parcels->spare_count > 1; parcels->spare_count--)
        memory_free(list_entry(list_take(&parcels->spare), struct parcel, link));
    answer(-ECONNREFUSED, ALL, 0);
    say(0, "f");
    say(0, "g");
    leave();
    cr_expect_str_eq(log_, "fg/1", "or both, without memory: %s", log_);
    cr_expect_eq(errors, 2);
    expect_sent(3, 4, 5);
    end();
}

Test(departure, that_is_interrupted_is_tried_again)
{
    begin();
    answer(-EINTR, ALL, 0);
    say(1, "a");
    say(2, "b");
    leave();
    cr_expect_str_eq(log_, "a b|a b");
    cr_expect(errors == 0 && scheduler->totals.blocked_sends == 0);
    expect_sent(2, 2, 2);
    end();
}

/* In order, and the kernel is asked once. */
Test(departure, waits_for_room)
{
    begin();
    answer(1, -EAGAIN, 0);
    say(1, "a");
    say(2, "b");
    say(3, "c");
    leave();
    cr_expect_str_eq(log_, "a b c|b c");
    cr_expect_eq(scheduler->totals.blocked_sends, 1);
    cr_expect(polls == 1 && socket_->outbox->room == ROOM_WAITED_FOR);
    say(4, "d");
    leave();
    cr_expect_str_eq(log_, "a b c|b c", "not before there is room");
    cr_expect_eq(socket_->outbox->queued_count, 3);
    weir_statistics statistics;
    kind_datagram.get_statistics(&socket_->slot, &statistics);
    cr_expect_eq(statistics.send_pend, 3);
    answer(ALL, 0, 0);
    while (!outbox_is_empty(socket_->outbox))
        scheduler_turn(scheduler);
    cr_expect_str_eq(log_, "b c d");
    cr_expect(polls == 1 && errors == 0);
    expect_sent(4, 4, 4);
    end();
}

/* A cancel that missed is repeated then. */
Test(departure, that_waits_for_room_may_be_wanted_no_more)
{
    begin();
    answer(-EAGAIN, 0, 0);
    say(1, "a");
    leave();
    cr_expect(polls == 1 && !departure_is_cancelled(&socket_->slot));
    departure_drop(scheduler, socket_, WEIR_CLOSED);
    cr_expect(departure_is_cancelled(&socket_->slot));
    end();
}

/* What is sent when it is told stands behind what could not leave yet. */
Test(departure, keeps_its_order_whatever_is_sent_meanwhile)
{
    begin();
    sends_when_told = true;
    answer(-EPERM, -EAGAIN, 0);
    say(1, "a");
    say(2, "b");
    say(3, "c");
    leave();
    cr_expect_str_eq(log_, "a b c|b c");
    answer(ALL, 0, 0);
    while (!outbox_is_empty(socket_->outbox))
        scheduler_turn(scheduler);
    cr_expect_str_eq(log_, "b c z");
    end();
}

static const struct {
    int error;
    bool refused; /* as a run, and not each of it */
} refusals[] = {
    {-EIO, true}, {-EINVAL, true}, {-EMSGSIZE, true}, {-EPERM, false}, {-ENETUNREACH, false},
};

Test(departure, of_a_run_may_be_refused)
{
    begin();
    for (size_t i = 0; i < sizeof(refusals) / sizeof(refusals[0]); i++) {
        uint16_t port = (uint16_t)(10 * i + 1);
        memset(&datagrams_of(scheduler)->refusals, 0, sizeof(struct refusals));
        scheduler->totals = (weir_totals){0};
        errors = 0;
        answer(refusals[i].error, ALL, 0);
        say(port, "a");
        say(port, "b");
        say(port, "c");
        leave();
        cr_expect_str_eq(log_, refusals[i].refused ? "abc/1|a b c" : "abc/1", "row %zu: %s", i,
                         log_);
        cr_expect_eq(scheduler->totals.refused_runs, refusals[i].refused, "row %zu", i);
        cr_expect_eq(errors, !refusals[i].refused, "row %zu", i);
        cr_expect_eq(scheduler->totals.packets_sent, refusals[i].refused ? 3u : 0u, "row %zu", i);
        answer(ALL, 0, 0);
        say(port, "d");
        say(port, "e");
        leave();
        cr_expect_str_eq(log_, refusals[i].refused ? "d e" : "de/1", "row %zu: %s", i, log_);
        answer(refusals[i].error, ALL, 0);
        errors = 0;
        say(port, "f");
        leave();
        cr_expect_str_eq(log_, "f", "row %zu: %s", i, log_);
        cr_expect(errors == 1 && last_error == refusals[i].error, "one is not taken apart");
    }
    end();
}

/* What there is no memory for is lost, and told once. */
Test(departure, of_a_run_that_is_refused_needs_memory)
{
    static const char *const sent[] = {"abc/1", "abc/1|a"};
    for (size_t i = 0; i < 2; i++) {
        begin();
        errors = 0;
        fail_nth = i + 1;
        answer(-EIO, ALL, 0);
        say(1, "a");
        say(1, "b");
        say(1, "c");
        leave();
        cr_expect_str_eq(log_, sent[i], "%s", log_);
        cr_expect(errors == 1 && last_error == -EIO);
        expect_sent(i, i, i);
        end();
    }
}

/* Each weighs one more than it has bytes. */
Test(departure, makes_room_at_the_low_mark)
{
    begin();
    cr_assert_eq(option_block_own(&socket_->slot.options), 0);
    socket_->slot.options->values.high_watermark = 6;
    socket_->slot.options->values.low_watermark = 4;
    for (int round = 0; round < 2; round++) {
        answer(1, -EAGAIN, 0);
        unbusy = 0;
        say(1, "");
        say(2, "a");
        cr_expect(!departure_is_busy(socket_));
        say(3, "bb");
        cr_expect(departure_is_busy(socket_));
        cr_expect_eq(round == 0 ? send_to(4, "c") : -EAGAIN, -EAGAIN);
        cr_expect_eq(scheduler->totals.busy, 1);
        leave();
        cr_expect(departure_is_busy(socket_) && unbusy == 0, "5 are left");
        answer(1, -EAGAIN, 0);
        while (!said)
            scheduler_turn(scheduler);
        cr_expect(!departure_is_busy(socket_), "3 are left");
        cr_expect_eq(unbusy, round == 0, "it is told if it was refused");
        answer(ALL, 0, 0);
        while (!outbox_is_empty(socket_->outbox))
            scheduler_turn(scheduler);
        cr_expect_eq(unbusy, round == 0, "once");
    }
    end();
}

Test(departure, makes_room_at_just_the_low_mark)
{
    begin();
    cr_assert_eq(option_block_own(&socket_->slot.options), 0);
    socket_->slot.options->values.high_watermark = 6;
    socket_->slot.options->values.low_watermark = 3;
    answer(1, -EAGAIN, 0);
    say(1, "aa");
    say(2, "bb");
    cr_expect_eq(send_to(3, "c"), -EAGAIN);
    leave();
    cr_expect(!departure_is_busy(socket_) && unbusy == 1);
    while (!outbox_is_empty(socket_->outbox))
        scheduler_turn(scheduler);
    end();
}

/* Room may come while there is time for that; then what waits for it is dropped. */
Test(departure, is_given_up_when_there_is_no_more_time)
{
    begin();
    answer(-EAGAIN, 0, 0);
    say(1, "a");
    leave();
    slot_hold(&socket_->slot);
    datagram_end(scheduler, &socket_->slot, END_STOP);
    cr_expect_eq(socket_->outbox->queued_count, 1);
    datagram_end(scheduler, &socket_->slot, END_ABORT);
    cr_expect_eq(socket_->outbox->queued_count, 0);
    slot_unhold(scheduler, &socket_->slot);
    own_turns_end(scheduler);
}

/* Whoever it was connected to it still is. */
Test(departure, to_a_peer_that_cannot_be_had)
{
    struct sockaddr_storage storage = {0};
    struct sockaddr_in *peer = (struct sockaddr_in *)&storage;
    *peer = (struct sockaddr_in){
        .sin_family = AF_INET, .sin_port = htons(9), .sin_addr.s_addr = htonl(INADDR_BROADCAST)};
    begin();
    cr_expect_eq(datagram_connect(socket_, &storage, sizeof(*peer)), -EACCES);
    cr_expect(!socket_->connected);
    peer->sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    cr_expect_eq(datagram_connect(socket_, &storage, sizeof(*peer)), 0);
    cr_expect(socket_->connected);
    end();
}

Test(departure, needs_memory)
{
    bool reached = true;
    int refused = 0;
    for (uint64_t nth = 1; reached; nth++) {
        cr_assert_lt(nth, 20u);
        begin();
        answer(ALL, 0, 0);
        uint64_t before = memory_allocation_count();
        memory_fail_nth(nth);
        int result = send_to(1, "a");
        memory_fail_nth(0);
        reached = memory_allocation_count() - before >= nth;
        refused += reached;
        cr_expect_eq(result, reached ? -ENOMEM : 0, "allocation %lu: %d", nth, result);
        leave();
        cr_expect_str_eq(log_, reached ? "" : "a");
        end();
    }
    cr_expect_geq(refused, 2);
}

/* Whoever waited for room is told what the socket has met meanwhile. */
Test(departure, that_waited_is_told_of_an_error)
{
    char text[ERROR_TEXT_SIZE];
    char byte = 'b';
    const weir_address to = {.family = WEIR_INET, .port = 2, .bytes = {127, 0, 0, 1}};
    struct letter_call letter = {.letter = {.to = &to, .bytes = {&byte, 1}}};
    struct call *call = &letter.call;
    begin();
    socket_->active = WEIR_ACTIVE_FALSE;
    cr_assert_eq(option_block_own(&socket_->slot.options), 0);
    socket_->slot.options->values.high_watermark = 1;
    socket_->slot.options->values.low_watermark = 0;
    answer(ALL, 0, 0);
    say(1, "a");
    call->kind = CALL_BLOCKING;
    call->timeout_ms = -1;
    call->text = text;
    call->operation = &operation_send_letter;
    call->scheduler = scheduler;
    list_init(&call->link);
    cr_assert_eq(operation_send_letter.run(scheduler, &socket_->slot, call), CALL_WAITS);
    datagram_tell_error(scheduler, socket_, -ECONNREFUSED);
    leave();
    cr_expect(atomic_load(&call->done) && call->result == -ECONNREFUSED);
    cr_expect_str_eq(log_, "a");
    end();
}
