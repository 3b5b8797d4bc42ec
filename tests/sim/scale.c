/* SPDX-License-Identifier: MIT */
/* sim_scale [CONNECTIONS]: memory per idle connection, and what packets of 64 busy ones cost alone
 * and among all the others. */
#include <inttypes.h>
#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "base/bytes.h"
#include "base/memory.h"
#include "runtime/runtime.h"
#include "runtime/scheduler/registry.h"
#include "runtime/scheduler/scheduler.h"
#include "runtime/stream/stream.h"
#include "sim/actor.h"
#include "sim/dice.h"
#include "sim/kernel.h"
#include "sim/link.h"
#include "sim/peer.h"
#include "sim/plan.h"
#include "sim/trace.h"

enum { BUSY_COUNT = 64, PACKETS_EACH = 1500, BODY_SIZE = 64, BATCH = 1000, BYTES_MOST = 256 };

static struct weir_runtime *runtime;
static struct scheduler *scheduler;
static uint32_t listener;
static uint64_t accepted_count;
static uint64_t packet_count;

static void on_accepted(weir_socket socket, void *data)
{
    (void)socket;
    (void)data;
    accepted_count++;
}

static void on_packet(weir_socket socket, const weir_packet *packet, void *data)
{
    (void)data;
    packet_count++;
    SIM_CHECK(weir_send_packet(socket, packet) == 0, "a send failed");
}

static const weir_handler handler = {.accepted = on_accepted, .packet = on_packet};

static double now_s(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

static size_t memory_in_use(void)
{
    struct mallinfo2 info = mallinfo2();
    return info.uordblks + info.hblkhd;
}

static void open_all(void)
{
    const weir_config config = {.schedulers = 1, .buffer_count = 1024, .buffer_size = 4096};
    weir_socket handle;
    SIM_CHECK(runtime_create(&runtime, &config) == 0, "no runtime");
    scheduler = runtime->schedulers[0];
    SIM_CHECK(scheduler_open(scheduler) == 0, "no scheduler");
    registry_publish(scheduler->index, scheduler);
    SIM_CHECK(weir_tcp_serve(runtime, "127.0.0.1", 0,
                             WEIR_OPTIONS(WEIR_PACKET(4), WEIR_MODE(WEIR_BINARY)),
                             weir_handled_by(&handler, NULL), &handle) == 0,
              "no service");
    listener = kernel_fd_index(slot_find(scheduler, handle)->fd);
}

static void settle(uint64_t connections)
{
    while (accepted_count < connections)
        scheduler_turn(scheduler);
    for (int i = 0; i < 100; i++)
        if (!kernel.asleep_for_ever)
            scheduler_turn(scheduler);
    kernel.asleep_for_ever = false;
}

static void connect_idle(uint32_t count)
{
    for (uint32_t i = 1; i <= count; i++) {
        peer_connect(listener);
        if (i % BATCH == 0 || i == count)
            settle(accepted_count + (i % BATCH ? i % BATCH : BATCH));
    }
}

/* What each says, one packet at a time: the next when the last has been taken. */
static void give_speech(struct link *link)
{
    link->in_size = PACKETS_EACH * (4 + BODY_SIZE);
    link->in_written = link->in_read = 0;
    if (!link->in)
        link->in = plan_take(link->in_size);
    SIM_CHECK(link->in, "no memory for the peers");
    for (uint32_t i = 0; i < PACKETS_EACH; i++)
        bytes_write_be32(link->in + i * (4 + BODY_SIZE), BODY_SIZE);
    link->in_window = 4 + BODY_SIZE;
    link->out_window = 1 << 20;
    link->write_most = link->read_most = 65536;
    link->end = PEER_STAYS;
}

static double measure(const char *name)
{
    uint64_t turns = scheduler->totals.turns;
    packet_count = 0;
    kernel.spent_ns = 0;
    kernel.measures = true;
    double began_s = now_s();
    for (uint32_t i = 0; i < BUSY_COUNT; i++) {
        give_speech(&links[i]);
        peer_may_write(i);
    }
    while (packet_count < BUSY_COUNT * PACKETS_EACH)
        scheduler_turn(scheduler);
    double ns = (now_s() - began_s) * 1e9 - (double)kernel.spent_ns;
    kernel.measures = false;
    printf("%s: %.0f ns per packet, in and out; %.0f packets per turn\n", name,
           ns / (double)packet_count,
           (double)packet_count / (double)(scheduler->totals.turns - turns));
    return ns / (double)packet_count;
}

static double measure_best(const char *name)
{
    double best = measure(name);
    for (int i = 0; i < 9; i++) {
        double next = measure(name);
        best = next < best ? next : best;
    }
    return best;
}

static void close_all(void)
{
    double began_s = now_s();
    registry_withdraw(scheduler->index);
    scheduler_stop(scheduler);
    while (!scheduler_is_done(scheduler)) {
        kernel.asleep_for_ever = false;
        scheduler_turn(scheduler);
    }
    scheduler_close(scheduler);
    runtime_free(runtime);
    printf("closing all: %.2f s\n", now_s() - began_s);
}

int main(int count, char **arguments)
{
    uint32_t connections = count > 1 ? (uint32_t)strtoul(arguments[1], NULL, 10) : 1000000;
    int64_t live = memory_live_count();
    kernel_open(connections + BUSY_COUNT + 16);
    dice_seed(1);
    kernel_reset();
    actor_reset();
    plan_style.by_hand = true;
    open_all();
    connect_idle(BUSY_COUNT);
    double alone = measure_best("64 alone");
    size_t before = memory_in_use();
    double began_s = now_s();
    connect_idle(connections);
    double each = (double)(memory_in_use() - before) / connections;
    printf("%u idle connections: %.0f bytes each, accepted in %.2f s\n", connections, each,
           now_s() - began_s);
    double among = measure_best("64 among them");
    printf("%.0f ns alone, %.0f ns among %u: %.2f times\n", alone, among, connections,
           among / alone);
    close_all();
    kernel_close();
    SIM_CHECK(memory_live_count() == live, "memory is left");
    return each <= BYTES_MOST ? 0 : 1;
}
