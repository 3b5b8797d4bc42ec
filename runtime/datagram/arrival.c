/* SPDX-License-Identifier: MIT */
#include "runtime/datagram/arrival.h"

#include <netinet/in.h>
#include <string.h>
#include <sys/uio.h>
#include <time.h>

#include "address/address.h"
#include "base/canary.h"

const struct msghdr arrival_message = {
    .msg_namelen = ARRIVAL_NAME_BYTES,
    .msg_controllen = ARRIVAL_ASKED_BYTES,
};

/* A single receive's; behind the datagram. */
struct asking {
    struct msghdr message;
    struct iovec piece;
};

bool arrival_fits(uint32_t buffer_size, uint32_t stride, size_t size)
{
    size_t most = size < DATAGRAM_BYTES_MAX ? size : DATAGRAM_BYTES_MAX;
    return stride % sizeof(uint64_t) == 0 && buffer_size >= sizeof(struct arrival) + most;
}

static size_t rounded(size_t size)
{
    return (size + sizeof(uint64_t) - 1) / sizeof(uint64_t) * sizeof(uint64_t);
}

struct weir_buffer *arrival_block(size_t size)
{
    size_t most = size < DATAGRAM_BYTES_MAX ? size : DATAGRAM_BYTES_MAX;
    return buffer_allocate(sizeof(struct arrival) + rounded(most) + sizeof(struct asking));
}

static struct asking *asking_of(struct weir_buffer *block)
{
    size_t end = block->capacity / sizeof(uint64_t) * sizeof(uint64_t);
    return (struct asking *)(void *)(block->bytes + end - sizeof(struct asking));
}

struct msghdr *arrival_ask(struct weir_buffer *block)
{
    struct arrival *arrival = arrival_of(block);
    struct asking *asking = asking_of(block);
    asking->piece = (struct iovec){arrival->bytes, (size_t)((uint8_t *)asking - arrival->bytes)};
    asking->message = (struct msghdr){
        .msg_name = arrival->name,
        .msg_namelen = ARRIVAL_NAME_BYTES,
        .msg_iov = &asking->piece,
        .msg_iovlen = 1,
        .msg_control = arrival->control,
        .msg_controllen = ARRIVAL_CONTROL_BYTES,
    };
    return &asking->message;
}

void arrival_answered(struct weir_buffer *block, size_t size)
{
    const struct msghdr *message = &asking_of(block)->message;
    struct arrival *arrival = arrival_of(block);
    arrival->name_size = message->msg_namelen;
    arrival->control_size = (uint32_t)message->msg_controllen;
    arrival->size = (uint32_t)size;
    arrival->flags = (uint32_t)message->msg_flags;
    block->filled = sizeof(struct arrival) + size;
}

static int16_t small_number(const struct cmsghdr *control)
{
    int number = 0;
    size_t size = control->cmsg_len - CMSG_LEN(0);
    memcpy(&number, CMSG_DATA(control), size < sizeof(number) ? size : sizeof(number));
    return (int16_t)number;
}

static void read_inet(weir_datagram *datagram, const struct cmsghdr *control)
{
    struct in_pktinfo info;
    if (control->cmsg_type == IP_TOS)
        datagram->tos = small_number(control);
    if (control->cmsg_type == IP_TTL)
        datagram->ttl = small_number(control);
    if (control->cmsg_type != IP_PKTINFO)
        return;
    memcpy(&info, CMSG_DATA(control), sizeof(info));
    datagram->destination = (weir_address){.family = WEIR_INET};
    memcpy(datagram->destination.bytes, &info.ipi_addr, sizeof(info.ipi_addr));
    datagram->interface = (uint32_t)info.ipi_ifindex;
}

static void read_inet6(weir_datagram *datagram, const struct cmsghdr *control)
{
    struct in6_pktinfo info;
    if (control->cmsg_type == IPV6_TCLASS)
        datagram->tclass = small_number(control);
    if (control->cmsg_type != IPV6_PKTINFO)
        return;
    memcpy(&info, CMSG_DATA(control), sizeof(info));
    datagram->destination = (weir_address){.family = WEIR_INET6};
    memcpy(datagram->destination.bytes, &info.ipi6_addr, sizeof(info.ipi6_addr));
    datagram->interface = info.ipi6_ifindex;
}

static void read_socket(weir_datagram *datagram, const struct cmsghdr *control)
{
    struct timespec time;
    if (control->cmsg_type != SCM_TIMESTAMPNS)
        return;
    memcpy(&time, CMSG_DATA(control), sizeof(time));
    datagram->received_ns = (uint64_t)time.tv_sec * 1000000000u + (uint64_t)time.tv_nsec;
}

static void read_control(weir_datagram *datagram, struct arrival *arrival)
{
    size_t size = arrival->control_size;
    struct msghdr message = {
        .msg_control = arrival->control,
        .msg_controllen = size < ARRIVAL_ASKED_BYTES ? size : ARRIVAL_ASKED_BYTES,
    };
    struct cmsghdr *control = CMSG_FIRSTHDR(&message);
    for (; control; control = CMSG_NXTHDR(&message, control)) {
        if (control->cmsg_level == IPPROTO_IP)
            read_inet(datagram, control);
        else if (control->cmsg_level == IPPROTO_IPV6)
            read_inet6(datagram, control);
        else if (control->cmsg_level == SOL_SOCKET)
            read_socket(datagram, control);
    }
}

bool arrival_read(struct weir_buffer *buffer, size_t most)
{
    struct arrival *arrival = arrival_of(buffer);
    weir_datagram datagram = {.tos = -1, .ttl = -1, .tclass = -1};
    size_t there = arrival_size(buffer);
    if (arrival->name_size == 0 ||
        address_from_sockaddr((const struct sockaddr_storage *)(const void *)arrival->name,
                              &datagram.source) < 0)
        return false;
    if (arrival->control_size > 0)
        read_control(&datagram, arrival);
    if (there > most)
        buffer->filled = offsetof(struct arrival, bytes) + most;
    datagram.truncated = ((arrival->flags & MSG_TRUNC) || there > most) && !CANARY(SILENT_CUT);
    arrival->datagram = datagram;
    return true;
}

struct weir_buffer *arrival_copy(const struct weir_buffer *buffer)
{
    struct weir_buffer *block = buffer_allocate(buffer->filled);
    if (!block)
        return NULL;
    memcpy(block->bytes, buffer->bytes, buffer->filled);
    block->filled = buffer->filled;
    return block;
}
