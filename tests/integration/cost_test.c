/* SPDX-License-Identifier: MIT */
/* What the hot path costs: no allocation per packet, and one system call per turn. */
#include "support/loopback.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/memory.h"

enum { WARM = 200, ROUNDS = 5000 };

static void echo(weir_socket socket, const weir_packet *packet, void *data)
{
    (void)data;
    cr_expect(weir_send_packet(socket, packet) == 0);
}

static void echo_once(weir_socket socket, const weir_packet *packet, void *data)
{
    echo(socket, packet, data);
    cr_expect(weir_setopts(socket, WEIR_OPTIONS(WEIR_ACTIVE(WEIR_ACTIVE_ONCE))) == 0);
}

/* A copy of one's own, as a handler that makes its answer has it. */
static void answer(weir_socket socket, const weir_packet *packet, void *data)
{
    char bytes[64];
    size_t size = packet->size < sizeof(bytes) ? packet->size : sizeof(bytes);
    (void)data;
    memcpy(bytes, packet->bytes, size);
    cr_expect(weir_send(socket, bytes, size) == 0);
}

struct cost {
    uint64_t allocations;
    uint64_t turns;
    uint64_t system_calls;
    uint64_t copied_bytes;
};

static struct cost cost_so_far(const struct loopback *loopback)
{
    weir_totals totals;
    settle(loopback->listener);
    weir_get_totals(loopback->runtime, 0, &totals);
    return (struct cost){memory_allocation_count(), totals.turns, totals.system_calls,
                         totals.copied_bytes};
}

static void go_round(int peer, size_t size, int rounds)
{
    char *bytes = calloc(1, size + 4);
    char *back = malloc(size + 4);
    bytes[2] = (char)(size >> 8);
    bytes[3] = (char)size;
    for (int i = 0; i < rounds; i++) {
        peer_write(peer, bytes, size + 4);
        peer_read(peer, back, size + 4);
    }
    cr_assert(memcmp(bytes, back, 4) == 0);
    free(bytes);
    free(back);
}

static struct cost measure(const weir_handler *handler, const char *more, size_t size)
{
    char options[128];
    struct loopback loopback = loopback_start(NULL);
    weir_option *parsed;
    snprintf(options, sizeof(options), "[{packet,4},{nodelay,true}%s]", more);
    GIVES(weir_options_parse(options, &parsed), 0);
    GIVES(weir_tcp_serve(loopback.runtime, "127.0.0.1", 0, parsed, weir_handled_by(handler, NULL),
                         &loopback.listener),
          0);
    weir_options_free(parsed);
    loopback.peer = peer_connect(weir_port(loopback.listener));
    go_round(loopback.peer, size, WARM);
    struct cost before = cost_so_far(&loopback);
    go_round(loopback.peer, size, ROUNDS);
    struct cost after = cost_so_far(&loopback);
    loopback_close(&loopback);
    return (struct cost){after.allocations - before.allocations, after.turns - before.turns,
                         after.system_calls - before.system_calls,
                         after.copied_bytes - before.copied_bytes};
}

static void expect_cheap(struct cost cost)
{
    cr_expect(cost.allocations == 0, "%lu allocations for %d packets",
              (unsigned long)cost.allocations, ROUNDS);
    cr_expect(cost.system_calls <= cost.turns + 4, "%lu system calls in %lu turns",
              (unsigned long)cost.system_calls, (unsigned long)cost.turns);
    cr_expect(cost.turns <= 2 * ROUNDS + 100, "%lu turns", (unsigned long)cost.turns);
}

Test(cost, echo_small)
{
    static const weir_handler handler = {.packet = echo};
    struct cost cost = measure(&handler, "", 64);
    expect_cheap(cost);
    cr_expect(cost.copied_bytes == 0, "%lu bytes moved", (unsigned long)cost.copied_bytes);
}

Test(cost, echo_by_reference)
{
    static const weir_handler handler = {.packet = echo};
    expect_cheap(measure(&handler, "", 6000));
}

