/* SPDX-License-Identifier: MIT */
#include "runtime/scheduler/slot_table.h"

#include <string.h>

#include "base/check.h"
#include "base/memory.h"
#include "runtime/scheduler/slot.h"

enum { CHUNK_SLOTS = 64 }; /* about four pages */

struct free_slot {
    struct slot slot;
    uint32_t next; /* index + 1; 0: none */
};

union cell {
    struct slot slot;
    struct free_slot free;
    uint64_t room[SLOT_SIZE / sizeof(uint64_t)];
};

struct slot_chunk {
    union cell cells[CHUNK_SLOTS];
};

_Static_assert(sizeof(union cell) == SLOT_SIZE, "a slot has room for every kind, and no more");

void slot_table_init(struct slot_table *table, uint32_t first_generation)
{
    CHECK(first_generation > 0 && first_generation <= GENERATION_MAX);
    *table = (struct slot_table){.first_generation = first_generation};
}

uint32_t slot_table_close(struct slot_table *table)
{
    uint32_t highest = table->first_generation;
    CHECK_EQ(table->used_count, 0u);
    for (uint32_t i = 0; i < slot_table_size(table); i++) {
        uint32_t generation = slot_table_at(table, i)->generation;
        if (generation > highest)
            highest = generation;
    }
    for (uint32_t i = 0; i < table->chunk_count; i++)
        memory_free(table->chunks[i]);
    memory_free(table->chunks);
    return highest;
}

static void push_free(struct slot_table *table, struct slot *slot)
{
    ((struct free_slot *)slot)->next = table->first_free;
    table->first_free = slot->index + 1;
}

static int make_room(struct slot_table *table)
{
    if (table->chunk_count < table->chunk_capacity)
        return 0;
    uint32_t capacity = table->chunk_capacity ? table->chunk_capacity * 2 : 16;
    struct slot_chunk **chunks = memory_resize(table->chunks, capacity * sizeof(*chunks));
    if (!chunks)
        return -1;
    table->chunks = chunks;
    table->chunk_capacity = capacity;
    return 0;
}

static int add_chunk(struct slot_table *table)
{
    if (table->chunk_count == SLOTS_MAX / CHUNK_SLOTS || make_room(table) < 0)
        return -1;
    struct slot_chunk *chunk = memory_allocate_zeroed(1, sizeof(*chunk));
    if (!chunk)
        return -1;
    uint32_t first = table->chunk_count * CHUNK_SLOTS;
    table->chunks[table->chunk_count++] = chunk;
    for (uint32_t i = CHUNK_SLOTS; i-- > 0;) {
        struct slot *slot = &chunk->cells[i].slot;
        slot->index = first + i;
        slot->generation = table->first_generation;
        push_free(table, slot);
    }
    return 0;
}

struct slot *slot_table_take(struct slot_table *table)
{
    if (table->first_free == 0 && add_chunk(table) < 0)
        return NULL;
    struct slot *slot = slot_table_at(table, table->first_free - 1);
    struct free_slot *taken = (struct free_slot *)slot;
    table->first_free = taken->next;
    taken->next = 0;
    table->used_count++;
    return slot;
}

/* The slot that was freed last is taken first, so one alone may see every connection of a server.
 * When its generations are used up it is given up: no handle may ever be another socket's. */
void slot_table_free(struct slot_table *table, struct slot *slot)
{
    uint32_t index = slot->index;
    uint32_t generation = slot->generation;
    memset(slot, 0, SLOT_SIZE);
    slot->index = index;
    slot->generation = generation;
    table->used_count--;
    if (generation == GENERATION_MAX)
        return;
    slot->generation++;
    push_free(table, slot);
}

struct slot *slot_table_at(const struct slot_table *table, uint32_t index)
{
    uint32_t chunk = index / CHUNK_SLOTS;
    return chunk < table->chunk_count ? &table->chunks[chunk]->cells[index % CHUNK_SLOTS].slot
                                      : NULL;
}

uint32_t slot_table_size(const struct slot_table *table)
{
    return table->chunk_count * CHUNK_SLOTS;
}
