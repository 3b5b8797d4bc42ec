/* SPDX-License-Identifier: MIT */
#ifndef ADDRESS_IPV6_H
#define ADDRESS_IPV6_H

#include <stdint.h>

#include "address/span.h"

enum { IPV6_GROUP_COUNT = 8, IPV6_GROUP_MAX = 0xffff };

/* Whether addresses that begin with this group carry a scope: those of one link. */
static inline bool ipv6_has_scope(uint32_t first_group)
{
    return first_group == 0xfe80 || first_group == 0xff02;
}

/*
 * Eight groups of hexadecimal digits, "::" for one or more of zeros, the last two also as strict
 * IPv4. A scope, "%0N" or as the second group, ends up in `scope_id`, and that group as zero. The
 * bytes are zeros before.
 */
bool ipv6_parse(struct span text, uint8_t bytes[16], uint32_t *scope_id);

#endif
