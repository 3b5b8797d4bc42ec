/* SPDX-License-Identifier: MIT */
#include "address/host_table.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "address/name.h"
#include "base/error.h"
#include "base/memory.h"

enum { BUCKETS_MIN = 16 };

static uint32_t address_hash(const weir_address *address)
{
    uint32_t hash = address->family ^ address->scope_id;
    for (size_t i = 0; i < sizeof(address->bytes); i++)
        hash = (hash ^ address->bytes[i]) * 16777619u;
    return hash;
}

static struct host **address_bucket(const struct host_table *table, const weir_address *address)
{
    return &table->by_address[address_hash(address) % table->bucket_count];
}

static struct host_name **name_bucket(const struct host_table *table, const char *name)
{
    return &table->by_name[name_hash(name) % table->bucket_count];
}

static void index_host(struct host_table *table, struct host *host)
{
    struct host **bucket = address_bucket(table, &host->address);
    host->next_in_bucket = *bucket;
    *bucket = host;
}

static void index_name(struct host_table *table, struct host_name *name)
{
    struct host_name **bucket = name_bucket(table, name->text);
    name->next_in_bucket = *bucket;
    *bucket = name;
}

static void index_all(struct host_table *table)
{
    for (struct host *host = table->first; host; host = host->next) {
        index_host(table, host);
        for (struct host_name *name = host->names; name; name = name->next)
            index_name(table, name);
    }
}

/* Buckets for one host and so many names more. */
static int make_room(struct host_table *table, size_t name_count)
{
    size_t needed = table->name_count + name_count;
    if (table->bucket_count > 0 && needed <= table->bucket_count)
        return 0;
    size_t count = 2 * needed > BUCKETS_MIN ? 2 * needed : BUCKETS_MIN;
    struct host **by_address = memory_allocate_zeroed(count, sizeof(struct host *));
    struct host_name **by_name = memory_allocate_zeroed(count, sizeof(struct host_name *));
    if (!by_address || !by_name) {
        memory_free(by_address);
        memory_free(by_name);
        return -ENOMEM;
    }
    memory_free(table->by_address);
    memory_free(table->by_name);
    table->by_address = by_address;
    table->by_name = by_name;
    table->bucket_count = count;
    index_all(table);
    return 0;
}

static struct host *find_host(const struct host_table *table, const weir_address *address)
{
    if (table->bucket_count == 0)
        return NULL;
    struct host *host = *address_bucket(table, address);
    while (host && !weir_address_equal(&host->address, address))
        host = host->next_in_bucket;
    return host;
}

static struct host *new_host(struct host_table *table, const weir_address *address)
{
    struct host *host = memory_allocate_zeroed(1, sizeof(*host));
    if (!host)
        return NULL;
    host->address = *address;
    host->order = table->host_count++;
    if (table->last)
        table->last->next = host;
    else
        table->first = host;
    table->last = host;
    index_host(table, host);
    return host;
}

static void unlink_name(struct host_table *table, struct host_name *name)
{
    struct host_name **place = name_bucket(table, name->text);
    while (*place != name)
        place = &(*place)->next_in_bucket;
    *place = name->next_in_bucket;
    table->name_count--;
}

static void remove_names(struct host_table *table, struct host *host)
{
    while (host->names) {
        struct host_name *name = host->names;
        host->names = name->next;
        unlink_name(table, name);
        memory_free(name);
    }
    host->last_name = NULL;
    host->name_count = 0;
}

static struct host_name *new_name(struct host *host, const char *text)
{
    size_t size = strlen(text) + 1;
    struct host_name *name = memory_allocate_zeroed(1, sizeof(*name) + size);
    if (name) {
        memcpy(name->text, text, size);
        name->host = host;
    }
    return name;
}

static int append_name(struct host_table *table, struct host *host, const char *text)
{
    struct host_name *name = new_name(host, text);
    if (!name)
        return -ENOMEM;
    if (host->last_name)
        host->last_name->next = name;
    else
        host->names = name;
    host->last_name = name;
    host->name_count++;
    table->name_count++;
    index_name(table, name);
    return 0;
}

