/* SPDX-License-Identifier: MIT */
#include "options/kernel.h"

#include "base/error.h"
#include "base/system.h"

#include <errno.h>
#include <netinet/in.h>
#include <string.h>

static struct option_kernel_name name_of(const weir_option *option, int family)
{
    return option_row_of(option)->kernel[family == WEIR_INET6];
}

static int set(const weir_option *option, int fd, int family, const void *value, size_t size)
{
    struct option_kernel_name kernel = name_of(option, family);
    return system_setsockopt(fd, kernel.level, kernel.name, value, (socklen_t)size);
}

static int get(const weir_option *option, int fd, int family, void *value, size_t size)
{
    struct option_kernel_name kernel = name_of(option, family);
    socklen_t room = (socklen_t)size;
    return system_getsockopt(fd, kernel.level, kernel.name, value, &room);
}

static int set_number(const weir_option *option, int fd, int family)
{
    int number = (int)option->value.number;
    return set(option, fd, family, &number, sizeof(number));
}

static int get_number(weir_option *option, int fd, int family)
{
    int number = 0;
    int result = get(option, fd, family, &number, sizeof(number));
    if (result < 0)
        return result;
    option->value.number = option_row_of(option)->type == OPTION_BOOLEAN ? number != 0 : number;
    return 0;
}

static int set_linger(const weir_option *option, int fd, int family)
{
    struct linger linger = {option->value.linger.on, option->value.linger.seconds};
    return set(option, fd, family, &linger, sizeof(linger));
}

static int get_linger(weir_option *option, int fd, int family)
{
    struct linger linger = {0, 0};
    int result = get(option, fd, family, &linger, sizeof(linger));
    if (result < 0)
        return result;
    option->value.linger = (weir_linger){linger.l_onoff != 0, linger.l_linger};
    return 0;
}

static int set_name(const weir_option *option, int fd, int family)
{
    return set(option, fd, family, option->value.name, strlen(option->value.name));
}

static int get_name(weir_option *option, int fd, int family)
{
    char name[WEIR_OPTION_NAME_SIZE] = "";
    int result = get(option, fd, family, name, sizeof(name));
    if (result < 0)
        return result;
    memcpy(option->value.name, name, sizeof(name));
    option->value.name[sizeof(name) - 1] = '\0';
    return 0;
}

static struct in_addr inet_of(const uint8_t bytes[4])
{
    struct in_addr inet;
    memcpy(&inet, bytes, sizeof(inet));
    return inet;
}

/* An interface of the wrong family is refused as the kernel refuses a wrong one. */
static int set_interface(const weir_option *option, int fd, int family)
{
    const weir_address *address = &option->value.address;
    if (address->family != WEIR_ANY_FAMILY && address->family != family)
        return -EADDRNOTAVAIL;
    if (family == WEIR_INET6)
        return set(option, fd, family, &address->scope_id, sizeof(address->scope_id));
    struct in_addr inet = inet_of(address->bytes);
    return set(option, fd, family, &inet, sizeof(inet));
}

static int get_interface(weir_option *option, int fd, int family)
{
    uint32_t found = 0; /* an index, or an address in network order */
    int result = get(option, fd, family, &found, sizeof(found));
    if (result < 0)
        return result;
    weir_address address = {.family = (uint8_t)family};
    if (family == WEIR_INET6)
        address.scope_id = found;
    else
        memcpy(address.bytes, &found, sizeof(found));
    option->value.address = address;
    return 0;
}

static int set_membership(const weir_option *option, int fd, int family)
{
    const weir_membership *membership = &option->value.membership;
    if (membership->family != family)
        return -EADDRNOTAVAIL;
    if (family == WEIR_INET6) {
        struct ipv6_mreq request = {.ipv6mr_interface = membership->index};
        memcpy(&request.ipv6mr_multiaddr, membership->group, sizeof(membership->group));
        return set(option, fd, family, &request, sizeof(request));
    }
    struct ip_mreq request = {inet_of(membership->group), inet_of(membership->interface)};
    return set(option, fd, family, &request, sizeof(request));
}

static int set_raw(const weir_option *option, int fd, int family)
{
    const weir_raw *raw = &option->value.raw;
    (void)family;
    return system_setsockopt(fd, raw->level, raw->number, raw->bytes, (socklen_t)raw->size);
}

static int get_raw(weir_option *option, int fd, int family)
{
    weir_raw *raw = &option->value.raw;
    socklen_t written = (socklen_t)raw->size;
    (void)family;
    int result = system_getsockopt(fd, raw->level, raw->number, raw->buffer, &written);
    if (result == 0)
        raw->size = written;
    return result;
}

struct kernel_form {
    int (*set)(const weir_option *option, int fd, int family);
    int (*get)(weir_option *option, int fd, int family);
};

static const struct kernel_form forms[OPTION_TYPE_COUNT] = {
    [OPTION_BOOLEAN] = {set_number, get_number},
    [OPTION_INTEGER] = {set_number, get_number},
    [OPTION_LINGER] = {set_linger, get_linger},
    [OPTION_NAME] = {set_name, get_name},
    [OPTION_INTERFACE] = {set_interface, get_interface},
    [OPTION_MEMBERSHIP] = {set_membership, NULL},
    [OPTION_RAW] = {set_raw, get_raw},
};

/* Linux derives SO_PRIORITY from IP_TOS when that is set. Erlang/OTP keeps the two apart, and so
 * does weir. */
static int set_tos(const weir_option *option, int fd, int family)
{
    weir_option priority = WEIR_REQUEST(PRIORITY);
    int known = get_number(&priority, fd, family);
    int result = set_number(option, fd, family);
    if (result == 0 && known == 0)
        (void)set_number(&priority, fd, family);
    return result;
}

int kernel_set(const weir_option *option, int fd, int family)
{
    if (option->id == WEIR_OPTION_TOS)
        return set_tos(option, fd, family);
    return forms[option_row_of(option)->type].set(option, fd, family);
}

int kernel_get(weir_option *option, int fd, int family)
{
    return forms[option_row_of(option)->type].get(option, fd, family);
}

/* As in Erlang/OTP. Those of TCP do nothing there, and are passed over by the rule. */
static bool is_of_ip(const struct option_row *row)
{
    int level = row->kernel[0].level;
    return row->type != OPTION_RAW && (level == IPPROTO_IP || level == IPPROTO_IPV6);
}

int kernel_apply(const weir_option *option, int fd, int family)
{
    const struct option_row *row = option_row_of(option);
    if (family == WEIR_LOCAL && is_of_ip(row))
        return error_say(-EINVAL, "option %s: a local socket has none", row->atom);
    int result = kernel_set(option, fd, family);
    if (result >= 0 || !(row->traits & OPTION_RETURNED))
        return 0;
    return error_say(result, "option %s: the kernel refuses it: %s", row->atom,
                     weir_error_text(result));
}
