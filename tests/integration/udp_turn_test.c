/* SPDX-License-Identifier: MIT */
/* UDP sockets that share a port, or a turn. */
#include "integration/plain.h"

#include <errno.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdlib.h>

#include "base/memory.h"

static void echo(weir_socket socket, const weir_packet *packet, void *data)
{
    atomic_int *failures = data;
    if (weir_send_packet(socket, packet) < 0)
        atomic_fetch_add(failures, 1);
}

static const weir_handler echo_handler = {.packet = echo};

/* Who is on which scheduler is the kernel's choice; all of them answer. */
Test(udp_turn, a_service_answers_on_every_scheduler_and_is_one_socket)
{
    enum { PEERS = 24 };
    weir_config config = {.schedulers = 2};
    struct loopback loopback = loopback_start(&config);
    struct plain peers[PEERS];
    atomic_int failures = 0;
    weir_socket socket;
    weir_socket other;
    GIVES(weir_udp_serve(loopback.runtime, "127.0.0.1", 0, NULL,
                         weir_handled_by(&echo_handler, &failures), &socket),
          0);
    uint16_t port = (uint16_t)weir_port(socket);
    for (int i = 0; i < PEERS; i++) {
        peers[i] = plain_open();
        plain_say(&peers[i], socket, "who");
    }
    for (int i = 0; i < PEERS; i++) {
        plain_expect(&peers[i], "who");
        close(peers[i].fd);
    }
    for (int i = 0; i < 2; i++) {
        weir_totals totals;
        GIVES(weir_get_totals(loopback.runtime, i, &totals), 0);
        cr_expect(totals.packets_received > 0, "scheduler %d was left out", i);
    }
    GIVES(weir_udp_open(loopback.runtime, port, WEIR_OPTIONS(WEIR_IP_LOOPBACK()),
                        weir_mailed_to(loopback.mailbox), &other),
          -EADDRINUSE);
    GIVES(weir_close(socket), 0);
    GIVES(weir_udp_open(loopback.runtime, port, WEIR_OPTIONS(WEIR_IP_LOOPBACK()),
                        weir_mailed_to(loopback.mailbox), &other),
          0);
    GIVES(weir_udp_serve(loopback.runtime, "127.0.0.1", port, NULL,
                         weir_handled_by(&echo_handler, &failures), NULL),
          -EADDRINUSE);
    GIVES(weir_udp_serve(loopback.runtime, NULL, 0, NULL, weir_owned_by_nobody(), NULL),
          WEIR_BADARG);
    loopback_close(&loopback);
}

struct order {
    weir_socket first;
    weir_socket second;
    atomic_int before; /* of the first, when the second's came */
    atomic_int count;
};

static void note_order(weir_socket socket, const weir_packet *packet, void *data)
{
    struct order *order = data;
    (void)packet;
    if (weir_same_socket(socket, order->second))
        atomic_store(&order->before, atomic_load(&order->count));
    else
        atomic_fetch_add(&order->count, 1);
}

static const weir_handler order_handler = {.packet = note_order};

struct flood {
    struct order *order;
    const struct plain *plain;
    int count;
};

/* While the scheduler is here nothing is received, so all of it comes in one turn. */
static void flood_both(void *data)
{
    struct flood *flood = data;
    for (int i = 0; i < flood->count; i++)
        plain_say(flood->plain, flood->order->first, "flood");
    plain_say(flood->plain, flood->order->second, "one");
}

Test(udp_turn, read_packets_lets_others_have_their_turn)
{
    enum { COUNT = 15, SHARE = 3 };
    struct loopback loopback = loopback_start(NULL);
    struct plain plain = plain_open();
    struct order order = {.before = -1};
    order.first = open_with(&loopback, "[{ip,{127,0,0,1}},{read_packets,3}]",
                            weir_handled_by(&order_handler, &order));
    order.second = open_with(&loopback, "[{ip,{127,0,0,1}},{read_packets,3}]",
                             weir_handled_by(&order_handler, &order));
    struct flood flood = {&order, &plain, COUNT};
    run_there(loopback.runtime, 0, flood_both, &flood);
    EVENTUALLY(atomic_load(&order.count) == COUNT && atomic_load(&order.before) >= 0);
    cr_expect(atomic_load(&order.before) <= SHARE, "%d before the other's", order.before);
    end(&loopback, &plain);
}

static uint64_t refused_runs(const struct loopback *loopback)
{
    weir_totals totals;
    GIVES(weir_get_totals(loopback->runtime, -1, &totals), 0);
    return totals.refused_runs;
}

/* From one scheduler's turn, so that they leave as one run. */
struct burst {
    weir_socket socket;
    weir_address to;
    int count;
    int failures;
};

