/* SPDX-License-Identifier: MIT */
/* The names of local sockets, who is at the other end, and what it has sent beside bytes. */
#include <errno.h>

#include "address/address.h"
#include "base/error.h"
#include "base/system.h"
#include "runtime/scheduler/call.h"
#include "runtime/scheduler/scheduler.h"
#include "runtime/scheduler/slot.h"
#include "runtime/socket/passed.h"
#include <weir/local.h>

struct local_name_call {
    struct call call;
    weir_local_address *address;
};

struct credentials_call {
    struct call call;
    weir_credentials *credentials;
};

struct take_call {
    struct call call;
    int *descriptors;
    size_t room;
};

_Static_assert(sizeof(weir_credentials) == sizeof(struct ucred), "as the kernel has them");

typedef int get_name(int fd, struct sockaddr *address, socklen_t *size);

static int say_not_local(void)
{
    return error_say(-EAFNOSUPPORT, "the socket is not a local one");
}

static int read_name(const struct slot *slot, get_name *get, struct call *call)
{
    struct sockaddr_storage storage;
    socklen_t size = sizeof(storage);
    if (slot->family != WEIR_LOCAL)
        return say_not_local();
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

static int run_credentials(struct scheduler *scheduler, struct slot *slot, struct call *call)
{
    weir_credentials *credentials = list_entry(call, struct credentials_call, call)->credentials;
    socklen_t size = sizeof(*credentials);
    (void)scheduler;
    if (slot->family != WEIR_LOCAL)
        return say_not_local();
    if (slot->kind != KIND_STREAM || slot->state != SOCKET_OPEN)
        return -ENOTCONN;
    return system_getsockopt(slot->fd, SOL_SOCKET, SO_PEERCRED, credentials, &size);
}

static int run_take(struct scheduler *scheduler, struct slot *slot, struct call *call)
{
    const struct take_call *take = list_entry(call, struct take_call, call);
    return slot->family != WEIR_LOCAL ? say_not_local()
                                      : passed_take(scheduler, slot, take->descriptors, take->room);
}

static const struct call_operation operation_sockname = {
    .name = "weir_local_sockname", .run = run_sockname, .dead_result = -EINVAL};
static const struct call_operation operation_peername = {
    .name = "weir_local_peername", .run = run_peername, .dead_result = -EINVAL};

static const struct call_operation operation_credentials = {
    .name = "weir_local_credentials", .run = run_credentials, .dead_result = -EINVAL};
static const struct call_operation operation_take = {
    .name = "weir_local_take",
    .run = run_take,
    .kinds = 1 << KIND_STREAM | 1 << KIND_DATAGRAM,
    .other_result = -EINVAL,
    .dead_result = -EINVAL,
};

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

int weir_local_credentials(weir_socket socket, weir_credentials *credentials)
{
    struct credentials_call call = {.credentials = credentials};
    return call_make(&operation_credentials, socket, &call.call);
}

int weir_local_take(weir_socket socket, int *descriptors, size_t room)
{
    struct take_call take = {.descriptors = descriptors, .room = room};
    return call_make(&operation_take, socket, &take.call);
}
