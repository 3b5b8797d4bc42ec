/* SPDX-License-Identifier: MIT */
/* Names of local sockets: "unix:PATH", "unix:@NAME". */
#include <errno.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/un.h>

#include "address/address.h"
#include "base/error.h"

_Static_assert(sizeof(((struct sockaddr_un *)NULL)->sun_path) == WEIR_LOCAL_NAME_SIZE,
               "a name has the kernel's room");

static const char prefix[] = "unix:";

bool local_address_is_meant(const char *text)
{
    return strncmp(text, prefix, sizeof(prefix) - 1) == 0;
}

/* A path ends with a NUL, which needs its room. */
static int check(const char *name, size_t size, bool abstract)
{
    size_t most = abstract ? WEIR_LOCAL_NAME_SIZE : WEIR_LOCAL_NAME_SIZE - 1;
    if (size > most)
        return error_say(-EINVAL, "'%.*s': a local address has at most %zu bytes, not %zu",
                         (int)size, name, most, size);
    if (!abstract && memchr(name, '\0', size))
        return error_say(-EINVAL, "'%s': a zero byte in a path", name);
    return 0;
}

int local_address_set(weir_local_address *address, const char *name, size_t size)
{
    *address = (weir_local_address){0};
    int result = size > 0 ? check(name, size, name[0] == '\0') : 0;
    if (result < 0 || size == 0)
        return result;
    address->size = (uint8_t)size;
    memcpy(address->name, name, size);
    return 0;
}

int weir_local_address_parse(const char *text, weir_local_address *address)
{
    *address = (weir_local_address){0};
    if (!text || !local_address_is_meant(text))
        return error_say(-EINVAL, "'%s' is not unix:PATH", text ? text : "");
    const char *name = text + sizeof(prefix) - 1;
    if (!*name)
        return error_say(-EINVAL, "'%s': no path: write unix:PATH, or unix:@NAME", text);
    size_t size = strlen(name);
    int result = check(name, size, *name == '@');
    if (result < 0)
        return result;
    address->size = (uint8_t)size;
    memcpy(address->name, name, size);
    if (*name == '@')
        address->name[0] = '\0';
    return 0;
}

const char *weir_local_address_format(const weir_local_address *address, char *text)
{
    size_t length = (size_t)snprintf(text, WEIR_LOCAL_TEXT_SIZE, "%s", prefix);
    for (size_t i = 0; i < address->size; i++)
        text[length++] = address->name[i] ? address->name[i] : '@';
    text[length] = '\0';
    return text;
}

socklen_t local_address_to_sockaddr(const weir_local_address *address,
                                    struct sockaddr_storage *storage)
{
    struct sockaddr_un local = {.sun_family = AF_UNIX};
    size_t size = address->size;
    memcpy(local.sun_path, address->name, size);
    if (size > 0 && address->name[0])
        size++; /* the NUL */
    memcpy(storage, &local, sizeof(local));
    return (socklen_t)(offsetof(struct sockaddr_un, sun_path) + size);
}

void local_address_from_sockaddr(const struct sockaddr_storage *storage, socklen_t size,
                                 weir_local_address *address)
{
    struct sockaddr_un local;
    memcpy(&local, storage, sizeof(local));
    size_t given = size > offsetof(struct sockaddr_un, sun_path)
                       ? size - offsetof(struct sockaddr_un, sun_path)
                       : 0;
    if (given > sizeof(local.sun_path))
        given = sizeof(local.sun_path);
    if (given > 0 && local.sun_path[0])
        given = strnlen(local.sun_path, given);
    *address = (weir_local_address){.size = (uint8_t)given};
    memcpy(address->name, local.sun_path, given);
}
