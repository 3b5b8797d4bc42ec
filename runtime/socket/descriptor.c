/* SPDX-License-Identifier: MIT */
#include "runtime/socket/descriptor.h"

#include <errno.h>
#include <string.h>

#include "address/address.h"
#include "base/error.h"
#include "base/system.h"

static int say_no_socket(const char *netns, int error)
{
    const char *reason = weir_error_text(error);
    return netns ? error_say(error, "no socket in the network namespace \"%s\": %s", netns, reason)
                 : error_say(error, "no socket: %s", reason);
}

static int type_of(const struct option_setup *setup)
{
    return setup->scope == OPTION_UDP ? SOCK_DGRAM : SOCK_STREAM;
}

int descriptor_new(const struct option_setup *setup, enum weir_family family)
{
    int fd = system_socket((int)family, type_of(setup), setup->netns);
    if (fd < 0)
        return say_no_socket(setup->netns, fd);
    int result = options_prepare(setup, fd);
    if (result >= 0)
        return fd;
    system_close(fd);
    return result;
}

/* Where the options chose no family, the peer's address has. */
weir_address descriptor_local(const struct option_setup *setup, enum weir_family family)
{
    weir_address address = setup->local;
    address.family = (uint8_t)family;
    if (family == WEIR_INET6 && setup->is_loopback) {
        memset(address.bytes, 0, sizeof(address.bytes));
        address.bytes[15] = 1;
    }
    return address;
}

int descriptor_bind(int fd, const weir_address *address)
{
    struct sockaddr_storage storage;
    char text[WEIR_ADDRESS_TEXT_SIZE];
    socklen_t size = address_to_sockaddr(address, &storage);
    int result = system_bind(fd, (struct sockaddr *)&storage, size);
    return result < 0
               ? error_say(result, "cannot bind to %s: %s",
                           weir_address_format_endpoint(address, text), weir_error_text(result))
               : 0;
}

static int share_port(int fd)
{
    const int on = 1;
    return system_setsockopt(fd, SOL_SOCKET, SO_REUSEPORT, &on, sizeof(on));
}

static int learn_port(int fd, weir_address *address)
{
    struct sockaddr_storage storage;
    socklen_t size = sizeof(storage);
    weir_address bound;
    int result = system_getsockname(fd, (struct sockaddr *)&storage, &size);
    if (result >= 0)
        result = address_from_sockaddr(&storage, &bound);
    if (result >= 0)
        address->port = bound.port;
    return result;
}

int descriptor_bind_shared(int fd, weir_address *address, struct port_sharing sharing)
{
    int result = !sharing.first || sharing.any ? share_port(fd) : 0;
    if (result >= 0)
        result = descriptor_bind(fd, address);
    if (result >= 0 && sharing.first && sharing.more)
        result = share_port(fd);
    if (result >= 0 && sharing.first)
        result = learn_port(fd, address);
    return result;
}

static int socket_number(int fd, int name)
{
    int number = 0;
    socklen_t size = sizeof(number);
    int result = system_getsockopt(fd, SOL_SOCKET, name, &number, &size);
    return result < 0 ? result : number;
}

static int say_why(int fd, int error)
{
    return error_say(error, "option fd: descriptor %d: %s", fd, weir_error_text(error));
}

/* The family, or an error. */
static int check_kind(const struct option_setup *setup)
{
    int fd = setup->fd;
    int type = socket_number(fd, SO_TYPE);
    int family = socket_number(fd, SO_DOMAIN);
    if (type < 0)
        return say_why(fd, type);
    if (type != type_of(setup) || (family != AF_INET && family != AF_INET6 && family != AF_UNIX))
        return error_say(WEIR_BADARG, "option fd: descriptor %d is no %s socket", fd,
                         setup->scope == OPTION_UDP ? "UDP" : "TCP");
    return family;
}

/* The ring waits where a descriptor blocks; one that does not would give EAGAIN instead. */
static int prepare(struct option_setup *setup, int fd)
{
    int result = system_set_waiting(fd, true);
    if (result < 0)
        return say_why(setup->fd, result);
    setup->was_not_waiting |= result == 0;
    return options_prepare(setup, fd);
}

int descriptor_open(struct option_setup *setup)
{
    int family = check_kind(setup);
    if (family < 0)
        return family;
    if (setup->family_given && setup->local.family != family)
        return error_say(WEIR_BADARG, "option fd: descriptor %d is of another family", setup->fd);
    setup->local.family = (uint8_t)family;
    int fd = system_duplicate(setup->fd);
    if (fd < 0)
        return say_why(setup->fd, fd);
    int result = prepare(setup, fd);
    if (result < 0) {
        system_close(fd);
        return result;
    }
    return fd;
}

void descriptor_taken(struct option_setup *setup)
{
    if (setup->fd >= 0)
        system_close(setup->fd);
    setup->was_not_waiting = false;
}

void descriptor_put_back(const struct option_setup *setup)
{
    if (setup->was_not_waiting)
        (void)system_set_waiting(setup->fd, false);
}

bool descriptor_is_connected(int fd)
{
    struct sockaddr_storage address;
    socklen_t size = sizeof(address);
    return system_getpeername(fd, (struct sockaddr *)&address, &size) >= 0;
}
