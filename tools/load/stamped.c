/* SPDX-License-Identifier: MIT */
#include "load/stamped.h"

#include "base/clock.h"
#include "base/system.h"
#include "load/protocol.h"
#include "load/traffic.h"
#include "runtime/scheduler/scheduler.h"
#include "runtime/scheduler/slot.h"
#include "runtime/watch/watch.h"

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <time.h>

enum { HEADER_BYTES_MAX = 4, READ_BYTES = 16384 };

static int asking = -1; /* a socket that only asks */

size_t stamped_bytes(const struct plan *plan)
{
    return HEADER_BYTES_MAX + (size_t)plan->size_max + READ_BYTES;
}

static int ask(int fd)
{
    const int on = 1;
    return system_setsockopt(fd, SOL_SOCKET, SO_TIMESTAMPNS, &on, sizeof(on));
}

void stamped_begin(void)
{
    asking = system_socket(AF_INET, SOCK_DGRAM, NULL);
    if (asking >= 0)
        (void)ask(asking); /* each connection's own says what is wrong */
}

void stamped_end(void)
{
    if (asking >= 0)
        system_close(asking);
    asking = -1;
}

static uint64_t stamp_of(struct msghdr *message)
{
    struct timespec time;
    struct cmsghdr *control = CMSG_FIRSTHDR(message);
    for (; control; control = CMSG_NXTHDR(message, control)) {
        if (control->cmsg_level != SOL_SOCKET || control->cmsg_type != SCM_TIMESTAMPNS)
            continue;
        memcpy(&time, CMSG_DATA(control), sizeof(time));
        return (uint64_t)time.tv_sec * 1000000000 + (uint64_t)time.tv_nsec;
    }
    return 0;
}

/* How many bytes have come behind those that are there; 0 at the end, or an error. The kernel says
 * the time of the last of them. */
static int receive(struct stamped *stamped, int fd, size_t room)
{
    _Alignas(struct cmsghdr) uint8_t control[CMSG_SPACE(sizeof(struct timespec))];
    struct iovec piece = {stamped->bytes + stamped->size, room};
    struct mmsghdr message = {.msg_hdr = {.msg_iov = &piece,
                                          .msg_iovlen = 1,
                                          .msg_control = control,
                                          .msg_controllen = sizeof(control)}};
    int result = system_receive_messages(fd, &message, 1);
    if (result <= 0)
        return result;
    stamped->received_ns = stamp_of(&message.msg_hdr);
    return (int)message.msg_len;
}

static enum weir_packet_type type_of(const struct plan *plan)
{
    int type = weir_packet_type_from_name(plan->packet);
    return plan->target.scheme == TARGET_TCP ? (enum weir_packet_type)type : WEIR_RAW;
}

/* Hands out the packets that are whole; how many bytes they took. The connection may be down
 * after any. */
static size_t hand_out(struct connection *connection)
{
    const struct traffic *traffic = connection->traffic;
    const struct stamped *stamped = connection->stamped;
    enum weir_packet_type type = type_of(traffic->plan);
    weir_decoded decoded;
    size_t taken = 0;
    while (connection->state == CONNECTION_OPEN && taken < stamped->size &&
           weir_decode_packet(type, stamped->bytes + taken, stamped->size - taken, NULL, &decoded,
                              NULL) == WEIR_DECODE_OK) {
        const weir_packet packet = {.bytes = decoded.bytes, .size = decoded.size};
        taken += decoded.consumed;
        traffic->protocol->take(connection, &packet);
    }
    return taken;
}

/* What is left is the beginning of a packet; one for which there is no room was not asked for. */
static void take(struct connection *connection)
{
    struct stamped *stamped = connection->stamped;
    size_t taken = hand_out(connection);
    if (connection->state != CONNECTION_OPEN)
        return;
    stamped->size -= taken;
    memmove(stamped->bytes, stamped->bytes + taken, stamped->size);
    if (stamped->size == stamped_bytes(connection->traffic->plan))
        connection_fail(connection, OUTCOME_CONTENT);
}

/* The socket may have lost its descriptor to an error of a send. */
static void on_readable(struct scheduler *scheduler, void *context, unsigned events)
{
    struct connection *connection = context;
    struct stamped *stamped = connection->stamped;
    const struct slot *slot = slot_find(scheduler, connection->socket);
    size_t room = stamped_bytes(connection->traffic->plan) - stamped->size;
    int size = slot && slot->state == SOCKET_OPEN ? receive(stamped, slot->fd, room) : -EBADF;
    (void)events;
    connection->now_ns = clock_now_ns();
    connection->traffic->results->system_calls++;
    if (size > 0) {
        stamped->size += (size_t)size;
        connection->traffic->results->bytes_received += (uint64_t)size;
        take(connection);
    } else if (size == 0) {
        connection_ended(connection);
    } else if (size != -EAGAIN && size != -EINTR) {
        connection_fail(connection, OUTCOME_RESET);
    }
}

int stamped_open(struct connection *connection)
{
    struct scheduler *scheduler = scheduler_current();
    struct stamped *stamped = connection->stamped;
    const struct slot *slot = slot_find(scheduler, connection->socket);
    int result = slot ? ask(slot->fd) : WEIR_CLOSED;
    if (result < 0)
        return result;
    stamped->size = 0;
    stamped->received_ns = 0;
    stamped->watch = watch_open(scheduler, slot->fd, on_readable, connection);
    if (!stamped->watch)
        return -ENOMEM;
    watch_want(scheduler, stamped->watch, POLLIN);
    return 0;
}

void stamped_close(struct stamped *stamped)
{
    if (stamped->watch)
        watch_close(scheduler_current(), stamped->watch);
    stamped->watch = NULL;
}
