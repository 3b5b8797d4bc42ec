/* SPDX-License-Identifier: MIT */
/* What lies ready for a thread that reads: what may, what it takes of it, and what the connection
 * has left when its scheduler takes it back. */
#include "runtime/stream/shelf.h"

#include <criterion/criterion.h>
#include <pthread.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/memory.h"
#include "options/option_block.h"
#include "runtime/scheduler/scheduler.h"
#include "runtime/stream/input.h"
#include "runtime/stream/stream.h"

enum { PACKETS = 1024 };

static const weir_socket socket_of_test = {.id = 77};
static struct scheduler scheduler;
static struct option_block block = {.refs = 1};
static struct stream stream;
static uint8_t bytes[2000];

static void begin(uint8_t packet, size_t size)
{
    for (size_t i = 0; i < sizeof(bytes); i++)
        bytes[i] = (uint8_t)(i * 7 + i / 251);
    block.values =
        (struct option_values){.packet = packet, .buffer = 1 << 20, .limits.line_length = 1 << 20};
    stream = (struct stream){.slot = {.state = SOCKET_OPEN, .options = &block},
                             .active = WEIR_ACTIVE_FALSE};
    scheduler = (struct scheduler){0};
    scheduler_own = &scheduler;
    if (size > 0)
        cr_assert_eq(input_append(&scheduler, &stream, (struct framing_span){bytes, size},
                                  (struct begun_packet){.needed = 9}),
                     0);
}

static void fill(weir_socket socket)
{
    struct shelf *shelf = shelf_lend(socket);
    cr_assert_not_null(shelf);
    shelf_fill(shelf, &stream);
    shelf_return(shelf);
}

static void finish(void)
{
    input_drop(&stream);
    shelf_forget_all();
    cr_expect_eq(memory_live_count(), 0);
    shelf_forget_all();
}

static bool takes(size_t length, const uint8_t *expected, size_t size)
{
    weir_packet packet;
    if (!shelf_take(socket_of_test, length, &packet))
        return false;
    cr_expect_eq(packet.size, size, "%zu", packet.size);
    cr_expect(packet.size == size && memcmp(packet.bytes, expected, size) == 0);
    weir_packet_release(&packet);
    return true;
}

Test(shelf, what_is_taken_is_counted_when_it_comes_back)
{
    begin(WEIR_RAW, 100);
    fill(socket_of_test);
    cr_expect(shelf_is_lent(&stream));
    cr_expect(takes(10, bytes, 10) && takes(30, bytes + 10, 30));
    cr_expect(!takes(61, NULL, 0), "there are sixty");
    cr_expect_eq(input_size(&stream), 100);
    input_settle(&stream);
    cr_expect(!shelf_is_lent(&stream) && input_size(&stream) == 60);
    cr_expect(stream.received.count == 2 && stream.received.octets == 40);
    cr_expect(stream.received_max == 30 && scheduler.totals.packets_received == 2);
    cr_expect_eq(input_begun(&stream).needed, 0, "another packet comes first now");
    cr_expect(!takes(1, NULL, 0), "it is the scheduler's again");
    finish();
}

Test(shelf, may_come_back_untouched_or_empty)
{
    begin(WEIR_RAW, 100);
    fill(socket_of_test);
    input_settle(&stream);
    cr_expect(input_size(&stream) == 100 && input_begun(&stream).needed == 9);
    cr_expect_eq(stream.received.count, 0);
    fill(socket_of_test);
    cr_expect(takes(0, bytes, 100) && !takes(0, NULL, 0));
    input_settle(&stream);
    cr_expect(stream.input == NULL && stream.received.octets == 100);
    input_settle(&stream);
    finish();
}

