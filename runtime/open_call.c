/* SPDX-License-Identifier: MIT */
/* gen_tcp:accept and gen_tcp:connect. */
#include <errno.h>
#include <string.h>

#include "address/address.h"
#include "address/name.h"
#include "base/clock.h"
#include "base/error.h"
#include "base/memory.h"
#include "runtime/listener/accept.h"
#include "runtime/owner/owner.h"
#include "runtime/resolver/resolver.h"
#include "runtime/runtime.h"
#include "runtime/runtimes.h"
#include "runtime/scheduler/call.h"
#include "runtime/scheduler/registry.h"
#include "runtime/scheduler/scheduler.h"
#include "runtime/stream/connect.h"
#include "runtime/stream/open.h"

struct named_host {
    const char *name;
    uint16_t port;
};

int weir_tcp_accept(weir_socket listener, weir_owner owner, int64_t timeout_ms, weir_socket *socket)
{
    call_begin();
    owner = owner_or_caller(owner);
    struct open_call open = {.call.timeout_ms = timeout_ms, .owner = owner};
    int result = owner_check(owner);
    if (result < 0)
        return result;
    owner_keep(owner);
    result = call_make(&operation_accept, listener, &open.call);
    owner_release(owner);
    if (result == 0)
        *socket = open.socket;
    return result;
}

/* To the last address that was tried, or to none: its name was not found. */
static void say_what_failed(const struct connecting *connecting, int error)
{
    char text[WEIR_LOCAL_TEXT_SIZE];
    if (connecting->next == 0)
        return;
    const weir_address *address = &connecting->addresses[connecting->next - 1];
    if (address->family == WEIR_LOCAL)
        weir_local_address_format(&connecting->local, text);
    else
        weir_address_format_endpoint(address, text);
    (void)error_say(error, "cannot connect to %s: %s", text, weir_error_text(error));
}

static void finish_open(struct call *call)
{
    struct open_call *open = open_call_of(call);
    weir_opened *opened = (weir_opened *)call->callback;
    if (call->result < 0 && open->connecting)
        say_what_failed(open->connecting, call->result);
    if (open->connecting)
        connecting_free(open->connecting);
    if (opened)
        opened(open->socket, call->result, call->data);
    owner_release(open->owner);
    memory_free(open);
}

static struct open_call *new_open_call(weir_owner owner, int64_t timeout_ms, weir_opened *opened,
                                       void *data)
{
    struct open_call *open = call_allocate(sizeof(*open));
    if (!open)
        return NULL;
    open->owner = owner;
    owner_keep(owner);
    open->call.timeout_ms = timeout_ms;
    open->call.callback = (void (*)(void))opened;
    open->call.data = data;
    open->call.finish = finish_open;
    return open;
}

int weir_tcp_accept_async(weir_socket listener, weir_owner owner, int64_t timeout_ms,
                          weir_opened *opened, void *data)
{
    owner = owner_or_caller(owner);
    int result = owner_check(owner);
    if (result < 0)
        return result;
    struct open_call *open = new_open_call(owner, timeout_ms, opened, data);
    return open ? call_make_async(&operation_accept, listener, &open->call) : -ENOMEM;
}

static struct scheduler *here_of(const weir_runtime *runtime)
{
    struct scheduler *here = scheduler_current();
    return here && here->runtime == runtime ? here : NULL;
}

static int copy_options(struct connecting **connecting, const weir_runtime *runtime,
                        const weir_option *options)
{
    int result = runtimes_enter(runtime);
    if (result < 0)
        return result;
    result = connecting_create(connecting, runtime->default_connect, options);
    if (result == 0)
        (*connecting)->runtime_id = runtime->id;
    runtimes_leave(runtime);
    return result;
}

/* What can be said about a connect before anything is done. `host` is looked up later, outside of
 * the runtime: a stop does not wait for a name server. */
static int prepare(struct connecting **connecting, weir_runtime *runtime, const char *host,
                   const weir_option *options, weir_owner owner)
{
    if (!host || !*host)
        return error_say(WEIR_BADARG, "connect: no host was given");
    if (scheduler_current() && !here_of(runtime))
        return error_say(-EDEADLK, "weir_tcp_connect for a runtime on a scheduler of another one: "
                                   "make it on one of its own, by weir_run_on");
    int result = owner_check(owner);
    if (result == 0)
        result = copy_options(connecting, runtime, options);
    if (result < 0)
        return result;
    if (owner_is_nobody(owner) && (*connecting)->setup.values.active != WEIR_ACTIVE_FALSE) {
        connecting_free(*connecting);
        return error_say(WEIR_BADARG, "connect: an active socket needs an owner: give one, or "
                                      "{active,false}");
    }
    return 0;
}

