/* SPDX-License-Identifier: MIT */
/* The names of local sockets. */
#include <errno.h>

#include "address/address.h"
#include "base/error.h"
#include "base/system.h"
#include "runtime/scheduler/call.h"
#include "runtime/scheduler/scheduler.h"
#include "runtime/scheduler/slot.h"
#include <weir/local.h>

struct local_name_call {
    struct call call;
    weir_local_address *address;
};

typedef int get_name(int fd, struct sockaddr *address, socklen_t *size);

static int read_name(const struct slot *slot, get_name *get, struct call *call)
{
    struct sockaddr_storage storage;
    socklen_t size = sizeof(storage);
    if (slot->family != WEIR_LOCAL)
        return error_say(-EAFNOSUPPORT, "the socket is not a local one");
    int result = get(slot->fd, (struct sockaddr *)&storage, &size);
    if (result >= 0)
        local_address_from_sockaddr(&storage, size,
                                    list_entry(call, struct local_name_call, call)->address);
    return result;
}

static int run_sockname(struct scheduler *scheduler, struct slot *slot, struct call *call)
{
    (void)scheduler;
    return slot->state == SOCKET_GONE ? -EBADF : read_name(slot, system_getsockname, call);
}

static int run_peername(struct scheduler *scheduler, struct slot *slot, struct call *call)
{
    (void)scheduler;
    return slot->state != SOCKET_OPEN ? -ENOTCONN : read_name(slot, system_getpeername, call);
}

static const struct call_operation operation_sockname = {
    .name = "weir_local_sockname", .run = run_sockname, .dead_result = -EINVAL};
static const struct call_operation operation_peername = {
    .name = "weir_local_peername", .run = run_peername, .dead_result = -EINVAL};

int weir_local_sockname(weir_socket socket, weir_local_address *address)
{
    struct local_name_call name = {.address = address};
    return call_make(&operation_sockname, socket, &name.call);
}

int weir_local_peername(weir_socket socket, weir_local_address *address)
{
    struct local_name_call name = {.address = address};
    return call_make(&operation_peername, socket, &name.call);
}
