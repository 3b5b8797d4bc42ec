/* SPDX-License-Identifier: MIT */
/*
 * What a name server answers, read out of its message. Every byte of it may be a lie: nothing is
 * read outside of the message, and a chain or a name that leads nowhere ends.
 */
#ifndef LOOKUP_ANSWER_H
#define LOOKUP_ANSWER_H

#include <arpa/nameser.h>

#include <weir/names.h>

struct answer {
    const uint8_t *bytes;
    size_t size;
    ns_rcode code; /* also others */
    bool truncated;
    uint16_t question_count;
    uint16_t record_count; /* in the answer section */
};

/* The head of a message. 0, or -EBADMSG: that is no answer. */
int answer_read(struct answer *answer, const void *bytes, size_t size);

/*
 * What the answer says of `name`, asked for as `type`: for ns_t_a and ns_t_aaaa its addresses,
 * after any CNAMEs; for ns_t_ptr the one name of `address`. `*ttl_s` is for how long. 0;
 * WEIR_NXDOMAIN: nothing, a chain that loops or branches, or several names; -EBADMSG; -ENOMEM.
 */
int answer_find(const struct answer *answer, const char *name, ns_type type,
                const weir_address *address, weir_hostent **hostent, uint32_t *ttl_s);

#endif
