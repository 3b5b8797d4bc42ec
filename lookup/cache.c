/* SPDX-License-Identifier: MIT */
#include "lookup/cache.h"

#include <errno.h>
#include <string.h>

#include "address/hostent.h"
#include "address/name.h"
#include "base/memory.h"

enum { BUCKETS_MAX = 1 << 16 };

struct entry {
    struct list by_use;
    struct list in_bucket;
    uint64_t expiry_ns;
    weir_hostent *hostent;
    ns_type type;
    char name[];
};

int cache_open(struct cache *cache, size_t capacity)
{
    *cache = (struct cache){.capacity = capacity};
    list_init(&cache->by_use);
    cache->bucket_count = capacity < BUCKETS_MAX ? capacity + 1 : BUCKETS_MAX;
    cache->buckets = memory_allocate(cache->bucket_count * sizeof(struct list));
    if (!cache->buckets)
        return -ENOMEM;
    for (size_t i = 0; i < cache->bucket_count; i++)
        list_init(&cache->buckets[i]);
    return 0;
}

void cache_close(struct cache *cache)
{
    if (cache->buckets)
        cache_clear(cache);
    memory_free(cache->buckets);
}

static struct list *bucket_of(const struct cache *cache, const char *name)
{
    return &cache->buckets[name_hash(name) % cache->bucket_count];
}

static void remove_entry(struct cache *cache, struct entry *entry)
{
    list_remove(&entry->by_use);
    list_remove(&entry->in_bucket);
    weir_hostent_free(entry->hostent);
    memory_free(entry);
    cache->count--;
}

static struct entry *find(const struct cache *cache, const char *name, ns_type type)
{
    struct list *bucket = bucket_of(cache, name);
    for (struct list *link = bucket->next; link != bucket; link = link->next) {
        struct entry *entry = list_entry(link, struct entry, in_bucket);
        if (entry->type == type && name_equals(entry->name, name))
            return entry;
    }
    return NULL;
}

const weir_hostent *cache_find(struct cache *cache, const char *name, ns_type type, uint64_t now_ns)
{
    struct entry *entry = find(cache, name, type);
    if (entry && entry->expiry_ns <= now_ns) {
        remove_entry(cache, entry);
        entry = NULL;
    }
    if (!entry)
        return NULL;
    list_remove(&entry->by_use);
    list_append(&cache->by_use, &entry->by_use);
    return entry->hostent;
}

static struct entry *new_entry(const char *name, ns_type type, const weir_hostent *hostent)
{
    size_t size = strlen(name) + 1;
    struct entry *entry = memory_allocate(sizeof(*entry) + size);
    weir_hostent *copy = entry ? hostent_copy(hostent) : NULL;
    if (!copy) {
        memory_free(entry);
        return NULL;
    }
    *entry = (struct entry){.type = type, .hostent = copy};
    memcpy(entry->name, name, size);
    return entry;
}

static void make_room(struct cache *cache)
{
    while (cache->count >= cache->capacity)
        remove_entry(cache, list_entry(cache->by_use.next, struct entry, by_use));
}

void cache_put(struct cache *cache, const char *name, ns_type type, const weir_hostent *hostent,
               uint64_t now_ns, uint64_t lifetime_ns)
{
    if (cache->capacity == 0 || lifetime_ns == 0)
        return;
    struct entry *old = find(cache, name, type);
    if (old)
        remove_entry(cache, old);
    struct entry *entry = new_entry(name, type, hostent);
    if (!entry)
        return;
    make_room(cache);
    entry->expiry_ns = now_ns + lifetime_ns;
    list_append(&cache->by_use, &entry->by_use);
    list_append(bucket_of(cache, name), &entry->in_bucket);
    cache->count++;
}

void cache_remove_expired(struct cache *cache, uint64_t now_ns)
{
    for (struct list *link = cache->by_use.next; link != &cache->by_use;) {
        struct entry *entry = list_entry(link, struct entry, by_use);
        link = link->next;
        if (entry->expiry_ns <= now_ns)
            remove_entry(cache, entry);
    }
}

void cache_clear(struct cache *cache)
{
    while (!list_is_empty(&cache->by_use))
        remove_entry(cache, list_entry(cache->by_use.next, struct entry, by_use));
}
