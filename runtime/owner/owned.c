/* SPDX-License-Identifier: MIT */
#include "runtime/owner/owned.h"

#include "base/memory.h"
#include "runtime/scheduler/slot.h"

enum { FIRST_CAPACITY = 4 };

static uint32_t home_of(const struct owned *owned, uint64_t id)
{
    return (uint32_t)((id * 0x9e3779b97f4a7c15u) >> 32) & (owned->capacity - 1);
}

static uint32_t next_of(const struct owned *owned, uint32_t place)
{
    return (place + 1) & (owned->capacity - 1);
}

/* Where the id is, or would be put. */
static uint32_t place_of(const struct owned *owned, uint64_t id)
{
    uint32_t place = home_of(owned, id);
    while (owned->ids[place] != 0 && owned->ids[place] != id)
        place = next_of(owned, place);
    return place;
}

static bool grow(struct owned *owned)
{
    struct owned larger = {.capacity = owned->capacity ? owned->capacity * 2 : FIRST_CAPACITY};
    larger.ids = memory_allocate_zeroed(larger.capacity, sizeof(*larger.ids));
    if (!larger.ids)
        return false;
    for (uint32_t i = 0; i < owned->capacity; i++)
        if (owned->ids[i] != 0)
            larger.ids[place_of(&larger, owned->ids[i])] = owned->ids[i];
    memory_free(owned->ids);
    owned->ids = larger.ids;
    owned->capacity = larger.capacity;
    return true;
}

/* At most half of the places are taken. */
void owned_add(struct owned *owned, uint64_t id)
{
    if (owned->count * 2 >= owned->capacity && !grow(owned)) {
        owned->incomplete = true;
        return;
    }
    uint32_t place = place_of(owned, id);
    owned->count += owned->ids[place] == 0;
    owned->ids[place] = id;
}

/* What stands behind the place that becomes free is put again, up to the next free place. */
void owned_remove(struct owned *owned, uint64_t id)
{
    uint32_t place = owned->count > 0 ? place_of(owned, id) : 0;
    if (owned->count == 0 || owned->ids[place] == 0)
        return;
    owned->ids[place] = 0;
    owned->count--;
    for (place = next_of(owned, place); owned->ids[place] != 0; place = next_of(owned, place)) {
        uint64_t moved = owned->ids[place];
        owned->ids[place] = 0;
        owned->ids[place_of(owned, moved)] = moved;
    }
}

/* Looks all round, from where the last one was: from the beginning many would be looked for where
 * there are none any more. */
uint64_t owned_take(struct owned *owned, uint32_t scheduler)
{
    if (owned->count == 0)
        return 0;
    for (uint32_t i = 0; i < owned->capacity; i++) {
        uint64_t id = owned->ids[owned->looked];
        if (id != 0 && slot_scheduler((weir_socket){id}) == scheduler) {
            owned_remove(owned, id);
            return id;
        }
        owned->looked = next_of(owned, owned->looked);
    }
    return 0;
}

void owned_free(struct owned *owned)
{
    memory_free(owned->ids);
    *owned = (struct owned){0};
}
