/* SPDX-License-Identifier: MIT */
#include "runtime/scheduler/socket_table.h"

#include <string.h>

#include "base/check.h"
#include "base/memory.h"
#include "runtime/scheduler/socket.h"

enum { CHUNK_SIZE = 64 }; /* sockets; about four pages */

void socket_table_init(struct socket_table *table, uint32_t first_generation)
{
    CHECK(first_generation > 0 && first_generation <= GENERATION_MAX);
    *table = (struct socket_table){.first_generation = first_generation};
}

uint32_t socket_table_close(struct socket_table *table)
{
    uint32_t highest = table->first_generation;
    CHECK_EQ(table->used_count, 0u);
    for (uint32_t i = 0; i < socket_table_size(table); i++) {
        uint32_t generation = socket_table_at(table, i)->generation;
        if (generation > highest)
            highest = generation;
    }
    for (uint32_t i = 0; i < table->chunk_count; i++)
        memory_free(table->chunks[i]);
    memory_free(table->chunks);
    return highest;
}

/* While a slot is free, `needed` holds the next free one. */
static void push_free(struct socket_table *table, struct socket *socket)
{
    socket->needed = table->first_free;
    table->first_free = socket->slot + 1;
}

static int make_room(struct socket_table *table)
{
    if (table->chunk_count < table->chunk_capacity)
        return 0;
    uint32_t capacity = table->chunk_capacity ? table->chunk_capacity * 2 : 16;
    struct socket **chunks = memory_resize(table->chunks, capacity * sizeof(*chunks));
    if (!chunks)
        return -1;
    table->chunks = chunks;
    table->chunk_capacity = capacity;
    return 0;
}

static int add_chunk(struct socket_table *table)
{
    if (make_room(table) < 0)
        return -1;
    struct socket *chunk = memory_allocate_zeroed(CHUNK_SIZE, sizeof(*chunk));
    if (!chunk)
        return -1;
    uint32_t first_slot = table->chunk_count * CHUNK_SIZE;
    table->chunks[table->chunk_count++] = chunk;
    for (uint32_t i = CHUNK_SIZE; i-- > 0;) {
        chunk[i].slot = first_slot + i;
        chunk[i].generation = table->first_generation;
        push_free(table, &chunk[i]);
    }
    return 0;
}

struct socket *socket_table_take(struct socket_table *table)
{
    if (table->first_free == 0 && add_chunk(table) < 0)
        return NULL;
    struct socket *socket = socket_table_at(table, table->first_free - 1);
    table->first_free = socket->needed;
    socket->needed = 0;
    table->used_count++;
    return socket;
}

/* The slot that was freed last is taken first, so one alone may see every connection of a server.
 * When its generations are used up it is given up: no handle may ever be another socket's. */
void socket_table_free(struct socket_table *table, struct socket *socket)
{
    uint32_t slot = socket->slot;
    uint32_t generation = socket->generation;
    memset(socket, 0, sizeof(*socket));
    socket->slot = slot;
    socket->generation = generation;
    table->used_count--;
    if (generation == GENERATION_MAX)
        return;
    socket->generation++;
    push_free(table, socket);
}

struct socket *socket_table_at(const struct socket_table *table, uint32_t slot)
{
    uint32_t chunk = slot / CHUNK_SIZE;
    return chunk < table->chunk_count ? &table->chunks[chunk][slot % CHUNK_SIZE] : NULL;
}

uint32_t socket_table_size(const struct socket_table *table)
{
    return table->chunk_count * CHUNK_SIZE;
}
