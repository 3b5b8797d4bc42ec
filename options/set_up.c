/* SPDX-License-Identifier: MIT */
/* The options of a call that creates a socket: listen, connect, open. */
#include "base/error.h"
#include "options/check.h"
#include "options/kernel.h"
#include "options/values.h"

#include <string.h>

enum { UDP_RECBUF = 8192 }; /* what the document's gen_udp opens a socket with */

/* A family may stand behind the address that it is about, so both are settled at the end. */
struct taking {
    struct option_setup *setup;
    weir_address address;       /* of ip or ifaddr; of a local one the family, */
    weir_local_name local_name; /* and this */
    uint16_t port;
    uint8_t family; /* of inet, inet6 or local, or 0; of the list that is being taken */
    uint8_t default_family;
};

static void take_backlog(struct taking *taking, const weir_option *option)
{
    taking->setup->backlog = (uint16_t)option->value.number;
    taking->setup->backlog_given = true;
}

static void take_fd(struct taking *taking, const weir_option *option)
{
    taking->setup->fd = (int)option->value.number;
}

static void take_happy_eyeballs(struct taking *taking, const weir_option *option)
{
    taking->setup->happy_eyeballs_ms = (uint32_t)option->value.number;
}

static void take_max_connections(struct taking *taking, const weir_option *option)
{
    taking->setup->max_connections = (uint32_t)option->value.number;
}

static void take_proxy_protocol(struct taking *taking, const weir_option *option)
{
    taking->setup->proxy_protocol = option->value.number != 0;
}

static void take_proxy_timeout(struct taking *taking, const weir_option *option)
{
    taking->setup->proxy_timeout_ms = (uint32_t)option->value.number;
}

/* The first of a list counts, as in the document's functions; of all others the last. */
static void take_inet(struct taking *taking, const weir_option *option)
{
    if (!taking->family)
        taking->family = option->id == WEIR_OPTION_INET6 ? WEIR_INET6 : WEIR_INET;
}

static void take_local(struct taking *taking, const weir_option *option)
{
    (void)option;
    if (!taking->family)
        taking->family = WEIR_LOCAL;
}

static void take_address(struct taking *taking, const weir_option *option)
{
    bool local = option->value.address.family == WEIR_LOCAL;
    taking->address = local ? (weir_address){.family = WEIR_LOCAL} : option->value.address;
    taking->local_name = option->value.local;
    taking->setup->has_local_address = true;
}

static void take_file_mode(struct taking *taking, const weir_option *option)
{
    taking->setup->file_mode = (int)option->value.number;
}

static void take_netns(struct taking *taking, const weir_option *option)
{
    taking->setup->netns = option->value.path;
}

static void take_port(struct taking *taking, const weir_option *option)
{
    taking->port = (uint16_t)option->value.number;
    taking->setup->has_local_address = true;
}

static void take_reuseaddr(struct taking *taking, const weir_option *option)
{
    taking->setup->reuseaddr = option->value.number != 0;
}

static void take_reuseport(struct taking *taking, const weir_option *option)
{
    taking->setup->reuseport = option->value.number != 0;
}

typedef void take(struct taking *taking, const weir_option *option);

static take *const takes[WEIR_OPTION_COUNT] = {
    [WEIR_OPTION_BACKLOG] = take_backlog,
    [WEIR_OPTION_FD] = take_fd,
    [WEIR_OPTION_FILE_MODE] = take_file_mode,
    [WEIR_OPTION_HAPPY_EYEBALLS] = take_happy_eyeballs,
    [WEIR_OPTION_IFADDR] = take_address,
    [WEIR_OPTION_INET] = take_inet,
    [WEIR_OPTION_INET6] = take_inet,
    [WEIR_OPTION_IP] = take_address,
    [WEIR_OPTION_LOCAL] = take_local,
    [WEIR_OPTION_MAX_CONNECTIONS] = take_max_connections,
    [WEIR_OPTION_NETNS] = take_netns,
    [WEIR_OPTION_PORT] = take_port,
    [WEIR_OPTION_PROXY_PROTOCOL] = take_proxy_protocol,
    [WEIR_OPTION_PROXY_TIMEOUT] = take_proxy_timeout,
    [WEIR_OPTION_REUSEADDR] = take_reuseaddr,
    [WEIR_OPTION_REUSEPORT] = take_reuseport,
};

static int take_one(struct taking *taking, const weir_option *option)
{
    if (takes[option->id])
        takes[option->id](taking, option);
    if (option_row_of(option)->keeper == OPTION_KEEPER_WEIR)
        return values_set(&taking->setup->values, option);
    values_follow(&taking->setup->values, option);
    return 0;
}

