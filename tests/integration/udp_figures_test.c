/* SPDX-License-Identifier: MIT */
/* What is counted of datagrams: what was sent, received, dropped by the kernel and cut adds up. */
#include "integration/plain.h"

#include <stdatomic.h>
#include <stdlib.h>

enum { FLOOD = 3000, LONG_EVERY = 10, SHORT_SIZE = 50, LONG_SIZE = 200 };

struct flood {
    const struct plain *plain;
    weir_socket socket;
};

/* While its scheduler is here nothing is received, and the socket's buffer is full before long. */
static void flood(void *data)
{
    const struct flood *flood = data;
    char bytes[LONG_SIZE] = "flood";
    for (int i = 0; i < FLOOD; i++)
        plain_send(flood->plain, flood->socket, bytes, i % LONG_EVERY ? SHORT_SIZE : LONG_SIZE);
}

struct counts {
    atomic_uint received;
    atomic_uint truncated;
};

static void count(weir_socket socket, const weir_packet *packet, void *data)
{
    struct counts *counts = data;
    (void)socket;
    atomic_fetch_add(&counts->truncated, packet->datagram->truncated);
    atomic_fetch_add(&counts->received, 1);
}

static const weir_handler counting = {.packet = count};

static weir_totals totals_of(const struct loopback *loopback)
{
    weir_totals totals;
    GIVES(weir_get_totals(loopback->runtime, -1, &totals), 0);
    return totals;
}

static uint64_t figure(const weir_statistics *statistics, const char *name)
{
    uint64_t value = 0;
    GIVES(weir_statistic(statistics, name, &value), 0);
    return value;
}

Test(udp_figures, what_a_flood_sent_is_received_or_dropped_and_all_of_it_is_counted)
{
    struct loopback loopback = loopback_start(NULL);
    struct plain plain = plain_open();
    struct counts counts = {0};
    weir_socket socket = open_with(&loopback, "[{ip,{127,0,0,1}},{recbuf,4096},{buffer,100}]",
                                   weir_handled_by(&counting, &counts));
    struct flood work = {&plain, socket};
    run_there(loopback.runtime, 0, flood, &work);
    EVENTUALLY(figure(&(weir_statistics[]){statistics_of(socket)}[0], "recv_cnt") +
                   figure(&(weir_statistics[]){statistics_of(socket)}[0], "dropped") ==
               FLOOD);
    weir_statistics statistics = statistics_of(socket);
    cr_expect(statistics.dropped > 0, "nothing was dropped");
    cr_expect(statistics.recv_cnt == atomic_load(&counts.received));
    cr_expect(statistics.truncated == atomic_load(&counts.truncated) && statistics.truncated > 0);
    EVENTUALLY(totals_of(&loopback).datagrams_dropped == statistics.dropped);
    cr_expect(totals_of(&loopback).datagrams_truncated == statistics.truncated);
    cr_expect(totals_of(&loopback).packets_received + statistics.dropped == FLOOD);
    GIVES(weir_close(socket), 0);
    cr_expect(totals_of(&loopback).datagrams_dropped == statistics.dropped);
    end(&loopback, &plain);
}

/* No more comes, so it is seen when the socket is closed. */
Test(udp_figures, what_is_dropped_last_is_counted_when_the_socket_is_closed)
{
    struct loopback loopback = loopback_start(NULL);
    struct plain plain = plain_open();
    weir_socket socket = open_with(&loopback, "[{ip,{127,0,0,1}},{recbuf,4096},{active,false}]",
                                   weir_owned_by_nobody());
    struct flood work = {&plain, socket};
    run_there(loopback.runtime, 0, flood, &work);
    weir_statistics statistics = statistics_of(socket);
    cr_expect(statistics.recv_cnt == 0 && statistics.dropped > FLOOD / 2);
    GIVES(weir_close(socket), 0);
    EVENTUALLY(totals_of(&loopback).datagrams_dropped == statistics.dropped);
    end(&loopback, &plain);
}

Test(udp_figures, metrics_have_them_too)
{
    struct loopback loopback = loopback_start(NULL);
    static const char *const names[] = {"weir_refused_runs_total", "weir_datagrams_dropped_total",
                                        "weir_datagrams_truncated_total"};
    int size = weir_metrics(loopback.runtime, NULL, 0);
    char *text = malloc((size_t)size + 1);
    cr_assert(size > 0 && weir_metrics(loopback.runtime, text, (size_t)size + 1) > 0);
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
        cr_expect(strstr(text, names[i]), "no %s", names[i]);
    free(text);
    loopback_close(&loopback);
}
