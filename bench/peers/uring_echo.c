/* SPDX-License-Identifier: MIT */
/*
 * An echo server on io_uring through liburing: multishot accept, multishot receive into provided
 * buffers, one send in flight per connection straight from those buffers, with what arrives
 * meanwhile appended to the next; one system call per turn. The defaults are what measured best
 * for small messages; README.md names those for large ones. The other switches exist to measure
 * a choice by itself (EXPERIMENTS.md).
 *
 * A peer that sends for ever and never reads keeps the buffers it filled: a benchmark's peers do
 * not do that, and a server on the internet would have to bound it.
 */
#include "base/memory.h"
#include "common/fail.h"
#include "common/process.h"
#include "common/switches.h"
#include "peers/listener.h"
#include "peers/uring_buffers.h"
#include "peers/uring_ring.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum {
    PART_COUNT = 64,
    RECEIVE_BUNDLE = 1 << 4, /* kernel 6.10; not in the header of liburing 2.3 */
    NOBODY = -1,
};

enum operation { ACCEPT, RECEIVE, SEND, CLOSE };

enum receiving { RECEIVE_ARMED, RECEIVE_STARVED, RECEIVE_ENDED };

enum sending { SEND_IDLE, SEND_IN_FLIGHT, SEND_BROKEN };

struct connection {
    enum receiving receiving;
    enum sending sending;
    struct uring_queue queue; /* in flight or waiting to be sent */
    int next_starved;
};

/* Lives from when a send is prepared until it is submitted. */
struct message {
    struct msghdr header;
    struct iovec parts[PART_COUNT];
};

static struct {
    struct uring_ring_settings ring;
    long port, core, buffer_count, buffer_bytes, buffer_skew, eager;
    bool oneshot, bundle, sendmsg, poll_first, close_op;
} settings = {.ring = {.sq_entries = 512, .cq_entries = 8192},
              .core = PROCESS_NONE,
              .buffer_count = 2048,
              .buffer_bytes = 4 << 10,
              .buffer_skew = 192};

static struct {
    struct uring_ring ring;
    struct uring_buffers buffers;
    struct connection *connections; /* by descriptor */
    struct message *messages;       /* as many as the submission queue has entries */
    unsigned next_message;
    int listener;
    bool accepting;
    int starved_first, starved_last;
} server = {.starved_first = NOBODY, .starved_last = NOBODY};

static struct io_uring_sqe *next_sqe(void)
{
    return uring_ring_sqe(&server.ring);
}

static void mark(struct io_uring_sqe *sqe, enum operation operation, int fd)
{
    io_uring_sqe_set_data64(sqe, (uint64_t)operation << 32 | (uint32_t)fd);
}

static void arm_accept(void)
{
    struct io_uring_sqe *sqe = next_sqe();
    io_uring_prep_multishot_accept(sqe, server.listener, NULL, NULL, SOCK_CLOEXEC);
    mark(sqe, ACCEPT, server.listener);
    server.accepting = true;
}

static void arm_receive(int fd, unsigned hints)
{
    struct io_uring_sqe *sqe = next_sqe();
    if (settings.oneshot)
        io_uring_prep_recv(sqe, fd, NULL, 0, 0);
    else
        io_uring_prep_recv_multishot(sqe, fd, NULL, 0, 0);
    io_uring_sqe_set_flags(sqe, IOSQE_BUFFER_SELECT);
    sqe->ioprio |= (uint16_t)(hints | (settings.bundle ? RECEIVE_BUNDLE : 0));
    mark(sqe, RECEIVE, fd);
    server.connections[fd].receiving = RECEIVE_ARMED;
}

static void prepare_send(struct io_uring_sqe *sqe, int fd)
{
    const int flags = MSG_NOSIGNAL | MSG_WAITALL;
    struct message *message = &server.messages[server.next_message++ % settings.ring.sq_entries];
    unsigned count = uring_queue_parts(&server.connections[fd].queue, &server.buffers,
                                       message->parts, PART_COUNT);
    message->header = (struct msghdr){.msg_iov = message->parts, .msg_iovlen = count};
    if (count > 1 || settings.sendmsg)
        io_uring_prep_sendmsg(sqe, fd, &message->header, flags);
    else
        io_uring_prep_send(sqe, fd, message->parts[0].iov_base, message->parts[0].iov_len, flags);
}

static void start_send(int fd)
{
    struct io_uring_sqe *sqe = next_sqe();
    prepare_send(sqe, fd);
    mark(sqe, SEND, fd);
    server.connections[fd].sending = SEND_IN_FLIGHT;
}

static void close_connection(int fd)
{
    uring_queue_drop_all(&server.connections[fd].queue, &server.buffers);
    if (settings.close_op) {
        struct io_uring_sqe *sqe = next_sqe();
        io_uring_prep_close(sqe, fd);
        io_uring_sqe_set_flags(sqe, IOSQE_CQE_SKIP_SUCCESS);
        mark(sqe, CLOSE, fd);
    } else {
        close(fd);
    }
    if (!server.accepting)
        arm_accept();
}

/* Does what a connection's state now asks for. */
static void advance(int fd)
{
    struct connection *connection = &server.connections[fd];
    if (connection->sending == SEND_IN_FLIGHT)
        return;
    bool queued = connection->queue.head != URING_BUFFER_NONE;
    if (connection->sending == SEND_IDLE && queued)
        start_send(fd);
    else if (connection->receiving == RECEIVE_ENDED)
        close_connection(fd);
    else if (connection->sending == SEND_BROKEN)
        uring_queue_drop_all(&connection->queue, &server.buffers);
}

