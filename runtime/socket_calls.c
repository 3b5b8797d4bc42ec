/* SPDX-License-Identifier: MIT */
/* The calls on a socket that are done at once: one operation row and one public function each. */
#include <errno.h>
#include <string.h>

#include "address/address.h"
#include "base/error.h"
#include "base/memory.h"
#include "base/system.h"
#include "runtime/datagram/datagram.h"
#include "runtime/datagram/departure.h"
#include "runtime/listener/accept.h"
#include "runtime/owner/owner.h"
#include "runtime/scheduler/call.h"
#include "runtime/scheduler/scheduler.h"
#include "runtime/scheduler/slot.h"
#include "runtime/service.h"
#include "runtime/set_options.h"
#include "runtime/stream/busy.h"
#include "runtime/stream/proxied.h"
#include "runtime/stream/send.h"
#include "runtime/stream/stream.h"
#include <weir/reach.h>

struct name_call {
    struct call call;
    weir_address *address;
};

struct getstat_call {
    struct call call;
    weir_statistics *statistics;
};

struct getopts_call {
    struct call call;
    weir_option *wanted;
    size_t count;
};

struct shutdown_call {
    struct call call;
    enum weir_how how;
};

struct owner_call {
    struct call call;
    weir_owner from;
    weir_owner to;
};

/* What is set on all listeners of a service, one after the other. */
struct service_call {
    struct call call;
    const weir_option *options; /* or the call's data */
    uint32_t sibling_count;     /* of the service that it was made on: the caller's to see to */
};

typedef int get_name(int fd, struct sockaddr *address, socklen_t *size);

static int read_name(const struct slot *slot, get_name *get, struct call *call)
{
    struct sockaddr_storage storage;
    socklen_t size = sizeof(storage);
    int result = get(slot->fd, (struct sockaddr *)&storage, &size);
    return result < 0
               ? result
               : address_from_sockaddr(&storage, list_entry(call, struct name_call, call)->address);
}

static int give_name(struct call *call, const weir_address *address)
{
    *list_entry(call, struct name_call, call)->address = *address;
    return 0;
}

static int run_sockname(struct scheduler *scheduler, struct slot *slot, struct call *call)
{
    const struct proxy_header *header = proxied_of(scheduler, slot);
    if (slot->state == SOCKET_GONE)
        return -EBADF;
    if (header)
        return give_name(call, &header->destination);
    return read_name(slot, system_getsockname, call);
}

static int run_peername(struct scheduler *scheduler, struct slot *slot, struct call *call)
{
    const struct proxy_header *header = proxied_of(scheduler, slot);
    if (slot->state != SOCKET_OPEN)
        return -ENOTCONN;
    if (header)
        return give_name(call, &header->source);
    return read_name(slot, system_getpeername, call);
}

static int run_getstat(struct scheduler *scheduler, struct slot *slot, struct call *call)
{
    weir_statistics *statistics = list_entry(call, struct getstat_call, call)->statistics;
    *statistics = (weir_statistics){0};
    if (scheduler->kinds[slot->kind]->get_statistics)
        scheduler->kinds[slot->kind]->get_statistics(slot, statistics);
    return 0;
}

static int run_setopts(struct scheduler *scheduler, struct slot *slot, struct call *call)
{
    struct service_call *service = list_entry(call, struct service_call, call);
    service->sibling_count = service_sibling_count(slot);
    return set_options(scheduler, slot, service->options);
}

static enum option_scope options_of(const struct scheduler *scheduler, const struct slot *slot,
                                    struct option_source *source)
{
    const struct kind *kind = scheduler->kinds[slot->kind];
    const struct option_values *values = &slot->options->values;
    *source = (struct option_source){
        .values = values,
        .active = values->active,
        .bit8_seen = values->bit8 == WEIR_BIT8_SET,
        .fd = slot->state == SOCKET_GONE ? -1 : slot->fd,
        .family = slot->family,
    };
    return kind->get_options ? kind->get_options(slot, source) : OPTION_SET_TCP;
}

