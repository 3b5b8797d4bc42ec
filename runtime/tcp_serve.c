/* SPDX-License-Identifier: MIT */
/*
 * Services: a listener on every scheduler. New ones of TCP are sockets of their own on one port,
 * and the kernel gives each connection to one of them. Of a local one there is one socket, and of
 * those that were there already as many as were given: listeners share them where they are fewer,
 * and where they are more some schedulers have several.
 */
#include <errno.h>
#include <limits.h>

#include "base/error.h"
#include "base/system.h"
#include "runtime/close_call.h"
#include "runtime/listener/listen.h"
#include "runtime/owner/owner.h"
#include "runtime/runtime.h"
#include "runtime/runtimes.h"
#include "runtime/scheduler/call.h"
#include "runtime/scheduler/quota.h"
#include "runtime/scheduler/scheduler.h"
#include "runtime/socket/descriptor.h"
#include "runtime/tcp_listen.h"
#include <weir/inherit.h>

_Static_assert((int)WEIR_FDS_MAX == (int)RUNTIME_SCHEDULERS_MAX, "a service has room for both");

struct service {
    struct listen_plan plan;
    weir_owner owner;
    struct quota *quota; /* {max_connections,_}, or NULL */
    const int *given;    /* sockets that are there, or NULL */
    uint32_t given_count;
    bool did_not_wait[WEIR_FDS_MAX]; /* of those, by O_NONBLOCK */
    uint32_t socket_count;
    uint32_t count; /* of listeners; the first `socket_count` have a socket each */
    int fds[WEIR_FDS_MAX];
    uint8_t families[WEIR_FDS_MAX];
    weir_socket listeners[WEIR_FDS_MAX];
};

static int check_owner(weir_owner owner)
{
    if (owner_is_nobody(owner))
        return error_say(WEIR_BADARG, "serve: connections need an owner");
    return owner_check(owner);
}

static void close_first(const struct service *service, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++)
        system_close(service->fds[i]);
}

static int open_given(struct service *service)
{
    for (uint32_t i = 0; i < service->given_count; i++) {
        struct option_setup *setup = &service->plan.setup;
        setup->fd = service->given[i];
        setup->was_not_waiting = false;
        int result = listen_open(&service->plan, &service->fds[i], 1);
        service->did_not_wait[i] = setup->was_not_waiting;
        if (result < 0) {
            descriptor_put_back(setup);
            return result;
        }
        service->families[i] = service->plan.address.family;
        service->socket_count++;
    }
    return 0;
}

static int open_new(struct service *service, uint32_t count)
{
    int result = listen_open(&service->plan, service->fds, count);
    if (result < 0)
        return result;
    service->socket_count = count;
    for (uint32_t i = 0; i < count; i++)
        service->families[i] = service->plan.address.family;
    return 0;
}

/* The others have a descriptor each of the first's sockets. */
static int share(struct service *service, uint32_t scheduler_count)
{
    uint32_t sockets = service->socket_count;
    while (service->count < scheduler_count) {
        uint32_t from = service->count % sockets;
        int fd = system_duplicate(service->fds[from]);
        if (fd < 0)
            return error_say(fd, "serve: no descriptor: %s", weir_error_text(fd));
        service->families[service->count] = service->families[from];
        service->fds[service->count++] = fd;
    }
    return 0;
}

static bool is_shared(const struct service *service, uint32_t i)
{
    return i >= service->socket_count || i + service->socket_count < service->count;
}

/* From the last to the first, who gets to know the others. */
static int start_listeners(const weir_runtime *runtime, struct service *service)
{
    for (uint32_t i = service->count; i-- > 0;) {
        struct listen_call listen = {
            .plan = &service->plan,
            .fd = service->fds[i],
            .family = (enum weir_family)service->families[i],
            .serving = true,
            .has_rivals = is_shared(service, i),
            .inherited = service->given != NULL,
            .siblings = &service->listeners[1],
            .sibling_count = i == 0 ? service->count - 1 : 0,
            .owner = service->owner,
            .quota = service->quota,
        };
        uint32_t index = runtime->schedulers[i % runtime->scheduler_count]->index;
        int result = call_make_on(&operation_listen, index, &listen.call);
        if (result < 0) {
            close_parts(service->listeners, service->count);
            service->count = i + 1;
            return result;
        }
        service->listeners[i] = listen.socket;
    }
    return 0;
}

