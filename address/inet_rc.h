/* SPDX-License-Identifier: MIT */
/* get_rc: what of a configuration differs from the defaults. */
#ifndef ADDRESS_INET_RC_H
#define ADDRESS_INET_RC_H

#include "address/inet_config.h"

/* In the document's order, in one block. 0 or -ENOMEM. */
int inet_rc_list(const struct inet_config *config, weir_parameter **parameters, size_t *count);

#endif
