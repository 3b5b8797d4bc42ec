/* SPDX-License-Identifier: MIT */
/* gen_tcp:listen, and services. */
#include "runtime/service.h"

#include <errno.h>
#include <limits.h>
#include <string.h>

#include "base/error.h"
#include "base/memory.h"
#include "base/system.h"
#include "runtime/kinds.h"
#include "runtime/listener/accept.h"
#include "runtime/listener/late_options.h"
#include "runtime/listener/listen.h"
#include "runtime/listener/listener.h"
#include "runtime/owner/owner.h"
#include "runtime/runtime.h"
#include "runtime/runtimes.h"
#include "runtime/scheduler/call.h"
#include "runtime/scheduler/scheduler.h"
#include "runtime/scheduler/slot.h"
#include "runtime/set_options.h"
#include "runtime/socket/descriptor.h"

/* A listener to be made of a descriptor on one scheduler. */
struct listen_call {
    struct call call;
    const struct listen_plan *plan;
    int fd;
    bool serving;
    weir_owner owner; /* of a service's connections */
    const weir_socket *siblings;
    uint32_t sibling_count;
    weir_socket socket; /* the result */
};

static int make_listener(struct scheduler *scheduler, struct listen_call *listen,
                         struct listener **out)
{
    const struct listen_plan *plan = listen->plan;
    struct listener *socket = listener_create(
        scheduler, listen->fd, (enum weir_family)plan->address.family, &plan->setup.values);
    if (!socket)
        return error_say(-ENOMEM, "no memory for a listener");
    slot_move(&socket->slot, SOCKET_ESTABLISH);
    socket->listening = listening_create(scheduler, socket);
    if (!socket->listening) {
        socket->slot.fd = -1; /* still the caller's */
        slot_move(&socket->slot, SOCKET_CLOSE);
        slot_settle(scheduler, &socket->slot);
        return error_say(-ENOMEM, "no memory for a listener");
    }
    *out = socket;
    return 0;
}

static int note_siblings(struct listening *listening, const struct listen_call *listen)
{
    size_t size = listen->sibling_count * sizeof(weir_socket);
    if (size == 0)
        return 0;
    listening->siblings = memory_allocate(size);
    if (!listening->siblings)
        return error_say(-ENOMEM, "no memory for a listener");
    memcpy(listening->siblings, listen->siblings, size);
    listening->sibling_count = listen->sibling_count;
    return 0;
}

/* Of what an accepted socket has of its listener the kernel clears this alone (sk_clone_lock). */
static int note_priority(struct scheduler *scheduler, struct listener *socket)
{
    int priority = 0;
    socklen_t size = sizeof(priority);
    (void)system_getsockopt(socket->slot.fd, SOL_SOCKET, SO_PRIORITY, &priority, &size);
    return priority ? late_options_note(scheduler, socket, WEIR_OPTIONS(WEIR_PRIORITY(priority)))
                    : 0;
}

static int run_listen(struct scheduler *scheduler, struct slot *unused, struct call *call)
{
    struct listen_call *listen = list_entry(call, struct listen_call, call);
    struct listener *socket = NULL;
    (void)unused;
    if (scheduler->state == SCHEDULER_STOPPING)
        return WEIR_CLOSED;
    int result = owner_check(listen->owner); /* it may be gone since the call was made */
    if (result == 0)
        result = make_listener(scheduler, listen, &socket);
    if (result < 0)
        return result;
    result = note_siblings(socket->listening, listen);
    if (result == 0)
        result = note_priority(scheduler, socket);
    if (result < 0) {
        socket->slot.fd = -1;
        slot_end(scheduler, &socket->slot, END_CLOSED);
        return result;
    }
    if (listen->serving)
        accept_serve(scheduler, socket, listen->owner);
    listen->socket = slot_handle(scheduler, &socket->slot);
    return 0;
}

static const struct call_operation operation_listen = {
    .name = "weir_tcp_listen", .run = run_listen, .dead_result = WEIR_CLOSED};

static int listen_once(weir_runtime *runtime, struct listen_plan *plan, weir_socket *listener)
{
    struct listen_call listen = {.plan = plan};
    struct scheduler *here = scheduler_current();
    int result = listen_open(plan, &listen.fd, 1);
    if (result < 0) {
        descriptor_put_back(&plan->setup);
        return result;
    }
    uint32_t index = here ? here->index : runtime_next_scheduler(runtime);
    result = call_make_on(&operation_listen, index, &listen.call);
    if (result < 0) {
        descriptor_put_back(&plan->setup);
        system_close(listen.fd);
        return result;
    }
    descriptor_taken(&plan->setup);
    *listener = listen.socket;
    return 0;
}

int weir_tcp_listen(weir_runtime *runtime, const char *address, uint16_t port,
                    const weir_option *options, weir_socket *listener)
{
    struct listen_plan plan;
    const struct scheduler *here = scheduler_current();
    error_clear_text();
    int result = runtimes_enter(runtime);
    if (result < 0)
        return result;
    if (here && here->runtime != runtime)
        result = error_say(-EDEADLK, "weir_tcp_listen for a runtime on a scheduler of another one: "
                                     "make it on one of its own, by weir_run_on");
    if (result >= 0)
        result = listen_plan(&plan, runtime->default_listen, address, port, options);
    if (result >= 0)
        result = listen_once(runtime, &plan, listener);
    runtimes_leave(runtime);
    return result;
}

static int check_service_owner(const struct listen_plan *plan, weir_owner owner)
{
    if (owner_is_nobody(owner))
        return error_say(WEIR_BADARG, "serve: connections need an owner");
    if (plan->setup.fd >= 0)
        return error_say(WEIR_BADARG,
                         "serve: {fd,_} is one descriptor, a service opens one for each "
                         "scheduler");
    return owner_check(owner);
}

