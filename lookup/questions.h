/* SPDX-License-Identifier: MIT */
/* What name servers are asked for on behalf of a look-up, in order. */
#ifndef LOOKUP_QUESTIONS_H
#define LOOKUP_QUESTIONS_H

#include "lookup/lookup.h"

/*
 * A name that ends in a dot as it is, without the dot; one without a dot in each domain that is
 * searched; any other as it is and then in those. An address by its in-addr.arpa or ip6.arpa name.
 * 0 or -ENOMEM. Names that no message can carry are left out.
 */
int questions_list(struct lookup *lookup, const struct lookup_ground *ground);

#endif