static int run_getopts(struct scheduler *scheduler, struct slot *slot, struct call *call)
{
    const struct getopts_call *getopts = list_entry(call, struct getopts_call, call);
    struct option_source source;
    enum option_scope scope = options_of(scheduler, slot, &source);
    return options_read(&source, scope, getopts->wanted, getopts->count);
}

static int run_shutdown(struct scheduler *scheduler, struct slot *slot, struct call *call)
{
    if (slot->state != SOCKET_OPEN)
        return -ENOTCONN;
    enum weir_how how = list_entry(call, struct shutdown_call, call)->how;
    if (how != WEIR_READ && how != WEIR_WRITE && how != WEIR_READ_WRITE)
        return error_say(WEIR_BADARG, "shutdown: %d is not read, write or read_write", how);
    return how == WEIR_READ ? system_shutdown(slot->fd, SHUT_RD)
                            : send_shutdown(scheduler, stream_of(slot), how == WEIR_READ_WRITE);
}

static int run_controlling_process(struct scheduler *scheduler, struct slot *slot,
                                   struct call *call)
{
    const struct owner_call *owner = list_entry(call, struct owner_call, call);
    const struct kind *kind = scheduler->kinds[slot->kind];
    struct option_source source;
    (void)options_of(scheduler, slot, &source);
    if (kind->hand_over && owner_is(slot_owner(slot), owner->to))
        return 0; /* whoever asks */
    if (!kind->hand_over || !owner_is(slot_owner(slot), owner->from))
        return error_say(WEIR_NOT_OWNER, "controlling_process: the socket has another owner");
    int result = owner_check(owner->to);
    if (result < 0)
        return result;
    if (owner_is_nobody(owner->to) && source.active != WEIR_ACTIVE_FALSE)
        return error_say(WEIR_BADARG, "controlling_process: an active socket needs an owner");
    result = kind->hand_over(scheduler, slot, owner->to);
    return result < 0 ? result : 0;
}

static int run_set_data(struct scheduler *scheduler, struct slot *slot, struct call *call)
{
    (void)scheduler;
    if (!slot_handler(slot))
        return error_say(-EINVAL, "set_data: the socket's owner is no handler");
    list_entry(call, struct service_call, call)->sibling_count = service_sibling_count(slot);
    slot->owner_data = call->data;
    return 0;
}

static int run_get_data(struct scheduler *scheduler, struct slot *slot, struct call *call)
{
    (void)scheduler;
    if (!slot_handler(slot))
        return error_say(-EINVAL, "get_data: the socket's owner is no handler");
    call->data = slot->owner_data;
    return 0;
}

static int run_is_busy(struct scheduler *scheduler, struct slot *slot, struct call *call)
{
    (void)call;
    if (slot->state != SOCKET_OPEN)
        return -ENOTCONN;
    if (slot->kind == KIND_DATAGRAM)
        return departure_is_busy(datagram_of(slot));
    return busy_is(scheduler, stream_of(slot));
}

static const struct call_operation operation_sockname = {
    .name = "weir_sockname", .run = run_sockname, .dead_result = -EINVAL};
static const struct call_operation operation_port = {
    .name = "weir_port", .run = run_sockname, .dead_result = -EINVAL};
static const struct call_operation operation_peername = {
    .name = "weir_peername", .run = run_peername, .dead_result = -EINVAL};
static const struct call_operation operation_set_data = {
    .name = "weir_set_data", .run = run_set_data, .dead_result = -EINVAL};
static const struct call_operation operation_get_data = {
    .name = "weir_get_data", .run = run_get_data, .dead_result = -EINVAL};
static const struct call_operation operation_is_busy = {.name = "weir_is_busy",
                                                        .run = run_is_busy,
                                                        .kinds =
                                                            1 << KIND_STREAM | 1 << KIND_DATAGRAM,
                                                        .other_result = -ENOTCONN,
                                                        .dead_result = WEIR_CLOSED};
static const struct call_operation operation_getstat = {
    .name = "weir_getstat", .run = run_getstat, .dead_result = -EINVAL};
static const struct call_operation operation_setopts = {
    .name = "weir_setopts", .run = run_setopts, .dead_result = -EINVAL};