Test(cost, echo_active_once)
{
    static const weir_handler handler = {.packet = echo_once};
    expect_cheap(measure(&handler, ",{active,once}", 64));
}

Test(cost, answer_of_ones_own)
{
    static const weir_handler handler = {.packet = answer};
    expect_cheap(measure(&handler, "", 64));
}

Test(cost, echo_delayed)
{
    static const weir_handler handler = {.packet = echo};
    expect_cheap(measure(&handler, ",{delay_send,true}", 64));
}

/* An idle runtime does nothing at all. */
Test(cost, idle)
{
    struct loopback loopback = loopback_open("[{active,true}]");
    struct cost before = cost_so_far(&loopback);
    weir_message message;
    GIVES(weir_mailbox_receive(loopback.mailbox, 300, &message), WEIR_TIMEOUT);
    struct cost after = cost_so_far(&loopback);
    cr_expect(after.turns - before.turns <= 10, "%lu turns",
              (unsigned long)(after.turns - before.turns));
    cr_expect(after.allocations == before.allocations);
    loopback_close(&loopback);
}

struct closing {
    weir_socket dead;
    double least_ns;
};

/* The cheapest of several batches: what else runs on the machine only adds. */
static void close_dead(void *data)
{
    enum { BATCHES = 50, CLOSES = 20 };
    struct closing *closing = data;
    closing->least_ns = 1e12;
    for (int batch = 0; batch < BATCHES; batch++) {
        struct timespec begin;
        struct timespec end;
        clock_gettime(CLOCK_MONOTONIC, &begin);
        for (int i = 0; i < CLOSES; i++)
            weir_close(closing->dead);
        clock_gettime(CLOCK_MONOTONIC, &end);
        double ns =
            ((double)(end.tv_sec - begin.tv_sec) * 1e9 + (double)(end.tv_nsec - begin.tv_nsec)) /
            CLOSES;
        closing->least_ns = ns < closing->least_ns ? ns : closing->least_ns;
    }
}

Test(cost, closing_what_is_closed_does_not_depend_on_mailboxes)
{
    enum { MAILBOXES = 10000 };
    static weir_mailbox *mailboxes[MAILBOXES];
    struct loopback loopback = loopback_open("[{active,false}]");
    struct closing closing = {.dead = loopback.socket};
    weir_close(loopback.socket);
    run_there(loopback.runtime, 0, close_dead, &closing);
    double with_one = closing.least_ns;
    for (int i = 0; i < MAILBOXES; i++)
        GIVES(weir_mailbox_create(&mailboxes[i]), 0);
    run_there(loopback.runtime, 0, close_dead, &closing);
    cr_assert(closing.least_ns < 20 * with_one + 1000, "%.0f ns with %d mailboxes, %.0f with one",
              closing.least_ns, MAILBOXES, with_one);
    printf("closing a dead socket: %.0f ns with one mailbox, %.0f with %d\n", with_one,
           closing.least_ns, MAILBOXES);
    for (int i = 0; i < MAILBOXES; i++)
        weir_mailbox_destroy(mailboxes[i]);
    loopback_close(&loopback);
}

static uint64_t turns_of(weir_runtime *runtime)
{
    weir_totals totals;
    GIVES(weir_get_totals(runtime, 0, &totals), 0);
    return totals.turns;
}

/* What is a call to a thread is one turn of the scheduler, not one for each thing it looks at. */
Test(cost, a_thread_s_setopts_and_close_take_one_turn)
{
    enum { CALLS = 500 };
    struct loopback loopback = loopback_open("[{active,false}]");
    uint64_t before = turns_of(loopback.runtime);
    for (int i = 0; i < CALLS; i++)
        GIVES(weir_setopts(loopback.socket, WEIR_OPTIONS(WEIR_PACKET(i % 2 ? 1 : 2))), 0);
    uint64_t turns = turns_of(loopback.runtime) - before;
    cr_assert(turns < CALLS + CALLS / 2, "%lu turns for %d setopts", (unsigned long)turns, CALLS);
    weir_close(loopback.socket);
    before = turns_of(loopback.runtime);
    for (int i = 0; i < CALLS; i++)
        weir_close(loopback.socket);
    turns = turns_of(loopback.runtime) - before;
    cr_assert(turns < CALLS + CALLS / 2, "%lu turns for %d closes", (unsigned long)turns, CALLS);
    loopback_close(&loopback);
}