static void send_burst(void *data)
{
    struct burst *burst = data;
    char bytes[100];
    for (int i = 0; i < burst->count; i++) {
        memset(bytes, 'a' + i % 26, sizeof(bytes));
        burst->failures += weir_udp_send(burst->socket, &burst->to, bytes, sizeof(bytes)) < 0;
    }
}

static void expect_burst(const struct plain *plain, int count)
{
    char bytes[200];
    for (int i = 0; i < count; i++) {
        ssize_t size = recv(plain->fd, bytes, sizeof(bytes), 0);
        cr_assert(size == 100 && bytes[0] == 'a' + i % 26 && bytes[99] == bytes[0],
                  "%zd bytes of %c as number %d", size, bytes[0], i);
    }
}

/* Without a checksum (SO_NO_CHECK) the kernel cuts nothing apart: EINVAL. */
Test(udp_turn, a_run_that_is_refused_is_sent_again_one_by_one_and_not_tried_again)
{
    enum { COUNT = 10, ROUNDS = 3 };
    struct loopback loopback = loopback_start(NULL);
    struct plain plain = plain_open();
    weir_socket socket =
        open_with(&loopback, "[{ip,{127,0,0,1}},{active,false},{raw,1,11,<<1:32/native>>}]",
                  weir_owned_by_nobody());
    struct burst burst = {socket, plain.address, COUNT, 0};
    for (int round = 0; round < ROUNDS; round++) {
        run_there(loopback.runtime, 0, send_burst, &burst);
        expect_burst(&plain, COUNT);
    }
    cr_expect(burst.failures == 0);
    cr_expect(refused_runs(&loopback) == 1, "%lu", (unsigned long)refused_runs(&loopback));
    EVENTUALLY(statistics_of(socket).send_pend == 0);
    end(&loopback, &plain);
}

Test(udp_turn, what_one_turn_sends_to_a_peer_is_one_operation)
{
    enum { COUNT = 20 };
    struct loopback loopback = loopback_start(NULL);
    struct plain plain = plain_open();
    weir_totals before;
    weir_totals after;
    struct burst burst = {open_passive(&loopback), plain.address, COUNT, 0};
    GIVES(weir_get_totals(loopback.runtime, -1, &before), 0);
    run_there(loopback.runtime, 0, send_burst, &burst);
    expect_burst(&plain, COUNT);
    EVENTUALLY(statistics_of(burst.socket).send_pend == 0);
    settle(burst.socket);
    GIVES(weir_get_totals(loopback.runtime, -1, &after), 0);
    cr_expect(after.packets_sent - before.packets_sent == COUNT);
    cr_expect(after.send_operations - before.send_operations == 1);
    cr_expect(refused_runs(&loopback) == 0);
    end(&loopback, &plain);
}

static void count_error(weir_socket socket, int error, void *data)
{
    (void)socket;
    atomic_fetch_add((atomic_int *)data, error == -ECONNREFUSED);
}

/* No two behind each other are of one size, so that each is a message of its own. */
static void send_lost(void *data)
{
    for (int i = 0; i < 8; i++)
        (void)!weir_udp_send(*(weir_socket *)data, NULL, "lost", 1 + (size_t)i % 2 * 3);
}

/* Every second one of a turn meets what became of the one before it. Not one or two in each turn:
 * those that a turn has left are told of without that. */
Test(udp_turn, what_a_turn_sends_in_vain_is_told_while_it_is_sent)
{
    enum { ROUNDS = 20 };
    static const weir_handler handler = {.packet = echo, .error = count_error};
    struct loopback loopback = loopback_start(NULL);
    struct plain gone = plain_open();
    atomic_int errors = 0;
    weir_socket socket =
        open_with(&loopback, "[{ip,{127,0,0,1}}]", weir_handled_by(&handler, &errors));
    close(gone.fd);
    GIVES(weir_udp_connect(socket, &gone.address), 0);
    for (int round = 0; round < ROUNDS; round++) {
        int before = atomic_load(&errors);
        run_there(loopback.runtime, 0, send_lost, &socket);
        EVENTUALLY(atomic_load(&errors) > before);
    }
    EVENTUALLY(atomic_load(&errors) > 2 * ROUNDS);
    loopback_close(&loopback);
}

/* A poll is ready for as long as they are there; so the socket rests, and takes what comes then. */
Test(udp_turn, errors_that_nobody_reads_are_not_asked_for_over_and_over)
{
    static const weir_handler handler = {.packet = echo, .error = count_error};
    struct loopback loopback = loopback_start(NULL);
    struct plain plain = plain_open();
    struct plain gone = plain_open();
    atomic_int errors = 0;
    weir_totals totals;
    weir_socket socket = open_with(&loopback, "[{ip,{127,0,0,1}},{raw,0,11,<<1,0,0,0>>}]",
                                   weir_handled_by(&handler, &errors)); /* IP_RECVERR */
    close(gone.fd);
    GIVES(weir_udp_send(socket, &gone.address, "lost", 4), 0);
    EVENTUALLY(weir_get_totals(loopback.runtime, -1, &totals) == 0 && totals.memory_pauses >= 2);
    plain_say(&plain, socket, "here");
    plain_expect(&plain, "here");
    end(&loopback, &plain);
}

