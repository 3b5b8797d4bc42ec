/* SPDX-License-Identifier: MIT */
#include "address/address.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <string.h>

#include "address/ipv6.h"
#include "base/bytes.h"
#include "base/error.h"

static socklen_t to_inet(const weir_address *address, struct sockaddr_storage *storage)
{
    struct sockaddr_in inet = {.sin_family = AF_INET, .sin_port = htons(address->port)};
    memcpy(&inet.sin_addr, address->bytes, sizeof(inet.sin_addr));
    memcpy(storage, &inet, sizeof(inet));
    return sizeof(inet);
}

static socklen_t to_inet6(const weir_address *address, struct sockaddr_storage *storage)
{
    struct sockaddr_in6 inet6 = {.sin6_family = AF_INET6,
                                 .sin6_port = htons(address->port),
                                 .sin6_scope_id = address->scope_id};
    memcpy(&inet6.sin6_addr, address->bytes, sizeof(inet6.sin6_addr));
    memcpy(storage, &inet6, sizeof(inet6));
    return sizeof(inet6);
}

socklen_t address_to_sockaddr(const weir_address *address, struct sockaddr_storage *storage)
{
    memset(storage, 0, sizeof(*storage));
    if (address->family == WEIR_INET)
        return to_inet(address, storage);
    if (address->family == WEIR_INET6)
        return to_inet6(address, storage);
    return 0;
}

static void from_inet(const struct sockaddr_storage *storage, weir_address *address)
{
    struct sockaddr_in inet;
    memcpy(&inet, storage, sizeof(inet));
    *address = (weir_address){.family = WEIR_INET, .port = ntohs(inet.sin_port)};
    memcpy(address->bytes, &inet.sin_addr, sizeof(inet.sin_addr));
}

static void from_inet6(const struct sockaddr_storage *storage, weir_address *address)
{
    struct sockaddr_in6 inet6;
    memcpy(&inet6, storage, sizeof(inet6));
    *address = (weir_address){
        .family = WEIR_INET6, .port = ntohs(inet6.sin6_port), .scope_id = inet6.sin6_scope_id};
    memcpy(address->bytes, &inet6.sin6_addr, sizeof(inet6.sin6_addr));
}

int address_from_sockaddr(const struct sockaddr_storage *storage, weir_address *address)
{
    switch (storage->ss_family) {
    case AF_INET:
        from_inet(storage, address);
        return 0;
    case AF_INET6:
        from_inet6(storage, address);
        return 0;
    case AF_UNIX:
        *address = (weir_address){.family = WEIR_LOCAL};
        return 0;
    default:
        return error_say(-EAFNOSUPPORT, "address family %d is neither inet, inet6 nor local",
                         storage->ss_family);
    }
}

void address_take_scope(weir_address *address)
{
    if (address->family != WEIR_INET6 || !ipv6_has_scope(bytes_read_be16(address->bytes)))
        return;
    address->scope_id = bytes_read_be16(address->bytes + 2);
    bytes_write_be16(address->bytes + 2, 0);
}

static size_t size_of_family(uint8_t family)
{
    if (family == WEIR_INET)
        return 4;
    return family == WEIR_INET6 ? 16 : 0;
}

bool weir_address_equal(const weir_address *a, const weir_address *b)
{
    return a->family == b->family && a->port == b->port && a->scope_id == b->scope_id &&
           memcmp(a->bytes, b->bytes, size_of_family(a->family)) == 0;
}
