/* SPDX-License-Identifier: MIT */
/*
 * What a name server answers, read out of its message. Every byte of it may be a lie: nothing is
 * read outside of the message, and a chain or a name that leads nowhere ends.
 */
#ifndef LOOKUP_ANSWER_H
#define LOOKUP_ANSWER_H

#include <weir/names.h>

enum dns_type { DNS_A = 1, DNS_CNAME = 5, DNS_PTR = 12, DNS_AAAA = 28 };

/* The codes of answers that are told apart. */
enum dns_code {
    DNS_NO_ERROR = 0,
    DNS_FORMAT_ERROR = 1,
    DNS_SERVER_FAILURE = 2,
    DNS_NO_SUCH_NAME = 3,
    DNS_NOT_IMPLEMENTED = 4,
    DNS_REFUSED = 5,
    DNS_BAD_VERSION = 16,
};

struct answer {
    const uint8_t *bytes;
    size_t size;
    enum dns_code code; /* also others */
    bool truncated;
    uint16_t question_count;
    uint16_t record_count; /* in the answer section */
};

/* The head of a message. 0, or -EBADMSG: that is no answer. */
int answer_read(struct answer *answer, const void *bytes, size_t size);

/*
 * What the answer says of `name`, asked for as `type`: for DNS_A and DNS_AAAA its addresses, after
 * any CNAMEs; for DNS_PTR the one name of `address`. `*ttl_s` is for how long. 0; WEIR_NXDOMAIN:
 * nothing, a chain that loops or branches, or several names; -EBADMSG; -ENOMEM.
 */
int answer_find(const struct answer *answer, const char *name, enum dns_type type,
                const weir_address *address, weir_hostent **hostent, uint32_t *ttl_s);

#endif
