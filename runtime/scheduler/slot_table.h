/* SPDX-License-Identifier: MIT */
/* Slots of sockets. They never move, and a slot is used again only with a later generation. */
#ifndef RUNTIME_SCHEDULER_SLOT_TABLE_H
#define RUNTIME_SCHEDULER_SLOT_TABLE_H

#include <stdint.h>

struct slot;
struct slot_chunk;

/* Of one scheduler: an index is 24 bits of user_data. */
enum { SLOTS_MAX = 1 << 24 };

struct slot_table {
    struct slot_chunk **chunks;
    uint32_t chunk_count;
    uint32_t chunk_capacity;
    uint32_t first_free; /* index + 1; 0: none */
    uint32_t used_count;
    uint32_t first_generation;
};

/* `first_generation` 1..GENERATION_MAX is every slot's. */
void slot_table_init(struct slot_table *table, uint32_t first_generation);

/* Every slot must be free. Returns the highest generation that was used. */
uint32_t slot_table_close(struct slot_table *table);

/* A slot of SLOT_SIZE bytes, all zero but for index and generation. NULL: no memory. */
struct slot *slot_table_take(struct slot_table *table);
void slot_table_free(struct slot_table *table, struct slot *slot);

/* The slot with an index, free or not; NULL beyond the table. */
struct slot *slot_table_at(const struct slot_table *table, uint32_t index);

/* How many slots there are, for going through all of them. */
uint32_t slot_table_size(const struct slot_table *table);

#endif
