/* SPDX-License-Identifier: MIT */
/*
 * Which names an address has, as hosts files and the configuration say. Found by name, an address
 * is found in the order in which it was added; of several with that name, the first gives the
 * official name and the aliases.
 */
#ifndef ADDRESS_HOST_TABLE_H
#define ADDRESS_HOST_TABLE_H

#include "address/hostent.h"

struct host {
    struct host *next;
    struct host *next_in_bucket;
    weir_address address;
    size_t order;            /* in which it was added */
    struct host_name *names; /* the official one first */
    struct host_name *last_name;
    size_t name_count;
};

struct host_name {
    struct host_name *next;
    struct host_name *next_in_bucket;
    struct host *host;
    char text[];
};

struct host_table {
    struct host *first;
    struct host *last;
    size_t host_count;
    size_t name_count;
    struct host **by_address; /* buckets, as many as there are of names */
    struct host_name **by_name;
    size_t bucket_count;
};

/* How an address that is there already takes names: hosts files merge their lines. */
enum host_adding { HOST_REPLACE, HOST_MERGE };

/* 0 or -ENOMEM. */
int host_table_add(struct host_table *table, enum host_adding adding, const weir_address *address,
                   const char *const *names, size_t name_count);
void host_table_clear(struct host_table *table);

/* 0, WEIR_NXDOMAIN or -ENOMEM. */
int host_table_by_name(const struct host_table *table, const char *name, enum weir_family family,
                       weir_hostent **hostent);
int host_table_by_address(const struct host_table *table, const weir_address *address,
                          weir_hostent **hostent);

#endif
