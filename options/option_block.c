/* SPDX-License-Identifier: MIT */
#include "options/option_block.h"

#include <errno.h>

#include "base/check.h"
#include "base/memory.h"

struct option_block *option_block_create(const struct option_values *values)
{
    struct option_block *block = memory_allocate(sizeof(*block));
    if (block)
        *block = (struct option_block){.refs = 1, .values = *values};
    return block;
}

struct option_block *option_block_share(struct option_block *block)
{
    block->refs++;
    return block;
}

void option_block_drop(struct option_block *block)
{
    CHECK_GT(block->refs, 0u);
    if (--block->refs == 0)
        memory_free(block);
}

int option_block_own(struct option_block **block)
{
    if ((*block)->refs == 1)
        return 0;
    struct option_block *copy = option_block_create(&(*block)->values);
    if (!copy)
        return -ENOMEM;
    option_block_drop(*block);
    *block = copy;
    return 0;
}
