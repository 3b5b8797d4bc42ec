/* SPDX-License-Identifier: MIT */
#include "runtime/socket/local.h"

#include <errno.h>
#include <string.h>

#include "address/address.h"
#include "base/error.h"
#include "base/system.h"

int local_address_of(const struct option_setup *setup, weir_local_address *address)
{
    const weir_local_name *name = &setup->local_name;
    return local_address_set(address, name->name, name->size);
}

static bool is_file(const weir_local_address *address)
{
    return address->size > 0 && address->name[0] != '\0';
}

static int say_why(const weir_local_address *address, int error, const char *why)
{
    char text[WEIR_LOCAL_TEXT_SIZE];
    return error_say(error, "cannot bind to %s: %s", weir_local_address_format(address, text), why);
}

static int bind_or_replace(const struct option_setup *setup, int fd,
                           const weir_local_address *address)
{
    struct sockaddr_storage storage;
    socklen_t size = local_address_to_sockaddr(address, &storage);
    int result = system_bind(fd, (struct sockaddr *)&storage, size);
    if (result == -EADDRINUSE && setup->reuseaddr && is_file(address)) {
        int removed = system_remove_stale(fd, (struct sockaddr *)&storage, size);
        if (removed == -ENOTSOCK)
            return say_why(address, result, "a file is there that is no socket");
        if (removed == 0)
            result = system_bind(fd, (struct sockaddr *)&storage, size);
    }
    return result < 0 ? say_why(address, result, weir_error_text(result)) : 0;
}

/* Before it is bound, so that the file is never open to more than are allowed. */
static int limit_mode(const struct option_setup *setup, int fd)
{
    return setup->file_mode < 0 ? 0 : system_limit_file_mode(fd, setup->file_mode);
}

/* What the umask has taken is given back. */
static int set_mode(const struct option_setup *setup, const weir_local_address *address)
{
    char path[WEIR_LOCAL_NAME_SIZE] = "";
    if (setup->file_mode < 0 || !is_file(address))
        return 0;
    memcpy(path, address->name, address->size);
    return system_set_file_mode(path, setup->file_mode);
}

int local_bind(const struct option_setup *setup, int fd, const weir_local_address *address)
{
    int result = limit_mode(setup, fd);
    if (result >= 0) {
        result = bind_or_replace(setup, fd, address);
        if (result < 0)
            return result;
        result = set_mode(setup, address);
    }
    return result < 0 ? say_why(address, result, weir_error_text(result)) : 0;
}
