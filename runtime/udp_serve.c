/* SPDX-License-Identifier: MIT */
/* A UDP socket on every scheduler, all on one port: the kernel gives each peer to one of them. */
#include <errno.h>

#include "address/address.h"
#include "base/error.h"
#include "base/system.h"
#include "runtime/close_call.h"
#include "runtime/owner/owner.h"
#include "runtime/runtime.h"
#include "runtime/runtimes.h"
#include "runtime/scheduler/scheduler.h"
#include "runtime/socket/descriptor.h"
#include "runtime/socket/local.h"
#include "runtime/udp_open.h"

/* The others are opened with the port of the first, and share it. */
struct serving {
    struct option_setup setup;
    weir_address address;
    weir_local_address local; /* of that family: then there is one, on the first scheduler */
    uint32_t count;
    int fds[RUNTIME_SCHEDULERS_MAX];
    weir_socket sockets[RUNTIME_SCHEDULERS_MAX];
};

static int read_local(struct serving *serving, const char *text, uint16_t port)
{
    struct option_setup *setup = &serving->setup;
    if (text && *text && !local_address_is_meant(text))
        return error_say(WEIR_BADARG, "serve: \"%s\" is not unix:PATH, as the options ask for",
                         text);
    if (port != 0)
        return error_say(WEIR_BADARG, "serve: a local socket has no port, not %u", port);
    if (setup->family_given && setup->local.family != WEIR_LOCAL)
        return error_say(WEIR_BADARG, "serve: \"%s\" is not of the family that the options ask for",
                         text);
    setup->local.family = WEIR_LOCAL;
    serving->address = setup->local;
    int result = text && *text ? weir_local_address_parse(text, &serving->local)
                               : local_address_of(setup, &serving->local);
    if (result >= 0 && (!text || !*text) && setup->local_name.family != WEIR_LOCAL)
        return error_say(-EINVAL, "serve: a local socket needs an address, {ifaddr,{local,Path}}");
    return result;
}

static int read_address(struct serving *serving, const char *text, uint16_t port)
{
    struct option_setup *setup = &serving->setup;
    serving->address = descriptor_local(setup, (enum weir_family)setup->local.family);
    if (serving->address.family == WEIR_LOCAL || (text && local_address_is_meant(text)))
        return read_local(serving, text, port);
    if (text && *text) {
        if (address_parse_host(text, &serving->address) < 0)
            return error_say(WEIR_BADARG, "serve: \"%s\" is not an address that is here", text);
        if (setup->family_given && serving->address.family != setup->local.family)
            return error_say(WEIR_BADARG,
                             "serve: \"%s\" is not of the family that the options ask for", text);
        serving->address.port = setup->local.port;
        setup->local.family = serving->address.family;
    }
    if (port != 0)
        serving->address.port = port;
    return 0;
}

static int check(const struct serving *serving, weir_owner owner)
{
    if (owner_is_nobody(owner))
        return error_say(WEIR_BADARG, "serve: datagrams need an owner");
    if (serving->setup.fd >= 0)
        return error_say(WEIR_BADARG, "serve: {fd,_} is one descriptor, a service opens one for "
                                      "each scheduler");
    return udp_check_owner(&serving->setup, owner);
}

static int bind_one(struct serving *serving, int fd, bool first)
{
    struct port_sharing sharing = {first, true, serving->setup.reuseport};
    return serving->address.family == WEIR_LOCAL
               ? local_bind(&serving->setup, fd, &serving->local)
               : descriptor_bind_shared(fd, &serving->address, sharing);
}

static int open_one(struct serving *serving, bool first)
{
    int fd = descriptor_new(&serving->setup, (enum weir_family)serving->address.family);
    if (fd < 0)
        return fd;
    int result = bind_one(serving, fd, first);
    if (result < 0) {
        system_close(fd);
        return result;
    }
    return fd;
}

static void close_descriptors(const struct serving *serving, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++)
        system_close(serving->fds[i]);
}

static int open_all(struct serving *serving)
{
    for (uint32_t i = 0; i < serving->count; i++) {
        serving->fds[i] = open_one(serving, i == 0);
        if (serving->fds[i] >= 0)
            continue;
        close_descriptors(serving, i);
        return serving->fds[i];
    }
    return 0;
}

/* From the last scheduler to the first, who gets to know the others. */
static int start_all(weir_runtime *runtime, struct serving *serving, weir_owner owner)
{
    for (uint32_t i = serving->count; i-- > 0;) {
        struct udp_open_call open = {
            .owner = owner,
            .setup = &serving->setup,
            .fd = serving->fds[i],
            .siblings = &serving->sockets[1],
            .sibling_count = i == 0 ? serving->count - 1 : 0,
        };
        int result = call_make_on(&operation_open_udp, runtime->schedulers[i]->index, &open.call);
        if (result < 0) {
            close_descriptors(serving, i + 1);
            close_parts(serving->sockets, serving->count);
            return result;
        }
        serving->sockets[i] = open.socket;
    }
    return 0;
}

static int serve(weir_runtime *runtime, struct serving *serving, weir_owner owner)
{
    int result = check(serving, owner);
    if (result < 0)
        return result;
    serving->count = serving->address.family == WEIR_LOCAL ? 1 : runtime->scheduler_count;
    owner_keep(owner);
    result = open_all(serving);
    if (result >= 0)
        result = start_all(runtime, serving, owner);
    owner_release(owner);
    return result;
}

int weir_udp_serve(weir_runtime *runtime, const char *address, uint16_t port,
                   const weir_option *options, weir_owner owner, weir_socket *socket)
{
    struct serving serving = {.count = 0};
    const struct scheduler *here = scheduler_current();
    error_clear_text();
    int result = runtimes_enter(runtime);
    if (result < 0)
        return result;
    if (here && (here->runtime != runtime || (runtime->scheduler_count > 1 && !here->waiter)))
        result = error_say(-EDEADLK, "serve waits for every scheduler: not on one of them");
    if (result >= 0)
        result = options_set_up(&serving.setup, OPTION_UDP, NULL, options);
    if (result >= 0)
        result = read_address(&serving, address, port);
    if (result >= 0)
        result = serve(runtime, &serving, owner);
    runtimes_leave(runtime);
    if (result >= 0 && socket)
        *socket = serving.sockets[0];
    return result < 0 ? result : 0;
}