static const struct call_operation operation_getopts = {
    .name = "weir_getopts", .run = run_getopts, .dead_result = -EINVAL};
static const struct call_operation operation_shutdown = {.name = "weir_shutdown",
                                                         .run = run_shutdown,
                                                         .kinds = 1 << KIND_STREAM,
                                                         .other_result = -ENOTCONN,
                                                         .dead_result = WEIR_CLOSED};
static const struct call_operation operation_controlling_process = {
    .name = "weir_controlling_process", .run = run_controlling_process, .dead_result = WEIR_CLOSED};

/* A handler sets its own connections' alone, which is no call that waits. */
int weir_set_data(weir_socket socket, void *data)
{
    struct service_call service = {.call.data = data};
    int result = service_may_wait(socket, "weir_set_data");
    if (result >= 0)
        result = call_make(&operation_set_data, socket, &service.call);
    return result < 0 || service.sibling_count == 0
               ? result
               : service_each_sibling(socket, weir_set_data, data);
}

int weir_get_data(weir_socket socket, void **data)
{
    struct call call = {0};
    int result = call_make(&operation_get_data, socket, &call);
    if (result == 0)
        *data = call.data;
    return result;
}

int weir_is_busy(weir_socket socket)
{
    struct call call = {0};
    return call_make(&operation_is_busy, socket, &call);
}

int weir_sockname(weir_socket socket, weir_address *address)
{
    struct name_call name = {.address = address};
    return call_make(&operation_sockname, socket, &name.call);
}

int weir_peername(weir_socket socket, weir_address *address)
{
    struct name_call name = {.address = address};
    return call_make(&operation_peername, socket, &name.call);
}

int weir_port(weir_socket socket)
{
    weir_address address;
    struct name_call name = {.address = &address};
    int result = call_make(&operation_port, socket, &name.call);
    return result < 0 ? result : address.port;
}

int weir_getstat(weir_socket socket, weir_statistics *statistics)
{
    struct getstat_call getstat = {.statistics = statistics};
    return call_make(&operation_getstat, socket, &getstat.call);
}

static int set_on_own(struct scheduler *here, struct slot *slot, const weir_option *options)
{
    struct waiter *waiter = scheduler_set_waiter(here, NULL);
    error_clear_text();
    slot_hold(slot);
    int result = set_options(here, slot, options);
    slot_unhold(here, slot);
    (void)scheduler_set_waiter(here, waiter);
    return result;
}

static const weir_option no_options[] = {{.id = WEIR_OPTION_END}};

static int set_on_sibling(weir_socket sibling, void *options)
{
    return weir_setopts(sibling, options);
}

/* A handler says {active,once} after every packet, so on its own connections this is no call. */
int weir_setopts(weir_socket handle, const weir_option *options)
{
    struct scheduler *here = scheduler_current();
    bool own = here && here->index == slot_scheduler(handle);
    struct slot *slot = own ? slot_find(here, handle) : NULL;
    options = options ? options : no_options;
    int result = options_check(options, OPTION_SET_TCP);
    if (result < 0)
        return result;
    if (slot && service_sibling_count(slot) == 0)
        return set_on_own(here, slot, options);
    struct service_call service = {.options = options};
    if (own)
        result = service_may_wait(handle, "weir_setopts");
    if (result >= 0)
        result = call_make(&operation_setopts, handle, &service.call);
    return result < 0 || service.sibling_count == 0
               ? result
               : service_each_sibling(handle, set_on_sibling, (void *)options);
}

int weir_getopts(weir_socket socket, weir_option *values, size_t count)
{
    struct getopts_call getopts = {.wanted = values, .count = count};
    return call_make(&operation_getopts, socket, &getopts.call);
}

int weir_shutdown(weir_socket socket, enum weir_how how)
{
    struct shutdown_call shutdown = {.how = how};
    return call_make(&operation_shutdown, socket, &shutdown.call);
}

int weir_controlling_process(weir_socket socket, weir_owner from, weir_owner to)
{
    struct owner_call owner = {.from = from, .to = to};
    owner_keep(to);
    int result = call_make(&operation_controlling_process, socket, &owner.call);
    owner_release(to);
    return result;
}
