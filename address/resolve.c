/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <netdb.h>
#include <string.h>

#include "address/address.h"
#include "base/error.h"
#include "base/thread.h"

/* Printable and no blank, as in the document. */
static bool is_host_text(const char *host)
{
    if (!host || !*host)
        return false;
    for (const char *c = host; *c; c++)
        if (*c < '!' || *c > '~')
            return false;
    return true;
}

static int no_such_host(const char *host, const char *reason)
{
    return error_say(WEIR_NXDOMAIN, "host '%s': %s", host, reason);
}

static size_t copy_addresses(const struct addrinfo *found, weir_address *addresses, size_t capacity)
{
    size_t count = 0;
    for (; found && count < capacity; found = found->ai_next) {
        struct sockaddr_storage storage = {0};
        memcpy(&storage, found->ai_addr, found->ai_addrlen);
        if (address_from_sockaddr(&storage, &addresses[count]) == 0)
            count++;
    }
    return count;
}

/* Asks the C library. Whatever keeps it from an answer is nxdomain, as the document's users see. */
static int look_up(const char *host, enum weir_family family, weir_address *addresses,
                   size_t capacity)
{
    /* One socket type, or each address would come once for every type. */
    struct addrinfo hints = {.ai_family = (int)family, .ai_socktype = SOCK_STREAM};
    struct addrinfo *found;
    int before = thread_put_off_cancel();
    int error = getaddrinfo(host, NULL, &hints, &found);
    thread_allow_cancel(before);
    if (error == EAI_MEMORY || (error == EAI_SYSTEM && errno == ENOMEM))
        return error_say(-ENOMEM, "host '%s': out of memory", host);
    if (error)
        return no_such_host(host, gai_strerror(error));
    size_t count = copy_addresses(found, addresses, capacity);
    freeaddrinfo(found);
    error_clear_text(); /* of the attempt to read the name as a literal */
    return (int)count;
}

int address_resolve(const char *host, enum weir_family family, weir_address *addresses,
                    size_t capacity)
{
    weir_address literal;
    if (family != WEIR_INET && family != WEIR_INET6)
        return error_say(-EINVAL, "family %d is neither inet nor inet6", (int)family);
    if (!is_host_text(host))
        return error_say(-EINVAL, "a host name is one or more printable characters, no blanks");
    if (capacity == 0)
        return 0;
    if (weir_address_parse(host, &literal) < 0)
        return look_up(host, family, addresses, capacity);
    if (literal.family != family)
        return no_such_host(host, "an address of the other family");
    addresses[0] = literal;
    return 1;
}
