/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <ifaddrs.h>
#include <net/if.h>
#include <netinet/in.h>
#include <netpacket/packet.h>
#include <string.h>
#include <weir/names.h>

#include "address/address.h"
#include "base/error.h"
#include "base/memory.h"
#include "base/thread.h"

static const struct {
    unsigned kernel;
    enum weir_interface_flag flag;
    const char *name;
} flags[] = {
    {IFF_UP, WEIR_INTERFACE_UP, "up"},
    {IFF_BROADCAST, WEIR_INTERFACE_BROADCAST, "broadcast"},
    {IFF_LOOPBACK, WEIR_INTERFACE_LOOPBACK, "loopback"},
    {IFF_POINTOPOINT, WEIR_INTERFACE_POINTTOPOINT, "pointtopoint"},
    {IFF_RUNNING, WEIR_INTERFACE_RUNNING, "running"},
    {IFF_MULTICAST, WEIR_INTERFACE_MULTICAST, "multicast"},
};

enum { FLAG_COUNT = sizeof(flags) / sizeof(flags[0]), HWADDR_SIZE_MAX = 32 };

/* The block: interfaces, the addresses of each behind those of the one before it, and texts. */
struct layout {
    weir_interface *interfaces;
    size_t interface_count;
    weir_interface_address *addresses;
    char *bytes;
};

const char *weir_interface_flag_name(enum weir_interface_flag flag)
{
    for (size_t i = 0; i < FLAG_COUNT; i++)
        if (flags[i].flag == flag)
            return flags[i].name;
    return NULL;
}

static uint32_t flags_of(const struct ifaddrs *entry)
{
    uint32_t value = 0;
    for (size_t i = 0; i < FLAG_COUNT; i++)
        if (entry->ifa_flags & flags[i].kernel)
            value |= flags[i].flag;
    return value;
}

static bool is_address(const struct ifaddrs *entry)
{
    return entry->ifa_addr &&
           (entry->ifa_addr->sa_family == AF_INET || entry->ifa_addr->sa_family == AF_INET6);
}

/* Nothing when there is none of the address's own family. */
static weir_address address_of(const struct sockaddr *sockaddr, sa_family_t family)
{
    struct sockaddr_storage storage = {0};
    weir_address address = {0};
    if (!sockaddr || sockaddr->sa_family != family)
        return address;
    memcpy(&storage, sockaddr,
           family == AF_INET ? sizeof(struct sockaddr_in) : sizeof(struct sockaddr_in6));
    if (address_from_sockaddr(&storage, &address) < 0)
        return (weir_address){0};
    return address;
}

/* broadaddr and dstaddr are one field, which the flags tell apart. */
static weir_interface_address read_address(const struct ifaddrs *entry)
{
    sa_family_t family = entry->ifa_addr->sa_family;
    weir_interface_address result = {
        .addr = address_of(entry->ifa_addr, family),
        .netmask = address_of(entry->ifa_netmask, family),
    };
    if (entry->ifa_flags & IFF_POINTOPOINT)
        result.dstaddr = address_of(entry->ifa_dstaddr, family);
    else if (entry->ifa_flags & IFF_BROADCAST)
        result.broadaddr = address_of(entry->ifa_broadaddr, family);
    return result;
}

static weir_interface *find(const struct layout *layout, const char *name)
{
    for (size_t i = 0; i < layout->interface_count; i++)
        if (strcmp(layout->interfaces[i].name, name) == 0)
            return &layout->interfaces[i];
    return NULL;
}

static void add_interface(struct layout *layout, const struct ifaddrs *entry)
{
    weir_interface *interface = &layout->interfaces[layout->interface_count++];
    size_t size = strlen(entry->ifa_name) + 1;
    *interface = (weir_interface){.name = layout->bytes, .flags = flags_of(entry)};
    memcpy(layout->bytes, entry->ifa_name, size);
    layout->bytes += size;
}

static void add_hwaddr(struct layout *layout, weir_interface *interface,
                       const struct ifaddrs *entry)
{
    struct sockaddr_ll link;
    if (!entry->ifa_addr || entry->ifa_addr->sa_family != AF_PACKET)
        return;
    memcpy(&link, entry->ifa_addr, sizeof(link));
    if (link.sll_halen == 0 || link.sll_halen > sizeof(link.sll_addr))
        return;
    memcpy(layout->bytes, link.sll_addr, link.sll_halen);
    interface->hwaddr = (const uint8_t *)layout->bytes;
    interface->hwaddr_size = link.sll_halen;
    layout->bytes += link.sll_halen;
}

/* The addresses of one interface side by side, wherever the kernel lists them. */
static void add_addresses(struct layout *layout, weir_interface *interface,
                          const struct ifaddrs *entries)
{
    interface->addresses = layout->addresses;
    for (; entries; entries = entries->ifa_next)
        if (is_address(entries) && strcmp(entries->ifa_name, interface->name) == 0) {
            *layout->addresses++ = read_address(entries);
            interface->address_count++;
        }
}

static void fill(struct layout *layout, const struct ifaddrs *entries)
{
    for (const struct ifaddrs *entry = entries; entry; entry = entry->ifa_next) {
        if (!find(layout, entry->ifa_name))
            add_interface(layout, entry);
        add_hwaddr(layout, find(layout, entry->ifa_name), entry);
    }
    for (size_t i = 0; i < layout->interface_count; i++)
        add_addresses(layout, &layout->interfaces[i], entries);
}

/* Room as if each entry were an interface of its own. */
static int make_layout(const struct ifaddrs *entries, struct layout *layout)
{
    size_t count = 0;
    for (const struct ifaddrs *entry = entries; entry; entry = entry->ifa_next)
        count++;
    size_t bytes = count * (IF_NAMESIZE + HWADDR_SIZE_MAX);
    layout->interfaces =
        memory_allocate(count * (sizeof(weir_interface) + sizeof(weir_interface_address)) + bytes);
    if (!layout->interfaces)
        return -ENOMEM;
    layout->addresses = (weir_interface_address *)(layout->interfaces + count);
    layout->bytes = (char *)(layout->addresses + count);
    return 0;
}

static int list_interfaces(struct layout *layout)
{
    struct ifaddrs *entries;
    if (getifaddrs(&entries) < 0)
        return error_say(-errno, "the kernel lists no interfaces: %s", strerror(errno));
    int result = make_layout(entries, layout);
    if (result == 0)
        fill(layout, entries);
    freeifaddrs(entries);
    return result;
}

int weir_getifaddrs(weir_interface **interfaces, size_t *count)
{
    struct layout layout = {.interface_count = 0};
    error_clear_text();
    int before = thread_put_off_cancel();
    int result = list_interfaces(&layout);
    thread_allow_cancel(before);
    *interfaces = layout.interfaces;
    *count = layout.interface_count;
    return result;
}

void weir_interfaces_free(weir_interface *interfaces)
{
    memory_free(interfaces);
}