/* What comes meanwhile lies behind what the thread sees, and where the block moves. */
Test(shelf, more_may_come_behind_what_lies_on_it)
{
    begin(WEIR_RAW, 200);
    input_consume(&stream, 100);
    fill(socket_of_test);
    cr_assert_eq(input_append(&scheduler, &stream, (struct framing_span){bytes + 200, 300},
                              (struct begun_packet){0}),
                 0);
    cr_expect(takes(60, bytes + 100, 60) && !takes(50, NULL, 0));
    cr_expect(shelf_is_lent(&stream));
    input_settle(&stream);
    cr_expect_eq(input_size(&stream), 340);
    cr_expect_eq(memcmp(stream.input->bytes + stream.input->start, bytes + 160, 340), 0);
    finish();
}

Test(shelf, holds_so_many_packets)
{
    begin(WEIR_RAW, PACKETS + 10);
    fill(socket_of_test);
    for (size_t i = 0; i < PACKETS; i++)
        cr_assert(takes(1, bytes + i, 1), "%zu", i);
    cr_expect(!takes(1, NULL, 0));
    input_settle(&stream);
    cr_expect(input_size(&stream) == 10 && stream.received.count == PACKETS);
    finish();
}

/* Each has its header; a length is for raw bytes. */
Test(shelf, has_packets_whole)
{
    begin(WEIR_1, 0);
    static const uint8_t two[] = {2, 'a', 'b', 0, 3, 'c', 'd'};
    cr_assert_eq(input_append(&scheduler, &stream, (struct framing_span){two, sizeof(two)},
                              (struct begun_packet){0}),
                 0);
    fill(socket_of_test);
    cr_expect(!takes(1, NULL, 0));
    cr_expect(takes(0, two + 1, 2) && takes(0, two, 0) && !takes(0, NULL, 0));
    input_settle(&stream);
    cr_expect(input_size(&stream) == 3 && stream.received.octets == 4);
    finish();
}

static void be_gone(void)
{
    stream.slot.state = SOCKET_GONE;
}

static void be_active(void)
{
    stream.active = WEIR_ACTIVE_ONCE;
}

static void have_a_receiver(void)
{
    stream.waiter = (struct call *)&scheduler;
}

static void be_filled(void)
{
    stream.reading = READING_INTO;
}

static void have_bit8(void)
{
    block.values.bit8 = WEIR_BIT8_ON;
}

static void have_http(void)
{
    block.values.packet = WEIR_HTTP;
}

static void have_nothing(void)
{
    input_drop(&stream);
}

static const struct {
    const char *name;
    void (*make)(void);
} reasons[] = {
    {"gone", be_gone},           {"active", be_active}, {"another receiver", have_a_receiver},
    {"being filled", be_filled}, {"bit8", have_bit8},   {"http", have_http},
    {"nothing", have_nothing},
};

Test(shelf, stays_empty_for_a_reason)
{
    for (size_t i = 0; i < sizeof(reasons) / sizeof(reasons[0]); i++) {
        begin(WEIR_RAW, 100);
        reasons[i].make();
        fill(socket_of_test);
        cr_expect(!shelf_is_lent(&stream) && !takes(1, NULL, 0), "%s", reasons[i].name);
        stream.waiter = NULL;
        finish();
    }
}

Test(shelf, is_one_threads_at_a_time)
{
    begin(WEIR_RAW, 100);
    struct shelf *mine = shelf_lend(socket_of_test);
    struct shelf *others = shelf_lend(socket_of_test);
    cr_assert(mine && others && mine != others);
    shelf_fill(mine, &stream);
    shelf_fill(others, &stream);
    shelf_fill(mine, &stream);
    shelf_return(others);
    cr_expect(!takes(1, NULL, 0));
    shelf_return(mine);
    cr_expect(takes(1, bytes, 1));
    cr_expect(shelf_lend(socket_of_test) == mine, "what lies on it is lent along");
    shelf_return(mine);
    finish();
}

