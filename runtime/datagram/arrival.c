/* SPDX-License-Identifier: MIT */
#include "runtime/datagram/arrival.h"

#include <netinet/in.h>
#include <netinet/udp.h>
#include <string.h>
#include <sys/uio.h>
#include <time.h>

#include "address/address.h"
#include "base/canary.h"

void arrival_ask(struct weir_buffer *buffer, bool local, struct msghdr *message,
                 struct iovec *piece)
{
    struct arrival *arrival = arrival_of(buffer);
    *piece = (struct iovec){arrival->bytes, buffer->capacity - sizeof(*arrival)};
    *message = (struct msghdr){
        .msg_name = arrival->name,
        .msg_namelen = ARRIVAL_NAME_BYTES,
        .msg_iov = piece,
        .msg_iovlen = 1,
        .msg_control = arrival->control,
        .msg_controllen = local ? 0 : ARRIVAL_CONTROL_BYTES,
    };
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

static void read_socket(struct arrival *arrival, const struct cmsghdr *control)
{
    struct timespec time;
    if (control->cmsg_type != SCM_TIMESTAMPNS)
        return;
    memcpy(&time, CMSG_DATA(control), sizeof(time));
    arrival->datagram.received_ns = (uint64_t)time.tv_sec * 1000000000u + (uint64_t)time.tv_nsec;
}

static void read_udp(struct arrival *arrival, const struct cmsghdr *control)
{
    int size = 0;
    if (control->cmsg_type != UDP_GRO)
        return;
    memcpy(&size, CMSG_DATA(control), sizeof(size));
    if (size > 0 && !CANARY(WHOLE_RUN))
        arrival->datagram_size = (uint32_t)size;
}

static void read_control(struct arrival *arrival, const struct msghdr *message)
{
    weir_datagram *datagram = &arrival->datagram;
    struct msghdr *there = (struct msghdr *)message;
    struct cmsghdr *control = CMSG_FIRSTHDR(there);
    for (; control; control = CMSG_NXTHDR(there, control)) {
        if (control->cmsg_level == IPPROTO_IP)
            read_inet(datagram, control);
        else if (control->cmsg_level == IPPROTO_IPV6)
            read_inet6(datagram, control);
        else if (control->cmsg_level == SOL_SOCKET)
            read_socket(arrival, control);
        else if (control->cmsg_level == IPPROTO_UDP)
            read_udp(arrival, control);
    }
}

static bool is_run(const struct arrival *arrival)
{
    return arrival->size > arrival->datagram_size;
}

/* The rest of one that was cut by the kernel is lost, and counts as what is not wanted. */
static void note_cuts(struct arrival *arrival, bool cut_by_kernel)
{
    arrival->datagram.truncated =
        (cut_by_kernel || arrival->datagram_size > arrival->most) && !CANARY(SILENT_CUT);
    if (!is_run(arrival))
        return;
    uint32_t rest = arrival->size % arrival->datagram_size;
    arrival->last = arrival->datagram;
    arrival->last.truncated =
        cut_by_kernel || (rest ? rest : arrival->datagram_size) > arrival->most;
    arrival->datagram.truncated = arrival->datagram_size > arrival->most;
}

static void note_bytes(struct weir_buffer *buffer, size_t size, size_t most)
{
    struct arrival *arrival = arrival_of(buffer);
    arrival->size = arrival->datagram_size = (uint32_t)size;
    arrival->given = 0;
    arrival->most = (uint32_t)(most < DATAGRAM_BYTES_MAX ? most : DATAGRAM_BYTES_MAX);
    buffer->filled = sizeof(*arrival) + size;
}

bool arrival_read(struct weir_buffer *buffer, const struct msghdr *message, size_t size,
                  size_t most)
{
    struct arrival *arrival = arrival_of(buffer);
    weir_datagram *datagram = &arrival->datagram;
    *datagram =
        (weir_datagram){.tos = -1, .ttl = -1, .tclass = -1, .credentials = WEIR_NO_CREDENTIALS};
    if (message->msg_namelen == 0 ||
        address_from_sockaddr((const struct sockaddr_storage *)(const void *)arrival->name,
                              &datagram->source) < 0)
        return false;
    note_bytes(buffer, size, most);
    if (message->msg_controllen > 0)
        read_control(arrival, message);
    note_cuts(arrival, message->msg_flags & MSG_TRUNC);
    return true;
}

/* The kernel's form of the name becomes ours where it lies. */
bool arrival_read_local(struct weir_buffer *buffer, const struct msghdr *message, size_t size,
                        size_t most)
{
    struct arrival *arrival = arrival_of(buffer);
    weir_local_address *local = (weir_local_address *)(void *)arrival->name;
    struct sockaddr_storage storage;
    memcpy(&storage, arrival->name, sizeof(arrival->name));
    local_address_from_sockaddr(&storage, message->msg_namelen, local);
    arrival->datagram = (weir_datagram){.source.family = WEIR_LOCAL,
                                        .tos = -1,
                                        .ttl = -1,
                                        .tclass = -1,
                                        .local = local,
                                        .credentials = WEIR_NO_CREDENTIALS};
    note_bytes(buffer, size, most);
    note_cuts(arrival, message->msg_flags & MSG_TRUNC);
    return true;
}

struct arrived arrival_next(const struct weir_buffer *buffer)
{
    const struct arrival *arrival = arrival_of(buffer);
    uint32_t left = arrival->size - arrival->given;
    bool last = left <= arrival->datagram_size;
    uint32_t size = last ? left : arrival->datagram_size;
    return (struct arrived){
        .bytes = arrival->bytes + arrival->given,
        .size = size < arrival->most ? size : arrival->most,
        .datagram = last && is_run(arrival) ? &arrival->last : &arrival->datagram,
    };
}

bool arrival_take(struct weir_buffer *buffer)
{
    struct arrival *arrival = arrival_of(buffer);
    uint32_t left = arrival->size - arrival->given;
    uint32_t most = arrival->datagram_size;
    if (left <= most || (CANARY(LOST_TAIL) && left < 2 * most))
        return false;
    arrival->given += most;
    return true;
}

struct weir_buffer *arrival_copy(const struct weir_buffer *buffer)
{
    struct weir_buffer *block = buffer_allocate(buffer->filled);
    if (!block)
        return NULL;
    memcpy(block->bytes, buffer->bytes, buffer->filled);
    block->filled = buffer->filled;
    struct arrival *arrival = arrival_of(block);
    if (arrival->datagram.local)
        arrival->datagram.local = (const weir_local_address *)(const void *)arrival->name;
    return block;
}
