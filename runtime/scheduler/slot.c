/* SPDX-License-Identifier: MIT */
#include "runtime/scheduler/slot.h"

#include "base/check.h"
#include "options/option_block.h"
#include "runtime/scheduler/scheduler.h"

struct slot *slot_create(struct scheduler *scheduler, enum kind_number kind, int fd,
                         enum weir_family family)
{
    struct slot *slot = slot_table_take(&scheduler->slots);
    if (!slot)
        return NULL;
    slot->kind = (uint8_t)kind & 15;
    slot->fd = fd;
    slot->family = (uint8_t)family;
    return slot;
}

struct slot *slot_create_with(struct scheduler *scheduler, enum kind_number kind, int fd,
                              enum weir_family family, const struct option_values *values)
{
    struct option_block *block = option_block_create(values);
    struct slot *slot = block ? slot_create(scheduler, kind, fd, family) : NULL;
    if (slot)
        slot->options = block;
    else if (block)
        option_block_drop(block);
    return slot;
}

void slot_move(struct slot *slot, enum socket_event event)
{
    slot->state = (uint8_t)socket_state_next((enum socket_state)slot->state, event) & 15;
}

void slot_free(struct scheduler *scheduler, struct slot *slot)
{
    if (scheduler->kinds[slot->kind]->release)
        scheduler->kinds[slot->kind]->release(scheduler, slot);
    if (slot->options)
        option_block_drop(slot->options);
    slot_move(slot, SOCKET_RELEASE);
    slot_table_free(&scheduler->slots, slot);
}

void slot_end(struct scheduler *scheduler, struct slot *slot, enum ending ending)
{
    scheduler->kinds[slot->kind]->end(scheduler, slot, ending);
}

void slot_end_all(struct scheduler *scheduler, enum ending ending)
{
    for (uint32_t index = 0; index < slot_table_size(&scheduler->slots); index++) {
        struct slot *slot = slot_table_at(&scheduler->slots, index);
        if (slot->state != SOCKET_FREE)
            slot_end(scheduler, slot, ending);
    }
}

weir_socket slot_handle(const struct scheduler *scheduler, const struct slot *slot)
{
    uint32_t index = scheduler->first_index + slot->index;
    weir_socket handle = {(uint64_t)scheduler->index << HANDLE_INDEX_SHIFT |
                          (uint64_t)slot->generation << HANDLE_GENERATION_SHIFT | index};
    return handle;
}

struct slot *slot_find_any(struct scheduler *scheduler, weir_socket handle)
{
    uint32_t index = (uint32_t)handle.id - scheduler->first_index;
    struct slot *slot = slot_table_at(&scheduler->slots, index);
    uint32_t generation = (uint32_t)(handle.id >> HANDLE_GENERATION_SHIFT) & GENERATION_MAX;
    return slot && slot->generation == generation ? slot : NULL;
}

struct slot *slot_find(struct scheduler *scheduler, weir_socket handle)
{
    struct slot *slot = slot_find_any(scheduler, handle);
    return slot && slot_is_live(slot) ? slot : NULL;
}
