/* SPDX-License-Identifier: MIT */
/* gen_tcp:listen. */
#include "runtime/tcp_listen.h"

#include <errno.h>

#include "base/error.h"
#include "base/system.h"
#include "runtime/listener/accept.h"
#include "runtime/listener/late_options.h"
#include "runtime/listener/listen.h"
#include "runtime/listener/listener.h"
#include "runtime/listener/listening.h"
#include "runtime/owner/owner.h"
#include "runtime/runtime.h"
#include "runtime/runtimes.h"
#include "runtime/scheduler/quota.h"
#include "runtime/scheduler/scheduler.h"
#include "runtime/scheduler/slot.h"
#include "runtime/service.h"
#include "runtime/socket/descriptor.h"

static int make_listener(struct scheduler *scheduler, struct listen_call *listen,
                         struct listener **out)
{
    const struct listen_plan *plan = listen->plan;
    struct listener *listener =
        listener_create(scheduler, listen->fd, listen->family, &plan->setup.values);
    if (!listener)
        return error_say(-ENOMEM, "no memory for a listener");
    slot_move(&listener->slot, SOCKET_ESTABLISH);
    listener->listening = listening_create(scheduler, listener);
    if (!listener->listening) {
        listener->slot.fd = -1; /* still the caller's */
        slot_move(&listener->slot, SOCKET_CLOSE);
        slot_settle(scheduler, &listener->slot);
        return error_say(-ENOMEM, "no memory for a listener");
    }
    *out = listener;
    return 0;
}

/* Of what an accepted socket has of its listener the kernel clears this alone (sk_clone_lock). */
static int note_priority(struct scheduler *scheduler, struct listener *listener)
{
    int priority = 0;
    socklen_t size = sizeof(priority);
    (void)system_getsockopt(listener->slot.fd, SOL_SOCKET, SO_PRIORITY, &priority, &size);
    return priority ? late_options_note(scheduler, listener, WEIR_OPTIONS(WEIR_PRIORITY(priority)))
                    : 0;
}

static int begin(struct scheduler *scheduler, struct listener *listener,
                 const struct listen_call *listen)
{
    const struct option_setup *setup = &listen->plan->setup;
    struct listening *listening = listener->listening;
    listening->sibling_count = listen->sibling_count;
    listening->has_rivals = listen->has_rivals;
    listening->inherited = listen->inherited;
    listening->proxy_timeout_ms = setup->proxy_protocol ? setup->proxy_timeout_ms : 0;
    int result = listen->quota ? accept_limit(scheduler, listener, listen->quota) : 0;
    if (result == 0 && listen->serving)
        accept_serve(scheduler, listener, listen->owner);
    else if (result == 0)
        owner_set(&listener->slot, listen->owner);
    return result;
}

static int run_listen(struct scheduler *scheduler, struct slot *unused, struct call *call)
{
    struct listen_call *listen = list_entry(call, struct listen_call, call);
    struct listener *listener = NULL;
    (void)unused;
    if (scheduler->state == SCHEDULER_STOPPING)
        return WEIR_CLOSED;
    int result = owner_check(listen->owner); /* it may be gone since the call was made */
    if (result == 0)
        result = make_listener(scheduler, listen, &listener);
    if (result < 0)
        return result;
    result = service_note_siblings(&listener->listening->siblings, listen->siblings,
                                   listen->sibling_count);
    if (result == 0)
        result = note_priority(scheduler, listener);
    if (result == 0)
        result = begin(scheduler, listener, listen);
    if (result < 0) {
        listener->slot.fd = -1;
        slot_end(scheduler, &listener->slot, END_CLOSED);
        return result;
    }
    listen->socket = slot_handle(scheduler, &listener->slot);
    return 0;
}

const struct call_operation operation_listen = {
    .name = "weir_tcp_listen", .run = run_listen, .dead_result = WEIR_CLOSED};

int listen_make_quota(const struct listen_plan *plan, struct quota **quota)
{
    uint32_t limit = plan->setup.max_connections;
    *quota = limit > 0 ? quota_create(limit) : NULL;
    return limit > 0 && !*quota ? error_say(-ENOMEM, "no memory for a listener") : 0;
}

static int make_on(uint32_t index, struct listen_call *listen)
{
    int result = listen_make_quota(listen->plan, &listen->quota);
    if (result == 0)
        result = call_make_on(&operation_listen, index, &listen->call);
    if (listen->quota)
        quota_drop(listen->quota);
    return result;
}

static int listen_once(weir_runtime *runtime, struct listen_plan *plan, weir_socket *listener)
{
    struct listen_call listen = {.plan = plan, .owner = owner_or_caller(weir_owned_by_nobody())};
    struct scheduler *here = scheduler_current();
    int result = listen_open(plan, &listen.fd, 1);
    if (result < 0) {
        descriptor_put_back(&plan->setup);
        return result;
    }
    listen.family = (enum weir_family)plan->address.family;
    result = make_on(here ? here->index : runtime_next_scheduler(runtime), &listen);
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
