/* SPDX-License-Identifier: MIT */
#include "runtime/scheduler/slot_notes.h"

#include <errno.h>
#include <string.h>

#include "base/memory.h"

static int make_room(struct slot_notes *notes, uint32_t index)
{
    uint32_t capacity = notes->capacity ? notes->capacity : 64;
    while (capacity <= index)
        capacity *= 2;
    void **of_slot = memory_resize(notes->of_slot, capacity * sizeof(*of_slot));
    if (!of_slot)
        return -ENOMEM;
    memset(of_slot + notes->capacity, 0, (capacity - notes->capacity) * sizeof(*of_slot));
    notes->of_slot = of_slot;
    notes->capacity = capacity;
    return 0;
}

int slot_notes_set(struct slot_notes *notes, const struct slot *slot, void *note)
{
    bool has_room = slot->index < notes->capacity;
    if (!has_room && note && make_room(notes, slot->index) < 0)
        return -ENOMEM;
    if (has_room || note)
        notes->of_slot[slot->index] = note;
    return 0;
}

void slot_notes_free(struct slot_notes *notes)
{
    memory_free(notes->of_slot);
}