static void send_run(void *data)
{
    for (int i = 0; i < 8; i++)
        GIVES(weir_udp_send(*(weir_socket *)data, NULL, &"abcdefgh"[i], 1), 0);
}

/* The first of a run tells it, and is not sent; the others are. */
Test(udp_turn, what_became_of_another_costs_one_of_a_run)
{
    struct loopback loopback = loopback_start(NULL);
    struct plain plain = plain_open();
    weir_socket socket = open_passive(&loopback);
    struct plain gone = plain_open();
    GIVES(weir_udp_connect(socket, &gone.address), 0);
    close(gone.fd);
    GIVES(weir_udp_send(socket, NULL, "lost", 4), 0);
    GIVES(weir_udp_connect(socket, &plain.address), 0);
    run_there(loopback.runtime, 0, send_run, &socket);
    for (const char *text = "bcdefgh"; *text; text++)
        plain_expect(&plain, (char[]){*text, '\0'});
    GIVES(weir_udp_send(socket, NULL, "lost", 4), -ECONNREFUSED);
    end(&loopback, &plain);
}

/* A network of its own, slow enough that the kernel's buffer is full. */
static bool be_alone_with_a_slow_network(void)
{
    return unshare(CLONE_NEWNET) == 0 &&
           system("ip link set lo up && tc qdisc add dev lo root tbf rate 8mbit burst 4kb "
                  "limit 10mb") == 0;
}

Test(udp_turn, what_finds_no_room_waits_and_arrives)
{
    enum { COUNT = 300 };
    if (!be_alone_with_a_slow_network())
        cr_skip_test("no network of its own, or no tc");
    struct loopback loopback = loopback_start(NULL);
    struct plain plain = plain_open();
    int receive_bytes = 1 << 20;
    weir_totals totals;
    (void)setsockopt(plain.fd, SOL_SOCKET, SO_RCVBUF, &receive_bytes, sizeof(receive_bytes));
    weir_socket socket = open_with(&loopback, "[{ip,{127,0,0,1}},{active,false},{sndbuf,4608}]",
                                   weir_owned_by_nobody());
    struct burst burst = {socket, plain.address, COUNT, 0};
    run_there(loopback.runtime, 0, send_burst, &burst);
    for (int i = 0; i < COUNT; i++) {
        char byte;
        cr_assert(recv(plain.fd, &byte, 1, 0) == 1);
    }
    EVENTUALLY(statistics_of(socket).send_pend == 0);
    GIVES(weir_get_totals(loopback.runtime, -1, &totals), 0);
    cr_expect(totals.blocked_sends > 0);
    cr_expect(burst.failures == 0);
    end(&loopback, &plain);
}

static void echo_rounds(const struct plain *plain, weir_socket socket, int rounds)
{
    enum { DEPTH = 16 };
    for (int round = 0; round < rounds; round++) {
        for (int i = 0; i < DEPTH; i++)
            plain_say(plain, socket, "a datagram that is echoed");
        for (int i = 0; i < DEPTH; i++)
            plain_expect(plain, "a datagram that is echoed");
    }
    EVENTUALLY(statistics_of(socket).send_pend == 0);
}

/* In place, and in blocks where the kernel cannot; for the address sanitizer blocks are not used
 * again. */
Test(udp_turn, an_echo_allocates_nothing)
{
#ifdef __SANITIZE_ADDRESS__
    enum { KINDS = 1 };
#else
    enum { KINDS = 2 };
#endif
    static const char *const options[] = {"[{ip,{127,0,0,1}},{recbuf,200000},{buffer,2000}]",
                                          "[{ip,{127,0,0,1}},{recbuf,200000}]"};
    enum { WARM = 100, ROUNDS = 500 };
    struct loopback loopback = loopback_start(NULL);
    struct plain plain = plain_open();
    atomic_int failures = 0;
    for (int i = 0; i < KINDS; i++) {
        weir_socket socket =
            open_with(&loopback, options[i], weir_handled_by(&echo_handler, &failures));
        echo_rounds(&plain, socket, WARM);
        uint64_t allocations = memory_allocation_count();
        echo_rounds(&plain, socket, ROUNDS);
        allocations = memory_allocation_count() - allocations;
        cr_expect(allocations <= 2, "%lu allocations", (unsigned long)allocations);
        GIVES(weir_close(socket), 0);
    }
    cr_expect(atomic_load(&failures) == 0);
    end(&loopback, &plain);
}
