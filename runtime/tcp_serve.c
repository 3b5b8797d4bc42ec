/* SPDX-License-Identifier: MIT */
/* A listener on every scheduler, all on one port: the kernel gives each connection to one of them.
 */
#include <errno.h>
#include <limits.h>

#include "base/error.h"
#include "base/system.h"
#include "runtime/listener/listen.h"
#include "runtime/owner/owner.h"
#include "runtime/runtime.h"
#include "runtime/runtimes.h"
#include "runtime/scheduler/call.h"
#include "runtime/scheduler/scheduler.h"
#include "runtime/tcp_listen.h"
#include <weir/socket.h>

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
            .has_rivals = count > 1 && listen_is_one_socket(plan),
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
    if (here && (here->runtime != runtime || (runtime->scheduler_count > 1 && !here->waiter)))
        result = error_say(-EDEADLK, "serve waits for every scheduler: not on one of them");
    if (result >= 0)
        result = listen_plan(&plan, runtime->default_listen, address, port, options);
    if (result >= 0)
        result = serve(runtime, &plan, owner, listener);
    runtimes_leave(runtime);
    return result < 0 ? result : 0;
}
