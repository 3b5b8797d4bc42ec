/* SPDX-License-Identifier: MIT */
/* A packet as a number that is the same wherever its bytes lie. */
#ifndef PACKET_DIGEST_H
#define PACKET_DIGEST_H

#include <weir/packet.h>

struct packet_digest {
    uint64_t digest;
    size_t consumed;
    size_t needed;
};

/* Reads all of the packet, and all that its http says. */
void packet_digest(enum weir_packet_type type, const weir_decoded *decoded, const weir_http *http,
                   struct packet_digest *digest);

#endif
