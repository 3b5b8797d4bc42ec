/* SPDX-License-Identifier: MIT */
/* When a UDP socket is read, how much of it in a turn, and how it hears of what comes next. */
#include "runtime/datagram/collect.h"

#include "own_turns.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/udp.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/memory.h"
#include "base/system.h"
#include "runtime/datagram/arrival.h"
#include "runtime/datagram/datagram.h"
#include "runtime/datagram/datagrams.h"
#include "runtime/datagram/handout.h"
#include "runtime/datagram/set_option.h"
#include "runtime/owner/owner.h"
#include "runtime/scheduler/scheduler.h"

enum { FAILURES_MOST = 8, TURN_MOST = 256, LOOKED_EACH = 256, SHARE = 16 };

static struct scheduler *scheduler;
static struct datagram *socket_;
static int peer;
static struct sockaddr_in address;

static int failure; /* what each receive says; 0: what the kernel does */
static int looked;  /* how often it was looked how many were dropped */
static int packets;
static int errors;
static int last_error;

int __real_system_receive_messages(int fd, struct mmsghdr *messages, uint32_t count);
int __wrap_system_receive_messages(int fd, struct mmsghdr *messages, uint32_t count);
void __real_datagram_note_dropped(struct scheduler *there, struct datagram *socket);
void __wrap_datagram_note_dropped(struct scheduler *there, struct datagram *socket);

int __wrap_system_receive_messages(int fd, struct mmsghdr *messages, uint32_t count)
{
    return failure ? failure : __real_system_receive_messages(fd, messages, count);
}

void __wrap_datagram_note_dropped(struct scheduler *there, struct datagram *socket)
{
    looked++;
    __real_datagram_note_dropped(there, socket);
}

static const bool *readable; /* what is said each time; NULL: what the kernel does */

bool __real_system_is_readable(int fd);
bool __wrap_system_is_readable(int fd);

bool __wrap_system_is_readable(int fd)
{
    return readable ? *readable++ : __real_system_is_readable(fd);
}

static void count_packet(weir_socket socket, const weir_packet *packet, void *data)
{
    (void)socket, (void)packet, (void)data;
    packets++;
}

static void note_error(weir_socket socket, int error, void *data)
{
    (void)socket, (void)data;
    errors++;
    last_error = error;
}

static const weir_handler handler = {.packet = count_packet, .error = note_error};

static int bound_socket(void)
{
    const int large = 1 << 20;
    socklen_t size = sizeof(address);
    int fd = socket(AF_INET, SOCK_DGRAM, 0);
    address =
        (struct sockaddr_in){.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    (void)setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &large, sizeof(large));
    cr_assert_eq(bind(fd, (struct sockaddr *)&address, sizeof(address)), 0);
    cr_assert_eq(getsockname(fd, (struct sockaddr *)&address, &size), 0);
    return fd;
}

static void begin(uint32_t read_packets)
{
    struct option_setup setup;
    cr_assert_eq(options_set_up(&setup, OPTION_UDP, NULL, NULL), 0);
    setup.values.read_packets = read_packets;
    scheduler = own_turns_begin();
    int fd = bound_socket();
    peer = socket(AF_INET, SOCK_DGRAM, 0);
    cr_assert_eq(connect(peer, (struct sockaddr *)&address, sizeof(address)), 0);
    socket_ = datagram_create(scheduler, fd, WEIR_INET, &setup.values);
    cr_assert_not_null(socket_);
    owner_set(&socket_->slot, weir_handled_by(&handler, NULL));
    cr_assert_eq(datagram_set_active(socket_, WEIR_ACTIVE_TRUE), 0);
    collect_go_on(scheduler, socket_);
    cr_assert_eq(socket_->collecting, COLLECTING_POLLED);
}

static void end(void)
{
    failure = 0;
    own_turns_end(scheduler);
    close(peer);
}

static void say(int count)
{
    for (int i = 0; i < count; i++)
        cr_assert_eq(send(peer, "x", 1, 0), 1);
}

/* Turns until so many have come in all; how many the last turn brought. */
static int turn_until(int count)
{
    int before = packets;
    while (packets < count) {
        before = packets;
        scheduler_turn(scheduler);
    }
    return packets - before;
}

/* A turn in which a read has failed. */
static void fail_once(void)
{
    uint8_t before = socket_->failures;
    while (socket_->failures == before)
        scheduler_turn(scheduler);
}