static int take_list(struct taking *taking, const weir_option *options, bool with_active)
{
    int result = options_check(options, taking->setup->scope);
    if (result < 0)
        return result;
    taking->default_family = taking->family;
    taking->family = 0;
    for (const weir_option *option = options; option_follows(option); option++) {
        if (option->id == WEIR_OPTION_ACTIVE && !with_active)
            continue;
        result = take_one(taking, option);
        if (result < 0)
            return result;
    }
    if (!taking->family)
        taking->family = taking->default_family;
    return 0;
}

/* {ip,any} and {ip,loopback} become what they are in the socket's family. */
static void settle_address(weir_address *local, uint8_t family)
{
    static const uint8_t inet_loopback[sizeof(local->bytes)] = {127, 0, 0, 1};
    bool loopback = local->bytes[15] != 0;
    if (local->family == WEIR_ANY_FAMILY && family == WEIR_INET && loopback)
        memcpy(local->bytes, inet_loopback, sizeof(inet_loopback));
    local->family = family;
}

static const char *name_of_family(uint8_t family)
{
    if (family == WEIR_LOCAL)
        return "local";
    return family == WEIR_INET6 ? "inet6" : "inet";
}

static int settle(const struct taking *taking)
{
    struct option_setup *setup = taking->setup;
    uint8_t of_address = taking->address.family;
    uint8_t family = taking->family ? taking->family : of_address;
    if (taking->family && of_address && taking->family != of_address)
        return error_say(WEIR_BADARG, "option ip: an address of %s, but the socket is %s",
                         name_of_family(of_address), name_of_family(family));
    if (family == WEIR_LOCAL && taking->port != 0)
        return error_say(WEIR_BADARG, "option port: a local socket has none, not %u", taking->port);
    if (of_address == WEIR_LOCAL)
        setup->local_name = taking->local_name;
    setup->family_given = family != WEIR_ANY_FAMILY;
    setup->local = taking->address;
    setup->local.port = taking->port;
    setup->is_loopback = !of_address && taking->address.bytes[15] != 0;
    settle_address(&setup->local, family ? family : WEIR_INET);
    if ((setup->scope & OPTION_LISTEN) && setup->values.active <= 0)
        setup->values.active = WEIR_ACTIVE_FALSE; /* a count that is spent, and nobody to tell */
    return 0;
}

int options_set_up(struct option_setup *setup, enum option_scope scope, const weir_option *defaults,
                   const weir_option *options)
{
    *setup = (struct option_setup){
        .scope = scope,
        .defaults = defaults,
        .options = options,
        .backlog = (int)option_rows[WEIR_OPTION_BACKLOG].initial[0],
        .proxy_timeout_ms = (uint32_t)option_rows[WEIR_OPTION_PROXY_TIMEOUT].initial[0],
        .fd = -1,
        .file_mode = -1,
    };
    values_initialize(&setup->values, option_is_udp(scope));
    struct taking taking = {.setup = setup};
    if (take_list(&taking, defaults, false) < 0 || take_list(&taking, options, true) < 0)
        return WEIR_BADARG;
    return settle(&taking);
}

/* Raw options are told apart by what the kernel calls them, memberships add up. */
static bool supersedes(const weir_option *later, const weir_option *option)
{
    if (later->id != option->id || option_row_of(option)->type == OPTION_MEMBERSHIP)
        return false;
    return option->id != WEIR_OPTION_RAW || (later->value.raw.level == option->value.raw.level &&
                                             later->value.raw.number == option->value.raw.number);
}

bool options_supersede(const weir_option *later, const weir_option *option)
{
    for (; option_follows(later); later++)
        if (supersedes(later, option))
            return true;
    return false;
}

static int prepare_list(const struct option_setup *setup, const weir_option *options, int fd)
{
    const weir_option *overriding = options == setup->defaults ? setup->options : NULL;
    for (const weir_option *option = options; option_follows(option); option++) {
        if (option_row_of(option)->keeper != OPTION_KEEPER_KERNEL ||
            options_supersede(option + 1, option) || options_supersede(overriding, option))
            continue;
        int result = kernel_apply(option, fd, setup->local.family);
        if (result < 0)
            return result;
    }
    return 0;
}

int options_prepare(const struct option_setup *setup, int fd)
{
    if (option_is_udp(setup->scope)) {
        weir_option recbuf = WEIR_RECBUF(UDP_RECBUF);
        (void)kernel_set(&recbuf, fd, setup->local.family);
    }
    int result = prepare_list(setup, setup->defaults, fd);
    return result < 0 ? result : prepare_list(setup, setup->options, fd);
}