/* "unix:PATH", of which there is one and whose port is 0. */
static int read_local(struct connecting *connecting, const char *host, uint16_t port)
{
    struct option_setup *setup = &connecting->setup;
    if (weir_local_address_parse(host, &connecting->local) < 0)
        return WEIR_BADARG;
    if (setup->family_given && setup->local.family != WEIR_LOCAL)
        return error_say(WEIR_BADARG, "connect: %s is not of the family that the options ask for",
                         host);
    if (port != 0)
        return error_say(WEIR_BADARG, "connect: %s has no port, not %u", host, port);
    setup->local.family = WEIR_LOCAL;
    connecting->addresses[0] = (weir_address){.family = WEIR_LOCAL};
    return 1;
}

/* A literal needs no look-up; it chooses the family, unless the options have chosen another.
 * How many addresses there are, or 0: it is a name. */
static int read_literal(struct connecting *connecting, const char *host, uint16_t port)
{
    weir_address *address = &connecting->addresses[0];
    if (local_address_is_meant(host))
        return read_local(connecting, host, port);
    if (connecting->setup.family_given && connecting->setup.local.family == WEIR_LOCAL)
        return error_say(WEIR_BADARG, "connect: %s is not unix:PATH, as the options ask for", host);
    if (weir_address_parse(host, address) < 0)
        return 0;
    if (address_parse_host(host, address) < 0)
        return WEIR_NXDOMAIN; /* of an interface that is not there */
    if (connecting->setup.family_given && address->family != connecting->setup.local.family)
        return error_say(-EAFNOSUPPORT, "connect: %s is not of the family that the options ask for",
                         host);
    return 1;
}

static void set_addresses(struct connecting *connecting, size_t count, uint16_t port)
{
    connecting->address_count = count;
    for (size_t i = 0; i < count; i++)
        connecting->addresses[i].port = port;
}

/* Where the options choose no family, the inet configuration has. */
static enum weir_family family_of(weir_runtime *runtime, const struct connecting *connecting)
{
    if (!connecting->setup.family_given && naming_family(&runtime->naming) == WEIR_INET6)
        return WEIR_INET6;
    return (enum weir_family)connecting->setup.local.family;
}

/* Adds those of the addresses that were found for which there is room. The host's memory is given
 * back. */
static void take_addresses(struct connecting *connecting, weir_hostent *hostent)
{
    size_t room = CONNECT_ADDRESSES_MAX - connecting->address_count;
    size_t count = hostent->address_count < room ? hostent->address_count : room;
    memcpy(connecting->addresses + connecting->address_count, hostent->h_addr_list,
           count * sizeof(weir_address));
    connecting->address_count += count;
    weir_hostent_free(hostent);
}

/* With {happy_eyeballs,_} both families are asked for, unless the options choose one. */
static bool wants_both(const struct connecting *connecting)
{
    return connecting->setup.happy_eyeballs_ms > 0 && !connecting->setup.family_given;
}

/* The families in turn, as RFC 8305 has them: those of the first are in front of the others. */
static void interleave(struct connecting *connecting)
{
    weir_address sorted[CONNECT_ADDRESSES_MAX];
    size_t count = connecting->address_count;
    size_t other = 0;
    size_t first = 0;
    while (other < count && connecting->addresses[other].family == connecting->addresses[0].family)
        other++;
    const size_t end = other;
    for (size_t i = 0; i < count; i++) {
        bool takes_first = other == count || (first < end && first <= other - end);
        sorted[i] = connecting->addresses[takes_first ? first++ : other++];
    }
    memcpy(connecting->addresses, sorted, count * sizeof(sorted[0]));
}

static int ask_for(weir_runtime *runtime, struct connecting *connecting, struct look_up *look_up,
                   int64_t timeout_ms)
{
    look_up->call = (struct call){.timeout_ms = timeout_ms};
    int result = call_make_on(&operation_look_up, runtime_home(runtime, look_up), &look_up->call);
    if (result == 0)
        take_addresses(connecting, look_up->hostent);
    return result;
}

/* A thread's wait, which began when the call did. */
struct wait {
    int64_t timeout_ms;
    uint64_t began_ns;
};