Test(collect, who_gets_nothing_over_and_over_rests)
{
    begin(SHARE);
    failure = -EAGAIN;
    say(1);
    for (int i = 1; i < FAILURES_MOST; i++) {
        fail_once();
        cr_assert_eq(socket_->failures, i);
        cr_assert_eq(socket_->collecting, COLLECTING_POLLED, "after %d", i);
    }
    cr_expect_eq(scheduler->totals.memory_pauses, 0);
    fail_once();
    cr_expect_eq(socket_->failures, FAILURES_MOST);
    cr_expect_eq(socket_->collecting, COLLECTING_RESTING);
    cr_expect_eq(scheduler->totals.memory_pauses, 1);
    cr_expect(datagrams_of(scheduler)->rest.armed);
    fail_once();
    cr_expect_eq(socket_->collecting, COLLECTING_RESTING, "asked once, and it failed again");
    cr_expect_eq(scheduler->totals.memory_pauses, 2);
    failure = 0;
    cr_expect_eq(turn_until(1), 1);
    cr_expect(socket_->failures == 0 && socket_->collecting == COLLECTING_POLLED);
    cr_expect_eq(errors, 0);
    end();
}

static const struct {
    int error;
    bool rests;
    bool is_told;
} failing[] = {
    {-ENOMEM, true, false}, {-ENOBUFS, true, false},      {-EAGAIN, false, false},
    {-EINTR, false, false}, {-ECONNREFUSED, false, true}, {-EMSGSIZE, false, true},
};

Test(collect, an_error_is_told_and_a_lack_of_memory_waited_out)
{
    begin(SHARE);
    for (size_t i = 0; i < sizeof(failing) / sizeof(failing[0]); i++) {
        uint64_t pauses = scheduler->totals.memory_pauses;
        errors = 0;
        failure = failing[i].error;
        say(1);
        fail_once();
        cr_expect_eq(socket_->failures, 1, "%d", failing[i].error);
        cr_expect_eq(socket_->collecting, failing[i].rests ? COLLECTING_RESTING : COLLECTING_POLLED,
                     "%d", failing[i].error);
        cr_expect_eq(scheduler->totals.memory_pauses - pauses, failing[i].rests, "%d",
                     failing[i].error);
        cr_expect_eq(errors, failing[i].is_told, "%d", failing[i].error);
        cr_expect(!failing[i].is_told || last_error == failing[i].error);
        failure = 0;
        (void)turn_until((int)i + 1);
    }
    end();
}

/* One that came alone is not likely to be followed; several are; as many as were asked for are. */
Test(collect, more_is_expected_where_more_than_one_has_come)
{
    begin(SHARE);
    say(1);
    cr_expect_eq(turn_until(1), 1);
    cr_expect_eq(socket_->collecting, COLLECTING_POLLED);
    say(2);
    cr_expect_eq(turn_until(3), 2);
    cr_expect_eq(socket_->collecting, COLLECTING_LISTED);
    cr_expect(task_is_queued(&datagrams_of(scheduler)->end_turn));
    scheduler_turn(scheduler);
    cr_expect_eq(socket_->collecting, COLLECTING_POLLED, "nothing has come");
    say(SHARE + 1);
    cr_expect_eq(turn_until(3 + SHARE + 1), SHARE + 1, "in the same turn");
    end();
}

/* A share when it hears of them, and so many more at the turn's end. */
Test(collect, a_turn_has_so_many)
{
    begin(SHARE);
    say(SHARE + TURN_MOST + SHARE);
    cr_expect_eq(turn_until(1), SHARE + TURN_MOST);
    cr_expect_eq(socket_->collecting, COLLECTING_LISTED);
    scheduler_turn(scheduler);
    cr_expect_eq(packets, SHARE + TURN_MOST + SHARE, "the next has the rest, without being told");
    cr_expect(scheduler->totals.packets_received == (uint64_t)packets &&
              scheduler->totals.bytes_received == (uint64_t)packets);
    end();
}

/* Whole shares in a row: the queue may have been full. */
static const struct {
    uint32_t share;
    int count;
    int looked;
} floods[] = {
    {SHARE, SHARE - 1, 0},
    {SHARE, SHARE, 1},
    {SHARE, LOOKED_EACH - 1, 1},
    {SHARE, LOOKED_EACH, 1},
    {SHARE, LOOKED_EACH + 1, 1},
    {SHARE, LOOKED_EACH + SHARE, 2},
    {1, 1, 0},
    {1, 2, 1},
};

