/* SPDX-License-Identifier: MIT */
/* Handlers that send: how replies are gathered, and what a busy socket tells them. */
#include "sending/filled.h"

#include "base/memory.h"
#include <errno.h>
#include <semaphore.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

struct served {
    struct loopback loopback;
    size_t size;      /* of each send */
    uint32_t sends;   /* how many each packet is answered with */
    uint32_t refused; /* EAGAIN */
    uint32_t taken;
    uint32_t unbusy; /* told of the socket that had the last packet */
};

static const uint8_t zeros[100000];

static void answer_packet(weir_socket socket, const weir_packet *packet, void *data)
{
    struct served *served = data;
    (void)packet;
    served->loopback.socket = socket;
    for (uint32_t i = 0; i < served->sends; i++) {
        int result = weir_send(socket, zeros, served->size);
        __atomic_fetch_add(result == 0 ? &served->taken : &served->refused, 1, __ATOMIC_RELEASE);
        cr_assert(result == 0 || result == -EAGAIN, "%s", result_text(result));
    }
}

static void count_unbusy(weir_socket socket, void *data)
{
    struct served *served = data;
    weir_statistics statistics;
    GIVES(weir_getstat(socket, &statistics), 0);
    if (weir_same_socket(socket, served->loopback.socket))
        __atomic_fetch_add(&served->unbusy, 1, __ATOMIC_RELEASE);
}

static const weir_handler handler = {.packet = answer_packet, .unbusy = count_unbusy};

static uint32_t count(const uint32_t *counter)
{
    return __atomic_load_n(counter, __ATOMIC_ACQUIRE);
}

static void serve(struct served *served, const weir_config *config, const char *options)
{
    weir_option *parsed;
    served->loopback = loopback_start(config);
    GIVES(weir_options_parse(options, &parsed), 0);
    GIVES(weir_tcp_serve(served->loopback.runtime, "127.0.0.1", 0, parsed,
                         weir_handled_by(&handler, served), &served->loopback.listener),
          0);
    weir_options_free(parsed);
    served->loopback.peer = peer_connect_with(weir_port(served->loopback.listener), PEER_BUFFER);
}

static weir_totals totals_of(struct served *served)
{
    weir_totals totals;
    settle(served->loopback.listener);
    GIVES(weir_get_totals(served->loopback.runtime, -1, &totals), 0);
    return totals;
}

static void read_bytes(int peer, size_t size)
{
    uint8_t *bytes = memory_allocate(size);
    peer_read(peer, bytes, size);
    memory_free(bytes);
}

Test(reply, replies_to_packets_received_together_leave_together)
{
    enum { PACKETS = 50 };
    struct served served = {.size = 10, .sends = 2};
    char requests[PACKETS * 2];
    for (int i = 0; i < PACKETS; i++)
        memcpy(requests + 2 * i, "x\n", 2);
    serve(&served, NULL, "[{packet,line}]");
    peer_write(served.loopback.peer, requests, sizeof(requests));
    read_bytes(served.loopback.peer, PACKETS * 2 * 10);
    weir_totals totals = totals_of(&served);
    cr_expect(totals.packets_sent == 2 * PACKETS);
    cr_expect(totals.send_operations == 1, "%lu operations", (unsigned long)totals.send_operations);
    loopback_close(&served.loopback);
}

Test(reply, delay_send_gathers_single_bytes)
{
    enum { SENDS = 5000 };
    struct served served = {.size = 1, .sends = SENDS};
    serve(&served, NULL, "[{packet,line},{delay_send,true},{nodelay,true}]");
    peer_say(served.loopback.peer, "x\n");
    read_bytes(served.loopback.peer, SENDS);
    weir_totals totals = totals_of(&served);
    cr_expect(totals.packets_sent == SENDS);
    cr_expect(totals.packets_sent >= 20 * totals.send_operations, "%lu operations",
              (unsigned long)totals.send_operations);
    loopback_close(&served.loopback);
}

