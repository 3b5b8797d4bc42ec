/* SPDX-License-Identifier: MIT */
#include "runtime/listener/listen.h"

#include <errno.h>
#include <string.h>

#include "address/address.h"
#include "base/error.h"
#include "base/system.h"
#include "runtime/socket/descriptor.h"
#include "runtime/socket/local.h"

static int read_local(struct listen_plan *plan, const char *text)
{
    struct option_setup *setup = &plan->setup;
    if (setup->family_given && setup->local.family != WEIR_LOCAL)
        return error_say(WEIR_BADARG,
                         "listen: \"%s\" is not of the family that the options ask for", text);
    setup->local.family = WEIR_LOCAL;
    plan->address = setup->local;
    return weir_local_address_parse(text, &plan->local);
}

static int read_address(struct listen_plan *plan, const char *text)
{
    const struct option_setup *setup = &plan->setup;
    plan->address = setup->local;
    plan->has_text = text && *text;
    if (!plan->has_text)
        return local_address_of(setup, &plan->local);
    if (local_address_is_meant(text))
        return read_local(plan, text);
    if (address_parse_host(text, &plan->address) < 0)
        return error_say(WEIR_BADARG,
                         "listen: \"%s\" is not an address that is here (names are not looked "
                         "up: 127.0.0.1, ::1)",
                         text);
    if (setup->family_given && plan->address.family != setup->local.family)
        return error_say(WEIR_BADARG,
                         "listen: \"%s\" is not of the family that the options ask for", text);
    plan->address.port = setup->local.port;
    return 0;
}

int listen_plan(struct listen_plan *plan, const weir_option *defaults, const char *address,
                uint16_t port, const weir_option *options)
{
    int result = options_set_up(&plan->setup, OPTION_LISTEN, defaults, options);
    if (result < 0)
        return result;
    result = read_address(plan, address);
    if (result < 0)
        return result;
    if (port)
        plan->address.port = port;
    if (plan->address.family == WEIR_LOCAL && plan->address.port != 0)
        return error_say(WEIR_BADARG, "listen: a local socket has no port, not %u",
                         plan->address.port);
    return 0;
}

/* Without a name nobody could connect: as in Erlang/OTP. */
static int bind_local(const struct listen_plan *plan, int fd)
{
    bool named = plan->has_text || plan->setup.local_name.family == WEIR_LOCAL;
    return named ? local_bind(&plan->setup, fd, &plan->local)
                 : error_say(-EINVAL, "listen: a local socket needs an address, "
                                      "{ifaddr,{local,Path}}");
}

/* The caller's has been bound by the caller, unless listen was told where to. */
static int bind_descriptor(struct listen_plan *plan, int fd)
{
    const struct option_setup *setup = &plan->setup;
    bool told = plan->has_text || setup->has_local_address || plan->address.port != 0;
    uint16_t port = plan->address.port;
    if (plan->has_text && plan->address.family != setup->local.family)
        return error_say(WEIR_BADARG, "listen: descriptor %d is of another family", setup->fd);
    if (!plan->has_text)
        plan->address = descriptor_local(setup, (enum weir_family)setup->local.family);
    plan->address.port = port;
    if (told && plan->address.family == WEIR_LOCAL)
        return bind_local(plan, fd);
    return told ? descriptor_bind(fd, &plan->address) : 0;
}

static bool is_connected(int fd)
{
    struct sockaddr_storage storage;
    socklen_t size = sizeof(storage);
    return system_getpeername(fd, (struct sockaddr *)&storage, &size) >= 0;
}

static int say_not_listening(const struct listen_plan *plan, int fd, int error)
{
    if (plan->setup.fd >= 0 && is_connected(fd))
        return error_say(error, "descriptor %d is a connection, not a socket to listen on",
                         plan->setup.fd);
    char text[WEIR_LOCAL_TEXT_SIZE];
    if (plan->address.family == WEIR_LOCAL)
        weir_local_address_format(&plan->local, text);
    else
        weir_address_format_endpoint(&plan->address, text);
    return error_say(error, "cannot listen on %s: %s", text, weir_error_text(error));
}

static int bind_new(struct listen_plan *plan, int fd, bool first, bool shared)
{
    struct port_sharing sharing = {first, shared, plan->setup.reuseport};
    return plan->address.family == WEIR_LOCAL ? bind_local(plan, fd)
                                              : descriptor_bind_shared(fd, &plan->address, sharing);
}

static int start_listening(struct listen_plan *plan, int fd, bool first, bool shared)
{
    int result =
        plan->setup.fd >= 0 ? bind_descriptor(plan, fd) : bind_new(plan, fd, first, shared);
    if (result < 0)
        return result;
    result = system_listen(fd, plan->setup.backlog);
    return result < 0 ? say_not_listening(plan, fd, result) : 0;
}

static int open_one(struct listen_plan *plan, bool first, bool shared)
{
    int fd = plan->setup.fd >= 0
                 ? descriptor_open(&plan->setup)
                 : descriptor_new(&plan->setup, (enum weir_family)plan->address.family);
    if (fd < 0)
        return fd;
    int result = start_listening(plan, fd, first, shared);
    if (result < 0) {
        system_close(fd);
        return result;
    }
    return fd;
}

int listen_open(struct listen_plan *plan, int *fds, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++) {
        fds[i] = open_one(plan, i == 0, count > 1);
        if (fds[i] >= 0)
            continue;
        for (uint32_t opened = 0; opened < i; opened++)
            system_close(fds[opened]);
        return fds[i];
    }
    return 0;
}
