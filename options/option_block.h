/* SPDX-License-Identifier: MIT */
/* Option values that sockets of one scheduler share until one of them changes its own. */
#ifndef OPTIONS_OPTION_BLOCK_H
#define OPTIONS_OPTION_BLOCK_H

#include "options/options.h"

struct option_block {
    uint32_t refs;
    struct option_values values;
};

/* NULL: no memory. */
struct option_block *option_block_create(const struct option_values *values);
struct option_block *option_block_share(struct option_block *block);
void option_block_drop(struct option_block *block);

/* Makes `*block` its holder's alone, by a copy if it is shared. 0, or -ENOMEM. */
int option_block_own(struct option_block **block);

#endif