Test(collect, what_was_dropped_is_looked_for_where_the_queue_was_long)
{
    for (size_t i = 0; i < sizeof(floods) / sizeof(floods[0]); i++) {
        begin(floods[i].share);
        packets = looked = 0;
        say(floods[i].count);
        (void)turn_until(floods[i].count);
        while (socket_->collecting != COLLECTING_POLLED)
            scheduler_turn(scheduler);
        cr_expect_eq(looked, floods[i].looked, "row %zu: %d", i, looked);
        cr_expect_eq(socket_->in_row, 0, "row %zu: %u", i, socket_->in_row);
        end();
    }
}

static void expect_place(const char *what, uint32_t buffer, bool runs, bool is_pools)
{
    struct intake *buffers = &datagrams_of(scheduler)->buffers;
    socket_->slot.options->values.buffer = buffer;
    socket_->has_runs = runs;
    buffers->headers[0].msg_len = 0;
    say(1);
    (void)turn_until(packets + 1);
    cr_expect_eq(buffers->headers[0].msg_len, is_pools, "%s", what);
}

/* The pool's buffers are for what has room there for certain. */
Test(collect, comes_into_buffers_of_the_pool_or_blocks)
{
    begin(SHARE);
    uint32_t fits = scheduler->buffers->size - (uint32_t)arrival_room(0);
    expect_place("just fits", fits, false, true);
    expect_place("does not fit", fits + 1, false, false);
    expect_place("a run may", fits, true, false);
    end();
}

static const struct {
    int32_t active;
    uint32_t most;
} wants[] = {
    {WEIR_ACTIVE_TRUE, SHARE},  {WEIR_ACTIVE_ONCE, SHARE},
    {WEIR_ACTIVE_FALSE, SHARE}, {1, 1},
    {SHARE - 1, SHARE - 1},     {SHARE, SHARE},
    {SHARE + 1, SHARE},
};

Test(collect, no_more_than_are_wanted_are_asked_for)
{
    begin(SHARE);
    for (size_t i = 0; i < sizeof(wants) / sizeof(wants[0]); i++) {
        socket_->active = wants[i].active;
        cr_expect_eq(handout_most(socket_), wants[i].most, "row %zu", i);
    }
    socket_->active = WEIR_ACTIVE_TRUE;
    end();
}

static int runs_are_on(void)
{
    int on = -1;
    socklen_t size = sizeof(on);
    cr_assert_eq(getsockopt(socket_->slot.fd, IPPROTO_UDP, UDP_GRO, &on, &size), 0);
    return on;
}

/* Not while there may be some that wait. */
Test(collect, the_kernel_puts_nothing_together_any_more)
{
    const int on = 1;
    begin(SHARE);
    cr_assert_eq(setsockopt(socket_->slot.fd, IPPROTO_UDP, UDP_GRO, &on, sizeof(on)), 0);
    datagram_learn(socket_);
    cr_assert(socket_->has_runs);
    say(1);
    datagram_leave_runs(socket_);
    cr_expect(socket_->leaves_runs && socket_->has_runs && runs_are_on() == 1);
    (void)turn_until(1);
    cr_expect(!socket_->leaves_runs && !socket_->has_runs && runs_are_on() == 0);
    end();
}

/* A poll that has failed is not made again at once; one that was cancelled is none that has. */
Test(collect, a_poll_that_fails_is_made_again_later)
{
    begin(SHARE);
    socket_->collecting = COLLECTING_NOT;
    collect_readable(scheduler, &socket_->slot, &(struct ring_completion){.result = -ENOMEM});
    cr_expect_eq(socket_->collecting, COLLECTING_RESTING);
    cr_expect_eq(scheduler->totals.memory_pauses, 1);
    collect_stop(scheduler, socket_);
    cr_expect_eq(socket_->collecting, COLLECTING_NOT);
    cr_expect(slot_list_is_empty(&datagrams_of(scheduler)->resting));
    socket_->collecting = COLLECTING_POLLED;
    cr_expect(!collect_is_cancelled(&socket_->slot));
    collect_stop(scheduler, socket_);
    cr_expect(collect_is_cancelled(&socket_->slot));
    end();
}

