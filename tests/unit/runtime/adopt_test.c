/* SPDX-License-Identifier: MIT */
/* Connections that have come, and memory that there is not: each has a socket or has never been,
 * and its place is the next one's. */
#include "runtime/listener/adopt.h"

#include "own_turns.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/memory.h"
#include "options/options.h"
#include "runtime/listener/accept.h"
#include "runtime/listener/incoming.h"
#include "runtime/listener/listener.h"
#include "runtime/listener/listening.h"
#include "runtime/scheduler/registry.h"
#include "runtime/scheduler/scheduler.h"
#include "runtime/stream/open.h"

enum { TURNS_MOST = 2000, LONG_HEADER = 700 };

static struct scheduler *scheduler;
static struct listener *listener;
static struct quota *quota; /* NULL: there is no limit */
static weir_option *options;
static struct sockaddr_in name;

static bool has_no_slot; /* for who has not said whose connection it is */

struct slot *__real_slot_create(struct scheduler *there, enum kind_number kind, int fd,
                                enum weir_family family);
struct slot *__wrap_slot_create(struct scheduler *there, enum kind_number kind, int fd,
                                enum weir_family family);

struct slot *__wrap_slot_create(struct scheduler *there, enum kind_number kind, int fd,
                                enum weir_family family)
{
    bool fails = has_no_slot && kind == KIND_INCOMING;
    return fails ? NULL : __real_slot_create(there, kind, fd, family);
}

static int accepted;
static int gone;
static weir_socket newest;

static void note_accepted(weir_socket socket, void *data)
{
    (void)data;
    accepted++;
    newest = socket;
}

static void take(weir_socket socket, const weir_packet *packet, void *data)
{
    (void)socket, (void)packet, (void)data;
}

static void note_gone(weir_socket socket, void *data)
{
    (void)socket, (void)data;
    gone++;
}

static const weir_handler handler = {.accepted = note_accepted, .packet = take, .gone = note_gone};

static void open_listener(void)
{
    struct option_setup setup;
    socklen_t size = sizeof(name);
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    name = (struct sockaddr_in){.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    cr_assert_eq(bind(fd, (struct sockaddr *)&name, sizeof(name)), 0);
    cr_assert_eq(listen(fd, 5), 0);
    cr_assert_eq(getsockname(fd, (struct sockaddr *)&name, &size), 0);
    cr_assert_eq(options_set_up(&setup, OPTION_LISTEN, NULL, options), 0);
    listener = listener_create(scheduler, fd, WEIR_INET, &setup.values);
    cr_assert_not_null(listener);
    slot_move(&listener->slot, SOCKET_ESTABLISH);
    listener->listening = listening_create(scheduler, listener);
    cr_assert_not_null(listener->listening);
}

static void begin(const char *text, uint32_t limit, uint32_t proxy_timeout_ms)
{
    cr_assert_eq(weir_options_parse(text, &options), 0, "%s", weir_last_error_text());
    scheduler = own_turns_begin();
    registry_publish(scheduler->index, scheduler);
    open_listener();
    listener->listening->proxy_timeout_ms = proxy_timeout_ms;
    quota = limit > 0 ? quota_create(limit) : NULL;
    cr_assert(!quota || accept_limit(scheduler, listener, quota) == 0);
    accepted = gone = 0;
}

static void end(void)
{
    if (listener)
        slot_end(scheduler, &listener->slot, END_CLOSED);
    if (quota)
        quota_drop(quota);
    registry_withdraw(scheduler->index);
    registry_end(scheduler->index);
    own_turns_end(scheduler);
    weir_options_free(options);
}

static int connect_with(const char *header, size_t size)
{
    int client = socket(AF_INET, SOCK_STREAM, 0);
    cr_assert_eq(connect(client, (struct sockaddr *)&name, sizeof(name)), 0);
    cr_assert_eq(send(client, header, size, 0), (ssize_t)size);
    return client;
}

static bool is_closed(int client)
{
    char byte;
    ssize_t result = recv(client, &byte, 1, MSG_DONTWAIT);
    return result == 0 || (result < 0 && errno == ECONNRESET);
}

static void turn_some(void)
{
    for (int i = 0; i < 10; i++)
        scheduler_turn(scheduler);
}

/* Until the client is somebody, or nobody. */
static void turn_until_known(int client, int before)
{
    for (int i = 0; accepted == before && !is_closed(client); i++) {
        cr_assert_lt(i, TURNS_MOST, "what has come is neither served nor closed");
        scheduler_turn(scheduler);
    }
}

static void let_go(int client)
{
    int before = gone;
    (void)weir_close(newest);
    for (int i = 0; gone == before; i++) {
        cr_assert_lt(i, TURNS_MOST);
        scheduler_turn(scheduler);
    }
    close(client);
}

/* Of whoever has the only place the next one hears. */
static void expect_place_taken(const char *header, size_t size)
{
    int before = accepted;
    weir_socket first = newest;
    int next = connect_with(header, size);
    turn_some();
    cr_expect_eq(accepted, before, "more than there are places for");
    newest = first;
    (void)weir_close(first);
    turn_until_known(next, before);
    cr_expect_eq(accepted, before + 1);
    let_go(next);
}

/* A header of the second version: of a connection from 192.0.2.1, and much that nobody reads. */
static void write_long_header(char *header)
{
    static const char start[] = "\r\n\r\n\0\r\nQUIT\n\x21\x11\0\0\xc0\0\2\1\xc0\0\2\2\0\1\0\2\x04";
    size_t size = LONG_HEADER - 16;
    memset(header, 0, LONG_HEADER);
    memcpy(header, start, sizeof(start) - 1);
    header[14] = (char)(size >> 8);
    header[15] = (char)size;
    header[29] = (char)((size - 15) >> 8);
    header[30] = (char)(size - 15);
}

static char long_header[LONG_HEADER];

static const struct {
    const char *options;
    uint32_t limit;
    const char *header;
    size_t size;
    int least; /* so many allocations are needed */
} rows[] = {
    {"[]", 0, "", 0, 0},
    {"[]", 1, "", 0, 1},
    {"[{idle_timeout,60000}]", 1, "", 0, 2},
    {"[]", 0, "PROXY TCP4 192.0.2.1 192.0.2.2 1 2\r\n", 36, 2},
    {"[{idle_timeout,60000}]", 1, "PROXY TCP4 192.0.2.1 192.0.2.2 1 2\r\n", 36, 3},
    {"[]", 1, long_header, LONG_HEADER, 4},
};

/* All that is kept of connections is made anew. */
Test(adopt, without_memory_it_has_never_been)
{
    write_long_header(long_header);
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        bool reached = true;
        int failed = 0;
        int64_t blocks = memory_live_count();
        for (uint64_t nth = 1; reached; nth++) {
            cr_assert_lt(nth, 50u);
            begin(rows[i].options, rows[i].limit, rows[i].size > 0 ? 60000 : 0);
            accept_serve(scheduler, listener, weir_handled_by(&handler, NULL));
            uint32_t used = scheduler->slots.used_count;
            int client = connect_with(rows[i].header, rows[i].size);
            uint64_t before = memory_allocation_count();
            memory_fail_nth(nth);
            turn_until_known(client, 0);
            memory_fail_nth(0);
            reached = memory_allocation_count() - before >= nth;
            failed += accepted == 0;
            cr_expect(accepted == 1 || reached, "row %zu", i);
            if (accepted == 0) {
                turn_some();
                cr_expect_eq(gone, 0, "row %zu, allocation %lu", i, nth);
                cr_expect_eq(scheduler->slots.used_count, used, "row %zu, %lu", i, nth);
                close(client);
                client = connect_with(rows[i].header, rows[i].size);
                turn_until_known(client, 0);
                cr_expect_eq(accepted, 1, "row %zu, after allocation %lu", i, nth);
            }
            if (quota)
                expect_place_taken(rows[i].header, rows[i].size);
            else
                let_go(client);
            close(client);
            end();
            cr_expect_eq(memory_live_count(), blocks, "row %zu, allocation %lu", i, nth);
        }
        cr_expect_geq(failed, rows[i].least, "row %zu: %d", i, failed);
    }
}

