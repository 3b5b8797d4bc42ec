/* SPDX-License-Identifier: MIT */
/*
 * Answers that are still good: bounded, each for as long as its server said. When it is full, what
 * was used least recently goes first. The clock is the caller's.
 */
#ifndef LOOKUP_CACHE_H
#define LOOKUP_CACHE_H

#include "base/list.h"
#include "lookup/answer.h"

struct cache {
    size_t capacity; /* 0: it keeps nothing */
    size_t count;
    struct list by_use; /* the least recently used first */
    struct list *buckets;
    size_t bucket_count;
};

/* 0 or -ENOMEM. */
int cache_open(struct cache *cache, size_t capacity);
void cache_close(struct cache *cache);

/* What is known of a name, without regard to its case, or NULL. Until the next call. */
const weir_hostent *cache_find(struct cache *cache, const char *name, ns_type type,
                               uint64_t now_ns);

/* Keeps a copy for so long. Without memory it keeps nothing. */
void cache_put(struct cache *cache, const char *name, ns_type type, const weir_hostent *hostent,
               uint64_t now_ns, uint64_t lifetime_ns);

void cache_remove_expired(struct cache *cache, uint64_t now_ns);
void cache_clear(struct cache *cache);

#endif
