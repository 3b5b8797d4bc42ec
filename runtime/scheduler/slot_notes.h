/* SPDX-License-Identifier: MIT */
/* What few slots of a scheduler have beside themselves: a pointer by the slot's index, NULL for all
 * others. Where no slot has had one it costs nothing. */
#ifndef RUNTIME_SCHEDULER_SLOT_NOTES_H
#define RUNTIME_SCHEDULER_SLOT_NOTES_H

#include <stdint.h>

#include "runtime/scheduler/slot.h"

struct slot_notes {
    void **of_slot;
    uint32_t capacity; /* 0: none has ever had one */
};

static inline void *slot_note(const struct slot_notes *notes, const struct slot *slot)
{
    return __builtin_expect(slot->index < notes->capacity, 0) ? notes->of_slot[slot->index] : NULL;
}

/* The note is still who made it's. 0, or -ENOMEM; taking one back (NULL) never fails. */
int slot_notes_set(struct slot_notes *notes, const struct slot *slot, void *note);

void slot_notes_free(struct slot_notes *notes);

#endif
