/* SPDX-License-Identifier: MIT */
/* gen_udp:open and gen_udp:connect. */
#include "runtime/udp_open.h"

#include <errno.h>

#include "address/address.h"
#include "base/canary.h"
#include "base/error.h"
#include "base/system.h"
#include "runtime/datagram/collect.h"
#include "runtime/datagram/connect.h"
#include "runtime/datagram/datagram.h"
#include "runtime/datagram/set_option.h"
#include "runtime/owner/owner.h"
#include "runtime/runtime.h"
#include "runtime/runtimes.h"
#include "runtime/scheduler/call.h"
#include "runtime/scheduler/scheduler.h"
#include "runtime/service.h"
#include "runtime/socket/descriptor.h"
#include "runtime/socket/local.h"
#include <weir/udp.h>

struct connect_call {
    struct call call;
    const weir_address *peer;
};

/* A count that is spent is told of, as by setopts; who is told may close it. */
static void begin(struct scheduler *scheduler, struct datagram *socket, int32_t active)
{
    slot_hold(&socket->slot);
    if (active != WEIR_ACTIVE_FALSE && datagram_set_active(socket, active) == OPTION_SPENT)
        datagram_tell_passive(scheduler, &socket->slot);
    collect_go_on(scheduler, socket);
    slot_unhold(scheduler, &socket->slot);
}

static int run_open(struct scheduler *scheduler, struct slot *unused, struct call *call)
{
    struct udp_open_call *open = list_entry(call, struct udp_open_call, call);
    const struct option_setup *setup = open->setup;
    (void)unused;
    if (scheduler->state == SCHEDULER_STOPPING)
        return WEIR_CLOSED;
    int result = owner_check(open->owner); /* it may be gone since the call was made */
    if (result < 0)
        return result;
    struct datagram *socket =
        datagram_create(scheduler, open->fd, (enum weir_family)setup->local.family, &setup->values);
    if (!socket)
        return error_say(-ENOMEM, "open: no memory for a socket");
    result = service_note_siblings(&socket->siblings, open->siblings, open->sibling_count);
    if (result < 0) {
        socket->slot.fd = -1; /* still the caller's */
        slot_end(scheduler, &socket->slot, END_CLOSED);
        return result;
    }
    owner_set(&socket->slot, open->owner);
    socket->connected = descriptor_is_connected(open->fd);
    open->socket = slot_handle(scheduler, &socket->slot);
    begin(scheduler, socket, setup->values.active);
    return 0;
}

const struct call_operation operation_open_udp = {
    .name = "weir_udp_open", .run = run_open, .dead_result = WEIR_CLOSED};

int udp_check_owner(const struct option_setup *setup, weir_owner owner)
{
    if (owner_is_nobody(owner) && setup->values.active != WEIR_ACTIVE_FALSE)
        return error_say(WEIR_BADARG,
                         "open: an active socket needs an owner: give one, or {active,false}");
    return owner_check(owner);
}

/* Without a name it only sends, as in Erlang/OTP. */
static int bind_local(const struct option_setup *setup, int fd)
{
    weir_local_address address;
    int result = local_address_of(setup, &address);
    return result < 0 || setup->local_name.family != WEIR_LOCAL ? result
                                                                : local_bind(setup, fd, &address);
}

/* The caller's descriptor is bound unless open is told where to. */
static int bind_descriptor(const struct option_setup *setup, int fd)
{
    weir_address local = descriptor_local(setup, (enum weir_family)setup->local.family);
    if (local.family == WEIR_LOCAL)
        return bind_local(setup, fd);
    return setup->fd < 0 || setup->has_local_address ? descriptor_bind(fd, &local) : 0;
}

static int open_descriptor(struct option_setup *setup)
{
    int fd = setup->fd >= 0 ? descriptor_open(setup)
                            : descriptor_new(setup, (enum weir_family)setup->local.family);
    if (fd < 0)
        return fd;
    int result = bind_descriptor(setup, fd);
    if (result < 0) {
        system_close(fd);
        return result;
    }
    return fd;
}

static int open_there(weir_runtime *runtime, struct option_setup *setup, struct udp_open_call *open)
{
    const struct scheduler *here = scheduler_current();
    int result = open->fd = open_descriptor(setup);
    if (result >= 0) {
        uint32_t index = here ? here->index : runtime_next_scheduler(runtime);
        open->setup = setup;
        result = call_make_on(&operation_open_udp, index, &open->call);
        if (result < 0)
            system_close(open->fd);
    }
    if (result < 0)
        descriptor_put_back(setup);
    else
        descriptor_taken(setup);
    return result;
}

static int set_up(struct option_setup *setup, uint16_t port, const weir_option *options,
                  weir_owner owner)
{
    int result = options_set_up(setup, OPTION_UDP, NULL, options);
    if (result == 0 && port != 0 && setup->local.family == WEIR_LOCAL)
        return error_say(WEIR_BADARG, "open: a local socket has no port, not %u", port);
    if (result == 0 && port != 0) {
        setup->local.port = port;
        setup->has_local_address = true;
    }
    return result < 0 ? result : udp_check_owner(setup, owner);
}

int weir_udp_open(weir_runtime *runtime, uint16_t port, const weir_option *options,
                  weir_owner owner, weir_socket *socket)
{
    struct option_setup setup;
    owner = owner_or_caller(owner);
    struct udp_open_call open = {.owner = owner};
    const struct scheduler *here = scheduler_current();
    error_clear_text();
    int result = runtimes_enter(runtime);
    if (result < 0)
        return result;
    owner_keep(owner);
    if (here && here->runtime != runtime)
        result = error_say(-EDEADLK, "weir_udp_open for a runtime on a scheduler of another one: "
                                     "make it on one of its own, by weir_run_on");
    if (result >= 0)
        result = set_up(&setup, port, options, owner);
    if (result >= 0)
        result = open_there(runtime, &setup, &open);
    owner_release(owner);
    runtimes_leave(runtime);
    if (result >= 0)
        *socket = open.socket;
    return result < 0 ? result : 0;
}

static int run_connect(struct scheduler *scheduler, struct slot *slot, struct call *call)
{
    struct sockaddr_storage storage;
    const weir_address *peer = list_entry(call, struct connect_call, call)->peer;
    (void)scheduler;
    socklen_t size = address_to_sockaddr(peer, &storage);
    if (size == 0)
        return error_say(-EINVAL, "connect: an address of no family");
    if (peer->family != slot->family)
        return error_say(-EAFNOSUPPORT, "connect: the address is not of the socket's family");
    int result = datagram_connect(datagram_of(slot), &storage, size);
    return CANARY(BLIND_CONNECT) && call_is_waited_for(call) ? 0 : result;
}

static const struct call_operation operation_connect_datagram = {
    .name = "weir_udp_connect",
    .run = run_connect,
    .kinds = 1 << KIND_DATAGRAM,
    .other_result = -ENOTCONN,
    .dead_result = WEIR_CLOSED,
};

int weir_udp_connect(weir_socket socket, const weir_address *peer)
{
    weir_address copy = *peer;
    struct connect_call connect = {.peer = &copy};
    return call_make(&operation_connect_datagram, socket, &connect.call);
}