static uint64_t busy_ms(const struct loopback *loopback)
{
    weir_totals totals;
    weir_get_totals(loopback->runtime, 0, &totals);
    return totals.busy_ns / 1000000;
}

/* A scheduler that has had something to do looks for more before it sleeps. */
Test(cost, looks_before_it_sleeps)
{
    enum { LOOKS_MS = 1000, LEAST_MS = 20 };
    struct loopback loopback =
        loopback_start(&(weir_config){.schedulers = 1, .busy_wait_us = 1000 * LOOKS_MS});
    loopback.listener = listen_with(loopback.runtime, "[{active,true}]");
    loopback_reopen(&loopback);
    peer_say(loopback.peer, "a");
    expect_text(&loopback, "a");
    uint64_t before = busy_ms(&loopback);
    EVENTUALLY(busy_ms(&loopback) >= before + LEAST_MS); /* the rest of a second, for others */
    loopback_close(&loopback);
}

/* Who has sent, and has nothing queued any more, has no more memory than who never has. */

enum { PEERS = 20 };

static struct {
    weir_socket sockets[PEERS];
    uint32_t count;
} idle;

static void note_idle(weir_socket socket, void *data)
{
    (void)data;
    idle.sockets[idle.count] = socket;
    __atomic_store_n(&idle.count, idle.count + 1, __ATOMIC_RELEASE);
}

static const weir_handler idle_handler = {.accepted = note_idle, .packet = answer};

static void by_its_handler(int peer, weir_socket socket)
{
    (void)socket;
    peer_say(peer, "a");
    peer_expect(peer, "a");
}

static void by_a_thread(int peer, weir_socket socket)
{
    GIVES(weir_send(socket, "a", 1), 0);
    peer_expect(peer, "a");
}

static void an_empty_one(int peer, weir_socket socket)
{
    GIVES(weir_send(socket, "", 0), 0);
    by_a_thread(peer, socket);
    GIVES(weir_send(socket, "", 0), 0);
}

static void expect_nothing_held(void (*send)(int peer, weir_socket socket), const char *text)
{
    int peers[PEERS];
    weir_option *options;
    struct loopback loopback = loopback_start(NULL);
    idle.count = 0;
    GIVES(weir_options_parse(text, &options), 0);
    GIVES(weir_tcp_serve(loopback.runtime, "127.0.0.1", 0, options,
                         weir_handled_by(&idle_handler, NULL), &loopback.listener),
          0);
    weir_options_free(options);
    for (uint32_t i = 0; i < PEERS; i++) {
        peers[i] = peer_connect(weir_port(loopback.listener));
        EVENTUALLY(__atomic_load_n(&idle.count, __ATOMIC_ACQUIRE) == i + 1);
    }
    send(peers[0], idle.sockets[0]);
    settle(loopback.listener);
    int64_t before = memory_live_count();
    for (int i = 1; i < PEERS; i++)
        send(peers[i], idle.sockets[i]);
    EVENTUALLY(memory_live_count() < before + PEERS / 4);
    for (int i = 0; i < PEERS; i++)
        peer_leave(&peers[i]);
    loopback_close(&loopback);
}

Test(cost, who_has_sent_holds_nothing)
{
    expect_nothing_held(by_its_handler, "[]");
    expect_nothing_held(by_its_handler, "[{delay_send,true}]");
    expect_nothing_held(by_a_thread, "[]");
    expect_nothing_held(an_empty_one, "[]");
}
