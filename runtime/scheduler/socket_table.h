/* SPDX-License-Identifier: MIT */
/* Slots of sockets. They never move, and a slot is used again only with a later generation. */
#ifndef RUNTIME_SCHEDULER_SOCKET_TABLE_H
#define RUNTIME_SCHEDULER_SOCKET_TABLE_H

#include <stdint.h>

struct socket;

struct socket_table {
    struct socket **chunks;
    uint32_t chunk_count;
    uint32_t chunk_capacity;
    uint32_t first_free; /* slot + 1; 0: none */
    uint32_t used_count;
    uint32_t first_generation;
};

/* `first_generation` 1..GENERATION_MAX is every slot's. */
void socket_table_init(struct socket_table *table, uint32_t first_generation);

/* Every slot must be free. Returns the highest generation that was used. */
uint32_t socket_table_close(struct socket_table *table);

/* A slot, all zero but for slot and generation. NULL: no memory. */
struct socket *socket_table_take(struct socket_table *table);
void socket_table_free(struct socket_table *table, struct socket *socket);

/* The socket in a slot, free or not; NULL beyond the table. */
struct socket *socket_table_at(const struct socket_table *table, uint32_t slot);

/* How many slots there are, for going through all of them. */
uint32_t socket_table_size(const struct socket_table *table);

#endif
