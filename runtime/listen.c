/* SPDX-License-Identifier: MIT */
#include "runtime/listen.h"

#include <errno.h>
#include <string.h>

#include "address/address.h"
#include "base/error.h"
#include "base/system.h"
#include "runtime/runtime.h"

static int read_address(struct listen_plan *plan, const char *text)
{
    const struct option_setup *setup = &plan->setup;
    plan->address = setup->local;
    if (!text || !*text)
        return 0;
    if (weir_address_parse(text, &plan->address) < 0)
        return error_say(WEIR_BADARG, "listen: \"%s\" is not an address", text);
    if (setup->family_given && plan->address.family != setup->local.family)
        return error_say(WEIR_BADARG,
                         "listen: \"%s\" is not of the family that the options ask for", text);
    plan->address.port = setup->local.port;
    return 0;
}

int listen_plan(struct listen_plan *plan, const struct weir_runtime *runtime, const char *address,
                uint16_t port, const weir_option *options)
{
    int result = options_set_up(&plan->setup, OPTION_LISTEN, runtime->default_listen, options);
    if (result < 0)
        return result;
    result = read_address(plan, address);
    if (result < 0)
        return result;
    if (port)
        plan->address.port = port;
    return 0;
}

static int say_where(const struct listen_plan *plan, const char *what, int error)
{
    char text[WEIR_ADDRESS_TEXT_SIZE];
    return error_say(error, "%s %s: %s", what, weir_address_format_endpoint(&plan->address, text),
                     weir_format_error(error));
}

static int set_reuseport(int fd)
{
    const int on = 1;
    return system_setsockopt(fd, SOL_SOCKET, SO_REUSEPORT, &on, sizeof(on));
}

static int bind_to(const struct listen_plan *plan, int fd)
{
    struct sockaddr_storage storage;
    socklen_t size = address_to_sockaddr(&plan->address, &storage);
    int result = system_bind(fd, (struct sockaddr *)&storage, size);
    return result < 0 ? say_where(plan, "cannot bind to", result) : 0;
}

static int learn_port(struct listen_plan *plan, int fd)
{
    struct sockaddr_storage storage;
    socklen_t size = sizeof(storage);
    weir_address bound;
    int result = system_getsockname(fd, (struct sockaddr *)&storage, &size);
    if (result >= 0)
        result = address_from_sockaddr(&storage, &bound);
    if (result >= 0)
        plan->address.port = bound.port;
    return result;
}

/* The first binds alone, so a port that somebody else listens on is found out; sharing is allowed
 * from then on, for the others. */
static int bind_and_share(struct listen_plan *plan, int fd, bool first, bool shared)
{
    int result = 0;
    if (!first || plan->setup.reuseport)
        result = set_reuseport(fd);
    if (result >= 0)
        result = bind_to(plan, fd);
    if (result >= 0 && first && shared)
        result = set_reuseport(fd);
    if (result >= 0 && first)
        result = learn_port(plan, fd);
    return result;
}

static int open_one(struct listen_plan *plan, bool first, bool shared)
{
    const struct option_setup *setup = &plan->setup;
    if (setup->fd >= 0)
        return setup->fd;
    int fd = system_socket(plan->address.family, SOCK_STREAM, setup->netns);
    if (fd < 0)
        return say_where(plan, "no socket for", fd);
    int result = options_prepare(setup, fd);
    if (result >= 0)
        result = bind_and_share(plan, fd, first, shared);
    if (result >= 0) {
        result = system_listen(fd, setup->backlog);
        if (result < 0)
            result = say_where(plan, "cannot listen on", result);
    }
    if (result < 0) {
        system_close(fd);
        return result;
    }
    return fd;
}

int listen_open(const struct listen_plan *given, int *fds, uint32_t count)
{
    struct listen_plan plan = *given;
    for (uint32_t i = 0; i < count; i++) {
        fds[i] = open_one(&plan, i == 0, count > 1);
        if (fds[i] >= 0)
            continue;
        for (uint32_t opened = 0; opened < i; opened++)
            system_close(fds[opened]);
        return fds[i];
    }
    return 0;
}