/* It would hold a buffer of the pool for as long as nobody asks. */
Test(collect, what_nobody_wants_is_moved_out_of_the_pool)
{
    struct msghdr message;
    struct iovec piece;
    begin(SHARE);
    uint32_t available = buffer_pool_available(scheduler->buffers);
    struct weir_buffer *buffer = buffer_pool_take(scheduler->buffers);
    cr_assert_not_null(buffer);
    arrival_ask(buffer, false, &message, &piece);
    memcpy(message.msg_name, &address, sizeof(address));
    message.msg_namelen = sizeof(address);
    message.msg_controllen = 0;
    memcpy(piece.iov_base, "abc", 3);
    cr_assert(arrival_read(buffer, &message, 3, 100));
    socket_->active = WEIR_ACTIVE_FALSE;
    collect_stop(scheduler, socket_);
    while (socket_->collecting != COLLECTING_NOT)
        scheduler_turn(scheduler);
    handout_append(socket_, buffer);
    collect_go_on(scheduler, socket_);
    cr_expect_eq(socket_->collecting, COLLECTING_LISTED);
    scheduler_turn(scheduler);
    const struct weir_buffer *kept = socket_->waiting.first;
    cr_assert(kept && kept != buffer && !kept->pool);
    cr_expect_eq(memcmp(arrival_next(kept).bytes, "abc", 3), 0);
    cr_expect_eq(buffer_pool_available(scheduler->buffers), available);
    cr_expect_eq(scheduler->totals.copied_bytes, kept->filled);
    cr_expect_eq(packets, 0);
    socket_->active = WEIR_ACTIVE_TRUE;
    collect_go_on(scheduler, socket_);
    cr_expect(packets == 1 && !socket_->waiting.first);
    end();
}

/* As far as the kernel says it. */
Test(collect, counts_what_was_dropped)
{
    begin(SHARE);
    cr_expect_eq(datagram_dropped(socket_), 0);
    int fd = socket_->slot.fd;
    socket_->received->dropped = 7;
    socket_->slot.fd = -1;
    cr_expect_eq(datagram_dropped(socket_), 7);
    socket_->slot.fd = fd;
    socket_->received->dropped = 0;
    end();
}

/* Those of a service have theirs in common until one is set. */
Test(collect, needs_memory_for_options_of_its_own)
{
    const weir_option option = WEIR_READ_PACKETS(5);
    begin(SHARE);
    struct option_block *shared = option_block_share(socket_->slot.options);
    memory_fail_nth(1);
    cr_expect_eq(datagram_set_option(scheduler, &socket_->slot, &option), -ENOMEM);
    memory_fail_nth(0);
    cr_expect_eq(datagram_values(socket_)->read_packets, SHARE);
    cr_expect_eq(datagram_set_option(scheduler, &socket_->slot, &option), 0);
    cr_expect_eq(datagram_values(socket_)->read_packets, 5);
    cr_expect_eq(shared->values.read_packets, SHARE);
    option_block_drop(shared);
    end();
}

static int gro(void)
{
    int on = -1;
    socklen_t size = sizeof(on);
    cr_assert_eq(getsockopt(socket_->slot.fd, IPPROTO_UDP, UDP_GRO, &on, &size), 0);
    return on;
}

static const struct {
    bool readable[2]; /* before the option is off, and after */
    int on;
    bool leaves;
} leavings[] = {
    {{true, true}, 1, true},
    {{false, true}, 1, true},
    {{false, false}, 0, false},
};

/* What came as a run is told apart only while the kernel says how: so it stays on while one may be
 * there, or has come just then. */
Test(collect, leaves_runs_when_none_is_left)
{
    const int on = 1;
    begin(SHARE);
    cr_assert_eq(setsockopt(socket_->slot.fd, IPPROTO_UDP, UDP_GRO, &on, sizeof(on)), 0);
    datagram_learn(socket_);
    for (size_t i = 0; i < sizeof(leavings) / sizeof(leavings[0]); i++) {
        readable = leavings[i].readable;
        datagram_leave_runs(socket_);
        readable = NULL;
        cr_expect_eq(gro(), leavings[i].on, "row %zu", i);
        cr_expect_eq(socket_->leaves_runs, leavings[i].leaves, "row %zu", i);
        cr_expect_eq(socket_->has_runs, leavings[i].leaves, "row %zu", i);
    }
    end();
}