/* Who has come and not said whose connection it is. */
static struct slot *turn_until_incoming(void)
{
    for (int turn = 0; turn < TURNS_MOST; turn++) {
        scheduler_turn(scheduler);
        for (uint32_t i = 0; i < slot_table_size(&scheduler->slots); i++) {
            struct slot *slot = slot_table_at(&scheduler->slots, i);
            if (slot->kind == KIND_INCOMING && slot->state == SOCKET_OPEN)
                return slot;
        }
    }
    cr_assert_fail("nobody has come");
    return NULL;
}

/* A runtime that stops does not wait for that: neither of who comes then nor of who is there. */
Test(adopt, without_a_header_it_does_not_hold_up_a_stop)
{
    for (int comes_first = 0; comes_first < 2; comes_first++) {
        begin("[]", 1, 60000);
        accept_serve(scheduler, listener, weir_handled_by(&handler, NULL));
        int client = connect_with("", 0);
        if (comes_first)
            (void)turn_until_incoming();
        scheduler_stop(scheduler);
        listener = NULL;
        turn_until_known(client, 0);
        cr_expect(accepted == 0 && gone == 0 && quota_has_room(quota));
        close(client);
        end();
    }
}

/* Nobody would hear of its header. */
Test(adopt, that_cannot_be_waited_for_is_closed)
{
    begin("[]", 1, 60000);
    accept_serve(scheduler, listener, weir_handled_by(&handler, NULL));
    int client = connect_with("", 0);
    struct slot *slot = turn_until_incoming();
    const struct ring_completion failure = {.result = -ENOMEM};
    const struct kind_operation *poll =
        &kind_incoming.operations[OPERATION_IN_KIND(INCOMING_READABLE)];
    cr_expect(!poll->is_unwanted(slot));
    poll->completed(scheduler, slot, &failure);
    cr_expect(slot->state == SOCKET_CLOSED && poll->is_unwanted(slot));
    cr_assert_eq(send(client, "P", 1, 0), 1);
    turn_until_known(client, 0);
    cr_expect(accepted == 0 && quota_has_room(quota));
    close(client);
    end();
}

/* At once: it may say nothing for as long as there is no memory to hear it. */
Test(adopt, that_cannot_be_heard_is_refused)
{
    bool reached = true;
    int refused = 0;
    for (uint64_t nth = 1; reached; nth++) {
        cr_assert_lt(nth, 50u);
        begin("[]", 0, 60000);
        accept_serve(scheduler, listener, weir_handled_by(&handler, NULL));
        int client = connect_with("", 0);
        uint64_t before = memory_allocation_count();
        memory_fail_nth(nth);
        turn_some();
        memory_fail_nth(0);
        reached = memory_allocation_count() - before >= nth;
        cr_expect_eq(is_closed(client), reached, "without allocation %lu", nth);
        refused += scheduler->totals.proxy_refused > 0;
        close(client);
        end();
    }
    cr_expect_eq(refused, 1);
}

Test(adopt, needs_a_slot_for_its_header)
{
    begin("[]", 1, 60000);
    accept_serve(scheduler, listener, weir_handled_by(&handler, NULL));
    has_no_slot = true;
    int client = connect_with("", 0);
    turn_until_known(client, 0);
    cr_expect(accepted == 0 && quota_has_room(quota));
    close(client);
    end();
}
