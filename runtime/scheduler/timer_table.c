/* SPDX-License-Identifier: MIT */
#include "runtime/scheduler/timer_table.h"

#include <errno.h>

#include "base/error.h"
#include "base/memory.h"
#include "base/thread.h"
#include "runtime/ring/operation.h"
#include "runtime/scheduler/slot_table.h"

enum { CHUNK_TIMERS = 64, TIMERS_MAX = SLOTS_MAX };

struct timer_chunk {
    struct timer_entry entries[CHUNK_TIMERS];
};

void timer_table_open(struct timer_table *table, uint32_t first_generation)
{
    *table = (struct timer_table){.first_generation = first_generation};
    pthread_mutex_init(&table->lock, NULL);
}

static uint32_t place_count_of(const struct timer_table *table)
{
    return table->chunk_count * CHUNK_TIMERS;
}

static struct timer_entry *entry_at(const struct timer_table *table, uint32_t index)
{
    return &table->chunks[index / CHUNK_TIMERS]->entries[index % CHUNK_TIMERS];
}

uint32_t timer_table_close(struct timer_table *table, uint32_t *place_count)
{
    uint32_t highest = table->first_generation;
    *place_count = place_count_of(table);
    for (uint32_t i = 0; i < *place_count; i++)
        if (entry_at(table, i)->generation > highest)
            highest = entry_at(table, i)->generation;
    for (uint32_t i = 0; i < table->chunk_count; i++)
        memory_free(table->chunks[i]);
    memory_free(table->chunks);
    thread_end_lock(&table->lock);
    return highest;
}

static void push_free(struct timer_table *table, struct timer_entry *entry)
{
    entry->next_free = table->first_free;
    table->first_free = entry->index + 1;
}

static int make_room(struct timer_table *table)
{
    if (table->chunk_count < table->chunk_capacity)
        return 0;
    uint32_t capacity = table->chunk_capacity ? table->chunk_capacity * 2 : 16;
    struct timer_chunk **chunks = memory_resize(table->chunks, capacity * sizeof(*chunks));
    if (!chunks)
        return -ENOMEM;
    table->chunks = chunks;
    table->chunk_capacity = capacity;
    return 0;
}

static int add_chunk(struct timer_table *table)
{
    if (place_count_of(table) == TIMERS_MAX)
        return error_say(WEIR_SYSTEM_LIMIT, "a scheduler has at most %d timers", TIMERS_MAX);
    struct timer_chunk *chunk =
        make_room(table) < 0 ? NULL : memory_allocate_zeroed(1, sizeof(*chunk));
    if (!chunk)
        return error_say(-ENOMEM, "no memory for a timer");
    uint32_t first = place_count_of(table);
    table->chunks[table->chunk_count++] = chunk;
    for (uint32_t i = CHUNK_TIMERS; i-- > 0;) {
        chunk->entries[i].index = first + i;
        chunk->entries[i].generation = table->first_generation;
        push_free(table, &chunk->entries[i]);
    }
    return 0;
}

int timer_table_take(struct timer_table *table, struct timer_entry **entry)
{
    int result = table->first_free == 0 ? add_chunk(table) : 0;
    if (result < 0)
        return result;
    *entry = entry_at(table, table->first_free - 1);
    table->first_free = (*entry)->next_free;
    return 0;
}

/* A place whose generations are used up is given up: no handle may ever be another timer's. */
void timer_table_give_back(struct timer_table *table, struct timer_entry *entry)
{
    entry->state = TIMER_FREE;
    if (entry->generation == GENERATION_MAX)
        return;
    entry->generation++;
    push_free(table, entry);
}

struct timer_entry *timer_table_find(const struct timer_table *table, uint32_t index,
                                     uint32_t generation)
{
    if (index >= place_count_of(table))
        return NULL;
    struct timer_entry *entry = entry_at(table, index);
    return entry->generation == generation && entry->state != TIMER_FREE ? entry : NULL;
}
