/* SPDX-License-Identifier: MIT */
#include "runtime/listener/listener.h"

#include <netinet/in.h>
#include <netinet/tcp.h>

#include "base/system.h"
#include "runtime/scheduler/scheduler.h"

struct listener *listener_create(struct scheduler *scheduler, int fd, enum weir_family family,
                                 const struct option_values *values)
{
    struct slot *slot = slot_create_with(scheduler, KIND_LISTENER, fd, family, values);
    return slot ? listener_of(slot) : NULL;
}

struct listener *listener_find(struct scheduler *scheduler, weir_socket handle)
{
    struct slot *slot = slot_find(scheduler, handle);
    return slot && slot->kind == KIND_LISTENER ? listener_of(slot) : NULL;
}

uint32_t listener_backlog_count(const struct listener *listener)
{
    struct tcp_info info = {0};
    socklen_t size = sizeof(info);
    size_t least = offsetof(struct tcp_info, tcpi_unacked) + sizeof(info.tcpi_unacked);
    if (system_getsockopt(listener->slot.fd, IPPROTO_TCP, TCP_INFO, &info, &size) < 0 ||
        size < least)
        return UINT32_MAX;
    return info.tcpi_unacked;
}