static void starve(int fd)
{
    server.connections[fd].receiving = RECEIVE_STARVED;
    server.connections[fd].next_starved = NOBODY;
    if (server.starved_first == NOBODY)
        server.starved_first = fd;
    else
        server.connections[server.starved_last].next_starved = fd;
    server.starved_last = fd;
}

static void feed_starved(void)
{
    int fd = server.starved_first;
    server.starved_first = NOBODY;
    while (fd != NOBODY) {
        int next = server.connections[fd].next_starved;
        arm_receive(fd, 0);
        fd = next;
    }
}

static void on_accept(const struct io_uring_cqe *cqe)
{
    int fd = cqe->res;
    if (fd >= 0) {
        server.connections[fd] = (struct connection){0};
        uring_queue_init(&server.connections[fd].queue);
        arm_receive(fd, settings.poll_first ? IORING_RECVSEND_POLL_FIRST : 0);
    } else if (fd != -EMFILE && fd != -ENFILE && fd != -ECONNABORTED) {
        fail_errno(fd, "accept");
    }
    if (cqe->flags & IORING_CQE_F_MORE)
        return;
    server.accepting = false;
    if (fd != -EMFILE && fd != -ENFILE) /* else after the next close */
        arm_accept();
}

static void on_receive(int fd, const struct io_uring_cqe *cqe)
{
    struct connection *connection = &server.connections[fd];
    if (cqe->res > 0)
        uring_queue_append(&connection->queue, &server.buffers,
                           (uint16_t)(cqe->flags >> IORING_CQE_BUFFER_SHIFT), (size_t)cqe->res);
    if (!(cqe->flags & IORING_CQE_F_MORE)) {
        if (cqe->res > 0)
            arm_receive(fd, 0);
        else if (cqe->res == -ENOBUFS)
            starve(fd);
        else
            connection->receiving = RECEIVE_ENDED;
    }
    advance(fd);
}

static void on_send(int fd, int result)
{
    struct connection *connection = &server.connections[fd];
    connection->sending = SEND_IDLE;
    if (result < 0) {
        connection->sending = SEND_BROKEN;
        shutdown(fd, SHUT_RDWR); /* ends the receive, and with it the connection */
    } else {
        uring_queue_drop(&connection->queue, &server.buffers, (size_t)result);
    }
    advance(fd);
}

static void handle(const struct io_uring_cqe *cqe)
{
    int fd = (int)(uint32_t)cqe->user_data;
    switch ((enum operation)(cqe->user_data >> 32)) {
    case ACCEPT:
        on_accept(cqe);
        break;
    case RECEIVE:
        on_receive(fd, cqe);
        break;
    case SEND:
        on_send(fd, cqe->res);
        break;
    case CLOSE:
        fail_errno(cqe->res, "close");
    }
}

static void turn(void)
{
    struct io_uring_cqe *cqe;
    unsigned head, count = 0;
    uring_ring_wait(&server.ring);
    io_uring_for_each_cqe(&server.ring.ring, head, cqe)
    {
        handle(cqe);
        count++;
        if (settings.eager && io_uring_sq_ready(&server.ring.ring) >= settings.eager)
            uring_ring_submit(&server.ring);
    }
    io_uring_cq_advance(&server.ring.ring, count);
    server.ring.found = count;
    if (uring_buffers_publish(&server.buffers))
        feed_starved();
}

static void open_server(void)
{
    uring_ring_open(&server.ring, &settings.ring);
    uring_buffers_open(&server.buffers, &server.ring.ring, (unsigned)settings.buffer_count,
                       (size_t)settings.buffer_bytes, (size_t)settings.buffer_skew);
    server.connections =
        memory_allocate_zeroed(process_raise_descriptor_limit(), sizeof(struct connection));
    server.messages =
        memory_allocate_zeroed((size_t)settings.ring.sq_entries, sizeof(struct message));
    if (!server.connections || !server.messages)
        fail("out of memory");
    server.listener = listener_open(settings.port, 0);
    arm_accept();
    listener_announce(server.listener);
}

static const struct switch_row rows[] = {
    {"port", SWITCH_NUMBER, &settings.port, "to listen on, 0 = any"},
    {"cpu", SWITCH_NUMBER, &settings.core, "core to stay on"},
    {"sq", SWITCH_NUMBER, &settings.ring.sq_entries, "submission entries"},
    {"cq", SWITCH_NUMBER, &settings.ring.cq_entries, "completion entries"},
    {"buffers", SWITCH_NUMBER, &settings.buffer_count, "receive buffers"},
    {"buffer-bytes", SWITCH_NUMBER, &settings.buffer_bytes, "size of each"},
    {"buffer-skew", SWITCH_NUMBER, &settings.buffer_skew, "bytes between them"},
    {"oneshot", SWITCH_FLAG, &settings.oneshot, "arm each receive anew"},
    {"bundle", SWITCH_FLAG, &settings.bundle, "let one completion span buffers"},
    {"poll-first", SWITCH_FLAG, &settings.poll_first, "expect nothing right after accept"},
    {"sendmsg", SWITCH_FLAG, &settings.sendmsg, "OP_SENDMSG even for one part"},
    {"eager", SWITCH_NUMBER, &settings.eager, "submit when so many entries wait, 0 = never"},
    {"close-op", SWITCH_FLAG, &settings.close_op, "OP_CLOSE instead of close(2)"},
    {"no-iowait", SWITCH_FLAG, &settings.ring.no_iowait, "do not count the sleep as iowait"},
    {"spin-us", SWITCH_NUMBER, &settings.ring.spin_us, "watch so long before sleeping"},
    {"spin-always", SWITCH_FLAG, &settings.ring.spin_always, "not only after a short turn"},
    {0},
};

int main(int argc, char **argv)
{
    (void)argc;
    switches_parse(rows, argv);
    process_pin(settings.core);
    open_server();
    for (;;)
        turn();
}