enum { ASYNC_SENDS = 4000 };

static void hold_up(void *gate)
{
    sem_wait(gate);
}

/* A thread that does not wait for each of its sends has them gathered as well: all that it asks
 * for in one of the scheduler's turns, which is held up so that this is all of them. */
static uint64_t operations_for_async_bytes(const char *options)
{
    sem_t gate;
    struct answer answer = {0};
    struct loopback loopback = loopback_open(options);
    struct served served = {.loopback = loopback};
    sem_init(&gate, 0, 0);
    GIVES(weir_run_on(loopback.runtime, 0, hold_up, &gate), 0);
    for (int i = 0; i < ASYNC_SENDS; i++)
        GIVES(weir_send_async(loopback.socket, "x", 1, answer_sent, &answer), 0);
    sem_post(&gate);
    read_bytes(loopback.peer, ASYNC_SENDS);
    EVENTUALLY(answer_count(&answer) == ASYNC_SENDS);
    weir_totals totals = totals_of(&served);
    cr_expect(totals.packets_sent == ASYNC_SENDS);
    loopback_close(&loopback);
    return totals.send_operations;
}

Test(reply, a_threads_sends_are_gathered_too)
{
    uint64_t delayed = operations_for_async_bytes("[{active,false},{delay_send,true}]");
    cr_expect(delayed * 20 <= ASYNC_SENDS, "%lu operations", (unsigned long)delayed);
    uint64_t at_once = operations_for_async_bytes("[{active,false},{delay_send,false}]");
    cr_expect(at_once * 20 <= ASYNC_SENDS, "%lu operations", (unsigned long)at_once);
}

Test(reply, a_busy_socket_refuses_and_says_when_it_is_over)
{
    struct served served = {.size = 100000, .sends = 20};
    serve(&served, NULL,
          "[{packet,line},{sndbuf,4096},{high_watermark,500000},{low_watermark,100000}]");
    peer_say(served.loopback.peer, "x\n");
    EVENTUALLY(count(&served.refused) + count(&served.taken) == 20);
    cr_expect(count(&served.taken) == 5, "%u", count(&served.taken));
    cr_expect(count(&served.unbusy) == 0);
    read_bytes(served.loopback.peer, 5 * 100000);
    EVENTUALLY(count(&served.unbusy) == 1);
    cr_expect(totals_of(&served).busy == 1);
    peer_say(served.loopback.peer, "x\n");
    EVENTUALLY(count(&served.refused) + count(&served.taken) == 40);
    cr_expect(count(&served.taken) == 10);
    loopback_close(&served.loopback);
}

/* The socket that never drains is over the limit alone; the other is let go on when it is gone. */
Test(reply, the_limit_of_all_sockets_holds_up_those_with_something_queued)
{
    weir_config config = {.schedulers = 1, .queued_bytes_limit = 3000000};
    struct served served = {.size = 100000, .sends = 40};
    serve(&served, &config, "[{packet,line},{sndbuf,4096}]");
    int other = peer_connect_with(weir_port(served.loopback.listener), PEER_BUFFER);
    peer_say(served.loopback.peer, "x\n");
    EVENTUALLY(count(&served.refused) + count(&served.taken) == 40);
    cr_expect(count(&served.taken) == 30, "%u", count(&served.taken));
    peer_say(other, "x\n"); /* nothing is queued: the first is taken */
    EVENTUALLY(count(&served.refused) + count(&served.taken) == 80);
    cr_expect(count(&served.taken) == 31, "%u", count(&served.taken));
    cr_expect(count(&served.unbusy) == 0);
    peer_reset(&served.loopback.peer);
    EVENTUALLY(count(&served.unbusy) == 1); /* the other, which has not read a byte */
    weir_totals totals = totals_of(&served);
    cr_expect(totals.queued_bytes <= 100000);
    peer_reset(&other);
    loopback_close(&served.loopback);
}
