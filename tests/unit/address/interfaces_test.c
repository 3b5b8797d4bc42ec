/* SPDX-License-Identifier: MIT */
/* weir_getifaddrs, on a kernel that lists what is written here. */
#include "base/memory.h"

#include <arpa/inet.h>
#include <criterion/criterion.h>
#include <errno.h>
#include <ifaddrs.h>
#include <net/if.h>
#include <netpacket/packet.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <weir/error.h>
#include <weir/names.h>

enum { ENTRIES_MAX = 16 };

union place {
    struct sockaddr any;
    struct sockaddr_in inet;
    struct sockaddr_in6 inet6;
    struct sockaddr_ll link;
};

static struct ifaddrs entries[ENTRIES_MAX];
static union place places[3 * ENTRIES_MAX];
static size_t entry_count;
static int refusal;
static int freed;

int getifaddrs(struct ifaddrs **list)
{
    errno = refusal;
    for (size_t i = 0; i + 1 < entry_count; i++)
        entries[i].ifa_next = &entries[i + 1];
    *list = entries;
    return refusal ? -1 : 0;
}

void freeifaddrs(struct ifaddrs *list)
{
    cr_expect_eq(list, &entries[0]);
    freed++;
}

static struct ifaddrs *add(const char *name, unsigned which)
{
    struct ifaddrs *entry = &entries[entry_count++];
    entry->ifa_name = (char *)name;
    entry->ifa_flags = which;
    return entry;
}

/* "" is none. */
static struct sockaddr *address(const char *text)
{
    static size_t used;
    union place *place = &places[used++];
    if (inet_pton(AF_INET, text, &place->inet.sin_addr) == 1)
        place->any.sa_family = AF_INET;
    else if (inet_pton(AF_INET6, text, &place->inet6.sin6_addr) == 1)
        place->any.sa_family = AF_INET6;
    return *text ? &place->any : NULL;
}

static void add_address(const char *name, unsigned which, const char *own, const char *mask,
                        const char *other)
{
    struct ifaddrs *entry = add(name, which);
    entry->ifa_addr = address(own);
    entry->ifa_netmask = address(mask);
    entry->ifa_broadaddr = address(other);
}

static void add_link(const char *name, unsigned which, uint8_t size)
{
    static struct sockaddr_ll links[ENTRIES_MAX];
    struct sockaddr_ll *link = &links[entry_count];
    *link = (struct sockaddr_ll){.sll_family = AF_PACKET, .sll_halen = size};
    for (uint8_t i = 0; i < sizeof(link->sll_addr); i++)
        link->sll_addr[i] = (uint8_t)(i + 1);
    add(name, which)->ifa_addr = (struct sockaddr *)link;
}

static const char *text_of(const weir_address *one)
{
    static char texts[4][WEIR_ADDRESS_TEXT_SIZE];
    static unsigned next;
    return weir_address_format(one, texts[next++ % 4]);
}

/* "name flags hwaddr: addr netmask broadaddr dstaddr, ...; ..." */
static const char *listed(void)
{
    static char text[2048];
    weir_interface *list;
    size_t count;
    int length = 0;
    cr_assert_eq(weir_getifaddrs(&list, &count), 0);
    for (size_t i = 0; i < count; i++) {
        length += snprintf(text + length, sizeof(text) - (size_t)length, "%s%s %x ", i ? "; " : "",
                           list[i].name, list[i].flags);
        for (size_t j = 0; j < list[i].hwaddr_size; j++)
            length +=
                snprintf(text + length, sizeof(text) - (size_t)length, "%02x", list[i].hwaddr[j]);
        for (size_t j = 0; j < list[i].address_count; j++) {
            const weir_interface_address *one = &list[i].addresses[j];
            length += snprintf(text + length, sizeof(text) - (size_t)length, "%s %s/%s b=%s d=%s",
                               j ? "," : ":", text_of(&one->addr), text_of(&one->netmask),
                               text_of(&one->broadaddr), text_of(&one->dstaddr));
        }
    }
    weir_interfaces_free(list);
    cr_expect_eq(memory_live_count(), 0);
    return text;
}

Test(interfaces, addresses_stand_with_their_interface)
{
    enum { ETHERNET = IFF_UP | IFF_BROADCAST | IFF_RUNNING | IFF_MULTICAST };
    add_link("lo", IFF_UP | IFF_LOOPBACK, 6);
    add_link("eth0", ETHERNET, 6);
    add_link("tun0", IFF_UP | IFF_POINTOPOINT | IFF_BROADCAST, 0);
    add_link("ib0", 0, 8);
    add_link("odd0", 0, 9);
    add("none0", IFF_PROMISC);
    add_address("lo", IFF_UP | IFF_LOOPBACK, "127.0.0.1", "255.0.0.0", "127.9.9.9");
    add_address("eth0", ETHERNET, "10.0.0.1", "255.0.0.0", "10.255.255.255");
    add_address("tun0", IFF_POINTOPOINT | IFF_BROADCAST, "10.1.0.1", "", "10.1.0.2");
    add_address("eth0", ETHERNET, "2001:db8::1", "ffff:ffff::", "10.255.255.255");
    cr_expect_str_eq(listed(), "lo 5 010203040506: 127.0.0.1/255.0.0.0 b= d=; "
                               "eth0 33 010203040506: 10.0.0.1/255.0.0.0 b=10.255.255.255 d=, "
                               "2001:db8::1/ffff:ffff:: b= d=; "
                               "tun0 b : 10.1.0.1/ b= d=10.1.0.2; "
                               "ib0 0 0102030405060708; odd0 0 ; none0 0 ");
    cr_expect_eq(freed, 1);
}

Test(interfaces, without_memory_or_a_list)
{
    weir_interface *list;
    size_t count;
    add("lo", IFF_UP);
    memory_fail_nth(1);
    cr_expect_eq(weir_getifaddrs(&list, &count), -ENOMEM);
    cr_expect_eq(freed, 1);
    refusal = EMFILE;
    cr_expect_eq(weir_getifaddrs(&list, &count), -EMFILE);
    cr_expect_str_eq(weir_last_error_text(), "the kernel lists no interfaces: Too many open files");
    cr_expect_eq(memory_live_count(), 0);
    refusal = 0;
    cr_expect_eq(weir_getifaddrs(&list, &count), 0);
    cr_expect_str_eq(weir_last_error_text(), "");
    weir_interfaces_free(list);
    int cancel_state;
    pthread_setcancelstate(PTHREAD_CANCEL_ENABLE, &cancel_state);
    cr_expect_eq(cancel_state, PTHREAD_CANCEL_ENABLE, "as it was before");
}

Test(interfaces, flags_have_names)
{
    cr_expect_str_eq(weir_interface_flag_name(WEIR_INTERFACE_UP), "up");
    cr_expect_str_eq(weir_interface_flag_name(WEIR_INTERFACE_MULTICAST), "multicast");
    cr_expect_null(weir_interface_flag_name((enum weir_interface_flag)(1 << 6)));
}