/* Looking the name up counts against the time-out. */
static int64_t rest_of(int64_t timeout_ms, uint64_t since_ns)
{
    int64_t spent_ms = (int64_t)((clock_now_ns() - since_ns) / 1000000u);
    if (timeout_ms < 0)
        return timeout_ms;
    return timeout_ms > spent_ms ? timeout_ms - spent_ms : 0;
}

static int look_up_name(weir_runtime *runtime, struct connecting *connecting, const char *host,
                        struct wait wait)
{
    if (!name_is_visible(host))
        return error_say(-EINVAL, "a host name is one or more printable characters, no blanks");
    int result = runtimes_enter_again(runtime, connecting->runtime_id);
    if (result < 0)
        return result;
    bool both = wants_both(connecting);
    struct look_up look_up = {.naming = &runtime->naming,
                              .name = host,
                              .family = both ? WEIR_INET6 : family_of(runtime, connecting)};
    result = ask_for(runtime, connecting, &look_up, wait.timeout_ms);
    if (both && result != WEIR_CLOSED && result != WEIR_TIMEOUT && result != WEIR_KILLED) {
        look_up.family = WEIR_INET;
        result = ask_for(runtime, connecting, &look_up, rest_of(wait.timeout_ms, wait.began_ns));
        interleave(connecting);
    }
    runtimes_leave(runtime);
    return connecting->address_count > 0 ? (int)connecting->address_count : result;
}

static int look_up(weir_runtime *runtime, struct connecting *connecting,
                   const struct named_host *host, struct wait wait)
{
    int count = read_literal(connecting, host->name, host->port);
    return count != 0 ? count : look_up_name(runtime, connecting, host->name, wait);
}

static int connect_somewhere(weir_runtime *runtime, struct open_call *open)
{
    const struct scheduler *here = scheduler_current();
    int result = runtimes_enter_again(runtime, open->connecting->runtime_id);
    if (result < 0)
        return result;
    uint32_t index = here ? here->index : runtime_next_scheduler(runtime);
    result = call_make_on(&operation_connect, index, &open->call);
    runtimes_leave(runtime);
    return result;
}

/* Unless more has been said by then. */
static int say_not_connected(const char *host, uint16_t port, int result)
{
    if (result >= 0 || error_is_said())
        return result;
    if (local_address_is_meant(host))
        return error_say(result, "cannot connect to %s: %s", host, weir_error_text(result));
    return error_say(result, "cannot connect to %s:%u: %s", host, port, weir_error_text(result));
}

int weir_tcp_connect(weir_runtime *runtime, const char *host, uint16_t port,
                     const weir_option *options, weir_owner owner, int64_t timeout_ms,
                     weir_socket *socket)
{
    struct open_call open = {.owner = owner};
    struct connecting *connecting;
    struct wait wait = {timeout_ms, clock_now_ns()};
    call_begin();
    open.owner = owner = owner_or_caller(owner);
    if (!call_may_wait())
        return error_say(-EDEADLK, "weir_tcp_connect would wait, which a scheduler must not: use "
                                   "its _async form");
    error_clear_text();
    int result = prepare(&connecting, runtime, host, options, owner);
    if (result < 0)
        return result;
    owner_keep(owner);
    result = look_up(runtime, connecting, &(struct named_host){host, port}, wait);
    if (result > 0) {
        set_addresses(connecting, (size_t)result, port);
        open.call.timeout_ms = rest_of(timeout_ms, wait.began_ns);
        open.connecting = connecting;
        result = connect_somewhere(runtime, &open);
        *socket = open.socket;
    }
    owner_release(owner);
    connecting_free(connecting);
    return say_not_connected(host, port, result);
}

/* A name that is looked up, and what then connects. Both happen for one scheduler, on which the
 * caller is called back. */
struct named_connect {
    struct look_up look_up;
    struct inbox_node node;
    weir_runtime *runtime;
    struct open_call *connect;
    uint64_t began_ns;
    uint16_t port;
    char name[];
};

static void fail_connect(struct call *connect, int result)
{
    connect->kind = CALL_ASYNC;
    call_complete(scheduler_current(), connect, result);
}

static void ask_for_name(struct scheduler *scheduler, struct inbox_node *node);

