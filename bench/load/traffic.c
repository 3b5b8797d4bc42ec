/* SPDX-License-Identifier: MIT */
#include "load/traffic.h"

#include "base/clock.h"
#include "base/memory.h"
#include "common/fail.h"
#include "common/process.h"
#include "load/dial.h"

#include <errno.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

enum {
    EVENT_COUNT = 512,
    BUFFER_BYTES = 256 << 10,
    UNREAD_BYTES_MIN = 4 << 10, /* below this, dropping costs a call more than it saves */
    WAIT_MS = 100,
};

#define EXTENSION_NS UINT64_C(100000000)
#define PATIENCE_NS  UINT64_C(10000000000)

struct connection {
    int fd;
    struct frame_place place;
    size_t sent; /* of the batch under way */
    size_t received;
    uint64_t sent_ns; /* when it was begun */
};

struct traffic {
    const struct traffic_plan *plan;
    struct frame_batch *batch;
    struct traffic_result *result;
    int epoll;
    struct connection *connections;
    char *buffer;
};

static void send_batch(struct traffic *traffic, struct connection *connection)
{
    struct frame_batch *batch = traffic->batch;
    frame_batch_mark(batch, connection->place);
    ssize_t count = send(connection->fd, batch->bytes + connection->sent,
                         batch->batch_bytes - connection->sent, MSG_NOSIGNAL | MSG_DONTWAIT);
    if (count < 0 && errno != EAGAIN)
        fail_errno(errno, "send");
    if (count > 0)
        connection->sent += (size_t)count;
}

static void begin_batch(struct traffic *traffic, struct connection *connection, uint64_t now_ns)
{
    connection->sent = 0;
    connection->received = 0;
    connection->sent_ns = now_ns;
    send_batch(traffic, connection);
}

/* Counts what arrived. Answers whether the batch is complete. */
static bool take(struct traffic *traffic, struct connection *connection, size_t size, bool dropped)
{
    size_t before = connection->received;
    struct frame_batch *batch = traffic->batch;
    connection->received += size;
    unsigned completed =
        dropped ? connection->received % batch->frame_bytes == 0
                : frame_batch_verify(batch, connection->place, before, traffic->buffer, size);
    if (completed > 0) {
        uint64_t now_ns = clock_now_ns();
        histogram_add(&traffic->result->latencies, now_ns - connection->sent_ns, completed);
    }
    return connection->received == batch->batch_bytes;
}

/* One receive. Answers false when the socket is drained or the batch complete. */
static bool receive_part(struct traffic *traffic, struct connection *connection)
{
    struct frame_batch *batch = traffic->batch;
    size_t unread = frame_batch_unread_bytes(batch, connection->place, connection->received);
    bool dropped = unread >= UNREAD_BYTES_MIN;
    size_t left = dropped ? unread : batch->batch_bytes - connection->received;
    size_t size = left < BUFFER_BYTES ? left : BUFFER_BYTES;
    ssize_t count =
        recv(connection->fd, traffic->buffer, size, MSG_DONTWAIT | (dropped ? MSG_TRUNC : 0));
    if (count < 0 && errno == EAGAIN)
        return false;
    if (count < 0)
        fail_errno(errno, "recv");
    if (count == 0)
        fail("the server closed a connection");
    return !take(traffic, connection, (size_t)count, dropped) && (size_t)count == size;
}

static void handle(struct traffic *traffic, const struct epoll_event *event)
{
    struct connection *connection = &traffic->connections[event->data.u32];
    if (connection->sent < traffic->batch->batch_bytes && event->events & EPOLLOUT)
        send_batch(traffic, connection);
    if (!(event->events & (EPOLLIN | EPOLLERR | EPOLLHUP)))
        return;
    while (receive_part(traffic, connection))
        ;
    if (connection->received == traffic->batch->batch_bytes) {
        connection->place.number += traffic->batch->depth;
        begin_batch(traffic, connection, clock_now_ns());
    }
}

static void run_until(struct traffic *traffic, uint64_t end_ns)
{
    struct epoll_event events[EVENT_COUNT];
    int wait_ms = traffic->plan->busy ? 0 : WAIT_MS;
    while (clock_now_ns() < end_ns) {
        int count = epoll_wait(traffic->epoll, events, EVENT_COUNT, wait_ms);
        if (count < 0 && errno != EINTR)
            fail_errno(errno, "epoll_wait");
        for (int index = 0; index < count; index++)
            handle(traffic, &events[index]);
    }
}

static void open_connections(struct traffic *traffic)
{
    for (uint32_t index = 0; index < traffic->plan->connections; index++) {
        struct connection *connection = &traffic->connections[index];
        *connection = (struct connection){.fd = dial(&traffic->plan->server, index),
                                          .place.connection = index};
        struct epoll_event event = {.events = EPOLLIN | EPOLLOUT | EPOLLET, .data.u32 = index};
        if (epoll_ctl(traffic->epoll, EPOLL_CTL_ADD, connection->fd, &event) < 0)
            fail_errno(errno, "epoll_ctl");
    }
    for (uint32_t index = 0; index < traffic->plan->connections; index++)
        begin_batch(traffic, &traffic->connections[index], clock_now_ns());
}

static uint64_t server_cpu_ns(const struct traffic_plan *plan)
{
    return plan->server_process ? process_cpu_ns(plan->server_process) : 0;
}

static void measure(struct traffic *traffic)
{
    const struct traffic_plan *plan = traffic->plan;
    struct traffic_result *result = traffic->result;
    histogram_clear(&result->latencies);
    uint64_t begin_ns = clock_now_ns();
    uint64_t server_ns = server_cpu_ns(plan), load_ns = process_cpu_ns(getpid());
    uint64_t machine_ns = process_machine_busy_ns();
    uint64_t end_ns = begin_ns + plan->measured_ns;
    run_until(traffic, end_ns);
    /* A machine busy with other things may not have let anything happen yet. */
    while (result->latencies.count == 0 && end_ns < begin_ns + PATIENCE_NS)
        run_until(traffic, end_ns += EXTENSION_NS);
    result->elapsed_ns = clock_now_ns() - begin_ns;
    result->server_cpu_ns = server_cpu_ns(plan) - server_ns;
    result->load_cpu_ns = process_cpu_ns(getpid()) - load_ns;
    result->machine_busy_ns = process_machine_busy_ns() - machine_ns;
}

void traffic_run(const struct traffic_plan *plan, struct frame_batch *batch,
                 struct traffic_result *result)
{
    struct traffic traffic = {
        .plan = plan,
        .batch = batch,
        .result = result,
        .epoll = epoll_create1(EPOLL_CLOEXEC),
        .connections = memory_allocate_zeroed(plan->connections, sizeof(struct connection)),
        .buffer = memory_map(BUFFER_BYTES),
    };
    if (traffic.epoll < 0 || !traffic.connections || !traffic.buffer)
        fail("out of memory or of descriptors");
    histogram_clear(&result->latencies);
    open_connections(&traffic);
    run_until(&traffic, clock_now_ns() + plan->warm_up_ns);
    measure(&traffic);
    for (uint32_t index = 0; index < plan->connections; index++)
        close(traffic.connections[index].fd);
    close(traffic.epoll);
    memory_unmap(traffic.buffer, BUFFER_BYTES);
    memory_free(traffic.connections);
}
