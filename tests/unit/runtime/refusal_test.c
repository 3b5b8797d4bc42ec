/* SPDX-License-Identifier: MIT */
/* Which peers' routes have refused a run, and for how long that counts. */
#include "runtime/datagram/refusal.h"

#include <arpa/inet.h>
#include <criterion/criterion.h>

#include "runtime/datagram/parcel.h"

static const uint64_t minute_ns = 60000000000u;

static struct refusals refusals;

static struct parcel to_inet(uint32_t address, uint16_t port)
{
    struct parcel parcel = {.address_size = sizeof(struct sockaddr_in)};
    parcel.address.inet.sin_family = AF_INET;
    parcel.address.inet.sin_port = htons(port);
    parcel.address.inet.sin_addr.s_addr = htonl(address);
    return parcel;
}

static struct parcel to_inet6(uint8_t last)
{
    struct parcel parcel = {.address_size = sizeof(struct sockaddr_in6)};
    parcel.address.inet6.sin6_family = AF_INET6;
    parcel.address.inet6.sin6_addr.s6_addr[0] = 0x20;
    parcel.address.inet6.sin6_addr.s6_addr[15] = last;
    return parcel;
}

static bool holds(struct parcel parcel, uint64_t now_ns)
{
    return refusal_holds_for(&refusals, &parcel, now_ns);
}

Test(refusal, holds_for_a_minute_whatever_the_port)
{
    const struct parcel peer = to_inet(0xC0000201, 7);
    cr_expect(!holds(peer, 0));
    refusal_note(&refusals, &peer, 1000);
    cr_expect(holds(peer, 1000) && holds(to_inet(0xC0000201, 8), minute_ns + 999));
    cr_expect(!holds(peer, minute_ns + 1000));
    cr_expect_eq(refusals.last_until_ns, minute_ns + 1000);
    refusal_note(&refusals, &peer, 5000);
    cr_expect(holds(peer, minute_ns + 4999) && !holds(peer, minute_ns + 5000));
}

/* Not for another that shares its place either. */
Test(refusal, is_of_one_peer)
{
    enum { MANY = 20 * REFUSALS_MOST };
    const struct parcel peer = to_inet(0x0A000000, 7);
    refusal_note(&refusals, &peer, 0);
    for (uint32_t i = 1; i < MANY; i++)
        cr_assert(!holds(to_inet(0x0A000000 + i, 7), 1), "%u", i);
    for (int last = 0; last < 256; last++)
        cr_assert(!holds(to_inet6((uint8_t)last), 1));
    cr_expect(holds(peer, 1));
}

Test(refusal, is_known_of_more_than_one)
{
    struct parcel connected = {.address_size = 0};
    struct parcel inet6 = to_inet6(1);
    int known = 0;
    refusal_note(&refusals, &connected, 0);
    cr_expect(!holds(to_inet(0, 7), 1) && !holds(to_inet(INADDR_BROADCAST, 7), 1));
    refusal_note(&refusals, &inet6, 0);
    cr_expect(holds(connected, 1) && holds(inet6, 1) && !holds(to_inet6(2), 1));
    for (uint32_t i = 0; i < REFUSALS_MOST; i++) {
        const struct parcel peer = to_inet(0x0A000000 + i, 7);
        refusal_note(&refusals, &peer, 0);
    }
    for (uint32_t i = 0; i < REFUSALS_MOST; i++)
        known += holds(to_inet(0x0A000000 + i, 7), 1);
    cr_expect_gt(known, REFUSALS_MOST / 4, "%d", known);
}