/* The last ones are listeners by now, the first ones still descriptors. */
static void undo(const int *fds, uint32_t fd_count, const weir_socket *listeners, uint32_t count)
{
    for (uint32_t i = 0; i < fd_count; i++)
        system_close(fds[i]);
    for (uint32_t i = fd_count; i < count; i++)
        weir_close(listeners[i]);
}

/* From the last scheduler to the first, who gets to know the others. */
static int start_listeners(weir_runtime *runtime, const struct listen_plan *plan, weir_owner owner,
                           const int *fds, weir_socket *listeners)
{
    uint32_t count = runtime->scheduler_count;
    for (uint32_t i = count; i-- > 0;) {
        struct listen_call listen = {
            .plan = plan,
            .fd = fds[i],
            .serving = true,
            .siblings = &listeners[1],
            .sibling_count = i == 0 ? count - 1 : 0,
            .owner = owner,
        };
        int result = call_make_on(&operation_listen, runtime->schedulers[i]->index, &listen.call);
        if (result < 0) {
            undo(fds, i + 1, listeners, count);
            return result;
        }
        listeners[i] = listen.socket;
    }
    return 0;
}

static int serve(weir_runtime *runtime, struct listen_plan *plan, weir_owner owner,
                 weir_socket *listener)
{
    int fds[RUNTIME_SCHEDULERS_MAX];
    weir_socket listeners[RUNTIME_SCHEDULERS_MAX];
    int result = check_service_owner(plan, owner);
    if (result < 0)
        return result;
    if (!plan->setup.backlog_given)
        plan->setup.backlog = INT_MAX; /* the system's somaxconn */
    owner_keep(owner);
    result = listen_open(plan, fds, runtime->scheduler_count);
    if (result >= 0)
        result = start_listeners(runtime, plan, owner, fds, listeners);
    owner_release(owner);
    if (result >= 0 && listener)
        *listener = listeners[0];
    return result;
}

int weir_tcp_serve(weir_runtime *runtime, const char *address, uint16_t port,
                   const weir_option *options, weir_owner owner, weir_socket *listener)
{
    struct listen_plan plan;
    error_clear_text();
    int result = runtimes_enter(runtime);
    if (result < 0)
        return result;
    struct scheduler *here = scheduler_current();
    if (here && (here->runtime != runtime || runtime->scheduler_count > 1))
        result = error_say(-EDEADLK, "serve waits for every scheduler: not on one of them");
    if (result >= 0)
        result = listen_plan(&plan, runtime->default_listen, address, port, options);
    if (result >= 0)
        result = serve(runtime, &plan, owner, listener);
    runtimes_leave(runtime);
    return result < 0 ? result : 0;
}

struct siblings_call {
    struct call call;
    weir_socket *siblings; /* room for RUNTIME_SCHEDULERS_MAX */
};

uint32_t service_siblings_of(const struct slot *slot, const weir_socket **siblings)
{
    const struct kind *kind = runtime_kinds[slot->kind];
    return kind->siblings ? kind->siblings(slot, siblings) : 0;
}

uint32_t service_sibling_count(const struct slot *slot)
{
    const weir_socket *siblings;
    return service_siblings_of(slot, &siblings);
}

/* How many there are. */
static int run_siblings(struct scheduler *scheduler, struct slot *slot, struct call *call)
{
    struct siblings_call *wanted = list_entry(call, struct siblings_call, call);
    const weir_socket *siblings;
    uint32_t count = service_siblings_of(slot, &siblings);
    (void)scheduler;
    if (count > 0)
        memcpy(wanted->siblings, siblings, count * sizeof(*siblings));
    return (int)count;
}

static const struct call_operation operation_siblings = {
    .name = "a service's sockets", .run = run_siblings, .dead_result = 0};

/* A handler's own sockets are told from a service without a call. */
static bool may_have_siblings(weir_socket handle)
{
    struct scheduler *here = scheduler_current();
    if (!here || here->index != slot_scheduler(handle))
        return true;
    const struct slot *slot = slot_find(here, handle);
    return slot && service_sibling_count(slot) > 0;
}

uint32_t service_siblings(weir_socket handle, weir_socket siblings[RUNTIME_SCHEDULERS_MAX])
{
    if (!may_have_siblings(handle))
        return 0;
    struct siblings_call call = {.siblings = siblings};
    int count = call_make(&operation_siblings, handle, &call.call);
    return count > 0 ? (uint32_t)count : 0;
}

int service_may_wait(weir_socket handle, const char *call)
{
    struct scheduler *here = scheduler_current();
    if (here && here->index == slot_scheduler(handle) && may_have_siblings(handle))
        return error_say(-EDEADLK, "%s on a service waits for every scheduler: not on one of them",
                         call);
    return 0;
}

int service_setopts(weir_socket handle, const weir_option *options)
{
    weir_socket siblings[RUNTIME_SCHEDULERS_MAX];
    int result = 0;
    uint32_t count = service_siblings(handle, siblings);
    for (uint32_t i = 0; i < count && result == 0; i++)
        result = weir_setopts(siblings[i], options);
    return result;
}

int service_set_data(weir_socket handle, void *data)
{
    weir_socket siblings[RUNTIME_SCHEDULERS_MAX];
    int result = 0;
    uint32_t count = service_siblings(handle, siblings);
    for (uint32_t i = 0; i < count && result == 0; i++)
        result = weir_set_data(siblings[i], data);
    return result;
}