int host_table_add(struct host_table *table, enum host_adding adding, const weir_address *address,
                   const char *const *names, size_t name_count)
{
    if (make_room(table, name_count) < 0)
        return -ENOMEM;
    struct host *host = find_host(table, address);
    if (host && adding == HOST_REPLACE)
        remove_names(table, host);
    if (!host)
        host = new_host(table, address);
    for (size_t i = 0; host && i < name_count; i++)
        if (append_name(table, host, names[i]) < 0)
            return -ENOMEM;
    return host ? 0 : -ENOMEM;
}

void host_table_clear(struct host_table *table)
{
    while (table->first) {
        struct host *host = table->first;
        table->first = host->next;
        remove_names(table, host);
        memory_free(host);
    }
    memory_free(table->by_address);
    memory_free(table->by_name);
    *table = (struct host_table){0};
}

static int answer(const struct host *host, const weir_address *addresses, size_t address_count,
                  weir_hostent **hostent)
{
    const char **names = memory_allocate(host->name_count * sizeof(*names));
    size_t count = 0;
    if (!names)
        return -ENOMEM;
    for (const struct host_name *name = host->names; name; name = name->next)
        names[count++] = name->text;
    *hostent = hostent_create(names[0], names + 1, count - 1, addresses, address_count);
    memory_free(names);
    return *hostent ? 0 : -ENOMEM;
}

static bool is_found(const struct host_name *name, const char *text, enum weir_family family)
{
    return name->host->address.family == family && name_equals(name->text, text);
}

static int compare_order(const void *a, const void *b)
{
    size_t left = (*(struct host *const *)a)->order;
    size_t right = (*(struct host *const *)b)->order;
    return (left > right) - (left < right);
}

/* The hosts that were found in their order, each once. How many are left. */
static size_t put_in_order(struct host **hosts, size_t count)
{
    size_t kept = 0;
    qsort(hosts, count, sizeof(struct host *), compare_order);
    for (size_t i = 0; i < count; i++)
        if (kept == 0 || hosts[i] != hosts[kept - 1])
            hosts[kept++] = hosts[i];
    return kept;
}

static int answer_found(struct host **hosts, size_t count, weir_hostent **hostent)
{
    weir_address *addresses = memory_allocate(count * sizeof(*addresses));
    if (!addresses)
        return -ENOMEM;
    count = put_in_order(hosts, count);
    for (size_t i = 0; i < count; i++)
        addresses[i] = hosts[i]->address;
    int result = answer(hosts[0], addresses, count, hostent);
    memory_free(addresses);
    return result;
}

static size_t collect(const struct host_table *table, const char *text, enum weir_family family,
                      struct host **hosts)
{
    size_t count = 0;
    for (struct host_name *name = *name_bucket(table, text); name; name = name->next_in_bucket)
        if (is_found(name, text, family)) {
            if (hosts)
                hosts[count] = name->host;
            count++;
        }
    return count;
}

int host_table_by_name(const struct host_table *table, const char *name, enum weir_family family,
                       weir_hostent **hostent)
{
    size_t count = table->bucket_count ? collect(table, name, family, NULL) : 0;
    if (count == 0)
        return error_say(WEIR_NXDOMAIN, "host '%s': in no hosts file", name);
    struct host **hosts = memory_allocate(count * sizeof(struct host *));
    if (!hosts)
        return -ENOMEM;
    collect(table, name, family, hosts);
    int result = answer_found(hosts, count, hostent);
    memory_free(hosts);
    return result;
}

int host_table_by_address(const struct host_table *table, const weir_address *address,
                          weir_hostent **hostent)
{
    const struct host *host = find_host(table, address);
    if (!host || host->name_count == 0)
        return error_say(WEIR_NXDOMAIN, "the address is in no hosts file");
    return answer(host, &host->address, 1, hostent);
}
