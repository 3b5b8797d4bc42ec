/* SPDX-License-Identifier: MIT */
#include "runtime/scheduler/slot_table.h"

#include <criterion/criterion.h>

#include "base/memory.h"
#include "runtime/scheduler/registry.h"
#include "runtime/scheduler/slot.h"

enum { MANY = 1000 };

Test(slot_table, gives_every_slot_once)
{
    struct slot_table table;
    struct slot *sockets[MANY];
    int64_t blocks = memory_live_count();
    slot_table_init(&table, 7);
    for (uint32_t i = 0; i < MANY; i++) {
        sockets[i] = slot_table_take(&table);
        cr_assert(sockets[i]->generation == 7);
        cr_assert(slot_table_at(&table, sockets[i]->index) == sockets[i]);
        cr_assert(sockets[i]->fd == 0 && sockets[i]->options == NULL && sockets[i]->pending == 0);
        for (uint32_t j = 0; j < i; j++)
            cr_assert(sockets[j]->index != sockets[i]->index);
    }
    cr_assert(table.used_count == MANY && slot_table_size(&table) >= MANY);
    cr_assert(slot_table_at(&table, slot_table_size(&table)) == NULL);
    for (uint32_t i = 0; i < MANY; i++)
        slot_table_free(&table, sockets[i]);
    cr_assert(slot_table_close(&table) == 8);
    cr_assert(memory_live_count() == blocks);
}

Test(slot_table, a_slot_comes_back_as_another)
{
    struct slot_table table;
    slot_table_init(&table, 1);
    struct slot *socket = slot_table_take(&table);
    uint32_t slot = socket->index;
    for (uint32_t i = 0; i < 100; i++) {
        uint32_t generation = socket->generation;
        socket->fd = 99;
        slot_table_free(&table, socket);
        socket = slot_table_take(&table);
        cr_assert(socket->index == slot && socket->generation == generation + 1);
        cr_assert(socket->fd == 0);
    }
    slot_table_free(&table, socket);
    cr_assert(slot_table_close(&table) == 102);
}

/* A handle is never another socket's. */
Test(slot_table, a_slot_is_given_up_when_its_generations_are)
{
    struct slot_table table;
    slot_table_init(&table, GENERATION_MAX - 1);
    struct slot *first = slot_table_take(&table);
    slot_table_free(&table, first);
    cr_assert(slot_table_take(&table) == first && first->generation == GENERATION_MAX);
    slot_table_free(&table, first);
    for (uint32_t i = 0; i < MANY; i++) {
        struct slot *socket = slot_table_take(&table);
        cr_assert(socket != first);
        slot_table_free(&table, socket);
    }
    cr_assert(table.used_count == 0);
    cr_assert(slot_table_close(&table) == GENERATION_MAX);
}

/* No handle of an earlier scheduler with the same number matches, however long it has run. */
Test(registry, handles_are_never_given_again)
{
    struct registry_handles handles;
    int index = registry_reserve(&handles);
    cr_assert(index >= 0 && handles.generation == 1 && handles.first_index == 0);
    registry_release((uint32_t)index, 41, 128);
    cr_assert(registry_reserve(&handles) == index);
    cr_assert(handles.generation == 42 && handles.first_index == 0);
    registry_release((uint32_t)index, GENERATION_MAX, 64); /* of fewer slots than before */
    cr_assert(registry_reserve(&handles) == index);
    cr_assert(handles.generation == 1 && handles.first_index == 128);
    registry_release((uint32_t)index, 7, 64);
    cr_assert(registry_reserve(&handles) == index);
    cr_assert(handles.generation == 8 && handles.first_index == 128);
    registry_release((uint32_t)index, 8, 64);
}

Test(registry, a_number_whose_handles_are_used_up_is_given_up)
{
    struct registry_handles handles;
    uint32_t before = 0;
    int index = registry_reserve(&handles);
    int next = index;
    uint32_t times = 0;
    for (; next == index; times++) {
        cr_assert(times == 0 || handles.first_index > before);
        before = handles.first_index;
        registry_release((uint32_t)index, GENERATION_MAX, SLOTS_MAX);
        next = registry_reserve(&handles);
    }
    cr_assert(times == UINT32_MAX / SLOTS_MAX && next == index + 1 && handles.first_index == 0);
    registry_release((uint32_t)next, 1, 64);
}

Test(slot_table, does_without_memory)
{
    struct slot_table table;
    slot_table_init(&table, 1);
    for (uint64_t nth = 1; nth <= 2; nth++) {
        memory_fail_nth(nth);
        cr_assert(slot_table_take(&table) == NULL);
    }
    memory_fail_nth(0);
    struct slot *socket = slot_table_take(&table);
    cr_assert(socket != NULL);
    slot_table_free(&table, socket);
    (void)slot_table_close(&table);
}
