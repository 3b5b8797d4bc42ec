/* SPDX-License-Identifier: MIT */
/* Large blocks that were just used and are used again. The allocator would give their pages back to
 * the kernel and fault them in anew: 57 faults for each message of 1 MiB, a fifth of its cost. */
#ifndef RUNTIME_BUFFER_BLOCK_CACHE_H
#define RUNTIME_BUFFER_BLOCK_CACHE_H

#include <stdbool.h>
#include <stddef.h>

struct weir_buffer;

/* One thread's. All zero is an empty one. */
struct block_cache {
    struct weir_buffer *newest;
    size_t bytes;
};

/* A block of `size` bytes or somewhat more, the newest first; NULL: there is none. */
struct weir_buffer *block_cache_take(struct block_cache *cache, size_t size);

/* False: it is too small to be worth it, or there are enough. */
bool block_cache_put(struct block_cache *cache, struct weir_buffer *block);

void block_cache_empty(struct block_cache *cache);

#endif