/* A thread that reads many connections has a few shelves: who comes later has the place. */
Test(shelf, gives_way_to_another_connections)
{
    begin(WEIR_RAW, 100);
    fill(socket_of_test);
    for (uint64_t id = 78; id < 200; id++) {
        struct shelf *shelf = shelf_lend((weir_socket){id});
        weir_packet packet;
        cr_expect(!shelf_take((weir_socket){id}, 1, &packet));
        shelf_return(shelf);
    }
    cr_expect(takes(1, bytes, 1), "those lay nothing on theirs");
    struct stream first = stream;
    for (uint64_t id = 78; id < 200; id++) {
        begin(WEIR_RAW, 100);
        fill((weir_socket){id});
        input_drop(&stream);
    }
    cr_expect(!takes(1, NULL, 0));
    stream = first;
    input_settle(&stream);
    cr_expect_eq(input_size(&stream), 99, "nothing is lost");
    finish();
}

/* A few at once. */
Test(shelf, of_some_connections_are_read_in_turn)
{
    enum { MANY = 16 };
    struct stream streams[MANY];
    int taken = 0;
    for (uint64_t id = 0; id < MANY; id++) {
        begin(WEIR_RAW, 100);
        fill((weir_socket){id + 1});
        streams[id] = stream;
    }
    for (uint64_t id = 0; id < MANY; id++) {
        weir_packet packet;
        if (shelf_take((weir_socket){id + 1}, 1, &packet)) {
            weir_packet_release(&packet);
            taken++;
        }
        input_drop(&streams[id]);
    }
    cr_expect(taken >= 4 && taken <= 8, "%d", taken);
    stream.input = NULL;
    finish();
}

/* What is known of one connection's packet is not another's. */
Test(shelf, begins_afresh)
{
    static const uint8_t lines[] = "a\nbcdefghijklmnopqrstuvwxyz";
    begin(WEIR_LINE, 0);
    block.values.limits.line_delimiter = '\n';
    cr_assert_eq(input_append(&scheduler, &stream, (struct framing_span){lines + 2, 20},
                              (struct begun_packet){0}),
                 0);
    fill(socket_of_test);
    cr_expect(!takes(0, NULL, 0));
    input_drop(&stream);
    cr_assert_eq(input_append(&scheduler, &stream, (struct framing_span){lines, 20},
                              (struct begun_packet){0}),
                 0);
    fill(socket_of_test);
    cr_expect(takes(0, lines, 2));
    finish();
}

/* One that is empty holds nothing of the connection's, and one of those is enough. */
Test(shelf, one_is_kept_empty)
{
    begin(WEIR_RAW, 100);
    fill(socket_of_test);
    input_drop(&stream);
    cr_expect_eq(memory_live_count(), 2, "it has the bytes still");
    shelf_return(shelf_lend(socket_of_test));
    cr_expect_eq(memory_live_count(), 1);
    struct shelf *one = shelf_lend(socket_of_test);
    struct shelf *other = shelf_lend((weir_socket){78});
    shelf_return(one);
    shelf_return(other);
    cr_expect_eq(memory_live_count(), 1);
    finish();
}

static void *read_and_end(void *unused)
{
    (void)unused;
    fill(socket_of_test);
    cr_expect(takes(10, bytes, 10));
    return NULL;
}

Test(shelf, ends_with_its_thread)
{
    pthread_t thread;
    begin(WEIR_RAW, 100);
    pthread_create(&thread, NULL, read_and_end, NULL);
    pthread_join(thread, NULL);
    input_settle(&stream);
    cr_expect_eq(input_size(&stream), 90);
    input_drop(&stream);
    cr_expect_eq(memory_live_count(), 0);
}

/* It has no scheduler. */
Test(shelf, is_not_the_child_s_of_a_fork)
{
    int status;
    begin(WEIR_RAW, 100);
    fill(socket_of_test);
    pid_t child = fork();
    if (child == 0)
        _exit(takes(1, bytes, 1));
    cr_assert_eq(waitpid(child, &status, 0), child);
    cr_expect(WIFEXITED(status) && WEXITSTATUS(status) == 0);
    cr_expect(takes(1, bytes, 1));
    finish();
}

Test(shelf, is_not_needed)
{
    begin(WEIR_RAW, 100);
    memory_fail_nth(1);
    cr_expect_null(shelf_lend(socket_of_test));
    memory_fail_nth(0);
    shelf_return(NULL);
    cr_expect(!takes(1, NULL, 0));
    finish();
}