static int open_sockets(const weir_runtime *runtime, struct service *service)
{
    bool local = service->plan.address.family == WEIR_LOCAL;
    if (!service->plan.setup.backlog_given)
        service->plan.setup.backlog = INT_MAX; /* the system's somaxconn */
    int result = service->given ? open_given(service)
                                : open_new(service, local ? 1 : runtime->scheduler_count);
    service->count = service->socket_count;
    return result < 0 ? result : share(service, runtime->scheduler_count);
}

/* Those that were given are the service's, or as they were. */
static void settle_given(const struct service *service, bool taken)
{
    for (uint32_t i = 0; service->given && i < service->given_count; i++) {
        if (taken)
            system_close(service->given[i]);
        else if (service->did_not_wait[i])
            (void)system_set_waiting(service->given[i], false);
    }
}

static int start(weir_runtime *runtime, struct service *service, weir_socket *listener)
{
    int result = check_owner(service->owner);
    if (result < 0)
        return result;
    owner_keep(service->owner);
    result = listen_make_quota(&service->plan, &service->quota);
    if (result >= 0)
        result = open_sockets(runtime, service);
    if (result >= 0)
        result = start_listeners(runtime, service);
    if (result < 0)
        close_first(service, service->count);
    owner_release(service->owner);
    if (service->quota)
        quota_drop(service->quota);
    settle_given(service, result >= 0);
    if (result >= 0 && listener)
        *listener = service->listeners[0];
    return result;
}

static int enter(const weir_runtime *runtime)
{
    const struct scheduler *here = scheduler_current();
    error_clear_text();
    int result = runtimes_enter(runtime);
    if (result < 0 || !here)
        return result;
    if (here->runtime == runtime && (runtime->scheduler_count == 1 || here->waiter))
        return result;
    runtimes_leave(runtime);
    return error_say(-EDEADLK, "serve waits for every scheduler: not on one of them");
}

int weir_tcp_serve(weir_runtime *runtime, const char *address, uint16_t port,
                   const weir_option *options, weir_owner owner, weir_socket *listener)
{
    struct service service = {.owner = owner};
    int result = enter(runtime);
    if (result < 0)
        return result;
    result = listen_plan(&service.plan, runtime->default_listen, address, port, options);
    int fd = service.plan.setup.fd;
    if (result >= 0 && fd >= 0) {
        service.given = &fd;
        service.given_count = 1;
    }
    if (result >= 0)
        result = start(runtime, &service, listener);
    runtimes_leave(runtime);
    return result < 0 ? result : 0;
}

static int check_given(const struct service *service, size_t count)
{
    const struct option_setup *setup = &service->plan.setup;
    if (count == 0 || count > WEIR_FDS_MAX)
        return error_say(WEIR_BADARG, "serve: %zu sockets are not 1 to %d", count, WEIR_FDS_MAX);
    if (setup->has_local_address || setup->fd >= 0)
        return error_say(WEIR_BADARG, "serve: sockets that are there take no ip, port or fd");
    return 0;
}

int weir_tcp_serve_fds(weir_runtime *runtime, const int *fds, size_t count,
                       const weir_option *options, weir_owner owner, weir_socket *listener)
{
    struct service service = {.owner = owner, .given = fds, .given_count = (uint32_t)count};
    int result = enter(runtime);
    if (result < 0)
        return result;
    result = listen_plan(&service.plan, runtime->default_listen, NULL, 0, options);
    if (result >= 0)
        result = check_given(&service, count);
    if (result >= 0)
        result = start(runtime, &service, listener);
    runtimes_leave(runtime);
    return result < 0 ? result : 0;
}
