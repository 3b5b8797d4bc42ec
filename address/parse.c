/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <weir/address.h>

#include "address/ipv4.h"
#include "address/ipv6.h"
#include "base/error.h"

typedef bool ipv4_parser(struct span text, uint8_t bytes[4]);

static bool parse_ipv4(ipv4_parser *parser, struct span text, weir_address *address)
{
    *address = (weir_address){.family = WEIR_INET};
    return parser(text, address->bytes);
}

static bool parse_ipv6(struct span text, weir_address *address)
{
    *address = (weir_address){.family = WEIR_INET6};
    return ipv6_parse(text, address->bytes, &address->scope_id);
}

static bool map_ipv4(struct span text, weir_address *address)
{
    static const uint8_t mapped[12] = {[10] = 0xff, [11] = 0xff};
    *address = (weir_address){.family = WEIR_INET6};
    memcpy(address->bytes, mapped, sizeof(mapped));
    return ipv4_parse_lenient(text, address->bytes + sizeof(mapped));
}

/* Nothing is left in `address` of a text that is none. */
static int refuse(const char *what, const char *text, weir_address *address)
{
    *address = (weir_address){0};
    return error_say(-EINVAL, "'%s' is not %s", text ? text : "", what);
}

int weir_address_parse(const char *text, weir_address *address)
{
    if (text && (parse_ipv4(ipv4_parse_lenient, span_of(text), address) ||
                 parse_ipv6(span_of(text), address)))
        return 0;
    return refuse("an address", text, address);
}

int weir_address_parse_strict(const char *text, weir_address *address)
{
    if (text && (parse_ipv4(ipv4_parse_strict, span_of(text), address) ||
                 parse_ipv6(span_of(text), address)))
        return 0;
    return refuse("a strictly written address", text, address);
}

int weir_address_parse_ipv4(const char *text, weir_address *address)
{
    if (text && parse_ipv4(ipv4_parse_lenient, span_of(text), address))
        return 0;
    return refuse("an IPv4 address", text, address);
}

int weir_address_parse_ipv6(const char *text, weir_address *address)
{
    if (text && (parse_ipv6(span_of(text), address) || map_ipv4(span_of(text), address)))
        return 0;
    return refuse("an IPv6 address", text, address);
}
