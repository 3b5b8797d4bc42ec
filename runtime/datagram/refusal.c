/* SPDX-License-Identifier: MIT */
#include "runtime/datagram/refusal.h"

#include <string.h>

#include "runtime/datagram/parcel.h"

static const uint64_t refused_for_ns = 60000000000u;

/* That of the peer of a connected socket is not known here: all of them are one. */
static void key_of(const struct parcel *parcel, uint8_t key[16])
{
    const union parcel_address *address = &parcel->address;
    memset(key, 0, 16);
    if (parcel->address_size == 0)
        memset(key, 0xFF, 16);
    else if (address->any.sa_family == AF_INET)
        memcpy(key, &address->inet.sin_addr, sizeof(address->inet.sin_addr));
    else
        memcpy(key, &address->inet6.sin6_addr, sizeof(address->inet6.sin6_addr));
}

static uint32_t place_of(const uint8_t key[16])
{
    uint32_t hash = 2166136261u;
    for (int i = 0; i < 16; i++)
        hash = (hash ^ key[i]) * 16777619u;
    return hash % REFUSALS_MOST;
}

void refusal_note(struct refusals *refusals, const struct parcel *parcel, uint64_t now_ns)
{
    uint8_t key[16];
    key_of(parcel, key);
    struct refusal *refusal = &refusals->places[place_of(key)];
    memcpy(refusal->address, key, sizeof(key));
    refusal->until_ns = now_ns + refused_for_ns;
    refusals->last_until_ns = refusal->until_ns;
}

bool refusal_holds_for(const struct refusals *refusals, const struct parcel *parcel,
                       uint64_t now_ns)
{
    uint8_t key[16];
    key_of(parcel, key);
    const struct refusal *refusal = &refusals->places[place_of(key)];
    return now_ns < refusal->until_ns && memcmp(refusal->address, key, sizeof(key)) == 0;
}
