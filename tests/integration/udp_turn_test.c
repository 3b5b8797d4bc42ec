/* SPDX-License-Identifier: MIT */
/* UDP sockets that share a port, or a turn. */
#include "integration/plain.h"

#include <errno.h>
#include <stdatomic.h>

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