/* What has been found is tried; what was not found in one family may be in the other. */
static void connect_named(struct call *look_up)
{
    struct named_connect *named = list_entry(look_up, struct named_connect, look_up.call);
    struct connecting *connecting = named->connect->connecting;
    struct call *call = &named->connect->call;
    struct scheduler *scheduler = scheduler_current();
    int result = look_up->result;
    if (result == 0)
        take_addresses(connecting, named->look_up.hostent);
    if (wants_both(connecting) && named->look_up.family == WEIR_INET6 && result != WEIR_CLOSED &&
        result != WEIR_TIMEOUT) {
        named->look_up.family = WEIR_INET;
        look_up->timeout_ms = rest_of(call->timeout_ms, named->began_ns);
        ask_for_name(scheduler, &named->node);
        return;
    }
    if (connecting->address_count > 0) {
        interleave(connecting);
        set_addresses(connecting, connecting->address_count, named->port);
        call->timeout_ms = rest_of(call->timeout_ms, named->began_ns);
        (void)call_make_async_on(&operation_connect, scheduler->index, call);
    } else {
        fail_connect(call, result);
    }
    memory_free(named);
}

static void ask_for_name(struct scheduler *scheduler, struct inbox_node *node)
{
    struct named_connect *named = list_entry(node, struct named_connect, node);
    (void)scheduler;
    (void)call_make_async_on(&operation_look_up, runtime_home(named->runtime, &named->look_up),
                             &named->look_up.call);
}

static struct named_connect *name_connect(weir_runtime *runtime, struct open_call *connect,
                                          const struct named_host *host)
{
    size_t size = strlen(host->name) + 1;
    struct named_connect *named = call_allocate(sizeof(*named) + size);
    if (!named)
        return NULL;
    memcpy(named->name, host->name, size);
    named->node.run = ask_for_name;
    named->runtime = runtime;
    named->look_up.naming = &runtime->naming;
    named->look_up.name = named->name;
    named->look_up.family =
        wants_both(connect->connecting) ? WEIR_INET6 : family_of(runtime, connect->connecting);
    named->connect = connect;
    named->began_ns = clock_now_ns();
    named->port = host->port;
    named->look_up.call.timeout_ms = connect->call.timeout_ms;
    named->look_up.call.finish = connect_named;
    return named;
}

/* A thread's goes to the scheduler that it will connect on, and asks from there. */
static int start_named(weir_runtime *runtime, struct named_connect *named)
{
    struct scheduler *here = scheduler_current();
    if (here) {
        ask_for_name(here, &named->node);
        return 0;
    }
    struct scheduler *scheduler = registry_enter(runtime_next_scheduler(runtime));
    if (!scheduler)
        return WEIR_CLOSED;
    inbox_post(&scheduler->inbox, &named->node);
    registry_leave(scheduler->index);
    return 0;
}

static int connect_by_name(weir_runtime *runtime, struct open_call *open,
                           const struct named_host *host)
{
    struct named_connect *named = name_connect(runtime, open, host);
    if (!named)
        return call_discard(&open->call, -ENOMEM);
    int result = start_named(runtime, named);
    if (result < 0) {
        memory_free(named);
        return call_discard(&open->call, result);
    }
    return 0;
}

/* The call is taken in any case. `count` 0: the name is still to be looked up. */
static int start_call(weir_runtime *runtime, struct open_call *open, int count,
                      const struct named_host *host)
{
    struct scheduler *here = scheduler_current();
    if (count == 0)
        return connect_by_name(runtime, open, host);
    set_addresses(open->connecting, (size_t)count, host->port);
    uint32_t index = here ? here->index : runtime_next_scheduler(runtime);
    return call_make_async_on(&operation_connect, index, &open->call);
}

static int start_connect(weir_runtime *runtime, struct open_call *open,
                         const struct named_host *host)
{
    struct connecting *connecting = open->connecting;
    int count = read_literal(connecting, host->name, host->port);
    if (count == 0 && !name_is_visible(host->name))
        count = error_say(-EINVAL, "a host name is one or more printable characters, no blanks");
    int result = count < 0 ? count : runtimes_enter_again(runtime, connecting->runtime_id);
    if (result < 0)
        return call_discard(&open->call, result);
    result = start_call(runtime, open, count, host);
    runtimes_leave(runtime);
    return result;
}

int weir_tcp_connect_async(weir_runtime *runtime, const char *host, uint16_t port,
                           const weir_option *options, weir_owner owner, int64_t timeout_ms,
                           weir_opened *opened, void *data)
{
    struct connecting *connecting;
    error_clear_text();
    owner = owner_or_caller(owner);
    int result = prepare(&connecting, runtime, host, options, owner);
    if (result < 0)
        return result;
    struct open_call *open = new_open_call(owner, timeout_ms, opened, data);
    if (!open) {
        connecting_free(connecting);
        return -ENOMEM;
    }
    open->connecting = connecting;
    open->call.operation = &operation_connect;
    return start_connect(runtime, open, &(struct named_host){host, port});
}
