/* SPDX-License-Identifier: MIT */
#include "runtime/scheduler/slot_table.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <string.h>

#include "base/memory.h"
#include "options/option_block.h"
#include "runtime/scheduler/registry.h"
#include "runtime/scheduler/scheduler.h"
#include "runtime/scheduler/slot.h"
#include "runtime/scheduler/slot_notes.h"

enum { MANY = 1100 };

/* New memory is not zero. */
static unsigned resize_count;
static size_t resized;

void *__wrap_memory_resize(void *block, size_t size);
void *__real_memory_resize(void *block, size_t size);

void *__wrap_memory_resize(void *block, size_t size)
{
    void *larger = __real_memory_resize(block, size);
    resize_count++;
    resized = size;
    return block || !larger ? larger : memset(larger, 0xA5, size);
}

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
    cr_assert(slot_table_at(&table, slot_table_size(&table) + 1) == NULL);
    cr_assert(resize_count == 2 && resized == 32 * sizeof(void *), "16 chunks at first");
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

/* Of whichever slot they are. */
Test(slot_table, says_how_many_generations_were_used)
{
    struct slot_table table;
    slot_table_init(&table, 1);
    struct slot *first = slot_table_take(&table);
    struct slot *second = slot_table_take(&table);
    slot_table_free(&table, second);
    cr_assert(slot_table_take(&table) == second);
    slot_table_free(&table, second);
    slot_table_free(&table, first);
    cr_assert(slot_table_close(&table) == 3);
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

Test(slot_table, has_an_end)
{
    enum { CHUNKS = SLOTS_MAX / 64 };
    struct slot_table table = {.chunk_count = CHUNKS, .chunk_capacity = CHUNKS};
    cr_assert(slot_table_take(&table) == NULL && table.chunk_count == CHUNKS);
    cr_assert(memory_live_count() == 0);
}

/* Whatever comes before them, and of the generation that they are. */
Test(slot, is_found_by_its_handle_alone)
{
    static struct scheduler scheduler = {.index = 3, .first_index = 5000};
    slot_table_init(&scheduler.slots, 9);
    struct slot *slot = slot_create(&scheduler, KIND_WATCH, -1, WEIR_INET);
    struct slot *other = slot_create(&scheduler, KIND_WATCH, -1, WEIR_INET);
    weir_socket handle = slot_handle(&scheduler, slot);
    cr_expect_eq(slot_scheduler(handle), 3u);
    cr_expect_eq((uint32_t)handle.id, 5000 + slot->index);
    cr_expect_neq(handle.id, slot_handle(&scheduler, other).id);
    cr_expect_eq(slot_find_any(&scheduler, handle), slot);
    cr_expect_null(slot_find(&scheduler, handle), "it is not alive");
    slot_move(slot, SOCKET_ESTABLISH);
    cr_expect_eq(slot_find(&scheduler, handle), slot);
    handle.id += 1ull << HANDLE_GENERATION_SHIFT;
    cr_expect_null(slot_find_any(&scheduler, handle));
    slot_table_free(&scheduler.slots, slot);
    slot_table_free(&scheduler.slots, other);
    slot_table_close(&scheduler.slots);
}

Test(slot, with_options_is_made_whole_or_not_at_all)
{
    static struct scheduler scheduler;
    struct slot *slot = NULL;
    const struct option_values values = {0};
    uint64_t nth = 1;
    slot_table_init(&scheduler.slots, 1);
    for (; !slot; nth++) {
        int64_t blocks = memory_live_count();
        memory_fail_nth(nth);
        slot = slot_create_with(&scheduler, KIND_WATCH, -1, WEIR_INET, &values);
        memory_fail_nth(0);
        cr_assert(slot || memory_live_count() <= blocks + 1, "but for the table itself");
    }
    cr_expect(nth > 3 && slot->options);
    option_block_drop(slot->options);
    slot_table_free(&scheduler.slots, slot);
    slot_table_close(&scheduler.slots);
    cr_expect_eq(memory_live_count(), 0);
}

/* Those that nobody has noted anything of have nothing, however large the table was made. */
Test(slot_notes, are_of_one_slot)
{
    struct slot_notes notes = {0};
    struct slot slots[300];
    int note;
    for (uint32_t i = 0; i < 300; i++)
        slots[i].index = i;
    cr_expect_eq(slot_notes_set(&notes, &slots[200], NULL), 0);
    cr_expect_eq(notes.capacity, 0u, "there is nothing to take back");
    cr_expect_eq(slot_notes_set(&notes, &slots[200], &note), 0);
    for (uint32_t i = 0; i < 300; i++)
        cr_expect_eq(slot_note(&notes, &slots[i]), i == 200 ? &note : NULL, "slot %u", i);
    memory_fail_nth(1);
    cr_expect_eq(slot_notes_set(&notes, &slots[256], &note), -ENOMEM);
    cr_expect_eq(slot_notes_set(&notes, &slots[256], &note), 0);
    cr_expect_eq(slot_note(&notes, &slots[256]), &note);
    cr_expect_eq(slot_note(&notes, &slots[200]), &note);
    cr_expect_eq(slot_notes_set(&notes, &slots[200], NULL), 0);
    cr_expect_null(slot_note(&notes, &slots[200]));
    slot_notes_free(&notes);
    cr_expect_eq(memory_live_count(), 0);
}
