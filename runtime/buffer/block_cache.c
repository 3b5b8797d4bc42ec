/* SPDX-License-Identifier: MIT */
#include "runtime/buffer/block_cache.h"

#include "base/memory.h"
#include "runtime/buffer/buffer.h"

/* A sanitizer is to see every use of a block that was given back. */
#ifdef __SANITIZE_ADDRESS__
enum { CACHED_BYTES_MAX = 0 };
#else
enum { CACHED_BYTES_MAX = 8 << 20 };
#endif
enum { CACHED_FROM_BYTES = 64 << 10, LOOKS = 4 };

struct weir_buffer *block_cache_take(struct block_cache *cache, size_t size)
{
    struct weir_buffer **link = &cache->newest;
    for (int i = 0; i < LOOKS && *link; i++, link = &(*link)->next) {
        struct weir_buffer *block = *link;
        if (block->capacity < size || block->capacity / 2 > size)
            continue;
        *link = block->next;
        cache->bytes -= block->capacity;
        return block;
    }
    return NULL;
}

bool block_cache_put(struct block_cache *cache, struct weir_buffer *block)
{
    if (block->capacity < CACHED_FROM_BYTES || block->capacity > CACHED_BYTES_MAX - cache->bytes)
        return false;
    block->next = cache->newest;
    cache->newest = block;
    cache->bytes += block->capacity;
    return true;
}

void block_cache_empty(struct block_cache *cache)
{
    while (cache->newest) {
        struct weir_buffer *block = cache->newest;
        cache->newest = block->next;
        memory_free(block);
    }
    cache->bytes = 0;
}
