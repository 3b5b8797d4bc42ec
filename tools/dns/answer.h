/* SPDX-License-Identifier: MIT */
/* The answer to a question, from a zone: RFC 1035, with EDNS (RFC 6891). */
#ifndef TOOLS_DNS_ANSWER_H
#define TOOLS_DNS_ANSWER_H

#include <stddef.h>
#include <stdint.h>

struct dns_zone;

enum {
    DNS_DATAGRAM_BYTES = 512, /* of who does not say that more may come */
    DNS_EDNS_BYTES = 1232,    /* what arrives in one piece nearly everywhere */
    DNS_MESSAGE_BYTES_MAX = 65535,
};

/* The bytes of the answer, of which there are at most `room`; 0: to this nothing is answered.
 * `datagram`: what does not fit in what the asker takes is left out, and the answer says so. */
size_t dns_answer(const struct dns_zone *zone, const uint8_t *question, size_t size,
                  uint8_t *answer, size_t room, _Bool datagram);

#endif
