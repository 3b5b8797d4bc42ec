/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <net/if.h>
#include <string.h>
#include <weir/address.h>

#include "address/address.h"
#include "address/number.h"
#include "base/error.h"

enum { PORT_MAX = 65535, INTERFACE_MAX = INT32_MAX };

static bool parse_port(const char *text, uint16_t *port)
{
    struct span span = span_of(text);
    uint32_t value;
    if (!number_take(&span, 10, PORT_MAX, &value) || !span_is_empty(&span))
        return false;
    *port = (uint16_t)value;
    return true;
}

/* "%eth0", "%2": the number of the interface that is named. */
static int parse_interface(const char *host, weir_address *address)
{
    const char *percent = strchr(host, '%');
    if (!percent)
        return 0;
    struct span span = span_of(percent + 1);
    address->scope_id = if_nametoindex(percent + 1);
    if (address->scope_id == 0 &&
        (!number_take(&span, 10, INTERFACE_MAX, &address->scope_id) || !span_is_empty(&span)))
        return error_say(-EINVAL, "'%s': there is no interface '%s'", host, percent + 1);
    return 0;
}

int address_parse_host(const char *text, weir_address *address)
{
    int result = weir_address_parse(text, address);
    return result < 0 ? result : parse_interface(text, address);
}

/* That it begins with a letter and has no colon is what a name has that no address has. */
static bool is_name(const char *host)
{
    char first = (char)(*host | 0x20);
    return first >= 'a' && first <= 'z' && !strchr(host, ':');
}

/* "ADDRESS" and "[ADDRESS]"; nothing is every IPv4 address. `size` is without the ":PORT". */
static int parse_host(const char *endpoint, size_t size, weir_address *address)
{
    char host[WEIR_ADDRESS_TEXT_SIZE] = "";
    bool brackets = size >= 2 && endpoint[0] == '[' && endpoint[size - 1] == ']';
    const char *start = brackets ? endpoint + 1 : endpoint;
    size_t length = brackets ? size - 2 : size;
    if (length == 0 && !brackets) {
        *address = (weir_address){.family = WEIR_INET};
        return 0;
    }
    if (length >= sizeof(host))
        return error_say(-EINVAL, "'%s' is not an address and a port: too long", endpoint);
    memcpy(host, start, length);
    if (!brackets && strchr(host, ':'))
        return error_say(-EINVAL, "'%s': write an IPv6 address in brackets, [ADDRESS]:PORT",
                         endpoint);
    int result = address_parse_host(host, address);
    if (result < 0 && is_name(host))
        return error_say(result,
                         "'%s' is not an address (names are not looked up: 127.0.0.1, "
                         "[::1])",
                         host);
    if (result == 0 && brackets && address->family != WEIR_INET6)
        return error_say(-EINVAL, "'%s': only an IPv6 address is written in brackets", endpoint);
    return result;
}

int weir_address_parse_endpoint(const char *text, weir_address *address)
{
    const char *colon = text ? strrchr(text, ':') : NULL;
    uint16_t port;
    if (!colon)
        return error_say(-EINVAL, "'%s' has no port: write ADDRESS:PORT", text ? text : "");
    int result = parse_host(text, (size_t)(colon - text), address);
    if (result < 0)
        return result;
    if (!parse_port(colon + 1, &port))
        return error_say(-EINVAL, "'%s': a port is a number from 0 to 65535, not '%s'", text,
                         colon + 1);
    address->port = port;
    return 0;
}
