/* SPDX-License-Identifier: MIT */
/*
 * Where runs are not to be sent: the route there takes no segmentation, or not of that size. It is
 * found out late, when the send is over, so it is remembered for a while. By address: ports are on
 * the same way. Two that fall on one place forget each other, which costs a send that is refused.
 */
#ifndef RUNTIME_DATAGRAM_REFUSAL_H
#define RUNTIME_DATAGRAM_REFUSAL_H

#include <stdbool.h>
#include <stdint.h>

struct parcel;

enum { REFUSALS_MOST = 64 };

struct refusals {
    uint64_t last_until_ns; /* after that there are none */
    struct refusal {
        uint64_t until_ns;
        uint8_t address[16];
    } places[REFUSALS_MOST];
};

void refusal_note(struct refusals *refusals, const struct parcel *parcel, uint64_t now_ns);

bool refusal_holds_for(const struct refusals *refusals, const struct parcel *parcel,
                       uint64_t now_ns);

/* Whether any does, which is seldom. */
static inline bool refusal_holds(const struct refusals *refusals, const struct parcel *parcel,
                                 uint64_t now_ns)
{
    return now_ns < refusals->last_until_ns && refusal_holds_for(refusals, parcel, now_ns);
}

#endif
